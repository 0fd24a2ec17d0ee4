import assert from "node:assert/strict";
import test from "node:test";
import { Session } from "../../static/js/model/session.js";
import { Store } from "../../static/js/model/store.js";
import { bigSnapshot } from "./fixtures/big.js";

const told = bigSnapshot({ nodes: 5, pods: 40 });
const pod = (/** @type {number} */ index) => ({ id: `pod:team-0/p-${index}`, kind: "pod", name: `p-${index}`, namespace: "team-0", index, ready: true });
const state = (/** @type {any} */ more) => ({ type: "state", epoch: 1, set: [], unset: [], events: [], mass: null, ...more });

/** A store of a large cluster and what it asked for. */
async function large() {
  const store = new Store();
  await store.prepare(told);
  store.load(told);
  /** @type {string[][]} */
  const asked = [];
  store.lender = async (ids) => {
    asked.push(ids);
    return { ok: true, body: { epoch: 1, entities: ids.map((id) => pod(Number(id.split("-").pop()))).filter((e) => e.index < 40) } };
  };
  return { store, asked };
}

test("a large cluster has columns and no pods", async () => {
  const { store } = await large();
  assert.equal(store.mass?.count, 40);
  assert.equal([...store.entities.values()].filter((e) => e.kind === "pod").length, 0);
  const small = new Store();
  small.load({ ...told, form: "full" });
  assert.equal(small.mass, null);
});

test("what is wanted at one time is asked for at once, and comes with its name", async () => {
  const { store, asked } = await large();
  const came = [];
  store.arrived = (ids) => came.push(...ids);
  const [one, two, three] = await Promise.all([store.entity("pod:team-0/p-3"), store.entity("pod:team-0/p-4"), store.entity("pod:team-0/p-99")]);
  assert.equal(asked.length, 1);
  assert.equal(one.name, "p-3");
  assert.equal(two.index, 4);
  assert.equal(three, null);
  assert.equal(store.mass?.indexOf("pod:team-0/p-3"), 3);
  assert.deepEqual(came, ["pod:team-0/p-3", "pod:team-0/p-4"]);
  await store.entity("pod:team-0/p-3");
  assert.equal(asked.length, 1, "what is here is not asked for");
});

test("a pod that changes unwatched is not known any more; a watched one is kept up to date", async () => {
  const { store } = await large();
  store.watch(["pod:team-0/p-4"]);
  await Promise.all([3, 4].map((i) => store.entity(`pod:team-0/p-${i}`)));
  store.state(state({ seq: 2, base: 1, set: [{ ...pod(4), ready: false }], mass: { pods: [[3, 1, 2, 0], [4, 1, 2, 0]], workloads: [], counts: {} } }));
  assert.equal(store.entities.has("pod:team-0/p-3"), false);
  assert.equal(store.entities.get("pod:team-0/p-4").ready, false);
  assert.equal(store.mass?.state[3], 2);
  assert.deepEqual(store.massChanges?.pods, [3, 4]);
});

test("a watched pod stays while the picture is fetched anew, and goes when the answer is without it", async () => {
  const { store } = await large();
  store.watch(["pod:team-0/p-4", "pod:team-0/p-5"]);
  await Promise.all([4, 5].map((i) => store.entity(`pod:team-0/p-${i}`)));
  store.lender = async (ids) => ({ ok: true, body: { epoch: 1, entities: ids.filter((id) => id.endsWith("-5")).map(() => pod(5)) } });
  /** @type {string[]} */
  const heard = [];
  const arrived = new Promise((resolve) => { store.arrived = (ids) => resolve(heard.push(...ids)); });
  store.load(told);
  assert.deepEqual([4, 5].map((i) => store.entities.has(`pod:team-0/p-${i}`)), [true, true]);
  await arrived;
  assert.deepEqual([4, 5].map((i) => store.entities.has(`pod:team-0/p-${i}`)), [false, true]);
  assert.deepEqual(heard.sort(), ["pod:team-0/p-4", "pod:team-0/p-5"]);
});

test("names of pods on new routes are asked for", async () => {
  const { store, asked } = await large();
  const route = { id: "r1", waypoints: ["pod:team-0/p-7", "service:team-0/x"], effect: "allowed" };
  store.traffic({ type: "traffic", epoch: 1, time: 1, routes: [route], calls: [["r1", 1, "c"]], totals: { rps: 1, flows: {} }, mass: { heat: [[7, 3]], sweep: null, trunks: null, sampled: 4 } });
  await store.lending?.asking;
  assert.deepEqual(asked, [["pod:team-0/p-7"]]);
  assert.equal(store.mass?.idOf(7), "pod:team-0/p-7");
  assert.equal(store.mass?.heat[7], 3);
  assert.equal(store.mass?.sampled, 4);
});

test("a sweep brings levels up to date that a dropped frame held", async () => {
  const { store } = await large();
  const levels = Buffer.from(Uint8Array.from({ length: 10 }, (_, i) => i % 8)).toString("base64");
  store.traffic({ type: "traffic", epoch: 1, time: 1, routes: [], calls: [], totals: { rps: 1, flows: {} }, mass: { heat: [], sweep: [20, levels], trunks: null, sampled: 1 } });
  assert.deepEqual([...(store.mass?.heat.subarray(20, 30) ?? [])], [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
  assert.ok(store.massChanges?.pods.includes(27));
});

test("fetched anew, what is looked at stays and is asked for again", async () => {
  const { store, asked } = await large();
  store.watch(["pod:team-0/p-4"]);
  await Promise.all([3, 4].map((i) => store.entity(`pod:team-0/p-${i}`)));
  store.load({ ...told, seq: 9 });
  assert.equal(store.entities.has("pod:team-0/p-4"), true);
  assert.equal(store.entities.has("pod:team-0/p-3"), false);
  await store.lending?.asking;
  assert.deepEqual(asked.at(-1), ["pod:team-0/p-4"]);
  store.load({ ...told, epoch: 2 });
  assert.equal(store.entities.has("pod:team-0/p-4"), false, "another epoch knows nobody");
});

test("what is watched is said again after a loss", () => {
  /** @type {any[]} */
  const said = [];
  const nothing = () => {};
  const session = new Session(new Store(), { snapshot: async () => ({ ok: false, body: { error: "" } }), loaded: nothing, deliver: nothing, status: nothing, editor: nothing, say: (m) => said.push(m) });
  session.watch(["pod:a/b"]);
  session.head = { epoch: 1, seq: 1 };
  session.hear({ type: "hello", editor: false, resumed: true, seq: 1 });
  assert.deepEqual(said, [{ type: "watch", ids: ["pod:a/b"] }, { type: "watch", ids: ["pod:a/b"] }]);
});
