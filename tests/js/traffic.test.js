import assert from "node:assert/strict";
import test from "node:test";
import { Counts, WINDOW } from "../../static/js/model/counts.js";
import { countsOf, Marks, rulesOf, STAYS, strength } from "../../static/js/model/marks.js";
import { COST, Pace, STEPS } from "../../static/js/model/pace.js";
import { replyOf } from "../../static/js/model/replies.js";

const denied = (effect = "dropped", reason = "NetworkPolicy shop/db-allow-api") => ({ effect, reason, stop: "pod:shop/db-0", waypoints: ["pod:shop/nightly", "pod:shop/db-0"] });

test("a mark counts what an object denied, names the rules, and fades some seconds after the last", () => {
  const marks = new Marks();
  marks.add(denied(), 1, "c1");
  marks.add(denied(), 2, "c2");
  marks.add(denied("refused", "Nobody listens on port 81."), 1, "c3");
  const mark = /** @type {any} */ (marks.all.get("pod:shop/db-0"));
  assert.equal(countsOf(mark), "3 dropped, 1 refused");
  assert.equal(rulesOf(mark), "3: NetworkPolicy shop/db-allow-api\n1: Nobody listens on port 81.");
  assert.equal(mark.connection, "c3");
  assert.equal(strength(mark), 1);
  marks.step(STAYS - 500);
  assert.ok(strength(mark) > 0 && strength(mark) < 0.5);
  marks.add(denied(), 1, "c4");
  assert.equal(strength(mark), 1, "another packet renews it");
  assert.ok(marks.step(STAYS - 1));
  assert.equal(marks.step(2), false);
});

test("one rule is named without a number, many are cut with their count", () => {
  const marks = new Marks();
  marks.add(denied("dropped", "only one"), 5, "c");
  assert.equal(rulesOf(/** @type {any} */ (marks.all.get("pod:shop/db-0"))), "only one");
  for (let i = 0; i < 5; i += 1) marks.add(denied("dropped", `rule ${i}`), 1, "c");
  assert.match(rulesOf(/** @type {any} */ (marks.all.get("pod:shop/db-0"))), /^5: only one\n.*and 3 more rules$/s);
});

/** @param {Pace} pace @param {number} cost @param {number} seconds */
function run(pace, cost, seconds) {
  for (let ms = 0; ms < seconds * 1000; ms += pace.interval) pace.frame(cost, pace.interval);
}

test("frames that cost too much make the picture simpler step by step, one dear frame does not", () => {
  const pace = new Pace();
  pace.frame(200, 33);
  run(pace, 3, 1);
  assert.equal(pace.level, 0);
  run(pace, COST + 5, 2);
  assert.equal(pace.level, 1);
  assert.ok(pace.interval > 1000 / STEPS[0].fps && pace.step.trail < STEPS[0].trail && pace.step.words);
  run(pace, COST + 5, 60);
  assert.equal(pace.level, STEPS.length - 1);
  assert.ok(pace.step.share < 1);
});

test("it gets richer again after a while of ease, and waits longer each time it was too early", () => {
  const pace = new Pace();
  const climb = () => {
    let seconds = 0;
    for (; pace.level > 0 && seconds < 500; seconds += 1) run(pace, 2, 1);
    return seconds;
  };
  run(pace, COST + 5, 2);
  run(pace, COST * 0.8, 30);
  assert.equal(pace.level, 1, "not easy enough to climb, not dear enough to fall");
  const first = climb();
  run(pace, COST + 5, 2);
  const second = climb();
  assert.ok(second >= 2 * first - 2, `${first} s, then ${second} s`);
  run(pace, 2, 100);
  run(pace, COST + 5, 2);
  assert.ok(climb() <= first + 1, "long ease is forgiven");
});

test("frames the browser brings too late count as too dear", () => {
  const pace = new Pace();
  for (let i = 0; i < 40; i += 1) pace.frame(1, 120);
  assert.ok(pace.level > 0);
});

test("rates are counted over the last seconds only", () => {
  const counts = new Counts();
  for (let ms = 0; ms < 20000; ms += 500) counts.add([["r1", 2, "c"], ["r2", 1, "c"]], ms);
  assert.equal(counts.of(["r1"]), 4);
  assert.equal(counts.of(["r1", "r2"]), 6);
  counts.add([], 20000 + WINDOW);
  assert.equal(counts.of(["r1", "r2"]), 0);
  assert.equal(counts.seen.size, 0);
});

test("a reply passes the machines the other way round and no virtual address", () => {
  const plain = { nat: "", encapsulated: false };
  const reply = replyOf({ id: "r2", effect: "rewritten", waypoints: ["pod:shop/frontend", "service:shop/api", "node:n3", "wire", "node:n1", "pod:shop/api"],
    segments: [{ kind: "service", ...plain }, { kind: "service", nat: "dnat", encapsulated: false }, { kind: "pod", nat: "", encapsulated: true }, { kind: "pod", nat: "", encapsulated: true }, { kind: "pod", ...plain }] });
  assert.deepEqual(reply.waypoints, ["pod:shop/api", "node:n1", "wire", "node:n3", "pod:shop/frontend"]);
  assert.deepEqual(reply.segments.map((/** @type {any} */ s) => s.encapsulated), [false, true, true, false]);
  const ported = replyOf({ id: "r1", effect: "rewritten", waypoints: ["internet", "node:n1", "service:web", "node:n1", "pod:a"], segments: Array(4).fill({ kind: "ingress", ...plain }) });
  assert.deepEqual(ported.waypoints, ["pod:a", "node:n1", "internet"]);
});
