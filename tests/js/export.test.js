import assert from "node:assert/strict";
import test from "node:test";
import { paint } from "../../static/js/graph/scene.js";
import { escaped, plain, SvgContext } from "../../static/js/graph/svg.js";
import { cell, csv, flowTable } from "../../static/js/model/csv.js";
import { layout } from "../../static/js/model/layout.js";
import { Store } from "../../static/js/model/store.js";
import { code, markdown, words } from "../../static/js/model/tracemarkdown.js";
import { fileName } from "../../static/js/panels/download.js";
import { snapshot } from "./fixtures/boutique.js";

const measure = (/** @type {string} */ font, /** @type {string} */ text) => text.length * 0.6 * Number(/([\d.]+)px/.exec(font)?.[1]);
const tokens = /** @type {any} */ (new Proxy({ words: '"Inter", sans-serif', code: '"JetBrains Mono", monospace', shadow: "rgb(0 0 0 / 45%)", dark: "yes" },
  { get: (known, name) => /** @type {any} */ (known)[name] ?? "#80d4ff" }));

/** Fails on a tag that is not closed, an attribute without quotes, a lone `&` or `<`. */
function wellFormed(/** @type {string} */ xml) {
  const open = [];
  const rest = xml.replace(/^<\?xml[^>]*\?>\s*/, "").replace(/<(\/?)([A-Za-z]\w*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g, (_, end, name, __, lone) => {
    if (end) assert.equal(open.pop(), name);
    else if (!lone) open.push(name);
    return "";
  });
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest, /[<>]|&(?!(amp|lt|gt|quot);)/);
}

function drawn() {
  const { entities, settings } = snapshot();
  const wild = entities.map((/** @type {any} */ e) => (e.kind === "external" && e.id !== "internet" ? { ...e, label: "</text><script>&\"'\u0001" } : e));
  const place = layout(wild);
  const ctx = new SvgContext(measure);
  paint(/** @type {any} */ (ctx), place.bounds, 1, { layout: place, entities: new Map(wild.map((/** @type {any} */ e) => [e.id, e])), settings, dimmed: () => false, near: { level: 2, inside: null, afar: null } }, tokens);
  return { svg: ctx.document(place.bounds, "Cluster <demo> & more", "#0a0f1e"), entities: wild, bounds: place.bounds };
}

test("the picture as SVG is well-formed, names its fonts and escapes what people write", () => {
  const { svg, entities } = drawn();
  wellFormed(svg);
  assert.match(svg, /<title>Cluster &lt;demo&gt; &amp; more<\/title>/);
  assert.match(svg, /font-family="&quot;Inter&quot;, sans-serif"/);
  assert.doesNotMatch(svg, /<script|<image|style=|NaN|undefined/);
  assert.match(svg, />&lt;\/text&gt;/);
  for (const pod of entities.filter((/** @type {any} */ e) => e.kind === "pod")) assert.ok(svg.includes(`>${pod.ip}</text>`), pod.id);
});

test("clips, turns and see-through colours survive in SVG", () => {
  const ctx = new SvgContext(measure);
  ctx.roundRect(0, 0, 10, 10, 3);
  ctx.save();
  ctx.clip();
  ctx.translate(5, 7);
  ctx.rotate(-Math.PI / 2);
  ctx.globalAlpha = 0.5;
  ctx.fillStyle = "#ff000080";
  ctx.fillRect(0, 0, 4, 4);
  ctx.restore();
  ctx.fillRect(1, 1, 2, 2);
  const svg = ctx.document({ x: 0, y: 0, w: 10, h: 10 }, "", "#000");
  wellFormed(svg);
  assert.match(svg, /<g clip-path="url\(#clip0\)"><rect transform="matrix\(0 -1 1 0 5 7\)" x="0" y="0" width="4" height="4" fill="#ff0000" fill-opacity="0.25"\/><\/g>/);
  assert.match(svg, /\n<rect x="1" y="1" width="2" height="2" fill="black"\/>/);
  assert.deepEqual(plain("rgb(30 50 90 / 14%)"), { colour: "rgb(30,50,90)", alpha: 0.14 });
  assert.equal(escaped('<a b="c">&\u0000'), "&lt;a b=&quot;c&quot;&gt;&amp;");
});

test("cells are quoted where they must be and never run as a formula", () => {
  for (const [value, want] of /** @type {[unknown, string][]} */ ([["plain", "plain"], ["a,b", '"a,b"'], ['say "hi"', '"say ""hi"""'], ["two\nlines", '"two\nlines"'],
    ["=1+1", "'=1+1"], ["+1", "'+1"], ["-1", "'-1"], ["@SUM(A1)", "'@SUM(A1)"], ["\tx", "'\tx"], ['=HYPERLINK("x")', '"\'=HYPERLINK(""x"")"'], [-1.5, "-1.5"], [undefined, ""], ["a=b", "a=b"]])) assert.equal(cell(value), want);
  assert.equal(csv([["a", 1], ["b", 2]]), "a,1\r\nb,2\r\n");
});

test("the table of flows has a line for each with what was measured", () => {
  const store = new Store();
  const shot = snapshot();
  store.load({ ...shot, entities: shot.entities.map((/** @type {any} */ e) => (e.kind === "flow" && e.host === "cartservice.shop" ? { ...e, path: "=cmd()" } : e)) });
  const flow = shot.entities.find((/** @type {any} */ e) => e.kind === "flow");
  store.totals = { rps: 3, flows: { [flow.id]: { rps: 3, ok: 2, refused: 1, dropped: 0 } } };
  const lines = flowTable(store).trimEnd().split("\r\n");
  assert.equal(lines.length, 1 + shot.entities.filter((/** @type {any} */ e) => e.kind === "flow").length);
  assert.ok(lines.some((line) => line.startsWith(`shop,${flow.name},`) && line.endsWith(",2,3,2,1,0,inferred")));
  assert.ok(lines.some((line) => line.includes(",'=cmd(),")));
});

const hop = { place: { kind: "pod", label: "shop/a_b", ref: "pod:shop/a_b" }, in_iface: "", out_iface: "eth0", headers_in: [], headers_out: [{ layer: "ip", src: "fd00::1", dst: "fd00::2", proto: "TCP", ttl: 64 }, { layer: "l4", proto: "TCP", sport: 1, dport: 80 }],
  steps: [{ action: "load_balanced", explain: { operator: "Drawn from *four*." }, rule: { text: "-A KUBE `x`", name: "x" } }] };

test("a trace as Markdown tells verdict, hops and rules, and markup in it stays text", () => {
  const trace = { verdict: "no_route", symptom: "timed out", summary: "It <stops>.", blockers: [{ why: "no route", rule: "NET-01" }], fixes: [], forward: [hop], reverse: [], reverse_reason: "There is no reply.", branches: [], sessions: [], settings: [], assumptions: [{ text: "as always" }], rules: { "NET-01": "Pods reach pods." } };
  const text = markdown(trace, { question: "From shop/a to b", cluster: "demo", time: "2026-01-01T00:00:00Z", address: "http://x/#trace=a" });
  assert.match(text, /^# From shop\/a to b\n\nCluster `demo`, 2026-01-01T00:00:00Z, \[open this trace\]\(<http:\/\/x\/#trace=a>\)\n/);
  assert.match(text, /\*\*Verdict: no route\.\*\* The client sees: timed out\.\n\nIt \\<stops>\./);
  assert.match(text, /1\. pod \*\*shop\/a\\_b\*\* `eth0`\n {3}- \*\*load balanced\*\* Drawn from \\\*four\\\*\. \(`` -A KUBE `x` ``\)\n {3}- packet: `\[fd00::1\]:1 → \[fd00::2\]:80 TCP, TTL 64`/);
  assert.match(text, /- `NET-01` Pods reach pods\.\n$/);
  assert.doesNotMatch(text, /What would help|\n\n\n/);
  assert.equal(words("a\n|b|"), "a \\|b\\|");
  assert.equal(code("a``b"), "```a``b```");
});

test("files are named after the cluster and the time", () => {
  assert.equal(fileName("my shop/1", "-trace.md", new Date(2026, 10, 2, 3, 4, 5)), "my-shop-1-20261102-030405-trace.md");
});
