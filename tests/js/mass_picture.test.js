import assert from "node:assert/strict";
import test from "node:test";
import { Cells, LOOK } from "../../static/js/model/cells.js";
import { levelAt } from "../../static/js/model/lod.js";
import { Mass } from "../../static/js/model/mass.js";
import { massLayout, natural, NODE, nodesIn, pick, POD, slotAt, stepFor } from "../../static/js/model/masslayout.js";
import { MassTracks } from "../../static/js/model/masstracks.js";
import { pairs, trunkLines } from "../../static/js/model/masstrunks.js";
import { way } from "../../static/js/model/lines.js";
import { PodNames } from "../../static/js/model/podnames.js";
import { drawTile, packed, SHRUNK, TILE, tileLevel, tileRect } from "../../static/js/model/raster.js";
import { isBig } from "../../static/js/model/size.js";
import { bigCluster, podsOf } from "./bigcluster.js";

const node = (i, zone) => ({ id: `node:n-${i}`, name: `n-${i}`, zone, ready: true, schedulable: true, ip: "" });
const machines = (count, zones = 3) => Array.from({ length: count }, (_, i) => node(i, `z${i % zones}`));
const plain = ({ x, y, zones, frame, bounds, step }) => JSON.stringify({ x: [...x], y: [...y], zones: zones.map((z) => [z.name, z.x, z.y, z.w, z.h]), frame, bounds, step });

test("the layout is the same for the same cluster, in whatever order its nodes come", () => {
  const nodes = machines(90);
  const [one, two] = [massLayout({ nodes, need: 20, waiting: 3 }), massLayout({ nodes: [...nodes].reverse(), need: 20, waiting: 3 })];
  assert.equal(plain(one), plain(massLayout({ nodes, need: 20, waiting: 3 })));
  for (const i of nodes.keys()) assert.deepEqual([one.x[i], one.y[i]], [two.x[89 - i], two.y[89 - i]]);
  for (const value of [...one.x, ...one.y, one.frame.w, one.bounds.h]) assert.equal(value, Math.round(value));
});

test("a node more moves no other; a node gone leaves its hole to the next", () => {
  const nodes = machines(100);
  const before = massLayout({ nodes, need: 20, waiting: 0 });
  const after = massLayout({ nodes: [...nodes, node(777, "z1")], need: 20, waiting: 0 }, before);
  for (const i of nodes.keys()) assert.deepEqual([after.x[i], after.y[i]], [before.x[i], before.y[i]]);
  const hole = [before.x[4], before.y[4]];
  const less = nodes.map((one, i) => (i === 4 ? null : one));
  const holed = massLayout({ nodes: less, need: 20, waiting: 0 }, before);
  const filled = massLayout({ nodes: [...less, node(5000, "z1")], need: 20, waiting: 0 }, holed);
  assert.deepEqual([filled.x[100], filled.y[100]], hole);
});

test("nodes keep their size until one overflows", () => {
  const before = massLayout({ nodes: machines(40), need: 20, waiting: 0 });
  const room = before.step.columns * before.step.rows;
  assert.ok(room > 20);
  assert.deepEqual(massLayout({ nodes: machines(40), need: room, waiting: 0 }, before).step, before.step);
  assert.ok(massLayout({ nodes: machines(40), need: room + 1, waiting: 0 }, before).step.rows > before.step.rows);
  for (const need of [1, 8, 110, 250, 1000, 5000]) assert.ok(stepFor(need).columns * stepFor(need).rows >= need);
});

test("node-2 stands before node-10", () => {
  assert.deepEqual(["node-10", "node-2", "a", "node-2b", "node-02"].sort(natural), ["a", "node-02", "node-2", "node-2b", "node-10"]);
});

test("what stands at a point is found from where it is drawn, everywhere", () => {
  const layout = massLayout({ nodes: machines(200), need: 30, waiting: 9 });
  for (const i of [0, 57, 199]) {
    for (const slot of [0, 11, layout.step.columns * layout.step.rows - 1]) {
      const at = slotAt(layout.step, slot);
      const found = pick(layout, layout.x[i] + at.x + POD.w - 1, layout.y[i] + at.y + POD.h - 1);
      assert.deepEqual([found.node, found.slot], [i, slot]);
      assert.deepEqual(pick(layout, layout.x[i] + at.x + POD.w + 1, layout.y[i] + at.y).slot, -1, "the gap beside it");
    }
    assert.equal(pick(layout, layout.x[i] - 1, layout.y[i]).node, -1);
    assert.deepEqual(nodesIn(layout, { x: layout.x[i] + 1, y: layout.y[i] + 1, w: 2, h: 2 }), [i]);
  }
  assert.deepEqual(pick(layout, -5, -5), { zone: -1, node: -1, slot: -1, tray: -1 });
  assert.equal(pick(layout, layout.tray.x + 1, layout.tray.y + 12 * layout.tray.k + 1).tray, 0);
});

test("nothing overlaps: nodes in their zones, zones apart, the tray below", () => {
  for (const zones of [1, 2, 3, 5, 6, 7, 12]) {
    const layout = massLayout({ nodes: machines(150, zones), need: 33, waiting: 500 });
    for (const a of layout.zones) {
      for (const b of layout.zones) assert.ok(a === b || a.x + a.w < b.x || b.x + b.w < a.x || a.y + a.h < b.y || b.y + b.h < a.y);
      assert.ok(a.x > 0 && a.y > 0 && a.x + a.w < layout.frame.w && a.y + a.h < layout.tray.y);
    }
    const places = new Set([...layout.x].map((x, i) => `${x}:${layout.y[i]}`));
    assert.equal(places.size, 150);
    layout.zoneOf.forEach((zone, i) => {
      const box = layout.zones[zone];
      assert.ok(layout.x[i] >= box.x && layout.x[i] + layout.step.w <= box.x + box.w && layout.y[i] + layout.step.h <= box.y + box.h);
    });
  }
});

test("a level is entered at its size and left ten per cent below it", () => {
  assert.deepEqual([3.9, 4, 12.9, 13, 60].map((size) => levelAt(size, 0)), [0, 1, 1, 2, 3]);
  assert.deepEqual([[3.7, 1], [3.5, 1], [12, 2], [11.5, 2], [55, 3], [53, 3]].map(([size, before]) => levelAt(size, before)), [1, 0, 2, 1, 3, 2]);
});

/** A cluster with everything the picture needs of it. */
function small() {
  const mass = Mass.fromSnapshot(bigCluster(40, 400, { zones: 2, failing: 0.05 }));
  const need = Math.max(...mass.nodes.map((_, i) => mass.slotsOf(i)));
  const layout = massLayout({ nodes: mass.nodes, need, waiting: mass.slotsOf(0xffffffff) });
  const cells = new Cells(40, layout.step.columns * layout.step.rows, layout.tray ? layout.tray.columns * layout.tray.rows : 0);
  cells.fill(mass);
  return { mass, layout, cells };
}

test("one byte tells how a pod looks, and the place tells who it is", () => {
  const { mass, cells } = small();
  const seen = mass.podsOf(7).map((pod) => cells.podAt(7, mass.slot[pod]));
  assert.deepEqual(seen, mass.podsOf(7));
  const failing = mass.podsOf(7).filter((pod) => mass.state[pod] === 3).length;
  assert.equal(cells.failing[7], failing);
  const pod = mass.podsOf(7).find((one) => mass.state[one] === 1);
  const before = cells.failing[7];
  const { pods } = mass.apply({ type: "state", set: [], unset: [], mass: { pods: [[pod, 7, 3, 1]] } });
  const told = cells.update(mass, pods);
  assert.deepEqual([...told.places], [cells.at(7, mass.slot[pod])]);
  assert.equal(cells.look[cells.at(7, mass.slot[pod])], LOOK.failing);
  assert.equal(cells.failing[7], before + 1);
  assert.equal(told.moved.size, 0, "nobody came or left");
});

test("a pod that moves leaves its place and takes another; a full node says so", () => {
  const { mass, cells } = small();
  const pod = mass.podsOf(3)[0];
  const from = cells.placeOf(pod);
  mass.apply({ type: "state", set: [], unset: [], mass: { pods: [[pod, 5, 1, 1]] } });
  const told = cells.update(mass, [pod]);
  assert.deepEqual([cells.podAt(from.node, from.slot), cells.placeOf(pod).node], [-1, 5]);
  assert.deepEqual([...told.moved].sort(), [3, 5]);
  const newcomers = Array.from({ length: cells.capacity }, (_, i) => [500 + i, 5, 1, 1]);
  const { pods } = mass.apply({ type: "state", set: [], unset: [], mass: { pods: newcomers } });
  assert.ok(cells.update(mass, pods).full);
});

const COLOURS = { page: "#000001", cluster: "#000002", zone: "#000003", panel: "#000004", head: "#000005", border: "#000006", broken: "#000007", closed: "#000008", empty: "#000009" };
/** @returns {any} */
const palette = () => ({ ...Object.fromEntries(Object.entries(COLOURS).map(([name, colour]) => [name, packed(colour)])), looks: Uint32Array.from({ length: 13 }, (_, i) => packed(`#${(i * 16 + 15).toString(16).padStart(2, "0")}8080`)) });

/** Draws the tile that shows a point, and says what colour is there. */
function colourAt(world, level, x, y) {
  const size = tileRect(level, 0, 0).w;
  const [tx, ty] = [Math.floor(x / size), Math.floor(y / size)];
  const pixels = new Uint32Array(TILE * TILE);
  drawTile(world, level, tx, ty, pixels);
  return pixels[Math.floor((y - ty * size) * 2 ** level) * TILE + Math.floor((x - tx * size) * 2 ** level)];
}

test("a tile shows every pod in the colour of its state, at its place", () => {
  const { layout, cells, mass } = small();
  const colours = palette();
  const world = { layout, look: cells.look, capacity: cells.capacity, trayAt: cells.trayAt, ready: new Uint8Array(40).fill(1), palette: colours };
  for (const pod of mass.podsOf(9)) {
    const { slot } = cells.placeOf(pod);
    const at = slotAt(layout.step, slot);
    const look = cells.look[cells.at(9, slot)];
    if (look > LOOK.failing) continue;
    for (const level of [-2, 0, 1]) assert.equal(colourAt(world, level, layout.x[9] + at.x + POD.w / 2, layout.y[9] + at.y + POD.h / 2), colours.looks[look], `level ${level}`);
  }
  assert.equal(colourAt(world, 0, layout.x[9] + layout.step.w + NODE.gap / 2, layout.y[9] + 20), colours.zone);
  assert.equal(colourAt(world, 0, -layout.bounds.w, -300), colours.page);
});

test("a failing pod is at least five pixels wide at every level, even at the smallest scale a tile is shown at", () => {
  const { layout, cells } = small();
  const colours = palette();
  cells.look.fill(LOOK.heat);
  cells.look[cells.at(12, 4)] = LOOK.failing;
  const world = { layout, look: cells.look, capacity: cells.capacity, trayAt: cells.trayAt, ready: new Uint8Array(40).fill(1), palette: colours };
  const at = slotAt(layout.step, 4);
  const [x, y] = [layout.x[12] + at.x + POD.w / 2, layout.y[12] + at.y + POD.h / 2];
  for (const level of [-6, -5, -4, -3, -2, 0]) {
    const size = tileRect(level, 0, 0).w;
    let area = 0;
    const reach = Math.ceil(8 / 2 ** level);
    const tiles = new Set([[-1, -1], [1, -1], [-1, 1], [1, 1]].map(([dx, dy]) => `${Math.floor((x + dx * reach) / size)}:${Math.floor((y + dy * reach) / size)}`));
    for (const key of tiles) {
      const [tx, ty] = key.split(":").map(Number);
      const pixels = new Uint32Array(TILE * TILE);
      drawTile(world, level, tx, ty, pixels);
      area += pixels.reduce((sum, colour) => sum + (colour === colours.looks[LOOK.failing] ? 1 : 0), 0);
    }
    assert.ok(2 * Math.sqrt(area / Math.PI) * SHRUNK >= 4.4, `level ${level}: ${area} whole pixels`);
  }
});

test("the same pods make the same tile, byte for byte, nothing left of what was there", () => {
  const { layout, cells } = small();
  const world = { layout, look: cells.look, capacity: cells.capacity, trayAt: cells.trayAt, ready: new Uint8Array(40).fill(1), palette: palette() };
  const [one, two] = [new Uint32Array(TILE * TILE), new Uint32Array(TILE * TILE)];
  drawTile(world, -3, 0, 0, one);
  drawTile(world, -3, 0, 0, two.fill(77));
  assert.deepEqual(one, two);
});

test("tiles are shown between their least scale and twice that", () => {
  for (const zoom of [0.02, 0.033, 0.1, 0.24, 0.5, 0.99, 1, 1.5]) {
    const scale = zoom / 2 ** tileLevel(zoom);
    assert.ok(scale >= SHRUNK - 1e-9 && scale <= 2 * SHRUNK + 1e-9, `${zoom}: ${scale}`);
  }
});

test("both directions of two zones are one trunk, and no trunk runs through a zone", () => {
  const { layout } = small();
  assert.deepEqual(pairs([{ from: "zone-b", to: "zone-a", rps: 2, errors: 1 }, { from: "zone-a", to: "zone-b", rps: 5, errors: 0 }, { from: "zone-a", to: "zone-a", rps: 9, errors: 0 }, { from: "gone", to: "zone-a", rps: 9, errors: 0 }], layout.names)
    .map(({ from, to, rps, errors, rates, failing }) => ({ from, to, rps, errors, rates, failing })), [{ from: "zone-a", to: "zone-b", rps: 7, errors: 1, rates: [5, 2], failing: [0, 1] }]);
  for (const zones of [1, 3, 6, 9]) {
    const wide = massLayout({ nodes: machines(180, zones), need: 20, waiting: 0, outside: { left: [{ id: "internet", kind: "external" }], right: [{ id: "external:x", kind: "external" }] } });
    const names = [...wide.names, "internet", "external"];
    const all = names.flatMap((from) => names.map((to) => ({ from, to, rps: 1, errors: 0 })));
    for (const trunk of trunkLines(wide, all)) {
      trunk.corners.slice(1).forEach(([x, y], i) => {
        const [px, py] = trunk.corners[i];
        assert.ok(x === px || y === py, `${trunk.id} ${JSON.stringify(trunk.corners)}`);
        for (const zone of wide.zones) {
          const inside = Math.min(x, px) < zone.x + zone.w && Math.max(x, px) > zone.x && Math.min(y, py) < zone.y + zone.h && Math.max(y, py) > zone.y;
          assert.ok(!inside, `${zones} zones: ${trunk.id} runs through ${zone.name}`);
        }
      });
    }
  }
});

test("a packet's way goes from pod to pod, past the rules of its node, along gaps and not over other nodes", () => {
  const { mass, layout, cells } = small();
  const pods = [mass.podsOf(1)[0], mass.podsOf(30)[2]];
  for (const i of [1, 30]) for (const pod of podsOf(mass, mass.nodes[i].id)) mass.learn(pod);
  const box = (id) => {
    const place = id.startsWith("pod:") ? cells.placeOf(mass.indexOf(id)) : null;
    const index = place ? place.node : mass.nodeOf(id);
    if (index < 0) return undefined;
    const at = place ? slotAt(layout.step, place.slot) : { x: 0, y: 0 };
    return { id, kind: "pod", x: layout.x[index] + at.x, y: layout.y[index] + at.y, w: place ? POD.w : layout.step.w, h: place ? POD.h : layout.step.h };
  };
  const foot = (i) => ({ x: layout.x[i] + NODE.pad, y: layout.y[i] + layout.step.h - NODE.foot, w: layout.step.w - 32, h: NODE.foot - 8 });
  const tracks = new MassTracks({ layout, box, foot, mass, entities: new Map() });
  const ids = pods.map((pod) => mass.idOf(pod));
  const route = { id: "r", flow: "f", effect: "allowed", waypoints: [ids[0], "service:shop/web", ids[1]], segments: [{ kind: "service", nat: "", encapsulated: false }, { kind: "pod", nat: "dnat", encapsulated: true }] };
  const found = way(route, tracks);
  assert.deepEqual(found.stops.map((stop) => stop.ref), [ids[0], "service:shop/web", "node:node-1", "node:node-30", ids[1]]);
  const { points } = found.path;
  const [from, to] = ids.map(box);
  assert.deepEqual(points[0], [from.x + POD.w / 2, from.y + POD.h]);
  assert.deepEqual(points[points.length - 1], [to.x + POD.w / 2, to.y + POD.h]);
  for (const [x, y] of points) {
    const { node: at } = pick(layout, x, y);
    assert.ok(at < 0 || at === 1 || at === 30, `over node ${at}`);
  }
});

test("names are asked for node by node, a few at a time, once, and again when the node changed", async () => {
  let now = 0;
  const asked = [];
  const names = new PodNames((id) => { asked.push(id); return id === "bad" ? Promise.reject(new Error("no")) : Promise.resolve([{ id: `${id}/p`, index: 1 }]); },
    (_, pods) => new Map(pods.map((pod) => [pod.index, pod])), () => now);
  const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
  names.want(["a", "b", "c", "d", "e", "bad"]);
  assert.equal(names.of("a"), null);
  assert.deepEqual(asked, ["a", "b", "c", "d"]);
  await settled();
  names.want(["a", "b", "c", "d", "e", "bad"]);
  await settled();
  names.want(["bad"]);
  assert.deepEqual(asked, ["a", "b", "c", "d", "e", "bad"], "nobody twice, a failure not at once again");
  assert.equal(names.of("a").get(1).id, "a/p");
  names.soil("a");
  names.want(["a"]);
  assert.equal(asked.length, 6);
  now = 6000;
  names.want(["a", "bad"]);
  assert.deepEqual(asked.slice(6), ["a", "bad"]);
  await settled();
});

test("the picture of big clusters comes above the border and goes only well below it", () => {
  const store = (pods, nodes = 3) => ({ entities: new Map(Array.from({ length: pods + nodes }, (_, i) => [`${i}`, { kind: i < pods ? "pod" : "node" }])) });
  assert.deepEqual([isBig(store(300), false), isBig(store(301), false), isBig(store(280), true), isBig(store(260), true), isBig(store(2, 25), false)], [false, true, true, false, true]);
  assert.ok(isBig({ entities: new Map(), mass: { counts: { pods: 9000, nodes: 3 } } }, false));
});
