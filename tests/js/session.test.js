import assert from "node:assert/strict";
import test from "node:test";
import { Feed } from "../../static/js/model/feed.js";
import { Session } from "../../static/js/model/session.js";
import { Store } from "../../static/js/model/store.js";
import { delay } from "../../static/js/net/backoff.js";
import { read, SERVER } from "../../static/js/net/protocol.js";
import { snapshot } from "./fixtures/boutique.js";

const state = (/** @type {number} */ seq, /** @type {any} */ more = {}) => ({ type: "state", epoch: 5, seq, base: seq - 1, time: seq, set: [], unset: [], events: [], ...more });
const hello = (/** @type {any} */ more = {}) => ({ type: "hello", protocol: 1, cluster: "demo", epoch: 5, seq: 7, time: 0, editor: false, resumed: false, ...more });

function conversation() {
  const store = new Store();
  const log = { fetched: 0, delivered: /** @type {any[]} */ ([]), status: /** @type {string[]} */ ([]) };
  const answer = { ok: true, body: { ...snapshot(), epoch: 5, seq: 7 } };
  const session = new Session(store, {
    snapshot: async () => { log.fetched += 1; return answer; },
    loaded: () => {}, deliver: (message) => log.delivered.push(message.seq), status: (_, words) => log.status.push(words), editor: () => {},
  });
  return { store, log, answer, session };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("the first hello fetches the snapshot; diffs then follow in order", async () => {
  const { log, session, store } = conversation();
  session.hear(hello());
  await settled();
  assert.equal(log.fetched, 1);
  assert.ok(store.loaded);
  session.hear(state(8));
  session.hear(state(9));
  assert.deepEqual(log.delivered, [8, 9]);
});

test("diffs that overtake the snapshot wait for it; those it contains are dropped", async () => {
  const { log, session } = conversation();
  session.hear(hello());
  session.hear(state(7));
  session.hear(state(8));
  await settled();
  assert.deepEqual(log.delivered, [8]);
});

test("routes told while the snapshot is on its way are kept, for they are told once; calls are not replayed", async () => {
  const { session, store } = conversation();
  session.ports.deliver = (message) => { assert.deepEqual(message.calls, []); store.traffic(message); };
  session.hear(hello());
  const route = { id: "r99", waypoints: [] };
  session.hear({ type: "traffic", epoch: 5, seq: 7, time: 1, routes: [route], calls: [["r99", 1, "5.1"]], totals: { rps: 0, flows: {} }, mass: null });
  session.hear({ type: "traffic", epoch: 4, seq: 7, time: 1, routes: [{ id: "r98", waypoints: [] }], calls: [], totals: { rps: 0, flows: {} }, mass: null });
  await settled();
  assert.deepEqual(store.routes.get("r99"), route);
  assert.equal(store.routes.has("r98"), false);
});

test("a repeated diff is ignored, a gap fetches the snapshot again", async () => {
  const { log, session, answer } = conversation();
  session.hear(hello());
  await settled();
  session.hear(state(8));
  session.hear(state(8));
  assert.deepEqual(log.delivered, [8]);
  answer.body = { ...answer.body, seq: 12 };
  session.hear(state(12));
  await settled();
  assert.equal(log.fetched, 2);
  session.hear(state(13));
  assert.deepEqual(log.delivered, [8, 13]);
});

test("after a loss it resumes where it was and says what was missed", async () => {
  const { log, session } = conversation();
  session.hear(hello());
  await settled();
  session.lost();
  assert.deepEqual(session.position(), { epoch: 5, seq: 7 });
  session.hear(hello({ seq: 10, resumed: true }));
  for (const seq of [8, 9, 10]) session.hear(state(seq));
  assert.equal(log.fetched, 1);
  assert.deepEqual(log.delivered, [8, 9, 10]);
  assert.deepEqual(log.status.slice(-2), ["reconnecting…", "back, 3 changes missed"]);
});

test("who asked to resume too late is greeted as new, and fetches the whole picture", async () => {
  const { log, session, answer } = conversation();
  session.hear(hello());
  await settled();
  session.lost();
  answer.body = { ...answer.body, seq: 10 };
  session.hear(hello({ seq: 10 }));
  await settled();
  assert.equal(log.fetched, 2);
  assert.equal(log.status.at(-1), "back, 3 changes missed");
  session.hear(state(11));
  assert.deepEqual(log.delivered, [11]);
});

test("a new epoch is a new picture", async () => {
  const { log, session, answer } = conversation();
  session.hear(hello());
  await settled();
  answer.body = { ...answer.body, epoch: 6, seq: 1 };
  session.hear({ type: "resync", reason: "new epoch" });
  await settled();
  session.hear(state(2));
  session.hear({ ...state(2), epoch: 6 });
  await settled();
  assert.deepEqual(log.delivered, [2]);
  assert.equal(log.fetched, 3, "a diff of the old epoch asks once more");
});

test("the store applies diffs and refuses what does not build on what it has", () => {
  const store = new Store();
  store.load({ ...snapshot(), epoch: 5, seq: 7 });
  const gone = "pod:kube-system/coredns-5dd5756b68-a0b";
  assert.deepEqual(store.state(state(8, { unset: [gone], set: [{ id: "pod:a/b", kind: "pod", name: "b" }] })), { changed: true, gap: false });
  assert.ok(!store.entities.has(gone) && store.entities.has("pod:a/b"));
  assert.deepEqual(store.state(state(8)), { changed: false, gap: false });
  assert.deepEqual(store.state(state(11)), { changed: false, gap: true });
  assert.deepEqual(store.state({ ...state(9), epoch: 4 }), { changed: false, gap: true });
});

test("routes go with the pods on them, and when nobody takes them any more", () => {
  const store = new Store();
  store.load({ ...snapshot(), epoch: 5, seq: 7, time: 0 });
  const [first, second] = [...store.routes.values()];
  store.state(state(8, { unset: [first.waypoints[0]] }));
  assert.ok(!store.routes.has(first.id));
  const kept = [...store.routes.values()].find((r) => r.id !== second.id);
  // The picture may have stood for long when it came: routes are counted from the first message on.
  const all = store.routes.size;
  store.traffic({ epoch: 5, time: 100, routes: [], calls: [], totals: {} });
  assert.equal(store.routes.size, all);
  const answer = store.traffic({ epoch: 5, time: 200, routes: [], calls: [[kept.id, 1, "c"]], totals: {} });
  assert.deepEqual([...store.routes.keys()], [kept.id]);
  assert.ok(answer.fresh, "the picture must drop their lines");
});

function paused() {
  const log = { applied: /** @type {string[]} */ ([]), calls: /** @type {string[]} */ ([]), waiting: 0 };
  const feed = new Feed({ apply: (m) => log.applied.push(`${m.type}${m.seq ?? ""}`), call: ([id]) => log.calls.push(id) > 0, waiting: (n) => { log.waiting = n; } });
  feed.pause();
  return { feed, log };
}

const traffic = (/** @type {string[]} */ ids) => ({ type: "traffic", epoch: 5, calls: ids.map((id) => [id, 1, id]), routes: [], totals: {} });

test("while paused everything waits and is counted; going on jumps to now without replaying calls", () => {
  const { feed, log } = paused();
  feed.push(state(8));
  feed.push(traffic(["a", "b"]));
  assert.equal(log.waiting, 3);
  assert.deepEqual(log.applied, []);
  feed.resume();
  assert.deepEqual(log.applied, ["state8", "traffic"]);
  assert.deepEqual(log.calls, []);
});

test("a step lets exactly one call through, with the changes before it", () => {
  const { feed, log } = paused();
  feed.push(traffic(["a"]));
  feed.push(state(8));
  feed.push(traffic(["b"]));
  assert.ok(feed.step());
  assert.deepEqual([log.calls, log.applied], [["a"], ["traffic"]]);
  assert.ok(feed.step());
  assert.deepEqual([log.calls, log.applied], [["a", "b"], ["traffic", "state8", "traffic"]]);
  assert.ok(!feed.step());
});

test("a long pause forgets old calls but never a change", () => {
  const { feed } = paused();
  feed.push(state(8));
  for (let i = 0; i < 50; i += 1) feed.push(traffic(Array.from({ length: 100 }, (_, n) => `${i}-${n}`)));
  assert.ok(feed.queue.length <= 2100);
  assert.equal(feed.queue[0].seq, 8);
});

test("what the server sends is read only when it is complete", () => {
  assert.equal(read("{"), null);
  assert.equal(read("null"), null);
  assert.equal(read('{"type":"state","seq":1}'), null);
  assert.equal(read('{"type":"constructor"}'), null);
  const whole = { type: "state", ...Object.fromEntries(SERVER.state.map((field) => [field, 1])) };
  assert.deepEqual(read(JSON.stringify(whole)), whole);
});

test("pauses between tries grow, spread, and have an end", () => {
  assert.ok(delay(0, 0) >= 250 && delay(0, 1) <= 500);
  assert.ok(delay(3, 0.5) > delay(1, 0.5));
  assert.ok(delay(50, 1) <= 15000);
});

test("routes of a picture that was old when it came are kept, and forgotten when nobody takes them", () => {
  const store = new Store();
  const route = (/** @type {string} */ id) => ({ id, flow: "flow:shop/f", waypoints: [] });
  const message = (/** @type {number} */ time, /** @type {[string, number, string][]} */ calls) => ({ type: "traffic", epoch: 7, seq: 1, time, routes: [], calls, totals: {}, mass: null });
  store.load({ epoch: 7, seq: 1, time: 1000, entities: [], routes: [route("busy"), route("rare")], events: [] });
  store.traffic(message(5000, [["busy", 1, "7.1"]]));
  assert.deepEqual([...store.routes.keys()], ["busy", "rare"]);
  store.traffic(message(5080, [["busy", 1, "7.2"]]));
  assert.deepEqual([...store.routes.keys()], ["busy", "rare"]);
  const { fresh } = store.traffic(message(5091, [["busy", 1, "7.3"]]));
  assert.deepEqual([[...store.routes.keys()], fresh], [["busy"], true]);
});
