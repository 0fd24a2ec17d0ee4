import assert from "node:assert/strict";
import test from "node:test";
import { LEVEL } from "../../static/js/graph/nearness.js";
import { paint } from "../../static/js/graph/scene.js";
import { SvgContext } from "../../static/js/graph/svg.js";
import { layout } from "../../static/js/model/layout.js";
import { reach } from "../../static/js/model/lod.js";
import { snapshot } from "./fixtures/boutique.js";

const MARGIN = 28;

/** About as wide as Inter and JetBrains Mono are. */
const measure = (/** @type {string} */ font, /** @type {string} */ text) => text.length * Number(/([\d.]+)px/.exec(font)?.[1]) * (font.includes("Mono") ? 0.6 : 0.55);

/** A lesson: three nodes, a dozen pods, six Services. */
function lesson() {
  const { entities, settings } = snapshot();
  /** @type {Record<string, number>} */
  const seen = {};
  const most = /** @type {Record<string, number>} */ ({ service: 6, pod: 12 });
  const kept = entities.filter((/** @type {any} */ e) => { seen[e.kind] = (seen[e.kind] ?? 0) + 1; return seen[e.kind] <= (most[e.kind] ?? Infinity); });
  return { kept, settings };
}

/** The words of the picture fitted into a screen, with how large each is on it. @param {number} w px @param {number} h @param {number} level @param {number} words how much larger the theme wants them */
function written(w, h, level, words) {
  const { kept, settings } = lesson();
  const place = layout(kept);
  const tokens = /** @type {any} */ (new Proxy({ words: '"Inter"', code: '"JetBrains Mono"', shadow: "rgb(0 0 0 / 45%)", "picture-words": String(words) }, { get: (known, name) => /** @type {any} */ (known)[name] ?? "#80d4ff" }));
  const zoom = Math.min((w - MARGIN) / place.bounds.w, (h - MARGIN) / place.bounds.h);
  const ctx = new SvgContext(measure);
  paint(/** @type {any} */ (ctx), place.bounds, zoom, { layout: place, entities: new Map(kept.map((/** @type {any} */ e) => [e.id, e])), settings, dimmed: () => false, paint, near: { level, inside: null, afar: null } }, tokens);
  const found = [...ctx.document(place.bounds, "", "#000").matchAll(/<text[^>]*font-size="([\d.]+)[^>]*>([^<]*)</g)];
  return found.map(([, size, text]) => ({ size: Number(size) * zoom, text }));
}

/** @param {{size: number, text: string}[]} all @param {number} least */
function atLeast(all, least) {
  assert.ok(all.length > 30, String(all.length));
  assert.deepEqual(all.filter(({ size }) => size < least), []);
}

test("for a projector nothing a lesson needs is smaller than 20 px at 1080p, and the ratio holds at 720p and 4K", () => {
  atLeast(written(1920, 918, LEVEL.middle, 1.3), 20);
  atLeast(written(1280, 580, LEVEL.far, 1.3), 20 * (720 / 1080) * 0.95);
  atLeast(written(3840, 1836, LEVEL.middle, 1.3), 40);
});

test("on a usual screen no word is smaller than 14 px, from afar none smaller than 12", () => {
  atLeast(written(1920, 938, LEVEL.middle, 1), 14);
  atLeast(written(1280, 578, LEVEL.far, 1), 12);
});

test("a screen twice as large shows everything twice as large, and a small one nothing smaller", () => {
  assert.equal(reach(3840, 1920), 2);
  assert.equal(reach(3840, 960), 1);
  assert.equal(reach(1280, 580), 1);
});
