import assert from "node:assert/strict";
import test from "node:test";
import { fragment, read as readAddress } from "../../static/js/model/address.js";
import { Density } from "../../static/js/model/density.js";
import { ago, Bookmarks, span } from "../../static/js/model/moments.js";
import { Player } from "../../static/js/model/player.js";
import { read, RecordingError, traceLine, write } from "../../static/js/model/recording.js";
import { Reel } from "../../static/js/model/reel.js";
import { lineOf } from "../../static/js/net/past.js";

const keyframe = (/** @type {number} */ time, /** @type {any} */ more = {}) => lineOf(JSON.stringify({ type: "keyframe", snapshot: { epoch: 1, seq: 0, time, entities: [], routes: [], ...more } }));
const state = (/** @type {number} */ time, /** @type {any} */ more = {}) => lineOf(JSON.stringify({ type: "state", time, set: [], unset: [], events: [], ...more }));
const traffic = (/** @type {number} */ time, /** @type {string[]} */ ids = [], /** @type {any} */ more = {}) =>
  lineOf(JSON.stringify({ type: "traffic", time, routes: [], calls: ids.map((id) => ["r1", 1, id]), totals: {}, ...more }));
/** Ten seconds with a change at 104 and 107, and two connections in each other second. */
const story = () => [keyframe(100), traffic(101, ["a", "b"]), traffic(102, ["c", "d"]), state(104), traffic(105, ["e", "f"]), state(107), traffic(108, ["g", "h"])];

test("a moment is the keyframe before it and everything up to it", () => {
  const reel = new Reel(story());
  const moment = reel.moment(reel.find(106));
  assert.equal(moment.keyframe.time, 100);
  assert.deepEqual(moment.states.map((one) => one.time), [104]);
  assert.deepEqual(moment.traffic.map((one) => one.time), [101, 102, 105]);
  assert.deepEqual(moment.recent.map((one) => one.time), [105]);
});

test("a later keyframe begins anew", () => {
  const reel = new Reel([...story(), keyframe(200, { epoch: 2 }), state(201)]);
  assert.deepEqual(reel.moment(reel.find(300)).states.map((one) => one.time), [201]);
  assert.equal(reel.moment(reel.find(150)).keyframe.epoch, 1);
});

test("steps by connection go through each one, and back through the same", () => {
  const reel = new Reel(story());
  let place = reel.find(100);
  const there = [];
  for (let next = reel.nextCall(place); next; next = reel.nextCall(place)) {
    there.push(next.call[2]);
    place = next.place;
  }
  assert.deepEqual(there, ["a", "b", "c", "d", "e", "f", "g", "h"]);
  const back = [];
  for (let last = reel.lastCall(place); last; last = reel.lastCall(place)) {
    back.push(last.call[2]);
    place = last.place;
  }
  assert.deepEqual(back, ["g", "f", "e", "d", "c", "b", "a"]);
});

test("steps by event go through each change, and back through the same", () => {
  const reel = new Reel(story());
  const first = reel.nextChange(reel.find(100));
  assert.equal(reel.timeOf(/** @type {any} */ (first).place), 104);
  const second = reel.nextChange(/** @type {any} */ (first).place);
  assert.equal(reel.timeOf(/** @type {any} */ (second).place), 107);
  assert.equal(reel.nextChange(/** @type {any} */ (second).place), null);
  assert.equal(reel.timeOf(/** @type {any} */ (reel.lastChange(/** @type {any} */ (second).place)).place), 104);
  assert.equal(reel.timeOf(/** @type {any} */ (reel.lastChange(reel.find(106))).place), 104, "from between two changes back to the first");
  assert.equal(reel.lastChange(/** @type {any} */ (first).place), null);
});

function player(/** @type {any[]} */ lines, /** @type {any} */ more = {}) {
  const log = { stood: /** @type {number[]} */ ([]), applied: /** @type {string[]} */ ([]), single: /** @type {string[]} */ ([]), asked: /** @type {any[]} */ ([]), caughtUp: 0 };
  const answer = (/** @type {any[]} */ found) => ({ now: 1000, oldest: 0, gap: false, more: false, last: found.length, lines: found });
  const ports = {
    piece: async (/** @type {number} */ from, /** @type {number} */ to) => { log.asked.push([from, to]); return answer(lines.filter((line) => line.time <= to)); },
    after: async (/** @type {number} */ last, /** @type {number} */ to) => { log.asked.push([last, to]); return { ...answer(lines.filter((line, i) => i >= last && line.time <= to)), last: lines.filter((line) => line.time <= to).length }; },
    stand: (/** @type {any} */ _moment, /** @type {number} */ time) => log.stood.push(time),
    apply: (/** @type {any} */ message) => log.applied.push(`${message.type}@${message.time}${message.calls ? `:${message.calls.length}` : ""}`),
    single: (/** @type {any} */ call) => log.single.push(call[2]), changed: () => {}, now: () => 1000, caughtUp: () => { log.caughtUp += 1; }, near: 0.7, ...more,
  };
  return { log, one: new Player(ports) };
}

test("playing gives every message once, in order, at the chosen speed", async () => {
  const { log, one } = player(story());
  await one.go(100.5, true);
  one.speed = 2;
  for (let i = 0; i < 10; i += 1) one.tick(0.25);
  assert.equal(one.time, 105.5);
  assert.deepEqual(log.applied, ["traffic@101:2", "traffic@102:2", "state@104", "traffic@105:2"]);
  one.speed = 0.001;
  one.tick(1);
  assert.ok(Math.abs(one.time - 105.501) < 1e-9);
});

test("a step forward shows one connection and nothing of the others; a step back over a change stands anew", async () => {
  const { log, one } = player(story());
  await one.go(102.5);
  assert.equal((await one.step("call", 1))[2], "e");
  assert.deepEqual(log.applied, ["state@104", "traffic@105:0"]);
  assert.deepEqual(log.stood, [102.5]);
  assert.equal((await one.step("call", -1))[2], "d");
  assert.deepEqual(log.stood, [102.5, 102]);
  assert.equal((await one.step("call", -1))[2], "c");
  assert.deepEqual(log.stood, [102.5, 102], "no change lies between");
  assert.deepEqual(log.single, ["e", "d", "c"]);
});

test("scrubbing within what is there asks nobody; the last one who asks wins", async () => {
  const { log, one } = player(story());
  await one.go(103);
  assert.equal(log.asked.length, 1);
  await one.go(105);
  assert.equal(log.asked.length, 1);
  await Promise.all([one.go(500), one.go(600)]);
  assert.equal(one.time, 600);
});

test("playing fetches more before it ends, and says when it reached the present", async () => {
  const lines = [keyframe(900), ...Array.from({ length: 100 }, (_, i) => traffic(901 + i))];
  const { log, one } = player(lines);
  await one.go(905, true);
  for (let i = 0; i < 40; i += 1) {
    one.tick(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(one.time > 940, `${one.time}`);
  assert.equal(log.caughtUp, 0);
  for (let i = 0; i < 60; i += 1) {
    one.tick(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(log.caughtUp > 0);
  const played = log.applied.map((name) => Number(name.split(/[@:]/)[1]));
  assert.deepEqual(played, Array.from({ length: played.length }, (_, i) => played[0] + i));
});

test("what is not kept cannot be shown", async () => {
  const { one } = player([]);
  assert.equal(await one.go(50), false);
  assert.equal(one.away, false);
});

test("the strip counts connections by what became of them, and the server's count replaces ours", () => {
  const density = new Density();
  density.learn([{ id: "r1", effect: "allowed" }, { id: "r2", effect: "dropped" }]);
  density.hear({ type: "traffic", time: 10.4, routes: [{ id: "r3", effect: "refused" }], calls: [["r1", 5, ""], ["r2", 2, ""], ["r3", 1, ""]] });
  density.hear({ type: "state", time: 11.9, events: [{ type: "Warning" }, { type: "Normal" }] });
  assert.deepEqual(density.sum(10, 12), { from: 10, to: 12, ok: 5, refused: 1, dropped: 2, warnings: 1, watched: true });
  assert.equal(density.sum(11, 12).watched, false);
  density.load([[10, 7, 0, 0, 0, true]]);
  assert.equal(density.sum(10, 11).ok, 7);
  assert.deepEqual(density.bars(9, 21, 5).map((bar) => bar.ok), [0, 7, 0, 0], "borders stay at multiples");
  for (let second = 0; second < 5000; second += 1) density.hear({ type: "traffic", time: second, routes: [], calls: [] });
  assert.ok(density.buckets.size <= 1301);
});

test("bookmarks are kept in order under the cluster's name, and what cannot be read is no bookmark", () => {
  const kept = new Map([["clusterviz.bookmarks.broken", "[{\"time\":\"x\"},{\"time\":5,\"name\":\"five\"},null]"]]);
  const storage = { getItem: (/** @type {string} */ key) => kept.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value) };
  const marks = new Bookmarks(storage, "demo");
  marks.add(20, " later ");
  marks.add(10, "first");
  marks.add(20, "again");
  assert.deepEqual(new Bookmarks(storage, "demo").all, [{ time: 10, name: "first" }, { time: 20, name: "again" }]);
  marks.remove(10);
  assert.deepEqual(new Bookmarks(storage, "demo").all.map((one) => one.time), [20]);
  assert.deepEqual(new Bookmarks(storage, "broken").all, [{ time: 5, name: "five" }]);
  assert.deepEqual(new Bookmarks(storage, "other").all, []);
  for (let i = 0; i < 60; i += 1) marks.add(100 + i, "");
  assert.equal(marks.all.length, 50);
  assert.equal(marks.add(999, "one more"), false);
});

test("moments in words", () => {
  assert.deepEqual([0.2, 7, 60, 192, 3725].map(ago), ["now", "7 s ago", "1 min ago", "3 min 12 s ago", "1 h 2 min ago"]);
  assert.equal(span(0), "0 s");
});

test("a link names the moment, and only a moment", () => {
  assert.equal(fragment({ select: "", filter: {}, trace: null, at: 1763845392.26 }), "#at=1763845392.3");
  assert.equal(readAddress("#at=1763845392.3").at, 1763845392.3);
  assert.equal(readAddress("#at=javascript:1").at, null);
  assert.equal(readAddress("#select=x").at, null);
});

test("a recording holds its lines as they came and gives the same text again", () => {
  const lines = [lineOf('{ "type":"keyframe",  "snapshot":{"time":1,"seq":0}}'), lineOf('{"time":2.50,"type":"traffic","calls":[]}'), traffic(3)];
  const text = write({ cluster: "demo", from: 1, to: 3 }, lines, [traceLine(2.7, { connection: "1.2" }, { verdict: "delivered" })]);
  assert.ok(text.includes('{"time":2.50,"type":"traffic","calls":[]}\n'));
  const found = read(text);
  assert.deepEqual(found.lines.map((line) => line.type), ["keyframe", "traffic", "trace", "traffic"]);
  assert.deepEqual(found.traces[0].question, { connection: "1.2" });
  assert.equal([JSON.stringify(found.head), ...found.lines.map((line) => line.text), ""].join("\n"), text);
});

test("what is no recording is told what it lacks", () => {
  const head = '{"type":"recording","version":1,"cluster":"c","from":1,"to":2}';
  for (const [text, words] of [["", /first line/], ["{", /Line 1 is not JSON/], ['{"type":"state"}', /first line/], ['{"type":"evil"}', /allowed are/],
    [head.replace("1,", "9,"), /Version 9/], [head, /Line 2/], [`${head.replace('"to":2', '"to":0')}\n${keyframe(1).text}`, /in order/]]) {
    assert.throws(() => read(/** @type {string} */ (text)), (error) => error instanceof RecordingError && /** @type {RegExp} */ (words).test(error.message));
  }
});
