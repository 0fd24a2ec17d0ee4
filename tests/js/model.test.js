import assert from "node:assert/strict";
import test from "node:test";
import { isActive, matches, NOTHING, selector, shows } from "../../static/js/model/filter.js";
import { read } from "../../static/js/model/address.js";
import { find } from "../../static/js/model/search.js";
import { beats, compare, flagOf, reaches, routesOf } from "../../static/js/model/walk.js";
import { snapshot } from "./fixtures/boutique.js";

const { entities, routes } = snapshot();
const byId = new Map(entities.map((/** @type {any} */ e) => [e.id, e]));

test("search finds by name, address, kind and label, best first", () => {
  assert.equal(find(entities, "redis-cart")[0].name, "redis-cart");
  assert.equal(find(entities, "10.244.1.30")[0].role, "ingress");
  assert.ok(find(entities, "pod coredns").every((e) => e.kind === "pod"));
  assert.ok(find(entities, "app=emailservice").length > 0);
  assert.deepEqual(find(entities, "   "), []);
  assert.deepEqual(find(entities, "no such thing"), []);
});

test("an address may name what to select", () => {
  assert.equal(read("#select=pod:shop/db-0").select, "pod:shop/db-0");
  assert.equal(read("#select=external%3A2001%3Adb8%3A%3A1").select, "external:2001:db8::1");
  assert.equal(read("#select=pod:a/b+c").select, "pod:a/b+c");
  for (const hash of ["", "#", "#else=1", "#select="]) assert.equal(read(hash).select, "");
  assert.equal(typeof read("#select=%E0%A4%A").select, "string", "a broken escape is not an error");
});

test("label selectors read as kubectl reads them", () => {
  const labels = { app: "web", tier: "front" };
  for (const text of ["app=web", "app==web", "app=web,tier=front", "app", "!old", "tier!=back", "old!=1", ""]) assert.ok(selector(text)(labels), text);
  for (const text of ["app=db", "app=web,tier=back", "!app", "old", "app!=web"]) assert.ok(!selector(text)(labels), text);
});

test("filters choose entities and the routes that touch them", () => {
  assert.ok(!isActive(NOTHING));
  const shop = matches({ ...NOTHING, namespace: "shop" });
  assert.ok(shop(byId.get("service:shop/frontend")) && !shop(byId.get("service:default/kubernetes")));
  const dropped = shows({ ...NOTHING, verdict: "dropped" }, byId);
  assert.deepEqual(routes.filter(dropped).map((r) => r.id), ["bad"]);
  const mail = shows({ ...NOTHING, label: "app=emailservice" }, byId);
  assert.ok(routes.filter(mail).every((r) => r.waypoints.some((/** @type {string} */ w) => w.includes("emailservice"))));
});

const ip = (/** @type {string} */ src, /** @type {string} */ dst, ttl = 64) => ({ layer: "ip", src, dst, proto: "TCP", ttl });
const l4 = { layer: "l4", proto: "TCP", sport: 4000, dport: 80, flags: "SYN" };
const step = (/** @type {string} */ action, /** @type {any} */ more = {}) => ({ action, rule: null, diffs: [], candidates: [], considered: [], facts: {}, explain: { novice: "", operator: "" }, ...more });

function trace() {
  const hop = (/** @type {string} */ ref, /** @type {any[]} */ headers, /** @type {any[]} */ steps) => ({ place: { ref, label: ref, kind: "node" }, headers_in: headers[0], headers_out: headers[1], steps, owners: {}, node: "n1" });
  const vip = [ip("10.0.0.1", "10.96.0.1"), l4];
  const pod = [ip("10.0.0.1", "10.0.1.1", 63), { ...l4, dport: 8080 }];
  const rule = { name: "r", ref: "service:shop/web" };
  return {
    success: true, first_failing_step: null,
    waypoints: [{ ref: "pod:s/a", kind: "service" }, { ref: "service:shop/web", kind: "service", nat: "dnat" }, { ref: "node:n1", kind: "pod" }, { ref: "pod:s/b", kind: "" }],
    forward: [hop("pod:s/a", [[], vip], [step("originated")]),
      hop("node:n1", [vip, pod], [step("received"), step("dnat", { rule, facts: { old: "10.96.0.1:80", new: "10.0.1.1:8080" } }), step("routed")]),
      hop("pod:s/b", [pod, []], [step("delivered")])],
    reverse: [hop("pod:s/b", [[], pod], [step("originated")]), hop("pod:s/a", [pod, []], [step("delivered")])],
  };
}

test("a hop through a Service has two beats: the virtual address and the node", () => {
  const all = beats(trace());
  assert.deepEqual(all.map((b) => b.ref), ["pod:s/a", "service:shop/web", "node:n1", "pod:s/b", "pod:s/b", "pod:s/a"]);
  assert.deepEqual(all.map((b) => b.reply), [false, false, false, false, true, true]);
  assert.equal(all.flatMap((b) => b.steps).length, trace().forward.concat(trace().reverse).flatMap((h) => h.steps).length);
  assert.deepEqual([all[1].starts, all[1].ends, all[2].starts, all[2].ends], [true, false, false, true]);
});

test("the failing step marks its beat and no other", () => {
  const failing = { ...trace(), first_failing_step: [1, 2] };
  assert.deepEqual(beats(failing).map((b) => b.failed), [false, false, true, false, false, false]);
});

test("a Service that refuses or drops is where the packet stops", () => {
  for (const action of ["rejected", "dropped"]) {
    const refused = trace();
    refused.forward = refused.forward.slice(0, 2);
    refused.forward[1].steps = [step("received"), step(action, { rule: { name: "r", ref: "service:shop/web" } })];
    const all = beats({ ...refused, reverse: [], first_failing_step: [1, 1] });
    assert.deepEqual(all.map((b) => [b.ref, b.failed]), [["pod:s/a", false], ["service:shop/web", true]]);
    assert.equal(all[1].address, "10.96.0.1");
  }
});

test("a packet that a pod's policy stops ends at the pod", () => {
  const denied = trace();
  denied.forward = denied.forward.slice(0, 2);
  denied.forward[1].steps.push(step("dropped", { rule: { name: "p", ref: "policy:s/p" } }));
  const all = beats({ ...denied, reverse: [], verdict: "denied_ingress", first_failing_step: [1, 3] });
  assert.deepEqual(all.map((b) => [b.ref, b.failed]), [["pod:s/a", false], ["service:shop/web", false], ["node:n1", false], ["pod:s/b", true]]);
  assert.deepEqual([all[3].title, all[3].step.action, all[3].ends], ["b", "dropped", true]);
  const own = beats({ ...denied, reverse: [], verdict: "denied_egress", first_failing_step: [1, 3] });
  assert.deepEqual([own.at(-1)?.ref, own.at(-1)?.failed], ["node:n1", true]);
});

test("the flag shows the rewrite", () => {
  assert.deepEqual(flagOf(beats(trace())[1]), { tag: "DNAT", tone: "kind-service", before: "10.96.0.1:80", after: "10.0.1.1:8080" });
});

test("the flag of a reply shows both sides of every rewrite that is undone", () => {
  const back = (/** @type {string} */ action, /** @type {any} */ before, /** @type {any} */ after) => ({ reply: true, starts: true, ends: true, failed: false,
    steps: [], step: step(action, { facts: { changes: "src …" } }), ref: "", title: "", address: "",
    hop: { headers_in: [ip(before[0], before[1]), { ...l4, sport: before[2], dport: before[3] }], headers_out: [ip(after[0], after[1]), { ...l4, sport: after[2], dport: after[3] }] } });
  assert.deepEqual(flagOf(back("un_nat", ["10.0.1.1", "10.0.0.1", 8080, 4000], ["10.96.0.1", "10.0.0.1", 80, 4000])),
    { tag: "un-NAT", tone: "kind-service", before: "10.0.1.1:8080", after: "10.96.0.1:80" });
  assert.deepEqual(flagOf(back("un_nat", ["10.0.1.1", "10.0.2.0", 80, 999], ["198.51.100.1", "203.0.113.7", 80, 4000])),
    { tag: "un-NAT", tone: "kind-service", before: "10.0.1.1:80, 10.0.2.0:999", after: "198.51.100.1:80, 203.0.113.7:4000" });
  assert.deepEqual(flagOf(back("masqueraded", ["10.0.1.1", "1.1.1.1", 4000, 80], ["192.168.0.1", "1.1.1.1", 777, 80])),
    { tag: "SNAT", tone: "kind-egress", before: "10.0.1.1:4000", after: "192.168.0.1:777" });
});

test("beats reach forward along the way and never back", () => {
  const all = beats(trace());
  const stops = [["pod:s/a", 0], ["service:shop/web", 100], ["node:n1", 250], ["pod:s/b", 300]].map(([ref, at]) => ({ ref: String(ref), at: Number(at) }));
  assert.deepEqual(reaches(all, stops, [{ ref: "pod:s/b", at: 0 }, { ref: "pod:s/a", at: 90 }]), [0, 100, 250, 300, 0, 90]);
  assert.deepEqual(reaches(all, undefined, undefined), [0, 0, 0, 0, 0, 0]);
});

test("on the wire the packet is half-way between the nodes", () => {
  const base = beats(trace())[0];
  const all = ["node:n1", "wire", "node:n2"].map((ref) => ({ ...base, ref }));
  assert.deepEqual(reaches(all, [{ ref: "node:n1", at: 100 }, { ref: "node:n2", at: 300 }], []), [100, 200, 300]);
});

test("both legs become routes of the picture", () => {
  const { forward, reverse } = routesOf(trace());
  assert.deepEqual(forward.waypoints, ["pod:s/a", "service:shop/web", "node:n1", "pod:s/b"]);
  assert.deepEqual(reverse.waypoints, ["pod:s/b", "pod:s/a"]);
});

test("header stacks are aligned from the inside: outer headers are added, fields are changed", () => {
  const inner = [ip("a", "b"), l4];
  const outer = [ip("n1", "n2"), { layer: "vxlan", vni: 1 }, ip("a", "b", 63), l4];
  const rows = compare(inner, outer);
  assert.deepEqual(rows.map((r) => [r.before?.layer ?? null, r.after?.layer ?? null]), [[null, "ip"], [null, "vxlan"], ["ip", "ip"], ["l4", "l4"]]);
  assert.deepEqual([...rows[2].changed], ["ttl"]);
  assert.deepEqual(compare([], []), []);
});
