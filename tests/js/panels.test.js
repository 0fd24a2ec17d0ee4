import assert from "node:assert/strict";
import test from "node:test";
import { replicasOf } from "../../static/js/panels/actions.js";

test("replicas are a whole number from 0 to 500, and nothing is not zero", () => {
  assert.deepEqual(["0", "7", " 12 ", "500"].map(replicasOf), [0, 7, 12, 500]);
  for (const text of ["", " ", "501", "-1", "1.5", "1e2", "many"]) assert.equal(replicasOf(text), null, text);
});
