import assert from "node:assert/strict";
import test from "node:test";
import { layout, SIZE } from "../../static/js/model/layout.js";
import { assign } from "../../static/js/model/slots.js";
import { Store } from "../../static/js/model/store.js";
import { pod, service, snapshot } from "./fixtures/boutique.js";

/** @param {any} box */
const spot = (box) => [box.x, box.y, box.w, box.h];
const positions = (/** @type {any} */ made) => JSON.stringify([...made.boxes].sort(([a], [b]) => (a < b ? -1 : 1)));

function shuffled(/** @type {any[]} */ list) {
  return list.map((value, i) => ({ value, key: (i * 7919) % 104729 })).sort((a, b) => a.key - b.key).map((x) => x.value);
}

/** Boxes that may not touch each other: everything but a node, which holds its pods. */
function overlaps(/** @type {any} */ made) {
  const boxes = [...made.boxes.values()].filter((box) => box.kind !== "node");
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h)
    .map((b) => `${a.id} over ${b.id}`));
}

test("the same cluster gives the same picture, whatever the order of its objects", () => {
  const { entities } = snapshot();
  assert.equal(positions(layout(entities)), positions(layout(shuffled(entities))));
});

test("all positions are integers", () => {
  for (const box of layout(snapshot({ nodes: 5 }).entities).boxes.values()) {
    assert.ok([box.x, box.y, box.w, box.h].every(Number.isInteger), box.id);
  }
});

test("a new pod takes the first free slot of its node and nothing else moves", () => {
  const { entities } = snapshot();
  const before = layout(entities);
  const fresh = pod({ name: "fresh", node: "n1", ip: "10.244.1.99" });
  const after = layout([...entities, fresh], before);
  for (const [id, box] of before.boxes) assert.deepEqual(spot(after.boxes.get(id)), spot(box), id);
  assert.ok(after.boxes.has(fresh.id));
});

test("a dead pod leaves a hole, and its replacement fills it", () => {
  const { entities } = snapshot();
  const before = layout(entities);
  const victim = entities.find((e) => e.kind === "pod" && e.node === "node:n2");
  const without = entities.filter((e) => e !== victim);
  const gap = layout(without, before);
  const fresh = pod({ name: "replacement", node: "n2", ip: "10.244.2.77" });
  const after = layout([...without, fresh], gap);
  assert.deepEqual(spot(after.boxes.get(fresh.id)), spot(before.boxes.get(victim.id)));
  for (const [id, box] of gap.boxes) assert.deepEqual(spot(after.boxes.get(id)), spot(box), id);
});

test("browsers that saw different histories show the same picture after a reload, by age and then by name", () => {
  const { entities } = snapshot();
  const victim = entities.find((e) => e.kind === "pod" && e.node === "node:n2");
  const now = [...entities.filter((e) => e !== victim), pod({ name: "younger", node: "n2", ip: "10.244.2.77", more: { created: 500 } })];
  const early = new Store();
  early.load({ ...snapshot(), entities });
  const open = layout([...early.entities.values()]);
  early.state({ epoch: "e1", base: 7, seq: 8, time: 13, unset: [victim.id], set: [now.at(-1)], events: [] });
  const stayed = layout([...early.entities.values()], open);
  const reload = (/** @type {any[]} */ all) => {
    const store = new Store();
    store.load({ ...snapshot(), entities: all });
    return layout([...store.entities.values()]);
  };
  assert.notEqual(positions(stayed), positions(reload(now)), "an open page keeps its places");
  assert.equal(positions(reload([...early.entities.values()])), positions(reload(shuffled(now))));
  const seats = [.../** @type {Map<string, number>} */ (reload(now).slots.pods.get("node:n2"))].sort((a, b) => a[1] - b[1]).map(([id]) => id);
  const byAge = now.filter((e) => e.kind === "pod" && e.node === "node:n2").sort((a, b) => a.created - b.created || (a.name < b.name ? -1 : 1)).map((e) => e.id);
  assert.deepEqual(seats, byAge);
});

test("the frame is as wide as its nodes", () => {
  for (const nodes of [1, 2, 3]) {
    const { frame, panels } = layout(snapshot({ nodes }).entities);
    const boxes = [...panels.values()].map((panel) => panel.box);
    const [left, right] = [Math.min(...boxes.map((b) => b.x)), Math.max(...boxes.map((b) => b.x + b.w))];
    assert.equal(frame.w - right, left);
    assert.ok(left < 60);
  }
});

test("pods without a node stand in the tray, below everything else", () => {
  const { entities } = snapshot({ extra: [pod({ name: "waits" })] });
  const made = layout(entities);
  assert.ok(made.tray);
  const box = made.boxes.get("pod:shop/waits");
  assert.ok(box.y > made.rows[0].bus.y);
  assert.equal(layout(snapshot().entities).tray, null);
});

for (const [nodes, pods, services] of [[1, 0, 0], [1, 40, 3], [2, 5, 40], [3, 60, 12], [7, 200, 20], [10, 200, 40]]) {
  test(`nothing overlaps and everything is inside with ${nodes} nodes, ${pods} pods, ${services} services`, () => {
    const extra = [
      ...Array.from({ length: pods }, (_, i) => pod({ name: `p${i}`, node: `n${(i % nodes) + 1}`, ip: `10.244.9.${i}` })),
      ...Array.from({ length: services }, (_, i) => service("shop", `s${i}`, `10.96.9.${i}`, 80)),
      ...Array.from({ length: 7 }, (_, i) => ({ id: `external:192.0.2.${i}`, kind: "external", name: `e${i}`, created: i, ip: `192.0.2.${i}` })),
    ];
    const made = layout(snapshot({ nodes, extra }).entities);
    assert.deepEqual(overlaps(made), []);
    for (const panel of made.panels.values()) {
      assert.ok(panel.box.x >= 0 && panel.box.x + panel.box.w <= made.frame.w, "panel inside the frame");
    }
    for (const box of made.boxes.values()) {
      if (box.kind !== "pod") continue;
      const home = [...made.panels.values()].find((p) => box.x >= p.box.x && box.x + box.w <= p.box.x + p.box.w && box.y > p.box.y && box.y + box.h <= p.bridge.y);
      assert.ok(home || made.tray, `${box.id} inside its node, above the bridge`);
    }
  });
}

test("panels wrap into rows when there are many nodes, each row with a wire of its own", () => {
  const made = layout(snapshot({ nodes: 10 }).entities);
  assert.ok(made.rows.length > 1);
  assert.ok(made.rows[0].bus.y + SIZE.bus < made.rows[1].bus.y);
});

test("an empty cluster has a frame and no boxes", () => {
  const made = layout([]);
  assert.equal(made.boxes.size, 0);
  assert.ok(made.bounds.w > 0 && made.bounds.h > 0);
});

test("slots: leavers leave holes, newcomers take the first", () => {
  const first = assign([{ id: "a" }, { id: "b" }, { id: "c" }]);
  const second = assign([{ id: "a" }, { id: "c" }], first);
  assert.deepEqual([...second], [["a", 0], ["c", 2]]);
  assert.equal(assign([{ id: "a" }, { id: "c" }, { id: "z" }], second).get("z"), 1);
});
