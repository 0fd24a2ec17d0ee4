import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Mass, NOWHERE, STATE, stateOf } from "../../static/js/model/mass.js";
import { levelOf } from "../../static/js/model/massfull.js";
import { bigSnapshot, churn, warmth } from "./fixtures/big.js";
import { snapshot } from "./fixtures/boutique.js";

const NOTHING = { set: [], unset: [], events: [] };
const change = (/** @type {any} */ more) => ({ type: "state", ...NOTHING, ...more });
const pods = (/** @type {number[][]} */ ...list) => change({ mass: { pods: list, workloads: [], counts: {} } });

/** Every pod sits on its node, no two in one slot. @param {Mass} mass */
function sane(mass) {
  const taken = new Set();
  for (let i = 0; i < mass.count; i += 1) {
    if (!mass.state[i]) {
      assert.equal(mass.node[i], NOWHERE);
      continue;
    }
    const seat = `${mass.node[i]}/${mass.slot[i]}`;
    assert.ok(!taken.has(seat), `two pods in ${seat}`);
    taken.add(seat);
    assert.ok(mass.slot[i] < mass.slotsOf(mass.node[i]));
  }
  const seated = [...mass.nodes.keys(), NOWHERE].flatMap((node) => mass.podsOf(node));
  assert.equal(seated.length, taken.size);
}

test("a snapshot of form mass is read as it was written", () => {
  const told = bigSnapshot({ nodes: 40, pods: 900 });
  const mass = Mass.fromSnapshot(told);
  assert.equal(mass.count, 900);
  assert.equal(mass.nodes.length, 40);
  assert.equal(mass.nodes[3]?.id, "node:node-00003");
  assert.equal(mass.counts.pods, 900);
  const states = Buffer.from(told.mass.state, "base64");
  const homes = Buffer.from(told.mass.node, "base64");
  for (const i of [0, 1, 450, 899]) {
    assert.equal(mass.state[i], states[i]);
    assert.equal(mass.node[i], homes.readUInt32LE(4 * i));
  }
  assert.equal(mass.workloads[mass.workload[0]]?.id, "workload:Deployment/team-0/app-1");
  assert.equal(mass.workloads[0], null);
  sane(mass);
  const order = mass.podsOf(5);
  assert.deepEqual(order, [...order].sort((a, b) => a - b), "by index");
  assert.deepEqual(order.map((i) => mass.slot[i]), order.map((_, place) => place));
});

test("a pod that dies leaves a hole, the next takes it, nobody else moves", () => {
  const mass = Mass.fromSnapshot(bigSnapshot({ nodes: 4, pods: 60 }));
  const [, second, third] = mass.podsOf(1);
  const slots = new Map(mass.podsOf(1).map((i) => [i, mass.slot[i]]));
  assert.deepEqual(mass.apply(pods([second, -1, 0, 0])), { pods: [second], nodes: [], trunks: false });
  assert.equal(mass.state[second], STATE.gone);
  assert.equal(mass.podsOf(1)[1], third);
  assert.equal(mass.slot[third], slots.get(third));
  mass.apply(pods([60, 1, STATE.pending, 1]));
  assert.equal(mass.count, 61);
  assert.equal(mass.slot[60], slots.get(second));
  for (const i of mass.podsOf(1)) if (i !== 60) assert.equal(mass.slot[i], slots.get(i));
  sane(mass);
});

test("a pod without a node waits, is bound and sits down", () => {
  const mass = Mass.fromSnapshot(bigSnapshot({ nodes: 3, pods: 10 }));
  const waiting = mass.podsOf(NOWHERE).length;
  mass.apply(pods([10, -1, STATE.pending, 0]));
  assert.equal(mass.podsOf(NOWHERE).length, waiting + 1);
  mass.apply(pods([10, 2, STATE.ready, 0]));
  assert.equal(mass.podsOf(NOWHERE).length, waiting);
  assert.ok(mass.podsOf(2).includes(10));
  sane(mass);
});

test("whoever fetches the same epoch anew keeps every slot", () => {
  const told = bigSnapshot({ nodes: 6, pods: 200 });
  const mass = Mass.fromSnapshot(told);
  const gone = mass.podsOf(2)[0];
  mass.apply(pods([gone, -1, 0, 0]));
  const states = Uint8Array.from(mass.state.subarray(0, 200));
  const again = Mass.fromSnapshot({ ...told, mass: { ...told.mass, state: Buffer.from(states).toString("base64"),
    node: Buffer.from(mass.node.slice(0, 200).buffer).toString("base64") } }, mass);
  for (let i = 0; i < 200; i += 1) if (states[i]) assert.equal(again.slot[i], mass.slot[i]);
  sane(again);
});

test("nodes come, change and go; their index stays theirs", () => {
  const mass = Mass.fromSnapshot(bigSnapshot({ nodes: 3, pods: 9 }));
  const fourth = { id: "node:n4", kind: "node", name: "n4", index: 3, zone: "zone-a", ready: true, schedulable: true, ip: "172.16.0.9" };
  assert.deepEqual(mass.apply(change({ set: [fourth] })).nodes, [3]);
  assert.deepEqual(mass.apply(change({ set: [{ ...fourth, ready: false }] })).nodes, [3]);
  assert.equal(mass.nodes[3]?.ready, false);
  assert.deepEqual(mass.apply(change({ unset: ["node:node-00001"] })).nodes, [1]);
  assert.equal(mass.nodes[1], null);
  assert.equal(mass.nodeOf("node:n4"), 3);
});

test("names are those that were told, and never a dead pod's", () => {
  const mass = Mass.fromSnapshot(bigSnapshot({ nodes: 3, pods: 9 }));
  assert.equal(mass.idOf(4), "");
  assert.equal(mass.learn({ id: "pod:a/b", index: 4 }), 4);
  assert.equal(mass.indexOf("pod:a/b"), 4);
  mass.apply(pods([4, -1, 0, 0]));
  assert.equal(mass.indexOf("pod:a/b"), -1);
  assert.equal(mass.idOf(4), "");
  assert.equal(mass.learn({ id: "pod:a/b", index: 4 }), -1, "an answer that comes late names nobody");
});

test("heat and trunks follow the traffic", () => {
  const mass = Mass.fromSnapshot(bigSnapshot({ nodes: 30, pods: 500 }));
  const frame = warmth(mass, 50, 2);
  const { pods: changed, trunks } = mass.apply(frame);
  assert.ok(trunks && changed.length > 20);
  const last = new Map(frame.mass.heat);
  for (const [index, level] of last) assert.equal(mass.heat[index], level);
});

test("form full gives the same face", () => {
  const { entities, routes } = snapshot();
  const mass = Mass.fromEntities(entities, { routes });
  const wanted = entities.filter((/** @type {any} */ e) => e.kind === "pod");
  assert.equal(mass.count, wanted.length);
  assert.equal(mass.counts.pods, wanted.length);
  assert.equal(mass.counts.services, entities.filter((/** @type {any} */ e) => e.kind === "service").length);
  for (const pod of wanted) {
    const index = mass.indexOf(pod.id);
    assert.equal(mass.idOf(index), pod.id);
    assert.equal(mass.nodes[mass.node[index]]?.id ?? "", pod.node);
    assert.equal(mass.workloads[mass.workload[index]]?.id ?? "", pod.workload);
    assert.equal(mass.state[index], stateOf(pod));
  }
  sane(mass);
  const route = routes.find((/** @type {any} */ r) => r.waypoints.some((/** @type {string} */ w) => w.startsWith("pod:")));
  const busy = mass.apply({ type: "traffic", time: 5, routes: [], calls: [[route.id, 40, "1.1"]] });
  assert.ok(busy.pods.length > 0 && busy.trunks);
  assert.ok(busy.pods.every((i) => mass.heat[i] > 0));
  assert.ok(mass.trunks.length > 0 && mass.trunks[0].rps > 0);
  for (let time = 6; time < 60; time += 1) mass.apply({ type: "traffic", time, routes: [], calls: [] });
  assert.ok(busy.pods.every((i) => mass.heat[i] === 0), "what nobody calls cools down");
  assert.deepEqual(mass.trunks, []);
});

test("form full: pods die and come by their names, also before their node", () => {
  const { entities } = snapshot();
  const mass = Mass.fromEntities(entities);
  const victim = entities.find((/** @type {any} */ e) => e.kind === "pod" && e.node);
  const index = mass.indexOf(victim.id);
  assert.deepEqual(mass.apply(change({ unset: [victim.id] })).pods, [index]);
  assert.equal(mass.state[index], STATE.gone);
  const heir = { ...victim, id: `${victim.id}-x`, name: `${victim.name}-x`, node: "node:late" };
  assert.deepEqual(mass.apply(change({ set: [heir] })).pods, [index]);
  assert.equal(mass.node[index], NOWHERE);
  mass.apply(change({ set: [{ id: "node:late", kind: "node", name: "late", zone: "", ready: true, schedulable: true, ip: "" }] }));
  assert.equal(mass.nodes[mass.node[index]]?.id, "node:late");
  sane(mass);
  const again = Mass.fromEntities([...entities.filter((/** @type {any} */ e) => e !== victim), heir], { before: mass });
  assert.equal(again.indexOf(heir.id), index);
  for (let i = 0; i < mass.count; i += 1) if (mass.node[i] !== NOWHERE && i !== index) assert.equal(again.slot[i], mass.slot[i]);
  sane(again);
});

test("a level of heat is left only well below its beginning", () => {
  assert.equal(levelOf(0, 0), 0);
  assert.equal(levelOf(0.06, 0), 1);
  assert.equal(levelOf(0.04, 1), 1);
  assert.equal(levelOf(0.03, 1), 0);
  assert.equal(levelOf(1000, 0), 7);
  assert.equal(levelOf(4, 7), 4);
});

test("whatever happens nobody sits on anybody", () => {
  const mass = Mass.fromSnapshot(bigSnapshot({ nodes: 20, pods: 400 }));
  for (let seq = 2; seq < 40; seq += 1) mass.apply(churn(mass, 60, seq));
  sane(mass);
});

/** ms of processor time, which other programs do not lengthen. */
function spent(/** @type {() => void} */ work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test("ten times the pods are read in about ten times the time, and 1,000 changes are a small part of that", () => {
  /** @param {number} nodes @param {number} pods */
  const read = (nodes, pods) => {
    const told = bigSnapshot({ nodes, pods });
    const costs = [1, 2, 3].map(() => spent(() => { Mass.fromSnapshot(told); }));
    return { cost: Math.min(...costs), mass: Mass.fromSnapshot(told) };
  };
  const [less, more] = [read(500, 15000), read(5000, 150000)];
  const changes = [2, 3, 4, 5, 6].map((seq) => { const told = churn(more.mass, 1000, seq); return spent(() => { more.mass.apply(told); }); });
  assert.ok(more.cost < less.cost * 25, `${less.cost} ms for 15,000 pods, ${more.cost} ms for 150,000`);
  assert.ok(Math.min(...changes) < more.cost / 10, `${changes} ms for 1,000 changes, ${more.cost} ms to read`);
});

test("states are those the server counts", () => {
  const cases = JSON.parse(readFileSync(new URL("./fixtures/podstates.json", import.meta.url), "utf8"));
  assert.ok(cases.length > 10);
  for (const { pod, state } of cases) assert.equal(stateOf(pod), state, JSON.stringify(pod));
});
