import assert from "node:assert/strict";
import test from "node:test";
import { layout } from "../../static/js/model/layout.js";
import { astray, groupOf, restored, slotBeside, slotNear, slotRect, swapped } from "../../static/js/model/places.js";
import { snapshot } from "./fixtures/boutique.js";

const { entities } = snapshot({ nodes: 5 });
const natural = layout(entities);
const nowhere = new Map();

test("a slot is where the layout puts who has it", () => {
  for (const box of natural.boxes.values()) {
    const group = groupOf(natural, box.id);
    if (!group) continue;
    const { x, y, w, h } = slotRect(natural, group, natural.slots[group].get(box.id));
    assert.deepEqual([x, y, w, h], [box.x, box.y, box.w, box.h], box.id);
    assert.equal(slotNear(natural, box.id, { x: x + w / 2 + 9, y: y + h / 2 - 9 }), natural.slots[group].get(box.id), box.id);
  }
  assert.equal(groupOf(natural, "pod:kube-system/coredns-5dd5756b68-a0b"), null, "pods stand on their nodes");
});

test("two nodes change places, nobody else moves, and it is the same when the page opens again", () => {
  const places = swapped(nowhere, natural, "node:n1", natural.slots.nodes.get("node:n4"));
  const [now, reopened] = [layout(entities, natural, places), layout(entities, null, places)];
  assert.deepEqual(now.boxes.get("node:n1").x, natural.boxes.get("node:n4").x);
  assert.deepEqual(now.boxes.get("node:n4").x, natural.boxes.get("node:n1").x);
  for (const id of ["node:n2", "node:n3", "node:n5", "service:shop/frontend"]) assert.deepEqual(now.boxes.get(id), natural.boxes.get(id), id);
  assert.deepEqual([...reopened.boxes].sort(), [...now.boxes].sort());
  assert.deepEqual([...astray(places, natural)].sort(), ["node:n1", "node:n4"]);
});

test("one thing put back lets the other back, too; nothing is kept then", () => {
  const places = swapped(nowhere, natural, "node:n1", natural.slots.nodes.get("node:n4"));
  const back = restored(places, layout(entities, natural, places), natural, "node:n1");
  assert.equal(back.size, 0);
  const both = swapped(places, layout(entities, natural, places), "service:shop/frontend", 0);
  const half = restored(both, layout(entities, natural, both), natural, "node:n4");
  assert.deepEqual([...astray(half, natural)].every((id) => id.startsWith("service:")), true);
  assert.ok(half.size);
});

test("an arrow leads to the next slot in its direction, and nowhere beyond the edge", () => {
  const { perRow } = natural.plan;
  const first = [...natural.slots.nodes].find(([, slot]) => slot === 0)[0];
  assert.equal(slotBeside(natural, first, 1, 0), perRow > 1 ? 1 : 0);
  assert.equal(slotBeside(natural, first, -1, 0), 0);
  assert.equal(slotBeside(natural, first, 0, 1), natural.rows.length > 1 ? perRow : 0);
});
