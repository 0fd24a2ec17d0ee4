import assert from "node:assert/strict";
import test from "node:test";
import { flagLeft } from "../../static/js/graph/spotlight.js";
import { replicasOf } from "../../static/js/panels/actions.js";

test("replicas are a whole number from 0 to 500, and nothing is not zero", () => {
  assert.deepEqual(["0", "7", " 12 ", "500"].map(replicasOf), [0, 7, 12, 500]);
  for (const text of ["", " ", "501", "-1", "1.5", "1e2", "many"]) assert.equal(replicasOf(text), null, text);
});

test("the flag of a traced packet stands over it, but never over the title", () => {
  const frame = { x: 0, y: 0, w: 1600, h: 900 };
  assert.equal(flagLeft(900, 400, 350, frame), 700);
  assert.ok(flagLeft(120, 400, 350, frame) > 350);
  assert.ok(flagLeft(-200, 400, 350, frame) > 350);
  assert.ok(flagLeft(1600, 400, 350, frame) + 400 < 1600);
});
