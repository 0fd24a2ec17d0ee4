import assert from "node:assert/strict";
import test from "node:test";
import { expand, legs } from "../../static/js/model/itinerary.js";
import { layout } from "../../static/js/model/layout.js";
import { doors, lines, way } from "../../static/js/model/lines.js";
import { at, rounded, segments, simplify, table } from "../../static/js/model/polyline.js";
import { Tracks } from "../../static/js/model/tracks.js";
import { snapshot } from "./fixtures/boutique.js";

function world(/** @type {any} */ options = {}) {
  const made = snapshot(options);
  const entities = new Map(made.entities.map((/** @type {any} */ e) => [e.id, e]));
  return { made, entities, tracks: new Tracks(layout(made.entities), entities) };
}

const nodeOf = (/** @type {string} */ ref) => ({ "pod:s/a": "node:1", "pod:s/b": "node:2", "node:1": "node:1", "node:2": "node:2" })[ref] ?? "";

test("a way between pods of two nodes goes over the wire, even when the route leaves that out", () => {
  assert.deepEqual(expand(["pod:s/a", "pod:s/b"], nodeOf).map((s) => s.ref), ["pod:s/a", "node:1", "wire", "node:2", "pod:s/b"]);
});

test("a rewritten packet leaves through its own node before it crosses the wire", () => {
  assert.deepEqual(expand(["pod:s/a", "service:s/x", "pod:s/b"], nodeOf).map((s) => s.ref),
    ["pod:s/a", "service:s/x", "node:1", "wire", "node:2", "pod:s/b"]);
});

test("egress leaves through the node and the wire", () => {
  assert.deepEqual(expand(["pod:s/a", "external:192.0.2.1"], nodeOf).map((s) => s.ref), ["pod:s/a", "node:1", "wire", "external:192.0.2.1"]);
});

test("complete routes stay as they are", () => {
  const all = ["pod:s/a", "service:s/x", "node:1", "wire", "node:2", "pod:s/b"];
  assert.deepEqual(expand(all, nodeOf).map((s) => s.ref), all);
});

test("crossing the wire is one leg that keeps its segment", () => {
  const segment = (/** @type {boolean} */ encapsulated) => ({ kind: "pod", nat: "", encapsulated });
  const made = legs({ waypoints: ["node:1", "wire", "node:2"], segments: [segment(true), segment(true)] }, nodeOf);
  assert.equal(made.length, 1);
  assert.deepEqual([made[0].from, made[0].to, made[0].over, made[0].segment.encapsulated], ["node:1", "node:2", true, true]);
});

for (const nodes of [1, 2, 3, 10]) {
  test(`every route with ${nodes} nodes runs on right angles and never through a card`, () => {
    const { made, tracks } = world({ nodes });
    const cards = [...tracks.layout.boxes.values()].filter((box) => box.kind !== "node");
    for (const route of made.routes) {
      const found = way(route, tracks);
      assert.ok(found, route.id);
      for (const line of found.lines) {
        line.points.slice(1).forEach((b, i) => {
          const a = line.points[i];
          assert.ok(a[0] === b[0] || a[1] === b[1], `${route.id} ${line.id} turns without a right angle`);
          for (const card of cards) {
            const through = Math.min(a[0], b[0]) < card.x + card.w - 1 && Math.max(a[0], b[0]) > card.x + 1
              && Math.min(a[1], b[1]) < card.y + card.h - 1 && Math.max(a[1], b[1]) > card.y + 1;
            assert.ok(!through, `${route.id} ${line.id} runs through ${card.id}`);
          }
        });
      }
    }
  });
}

test("a packet to a Service visits the Service before its pod", () => {
  const { made, tracks } = world();
  const route = made.routes.find((r) => r.id === "r1");
  const found = way(route, tracks);
  assert.deepEqual(found?.stops.map((s) => s.ref), route.waypoints.filter((/** @type {string} */ w) => w !== "wire"));
  const service = tracks.layout.boxes.get(route.waypoints[1]);
  const stop = found?.stops[1];
  const spot = at(found.path, stop.at);
  assert.ok(Math.abs(spot.x - service.x - service.w / 2) < 20 && Math.abs(spot.y - service.y - service.h) < 2);
});

test("lines are shared: one for every leg, with all the flows on it", () => {
  const { made, tracks } = world();
  const ways = made.routes.map((/** @type {any} */ r) => way(r, tracks)).filter(Boolean);
  const merged = lines(ways);
  const shared = merged.get("line:service:shop/productcatalogservice>node:n1|pod");
  assert.ok(shared && shared.flows.length === 2, "frontend and checkout both call the catalogue from n1");
});

test("lanes are kept: a new route does not move the old lines", () => {
  const { made, entities, tracks } = world();
  const before = way(made.routes[0], tracks)?.path.points;
  const later = new Tracks(layout(made.entities, tracks.layout), entities, tracks.lanes);
  for (const route of [...made.routes].reverse()) way(route, later);
  assert.deepEqual(way(made.routes[0], later)?.path.points, before);
});

test("a route to something unknown draws what it can, or nothing", () => {
  const { made, tracks } = world();
  const route = { ...made.routes[1], waypoints: [made.routes[1].waypoints[0], "service:no/where"], segments: [made.routes[1].segments[0]] };
  assert.equal(way(route, tracks), null);
});

test("speed is constant: equal lengths give equal distances along a polyline", () => {
  const path = table([[0, 0], [100, 0], [100, 50]]);
  assert.equal(path.total, 150);
  assert.deepEqual(at(path, 100), { x: 100, y: 0, angle: 0 });
  assert.deepEqual([at(path, 125).x, at(path, 125).y], [100, 25]);
  assert.deepEqual([at(path, -5).x, at(path, 999).y], [0, 50]);
});

test("simplify drops what is on the way but keeps turns back", () => {
  assert.deepEqual(simplify([[0, 0], [0, 0], [5, 0], [9, 0]]), [[0, 0], [9, 0]]);
  assert.deepEqual(simplify([[0, 0], [9, 0], [5, 0]]), [[0, 0], [9, 0], [5, 0]]);
});

test("rounded corners keep the ends and stay within the radius", () => {
  const path = rounded([[0, 0], [50, 0], [50, 50]], 10);
  assert.deepEqual([path[0], path[path.length - 1]], [[0, 0], [50, 50]]);
  assert.ok(path.every(([x, y]) => x <= 50 && y >= 0));
});

test("segments gives Cytoscape back exactly our corners", () => {
  const points = /** @type {[number, number][]} */ ([[10, 20], [10, 80], [200, 80], [200, 140]]);
  const { weights, distances } = segments(points);
  const [a, b] = [points[0], points[3]];
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  points.slice(1, -1).forEach((point, i) => {
    const x = a[0] + (b[0] - a[0]) * weights[i] - ((b[1] - a[1]) / length) * distances[i];
    const y = a[1] + (b[1] - a[1]) * weights[i] + ((b[0] - a[0]) / length) * distances[i];
    assert.ok(Math.hypot(x - point[0], y - point[1]) < 0.005);
  });
});

test("what stays on a node turns round at its bridge and never meets the network card", () => {
  const { made, tracks } = world({ nodes: 3 });
  const pods = made.entities.filter((/** @type {any} */ e) => e.kind === "pod" && e.node === "node:n1");
  const service = made.entities.find((/** @type {any} */ e) => e.kind === "service").id;
  const panel = /** @type {any} */ (tracks.layout.panels.get("node:n1"));
  const segment = { kind: "pod", nat: "", encapsulated: false };
  const lowest = (/** @type {string[]} */ waypoints) => {
    const route = { id: "r", flow: "f", effect: "allowed", waypoints, segments: waypoints.map(() => segment) };
    return Math.max(.../** @type {any} */ (way(route, tracks)).lines.flatMap((/** @type {any} */ line) => line.points.map((/** @type {any} */ p) => p[1])));
  };
  const [a, b] = [pods[0].id, pods[1].id];
  for (const stays of [[a, "node:n1", b], [a, service, "node:n1", b], [a, service, "node:n1"]]) {
    assert.ok(lowest(stays) <= panel.bridge.y + panel.bridge.h, stays.join(" > "));
  }
  const other = made.entities.find((/** @type {any} */ e) => e.kind === "pod" && e.node === "node:n2").id;
  assert.ok(lowest([a, "node:n1", "wire", "node:n2", other]) > panel.socket.y);
});

test("every node that routes enter shows all node ports in use, and cuts a long list short", () => {
  const door = (/** @type {string} */ node, /** @type {number} */ port) => ({ x: 1, y: 2, node, port });
  const ways = (/** @type {any[]} */ ...pills) => pills.map((pill) => ({ .../** @type {any} */ ({}), pills: [pill] }));
  assert.deepEqual(doors(ways(door("node:n1", 30090), door("node:n2", 30086), door("node:n1", 30090))).map((d) => [d.node, d.text]),
    [["node:n1", "NodePorts 30086, 30090"], ["node:n2", "NodePorts 30086, 30090"]]);
  const [many] = doors(ways(...[4, 3, 2, 1].map((i) => door("node:n1", 30000 + i))));
  assert.equal(many.text, "NodePorts 30001, 30002, 30003, …");
  assert.equal(many.all, "NodePorts 30001, 30002, 30003, 30004");
  assert.deepEqual(doors([]), []);
});

test("the node port on the roof is the one that the flow calls", () => {
  const { made, entities, tracks } = world();
  const route = made.routes.find((/** @type {any} */ r) => r.id === "in");
  const service = entities.get("service:shop/frontend-external");
  service.ports.push({ name: "https", port: 443, targetPort: 8443, nodePort: 30444, protocol: "TCP" });
  assert.deepEqual(way(route, tracks)?.pills.map((p) => [p.node, p.port]), [["node:n2", 30443]]);
  entities.set(route.flow, { id: route.flow, kind: "flow", port: 443 });
  assert.deepEqual(way(route, tracks)?.pills.map((p) => p.port), [30444]);
  const direct = { ...route, waypoints: ["external:203.0.113.80", "node:n1", "service:shop/frontend-external", ...route.waypoints.slice(4)] };
  assert.deepEqual(way(direct, tracks)?.pills.map((p) => [p.node, p.port]), [["node:n1", 30444]], "over the node network as well");
});
