import assert from "node:assert/strict";
import test from "node:test";
import { callGraph } from "../../static/js/model/calls.js";
import { census } from "../../static/js/model/census.js";
import { Curves, portY } from "../../static/js/model/curves.js";
import { focusOn, through } from "../../static/js/model/focus.js";
import { layout } from "../../static/js/model/layout.js";
import { layered } from "../../static/js/model/layoutlayers.js";
import { Shares } from "../../static/js/model/shares.js";
import { spaceGraph } from "../../static/js/model/spaces.js";
import { callLines, cardWay, weigh } from "../../static/js/model/viewlines.js";
import { chance } from "./fixtures/big.js";
import { pod, service, snapshot } from "./fixtures/boutique.js";

const byId = (/** @type {any[]} */ list) => new Map(list.map((e) => [e.id, e]));
const VIEWS = {
  nodes: (/** @type {any[]} */ list, /** @type {any} */ before) => layout(list, before),
  services: (/** @type {any[]} */ list, /** @type {any} */ before) => {
    const { units, arcs } = callGraph(byId(list));
    return layered(units, arcs, before);
  },
  namespaces: (/** @type {any[]} */ list, /** @type {any} */ before) => {
    const { units, arcs } = spaceGraph(byId(list), new Map());
    return layered(units, arcs, before);
  },
};

const workload = (/** @type {string} */ namespace, /** @type {string} */ name) => ({ id: `workload:Deployment/${namespace}/${name}`, kind: "workload", name, namespace, created: 400, labels: {},
  type: "Deployment", replicas: 1, ready: 0, selector: { app: name } });
const flow = (/** @type {string} */ name, /** @type {string} */ from, /** @type {string} */ to, rps = 1) => ({ id: `flow:shop/${name}`, kind: "flow", name, namespace: "shop", created: 500, labels: {}, from, to, host: to,
  port: 80, protocol: "TCP", path: "", rps, inferred: false });

/** Something comes, or something goes: pods mostly, workloads with their Services and calls, namespaces. */
function change(/** @type {any[]} */ list, /** @type {() => number} */ roll, /** @type {number} */ turn) {
  const pick = (/** @type {any[]} */ from) => from[Math.floor(roll() * from.length)];
  const kind = roll();
  if (kind < 0.4) return [...list, pod({ name: `new-${turn}`, node: `n${1 + Math.floor(roll() * 3)}`, ip: `10.244.1.${turn % 250}`, workload: pick(["frontend", "cartservice", ""]) })];
  if (kind < 0.6) {
    const victim = pick(list.filter((e) => e.kind === "pod"));
    return list.filter((e) => e !== victim);
  }
  if (kind < 0.8) {
    const caller = pick(list.filter((e) => e.kind === "workload" || e.id === "internet"));
    const name = `extra-${turn}`;
    return [...list, workload("shop", name), service("shop", name, `10.96.7.${turn % 250}`, 80), ...(caller ? [flow(name, caller.id, `service:shop/${name}`)] : [])];
  }
  if (kind < 0.9) {
    const victim = pick(list.filter((e) => e.kind === "workload" || e.kind === "service" || e.kind === "flow"));
    return list.filter((e) => e !== victim);
  }
  return [...list, { id: `namespace:team-${turn}`, kind: "namespace", name: `team-${turn}`, created: 600, labels: {} }, workload(`team-${turn}`, "web")];
}

function overlaps(/** @type {any} */ made) {
  const boxes = [...made.boxes.values()].filter((box) => box.kind !== "node");
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).map((b) => `${a.id} over ${b.id}`));
}

for (const [name, place] of Object.entries(VIEWS)) {
  test(`${name}: whatever comes and goes, who stays does not move, and nobody stands on anybody`, () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const roll = chance(seed);
      let list = snapshot().entities;
      let before = place(list, null);
      for (let turn = 0; turn < 40; turn += 1) {
        const next = change(list, roll, turn);
        const after = place(next, before);
        const slots = name !== "nodes" || before.slots.nodes.size === after.slots.nodes.size;
        for (const [id, box] of before.boxes) {
          const now = after.boxes.get(id);
          if (now && slots && box.kind !== "node" && (name !== "nodes" || !grew(before, after))) assert.deepEqual([now.x, now.y], [box.x, box.y], `${id}, seed ${seed}, turn ${turn}`);
        }
        assert.deepEqual(overlaps(after), [], `seed ${seed}, turn ${turn}`);
        [list, before] = [next, after];
      }
    }
  });

  test(`${name}: the same cluster gives the same picture, whatever the order of its objects`, () => {
    const { entities } = snapshot();
    const positions = (/** @type {any[]} */ list) => JSON.stringify([...place(list, null).boxes].sort(([a], [b]) => (a < b ? -1 : 1)));
    assert.equal(positions([...entities].reverse()), positions(entities));
  });
}

/** By node all panels grow when one needs another row, and the lane when a Service needs another track: then all move. */
function grew(/** @type {any} */ before, /** @type {any} */ after) {
  const body = (/** @type {any} */ made) => [...made.panels.values()].map((panel) => `${panel.box.y} ${panel.box.h}`).join();
  return body(before) !== body(after);
}

test("callers stand left of whom they call, the Internet leftmost, circles do no harm", () => {
  const { entities } = snapshot();
  const { units, arcs } = callGraph(byId([...entities, flow("back", "workload:Deployment/shop/redis-cart", "service:shop/frontend")]));
  const { boxes } = layered(units, arcs);
  const x = (/** @type {string} */ id) => boxes.get(id).x;
  assert.ok(x("service:shop/frontend") < x("service:shop/checkoutservice"));
  assert.ok(x("service:shop/checkoutservice") < x("service:shop/cartservice"));
  assert.ok(x("service:shop/cartservice") < x("service:shop/redis-cart"));
  assert.equal(x("service:shop/frontend"), x("workload:Deployment/shop/frontend"), "a Service stands on the workload behind it");
  assert.equal(Math.min(...[...boxes.values()].map((box) => box.x)), x("internet"));
});

test("lines go around cards, also when a person put one in the way", () => {
  const { entities } = snapshot();
  const { units, arcs } = callGraph(byId(entities));
  const moved = new Map([["workload:Deployment/shop/adservice", { x: 700, y: 40 }], ["service:shop/redis-cart", { x: -500, y: 300 }]]);
  for (const made of [layered(units, arcs), layered(units, arcs, null, moved)]) {
    const all = [...made.boxes.values()];
    const curves = new Curves(all);
    for (const { from, to } of arcs) {
      const [a, b] = [made.boxes.get(from), made.boxes.get(to)];
      const points = curves.between(a, b);
      assert.deepEqual([points[0][1], points[points.length - 1][1]], [portY(a), portY(b)], `${from} > ${to}`);
      if (b.x - a.x - a.w < 24) continue;
      const crossed = all.filter((box) => box !== a && box !== b && box.x > a.x + a.w && box.x + box.w < b.x && points.some(([x, y]) => x > box.x && x < box.x + box.w && y > box.y && y < box.y + box.h));
      assert.deepEqual(crossed.map((box) => box.id), [], `${from} > ${to}`);
    }
  }
});

test("a flow's rate is shared out over its routes as they were taken, refused calls apart", () => {
  const shares = new Shares();
  const routes = byId([{ id: "r1", flow: "f", effect: "rewritten" }, { id: "r2", flow: "f", effect: "rewritten" }, { id: "r3", flow: "f", effect: "dropped" }]);
  shares.count([["r1", 9, ""], ["r2", 3, ""]], 1000);
  const found = shares.of(routes, { f: { rps: 14, ok: 12, refused: 0, dropped: 2 } }, 1000);
  assert.deepEqual([...found], [["r1", { rps: 9, failing: 0 }], ["r2", { rps: 3, failing: 0 }], ["r3", { rps: 2, failing: 2 }]]);
});

test("a packet runs from card to card; a line tells rate and share of errors of all its calls", () => {
  const { entities, routes } = snapshot();
  const graph = callGraph(byId(entities));
  const { boxes } = layered(graph.units, graph.arcs);
  const ground = { boxes, reps: graph.reps, curves: new Curves(boxes.values()), paths: new Map() };
  const ways = routes.map((/** @type {any} */ route) => [route, cardWay(route, ground)]).filter(([, way]) => way);
  assert.ok(ways.length > 10);
  for (const [route, way] of ways) {
    assert.ok(way.marks.every((/** @type {any} */ mark) => !mark.encapsulated && mark.at <= way.path.total));
    assert.deepEqual(way.stops.map((/** @type {any} */ stop) => stop.ref), route.waypoints);
  }
  const lines = callLines(ways.map(([, way]) => way), graph.arcs, ground);
  const line = lines.get("call:workload:Deployment/shop/frontend>service:shop/cartservice");
  assert.ok(line.routes.length);
  weigh(lines, byId(routes), new Map([[line.routes[0], { rps: 40, failing: 2 }]]));
  assert.deepEqual([line.dress.label, line.dress.trouble, line.dress.weight], ["40/s ✕ 5.0 %", "some", 5]);
});

test("counts say what is ready, pending and failing; who belongs to no workload counts for itself", () => {
  const list = [{ ...workload("shop", "web"), replicas: 4 }, pod({ name: "a", node: "n1", workload: "web" }), pod({ name: "b", workload: "web" }),
    pod({ name: "c", node: "n1", workload: "web", more: { reason: "CrashLoopBackOff", ready: false } }), pod({ name: "alone", node: "n1" }), service("shop", "web", "10.96.0.9", 80)];
  const { workloads, spaces, owners } = census(list);
  assert.deepEqual(workloads.get("workload:Deployment/shop/web"), { pods: 3, ready: 1, pending: 1, failing: 1, wanted: 4 });
  assert.deepEqual(spaces.get("shop"), { pods: 4, ready: 2, pending: 1, failing: 1, wanted: 5, workloads: 1, services: 1, policies: 0 });
  assert.equal(owners.get("pod:shop/alone"), "pod:shop/alone");
});

test("an opened namespace shows some workloads and says how many more; closed again everything is where it was", () => {
  const many = Array.from({ length: 30 }, (_, i) => workload("shop", `w${String(i).padStart(2, "0")}`));
  const entities = byId([...snapshot().entities, ...many]);
  const closed = spaceGraph(entities, new Map());
  const before = layered(closed.units, closed.arcs);
  const open = spaceGraph(entities, new Map([["namespace:shop", 12]]));
  const during = layered(open.units, open.arcs, before);
  const inside = [...during.boxes.keys()].filter((id) => id.startsWith("workload:"));
  assert.equal(inside.length, 12);
  assert.equal(open.panels.get("namespace:shop").more, [...entities.values()].filter((e) => e.kind === "workload" && e.namespace === "shop").length - 12);
  assert.equal(open.reps("workload:Deployment/shop/w29"), "namespace:shop", "who is not shown is stood for by the namespace");
  assert.equal(overlaps({ boxes: new Map([...during.boxes].filter(([id]) => !inside.includes(id))) }).length, 0);
  const after = layered(closed.units, closed.arcs, during);
  assert.deepEqual([...after.boxes], [...before.boxes]);
});

test("a picture of too many says how many it leaves out, and keeps the busiest", () => {
  const many = Array.from({ length: 300 }, (_, i) => workload("shop", `w${i}`));
  const graph = callGraph(byId([...snapshot().entities, ...many, flow("loud", "workload:Deployment/shop/w299", "workload:Deployment/shop/w7", 99)]), () => true, 20);
  assert.equal(graph.units.length, 20);
  assert.equal(graph.left.units, graph.left.all - 20);
  assert.ok(graph.reps("workload:Deployment/shop/w299"));
});

test("focus keeps the object, whom it calls and who calls it, and nothing else", () => {
  const { entities, routes } = snapshot();
  const all = byId(entities);
  const lens = focusOn("service:shop/cartservice", all, routes);
  const kept = through(all, lens);
  for (const id of ["service:shop/cartservice", "workload:Deployment/shop/cartservice", "workload:Deployment/shop/frontend"]) assert.ok(kept.has(id), id);
  for (const id of ["service:shop/adservice", "workload:Deployment/shop/adservice", "service:shop/redis-cart"]) assert.ok(!kept.has(id), id);
  assert.ok([...kept.values()].every((e) => e.kind !== "pod" || kept.has(e.node)), "pods stand on their nodes");
  assert.equal(focusOn("pod:shop/none", all, routes), null);
});
