import assert from "node:assert/strict";
import test from "node:test";
import { table } from "../../static/js/model/polyline.js";
import { BUDGET, ending, jitter, Packets, phase, place, RARE, SPEED } from "../../static/js/model/packets.js";

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
  const base = { way: way(), gone: 1000, wait: 0, connection: "", ended: 450, alone: false, reply: false, worth: 1 };
  assert.ok(place({ ...base, route: route("refused") }) < 1000);
  assert.equal(place({ ...base, route: route("dropped") }), 1000);
});

test("what a packet is changes where it was rewritten", () => {
  assert.deepEqual(phase(way(), 399), { kind: "service", encapsulated: false, rewritten: false });
  assert.deepEqual(phase(way(), 400), { kind: "pod", encapsulated: true, rewritten: true });
});

/** @param {Packets} packets @param {number} ms */
function run(packets, ms) {
  for (let passed = 0; passed < ms; passed += 100) packets.step(100, 1, false);
}
const on = (/** @type {string[]} */ ...ids) => /** @type {any} */ ({ ...way(), lines: ids.map((id) => ({ id })) });

test("with many connections a dot stands for more of them, and none is lost in the count", () => {
  const packets = new Packets();
  packets.level = 3;
  let emitted = 0;
  for (let i = 0; i < 25; i += 1) packets.add(route("allowed"), on("line"), 1, "c", 100);
  for (const dot of packets.dots) emitted += dot.worth;
  assert.equal(packets.worth, 10);
  assert.deepEqual(packets.dots.map((dot) => dot.worth), [1, 10, 10], "the first shows at once that the line is in use");
  assert.equal(emitted + (packets.credit.get("r") ?? 0), 25);
});

test("every line in use shows a dot in six seconds, however little it carries beside others", () => {
  const packets = new Packets();
  packets.level = 9;
  const seen = new Map();
  for (let ms = 0; ms < 60000; ms += 500) {
    packets.add({ id: "busy", effect: "allowed" }, on("a", "b"), 4000, "c", 500);
    packets.add({ id: "rare", effect: "allowed" }, on("b", "c"), 1, "c", 500);
    packets.sinceChange = 0;
    run(packets, 500);
    for (const dot of packets.dots) for (const line of dot.way.lines) seen.set(line.id, [...(seen.get(line.id) ?? []), ms]);
  }
  for (const id of ["a", "b", "c"]) {
    const times = seen.get(id);
    assert.ok(times.every((/** @type {number} */ at, /** @type {number} */ i) => !i || at - times[i - 1] <= RARE + 500), `${id} was dark for too long`);
  }
  const rare = packets.dots.filter((dot) => dot.route.id === "rare");
  assert.ok(rare.every((dot) => dot.worth < packets.worth), "and such a dot is no more than it stands for");
});

test("the budget is shared by weight", () => {
  const packets = new Packets();
  packets.level = 3;
  const made = { much: 0, little: 0 };
  const push = packets.push.bind(packets);
  packets.push = (r, ...rest) => { made[/** @type {"much"|"little"} */ (r.id)] += 1; push(r, ...rest); };
  for (let i = 0; i < 40; i += 1) {
    packets.add({ id: "much", effect: "allowed" }, on("a"), 90, "c", 500);
    packets.add({ id: "little", effect: "allowed" }, on("b"), 10, "c", 500);
    packets.sinceChange = 0;
    run(packets, 500);
  }
  assert.ok(Math.abs(made.much / made.little - 9) < 0.5, JSON.stringify(made));
});

test("a burst never makes more dots than the machine was promised", () => {
  const packets = new Packets();
  packets.add(route("allowed"), on("a"), 1_000_000, "c", 500);
  packets.add(route("allowed"), on("a"), 1_000_000, "d", 500);
  assert.ok(packets.dots.length <= 2 * BUDGET, String(packets.dots.length));
  const shown = packets.dots.reduce((sum, dot) => sum + dot.worth, 0) + (packets.credit.get("r") ?? 0);
  assert.equal(shown, 2_000_000);
});

test("when a dot sets out depends on route and connection alone", () => {
  const starts = (/** @type {string} */ connection) => {
    const packets = new Packets();
    packets.add(route("allowed"), on("a"), 5, connection, 1000);
    return packets.dots.map((dot) => dot.wait);
  };
  assert.deepEqual(starts("c1"), starts("c1"));
  assert.notDeepEqual(starts("c1"), starts("c2"));
  assert.ok(starts("c1").every((wait, i) => wait >= i * 200 && wait < (i + 1) * 200), "each in its own fifth of the time");
  const many = Array.from({ length: 2000 }, (_, i) => jitter(`r${i % 40}|c${i}|0`));
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const share = many.filter((x) => Math.floor(x * 10) === tenth).length;
    assert.ok(share > 120 && share < 280, `${share} of 2000 in tenth ${tenth}`);
  }
});

test("a reply goes back where replies are shown, and its way is not a request's", () => {
  const stopped = /** @type {string[]} */ ([]);
  const packets = new Packets({ back: (dot) => (dot.connection === "mine" ? on("back") : null), stopped: (dot) => stopped.push(dot.connection) });
  packets.push(route("allowed"), on("a"), "mine", 0);
  packets.push(route("allowed"), on("a"), "other", 0);
  packets.push(route("dropped"), on("a"), "bad", 0);
  run(packets, 4500);
  assert.deepEqual(packets.dots.map((dot) => [dot.connection, dot.reply, dot.way.lines[0].id]), [["mine", true, "back"], ["bad", false, "a"]]);
  run(packets, 6000);
  assert.equal(packets.dots.length, 0, "and is not answered in turn");
  assert.deepEqual(stopped, ["bad"], "told once");
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
