/** Views of a large cluster: the same graphs, from sums. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { callGraph } from "../../static/js/model/calls.js";
import { Cells, LOOK } from "../../static/js/model/cells.js";
import { matrix } from "../../static/js/model/matrix.js";
import { spaceGraph } from "../../static/js/model/spaces.js";
import { Sums } from "../../static/js/model/sums.js";

const work = (/** @type {string} */ space, /** @type {string} */ name) => ({ id: `workload:Deployment/${space}/${name}`, kind: "workload", type: "Deployment", namespace: space, name, replicas: 9, counts: { ready: 7, pending: 1, failing: 1 } });
const [WEB, API] = [work("a", "web"), work("b", "api")];
const SERVICE = { id: "service:b/api", kind: "service", namespace: "b", name: "api", ports: [], selector: {}, endpoints: [], workloads: [API.id] };
const space = (/** @type {string} */ name) => ({ id: `namespace:${name}`, kind: "namespace", name, counts: { ready: 20, pending: 2, failing: 1, terminating: 5, succeeded: 3, pods: 31, workloads: 14, services: 3, policies: 2 } });
const body = (/** @type {any[]} */ entities, /** @type {any[]} */ routes) => ({ entities, routes, left: { routes: 0, all: routes.length }, sampled: 3, measured: true });

test("a sum becomes a route for each thing that becomes of its calls, and only what arrives moves", () => {
  const sums = new Sums();
  assert.equal(sums.take(body([WEB, SERVICE, API], [{ way: [WEB.id, SERVICE.id, API.id], kind: "service", flow: "flow:a/f", rates: [6, 0, 2] }])), true);
  assert.deepEqual([...sums.routes.values()].map(({ effect, segments }) => [effect, segments.length]), [["allowed", 2], ["dropped", 2]]);
  assert.deepEqual([...sums.shares.values()], [{ rps: 6, failing: 0 }, { rps: 2, failing: 2 }]);
  assert.deepEqual(sums.calls(500).map(([, count]) => count), [3]);
  const { units, arcs, census } = callGraph(sums.entities, undefined, undefined, sums.routes.values());
  assert.deepEqual(units.map((unit) => unit.cards.map((card) => card.id)), [[SERVICE.id, API.id], [WEB.id]]);
  assert.deepEqual(arcs.map(({ from, to }) => [from, to]), [[SERVICE.id, API.id], [WEB.id, SERVICE.id]]);
  assert.deepEqual(census.workloads.get(API.id), { pods: 9, ready: 7, pending: 1, failing: 1, wanted: 9 });
  const [cell] = matrix(sums.entities, sums.routes, sums.shares).cells.values();
  assert.deepEqual([cell.from, cell.to, cell.rps, cell.failing, cell.verdict], [WEB.id, API.id, 8, 2, "some"]);
});

test("namespaces show what the server counted, and what never leaves them", () => {
  const sums = new Sums();
  const way = (/** @type {string} */ from, /** @type {string} */ to) => ({ way: [from, to], kind: "service", flow: "", rates: [1, 0, 0] });
  sums.take(body([space("a"), space("b"), WEB], [way(WEB.id, "namespace:b"), way("namespace:b", "namespace:b")]));
  const graph = spaceGraph(sums.entities, new Map([["namespace:a", 12]]), [...sums.routes.values()]);
  assert.deepEqual(graph.panels.get("namespace:b")?.count, { pods: 23, ready: 20, pending: 2, failing: 1, wanted: 23, workloads: 14, services: 3, policies: 2 });
  assert.deepEqual([graph.panels.get("namespace:a")?.more, graph.panels.get("namespace:b")?.more], [13, 0]);
  assert.deepEqual(graph.arcs, [{ from: "namespace:a", to: "namespace:b" }]);
  assert.equal(graph.reps(WEB.id), WEB.id);
  const made = matrix(sums.entities, sums.routes, sums.shares);
  assert.deepEqual([...made.cells.keys()], [`${WEB.id}>namespace:b`, "namespace:b>namespace:b"]);
  assert.equal(made.rows.find((row) => row.id === "namespace:b")?.group, "namespaces");
});

test("a filter sets pods aside in the tiles, but never those that fail", () => {
  const cells = new Cells(1, 4, 0);
  const mass = { count: 3, node: Uint32Array.of(0, 0, 0), slot: Uint32Array.of(0, 1, 2), state: Uint8Array.of(1, 3, 1), heat: Uint8Array.of(2, 0, 5) };
  cells.fill(mass);
  const before = [...cells.look];
  cells.setAside(mass, (pod) => pod < 2);
  assert.deepEqual([...cells.look], [LOOK.aside, LOOK.failing, LOOK.heat + 5, LOOK.empty]);
  mass.heat[0] = 7;
  cells.update(mass, [0]);
  assert.equal(cells.look[0], LOOK.aside);
  cells.setAside(mass, null);
  assert.deepEqual([...cells.look], [LOOK.heat + 7, ...before.slice(1)]);
});
