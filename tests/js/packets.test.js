import assert from "node:assert/strict";
import test from "node:test";
import { table } from "../../static/js/model/polyline.js";
import { ending, Packets, phase, place, SPEED } from "../../static/js/model/packets.js";

const way = () => ({ path: table([[0, 0], [1000, 0]]), stops: [], lines: [], pills: [],
  marks: [{ at: 0, kind: "service", nat: "", encapsulated: false }, { at: 400, kind: "pod", nat: "dnat", encapsulated: true }] });
const route = (effect = "rewritten") => ({ id: "r", effect });

test("position follows time, not frames", () => {
  const [few, many] = [new Packets(), new Packets()];
  few.push(route(), way(), "c", 0);
  many.push(route(), way(), "c", 0);
  few.step(1000, 1, false);
  for (let i = 0; i < 100; i += 1) many.step(10, 1, false);
  assert.ok(Math.abs(few.dots[0].gone - SPEED) < 1e-6);
  assert.ok(Math.abs(few.dots[0].gone - many.dots[0].gone) < 1e-6);
});

test("speed is a factor, and pause stops all but single packets", () => {
  const packets = new Packets();
  packets.push(route(), way(), "a", 0);
  packets.push(route(), way(), "b", 0, true);
  packets.step(1000, 2, true);
  assert.deepEqual(packets.dots.map((dot) => dot.gone), [0, 2 * SPEED]);
});

test("a delivered packet is gone at the end, a dropped one shows its end first", () => {
  const packets = new Packets();
  packets.push(route(), way(), "a", 0);
  packets.push(route("dropped"), way(), "b", 0);
  packets.step(100000, 1, false);
  assert.deepEqual(packets.dots.map((dot) => dot.connection), ["b"]);
  packets.step(500, 1, false);
  assert.ok(ending(packets.dots[0]) > 0);
  packets.step(5000, 1, false);
  assert.equal(packets.dots.length, 0);
});

test("a refused packet bounces back, a dropped one stays where it stopped", () => {
  const base = { way: way(), gone: 1000, wait: 0, connection: "", ended: 450, alone: false, worth: 1 };
  assert.ok(place({ ...base, route: route("refused") }) < 1000);
  assert.equal(place({ ...base, route: route("dropped") }), 1000);
});

test("what a packet is changes where it was rewritten", () => {
  assert.deepEqual(phase(way(), 399), { kind: "service", encapsulated: false, rewritten: false });
  assert.deepEqual(phase(way(), 400), { kind: "pod", encapsulated: true, rewritten: true });
});

test("with many connections a dot stands for more of them, and none is lost in the count", () => {
  const packets = new Packets();
  packets.worth = 10;
  for (let i = 0; i < 25; i += 1) packets.add(route(), way(), 1, "c", 100);
  assert.equal(packets.dots.length, 2);
  assert.equal(packets.credit.get("r"), 5);
});

test("the worth of a dot grows in a crowd, slowly, and shrinks again", () => {
  const packets = new Packets();
  for (let i = 0; i < 400; i += 1) packets.push(route(), way(), "c", 1e9);
  packets.step(100, 1, false);
  assert.equal(packets.worth, 1, "not at once");
  packets.step(6000, 1, false);
  packets.step(100, 1, false);
  assert.equal(packets.worth, 2);
  packets.clear();
  packets.step(6000, 1, false);
  assert.equal(packets.worth, 1);
});

test("after a burst a dot is worth one connection again, although many are still on their way", () => {
  const packets = new Packets();
  const long = { ...way(), path: table([[0, 0], [1900, 0]]) };
  const run = (/** @type {number} */ rate, /** @type {number} */ seconds) => {
    for (let i = 0; i < seconds; i += 1) {
      packets.add(route("allowed"), long, rate, "c", 0);
      for (let frame = 0; frame < 10; frame += 1) packets.step(100, 1, false);
    }
  };
  run(30, 60);
  assert.equal(packets.worth, 1);
  for (let i = 0; i < 4; i += 1) run(300, 15);
  assert.ok(packets.worth >= 5, String(packets.worth));
  run(30, 60);
  assert.equal(packets.worth, 1);
  assert.ok(packets.dots.length > 150, "far more than a quarter of a crowd");
});

test("packets under way move to the new way at the same share of it", () => {
  const packets = new Packets();
  packets.push(route(), way(), "c", 0);
  packets.dots[0].gone = 500;
  packets.reroute(() => ({ ...way(), path: table([[0, 0], [0, 2000]]) }));
  assert.equal(packets.dots[0].gone, 1000);
  packets.reroute(() => null);
  assert.equal(packets.dots.length, 0);
});
