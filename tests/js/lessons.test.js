import assert from "node:assert/strict";
import test from "node:test";
import { probeIn, probeSaid } from "../../static/js/model/lessonplace.js";
import { frameCode } from "../../static/js/panels/share.js";

test("a packet survives the way through an address of a lesson", () => {
  const packet = { from: "shop/you", to: "http://api/?a=1&b=2", protocol: "UDP", seed: "3", length: "1400" };
  assert.deepEqual(probeIn(`#step=2&shown=1${probeSaid(packet)}`), packet);
  assert.equal(probeIn("#step=2&shown=1&length=9"), null);
  assert.equal(probeSaid({ from: "a", to: "b", length: "60" }), "&trace=a|b||");
});

test("what a course page takes in is one element, whatever a lesson is called", () => {
  const code = frameCode('"><script>x</script>', 'https://viz.example/lessons/a/embed/#trace=a|"b"');
  assert.equal(code.match(/</g)?.length, 2);
  assert.ok(code.startsWith('<iframe src="https://viz.example/lessons/a/embed/#trace=a|&quot;b&quot;" title="&quot;>&lt;script>'));
});
