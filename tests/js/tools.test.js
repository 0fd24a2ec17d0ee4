import assert from "node:assert/strict";
import test from "node:test";
import { fragment, read } from "../../static/js/model/address.js";
import { EVERYTHING, kindsOf, pick } from "../../static/js/model/events.js";
import { ranked, rate } from "../../static/js/model/fuzzy.js";
import { gist } from "../../static/js/model/gist.js";
import { Store } from "../../static/js/model/store.js";
import { snapshot } from "./fixtures/boutique.js";

test("what an address says is what was put into it", () => {
  for (const shown of [
    { select: "", filter: {}, trace: null },
    { select: "pod:shop/db-0", filter: {}, trace: null },
    { select: "external:2001:db8::1", filter: { namespace: "shop", label: "app=web,tier!=db", verdict: "dropped" }, trace: null },
    { select: "", filter: { kind: "pod" }, trace: { from: "shop/frontend", to: "http://api.shop/?a=1&b=2#x|y%7C %", protocol: "TCP", seed: "3" } },
    { select: "", filter: {}, trace: null, view: "namespaces", focus: "service:shop/api", at: 1795381844.5 },
  ]) assert.deepEqual(read(fragment(shown)), { view: "", focus: "", at: null, ...shown });
});

test("an address is short enough to read, and empty when nothing is shown", () => {
  assert.equal(fragment({ select: "", filter: { namespace: "", kind: "" }, trace: null }), "");
  assert.equal(fragment({ select: "pod:shop/db-0", filter: { namespace: "shop" }, trace: { from: "internet", to: "http://shop.example.com/", protocol: "", seed: "0" } }),
    "#select=pod:shop/db-0&filter=namespace:shop&trace=internet|http://shop.example.com/||0");
  assert.equal(fragment({ select: "", filter: {}, trace: { connection: "77" } }), "", "a packet that was seen is soon forgotten");
});

test("an address somebody mangled is no error", () => {
  for (const hash of ["", "#", "#trace", "#trace=|", "#trace=a", "#filter=x:y|:|kind", "#select=%E0%A4%A", "#trace=%7C%7C", "#&&=&"]) {
    const { filter, trace } = read(hash);
    assert.deepEqual([filter, trace], [{}, null], hash);
  }
  assert.deepEqual(read("#trace=a%7Cb%7CTCP%7Cmany").trace, { from: "a", to: "b", protocol: "TCP", seed: "0" });
});

test("a few letters find the nearest name", () => {
  const names = ["scale cart to 3", "cart-5qtzz-7lqh4", "cart", "checkout-art", "trace from cart to …", "network settings"];
  const best = (/** @type {string} */ query) => ranked(names.map((text) => ({ text })), query, () => 0, 9).map((one) => one.text);
  assert.equal(best("cart")[0], "cart");
  assert.equal(best("netset")[0], "network settings");
  assert.equal(best("trace cart")[0], "trace from cart to …");
  assert.deepEqual(best("cart 7lq"), ["cart-5qtzz-7lqh4"]);
  assert.deepEqual(best("zebra"), []);
  assert.equal(rate("export: picture as png, twice the size", "crash"), 0, "letters here and there are no match");
  assert.deepEqual(best(""), names);
  assert.ok(rate("cart", "cart") > rate("shop cart", "cart") && rate("shop cart", "cart") > rate("descartes", "cart") && rate("descartes", "cart") > rate("c-a-r-t", "cart"));
});

test("what was used last comes first among equals, and other facts find an object too", () => {
  const entries = [{ text: "api", more: "service 10.96.1.3" }, { text: "api", more: "pod 10.244.0.4" }];
  assert.equal(ranked(entries, "api", (one) => (one === entries[1] ? 5 : 0), 9)[0], entries[1]);
  assert.deepEqual(ranked(entries, "10.244", () => 0, 9), [entries[1]]);
  assert.equal(ranked(entries, "api", () => 0, 1).length, 1);
});

test("events are told newest first and filtered by type, kind and words", () => {
  const event = (/** @type {number} */ i, /** @type {any} */ more) => ({ id: `1.${i}`, time: i, wall: i, type: "Normal", reason: "Scheduled", message: `Assigned to n${i}`, ref: "pod:shop/a", ...more });
  const events = [event(1, {}), event(2, { type: "Warning", reason: "BackOff" }), event(3, { ref: "node:n1", reason: "NodeNotReady" })];
  const ids = (/** @type {any} */ wanted) => pick(events, { ...EVERYTHING, ...wanted }).map((one) => one.time);
  assert.deepEqual(ids({}), [3, 2, 1]);
  assert.deepEqual(ids({ type: "Warning" }), [2]);
  assert.deepEqual(ids({ kind: "pod", text: "ASSIGNED n1" }), [1]);
  assert.deepEqual(ids({ text: "nothing" }), []);
  assert.deepEqual(kindsOf(events), ["node", "pod"]);
});

test("the gist of an object tells address, state and traffic", () => {
  const store = new Store();
  store.load(snapshot());
  const of = (/** @type {string} */ id, more = {}) => gist({ ...store.entities.get(id), ...more }, store);
  const pod = [...store.entities.values()].find((e) => e.kind === "pod");
  assert.equal(of(pod.id).address, `${pod.ip} on ${pod.node.slice(5)}`);
  assert.deepEqual([of(pod.id).state, of(pod.id).well], ["ready", true]);
  assert.deepEqual([of(pod.id, { ready: false, restarts: 1 }).state, of(pod.id, { ready: false }).well], ["not ready, restarted 1 time", false]);
  const service = [...store.entities.values()].find((e) => e.kind === "service" && e.type === "ClusterIP");
  assert.match(of(service.id).state, /^ClusterIP, 1 of 1 endpoints ready$/);
  assert.equal(of(service.id, { endpoints: [] }).well, false);
  store.totals.flows = { "flow:shop/pay": { rps: 2, refused: 0.5, dropped: 0 } };
  assert.match(of("external:203.0.113.80").traffic, /2\.0\/s, 0\.5\/s fail$/);
});

test("of a large cluster the gist tells how warm a pod is, and never that nothing passes where nobody asked", () => {
  const mass = { indexOf: (/** @type {string} */ id) => ["pod:a/cold", "pod:a/warm", "pod:a/hot"].indexOf(id), heat: [0, 1, 2], heatScale: [0, 0.5, 20] };
  const store = /** @type {any} */ ({ entities: new Map(), routes: new Map(), totals: { flows: {} }, mass });
  const traffic = (/** @type {string} */ id, kind = "pod") => gist({ id, kind, name: id, ready: true, phase: "Running", endpoints: [], ports: [] }, store).traffic;
  assert.deepEqual(["pod:a/cold", "pod:a/warm", "pod:a/hot"].map((id) => traffic(id)), ["fewer than 0.5", "0.5 to 20", "20 or more"].map((rate) => `${rate} connections a second`));
  assert.equal(traffic("service:a/s", "service"), "select it to see its calls");
});
