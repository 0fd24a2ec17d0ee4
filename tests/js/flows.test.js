import assert from "node:assert/strict";
import test from "node:test";
import { flowsOf, rowsOf } from "../../static/js/model/flows.js";
import { Store } from "../../static/js/model/store.js";
import { snapshot } from "./fixtures/boutique.js";

const made = snapshot();
const store = new Store();
store.load(made);
const all = made.entities.filter((e) => e.kind === "flow").map((e) => e.id);
const get = (/** @type {string} */ id) => /** @type {any} */ (store.entities.get(id));

test("a namespace has the flows from and to what is in it", () => {
  assert.deepEqual(flowsOf(get("namespace:shop"), store, []).sort(), [...all].sort());
  assert.deepEqual(flowsOf({ id: "namespace:other", kind: "namespace", name: "other" }, store, []), []);
});

test("a policy has the flows of the pods it selects, through Services and when they are stopped", () => {
  assert.deepEqual(flowsOf(get("policy:shop/emailservice"), store, []).sort(), ["flow:shop/checkoutservice-emailservice", "flow:shop/spy"]);
});

test("others have the flows the server names and those whose routes pass", () => {
  const found = flowsOf(get("loadbalancer:198.51.100.20"), store, ["flow:shop/told"]);
  assert.deepEqual(found, ["flow:shop/told", "flow:shop/internet"]);
  assert.deepEqual(flowsOf(get(all[0]), store, []), [all[0]]);
});

test("flows that read the same are one row with their sum", () => {
  const twin = { ...get(all[0]), id: "flow:shop/twin" };
  store.entities.set(twin.id, twin);
  store.totals.flows = { [all[0]]: { rps: 2, ok: 1, refused: 1, dropped: 0 }, [twin.id]: { rps: 3, ok: 1, refused: 0, dropped: 2 } };
  const rows = rowsOf([all[0], twin.id, all[1]], store, (flow) => `${flow.from} ${flow.to}`);
  assert.deepEqual(rows.map((row) => [row.flow, row.rps, row.failing]), [[all[0], 5, 3], [all[1], 0, 0]]);
});
