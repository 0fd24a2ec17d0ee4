import assert from "node:assert/strict";
import test from "node:test";
import { edgesOf, nearest, spoken } from "../../static/js/model/graphwalk.js";
import { aloud, outline } from "../../static/js/model/outline.js";
import { KEPT, pathOf, Series } from "../../static/js/model/series.js";
import { Store } from "../../static/js/model/store.js";
import { snapshot } from "./fixtures/boutique.js";

function loaded() {
  const store = new Store();
  store.load(snapshot());
  return store;
}

test("every node, pod, Service and call is in the words, and what is left out is counted", () => {
  const store = loaded();
  const all = [...store.entities.values()];
  const { summary, parts } = outline(store, "shop", 500);
  assert.match(summary, /^Cluster shop: 3 nodes, \d+ pods, /);
  const ids = new Set(parts.flatMap((part) => part.items.flatMap((item) => [item.id, ...(item.items ?? []).map((one) => one.id)])));
  for (const e of all.filter((one) => ["node", "pod", "service", "flow", "policy"].includes(one.kind))) assert.ok(ids.has(e.id), e.id);
  assert.ok(parts.every((part) => part.more === 0));
  for (const part of outline(store, "shop", 2).parts) assert.equal(part.items.length + part.more, parts.find((one) => one.title === part.title)?.items.length);
});

test("what is wrong comes first, a call that fails and a pod that is not ready", () => {
  const store = loaded();
  assert.ok(!outline(store, "shop").parts.some((part) => part.title === "What is wrong" && part.items.some((item) => item.id.startsWith("pod:"))));
  const pod = [...store.entities.values()].find((e) => e.kind === "pod" && e.node);
  store.entities.set(pod.id, { ...pod, ready: false, phase: "Running", reason: "CrashLoopBackOff" });
  const flow = [...store.entities.values()].find((e) => e.kind === "flow");
  store.totals = { rps: 5, flows: { [flow.id]: { rps: 5, ok: 3, refused: 0, dropped: 2 } } };
  const [wrong] = outline(store, "shop").parts;
  assert.equal(wrong.title, "What is wrong");
  assert.deepEqual(wrong.items.map((item) => item.id).filter((id) => id === pod.id || id === flow.id), [pod.id, flow.id]);
  assert.match(wrong.items.find((item) => item.id === flow.id)?.text ?? "", /2\.0 a second are dropped/);
});

test("warnings are said before what is usual, and only two of them", () => {
  const event = (/** @type {string} */ type, /** @type {string} */ reason) => ({ type, reason, message: "m", ref: "pod:a/b" });
  assert.equal(aloud([event("Normal", "Killing"), event("Normal", "Scheduled"), event("Normal", "Scheduled")]), "1 pod stopped, 2 pods started");
  assert.equal(aloud([event("Normal", "Killing"), event("Warning", "BackOff"), event("Warning", "Failed"), event("Warning", "Failed")]), "BackOff: m, and 2 more warnings");
  assert.equal(aloud([event("Normal", "Pulled")]), "");
});

test("every edge can be gone along and back", () => {
  const store = loaded();
  for (const id of [...store.entities.keys()].filter((one) => /^(pod|service|node):/.test(one))) {
    for (const edge of edgesOf(id, store)) {
      const back = edgesOf(edge.to, store).filter((one) => one.to === id && one.what === edge.what && one.out !== edge.out);
      assert.ok(back.length, `${id} ${edge.what} ${edge.to}`);
      assert.ok(spoken(edge, "it").includes("it"));
    }
  }
  assert.ok(edgesOf("service:shop/frontend", store).some((edge) => edge.what === "backs" && edge.out));
  assert.deepEqual(edgesOf("pod:no/such", store), []);
});

test("an arrow leads to the nearest that way, never into its own frame, and back", () => {
  const boxes = new Map(Object.entries({ frame: [0, 0, 400, 400], a: [10, 10, 50, 20], b: [110, 14, 50, 20], c: [210, 200, 50, 20], d: [10, 100, 50, 20] })
    .map(([id, [x, y, w, height]]) => [id, { x, y, w, h: height }]));
  const any = () => true;
  assert.equal(nearest(boxes, "a", "right", any), "b");
  assert.equal(nearest(boxes, "b", "left", any), "a");
  assert.equal(nearest(boxes, "a", "down", any), "d");
  assert.equal(nearest(boxes, "a", "up", any), "");
  assert.equal(nearest(boxes, "a", "right", (id) => id !== "b"), "c");
  assert.equal(nearest(boxes, "nobody", "up", any), "");
});

test("a course is the sum of its flows, bounded, and forgets a future that was left", () => {
  const series = new Series();
  for (let time = 0; time < 1000; time += 1) series.add(time, { a: { rps: time, refused: 0, dropped: 1 }, b: { rps: 1, refused: 1, dropped: 0 } });
  const course = series.of(["a", "b", "none"]);
  assert.equal(course.rps.length, KEPT);
  assert.equal(course.now, 999);
  assert.equal(course.failing[0], 2);
  assert.equal(course.seconds, (KEPT - 1) * 2);
  series.add(500, { a: { rps: 7, refused: 0, dropped: 0 } });
  assert.ok(series.samples.every((one) => one.time <= 500));
  const line = pathOf(course.rps, course.most, 100, 40);
  assert.match(line, /L100\.0 0\.0$/);
  assert.equal(pathOf([1], 1, 100, 40), "");
});
