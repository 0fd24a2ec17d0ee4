/** Small words over the picture: what was denied and where, and how busy a line is where nothing may move. */
import { spotsOf } from "../model/polyline.js";
import { countsOf, strength } from "../model/marks.js";
import { plate } from "./text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("./tokens.js").Tokens} Tokens */
/** @typedef {import("../model/layout.js").Rect} Rect */
/** @typedef {import("../model/layout.js").Layout} Layout */

const TYPE = 13;
const TALL = 22;
/** Beyond this scale a pod's mark is slim: words would cover those of its neighbour. */
const SLIM = 1.15;
/** How far a mark hangs over the upper edge of its object: above every word that stands there. */
const LAP = 8;
/** Words are never smaller than this on the screen, in pixels, and seldom larger than the other. */
const [LEAST, ENOUGH] = [12.5, 15];

/** @param {number} zoom @param {Tokens} tokens @returns {number} how much larger than usual words must be written */
function scaleAt(zoom, tokens) {
  return Math.max(Math.min(1, ENOUGH / (TYPE * zoom)), LEAST / (TYPE * zoom)) * Number(tokens["picture-words"] || 1);
}

/**
 * "3 dropped" at the object that stopped them, over its upper edge, and over the words on its roof; where words must be
 * large for the picture, the sign and the number beside it, where the lines are. Where it stands is kept in the mark, for the pointer.
 * @param {Ctx} ctx @param {Iterable<import("../model/marks.js").Mark>} marks
 * @param {(ref: string) => import("../model/layout.js").Box|undefined} boxOf @param {Layout} layout @param {Rect[]} roofs words on roofs @param {Tokens} tokens @param {number} zoom
 */
export function drawMarks(ctx, marks, boxOf, layout, roofs, tokens, zoom) {
  const scale = scaleAt(zoom, tokens);
  for (const mark of marks) {
    const on = boxOf(mark.ref);
    if (!on) continue;
    const slim = scale > SLIM && on.kind === "pod";
    const words = slim ? String(mark.dropped + mark.refused) : countsOf(mark);
    ctx.font = `650 ${TYPE * scale}px ${tokens.words}`;
    const [w, h] = [ctx.measureText(words).width + 34 * scale, TALL * scale];
    const beside = onTheRight(on, layout) ? on.x + on.w - 4 : on.x + 4 - w;
    const box = slim ? { x: beside, y: on.y - 4, w, h } : { x: on.x + on.w - w - 6, y: on.y + LAP * Math.min(1, scale) - h, w, h };
    const roof = roofs.find((one) => overlap(one, box));
    if (roof) box.y = roof.y - box.h;
    mark.box = box;
    ctx.globalAlpha = strength(mark);
    plate(ctx, box, box.h / 2, tokens.page, tokens["kind-blocked"], 1.8 * scale);
    sign(ctx, box.x + 15 * scale, box.y + box.h / 2, scale, mark.dropped > 0);
    ctx.fillStyle = tokens["text-blocked"];
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.fillText(words, box.x + 25 * scale, box.y + box.h / 2 + 4.6 * scale);
  }
  ctx.globalAlpha = 1;
}

/** Whether the lines pass a pod on its right. @param {import("../model/layout.js").Box} box @param {Layout} layout */
function onTheRight(box, { panels }) {
  return [...panels.values()].some((panel) => panel.gutters.includes(box.x + box.w));
}

/** A cross for dropped, a hollow ring for refused: the signs of the packets themselves. */
function sign(/** @type {Ctx} */ ctx, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ scale, /** @type {boolean} */ dropped) {
  const r = 4 * scale;
  ctx.lineWidth = 2.2 * scale;
  ctx.lineCap = "round";
  ctx.beginPath();
  if (dropped) {
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
  } else ctx.arc(x, y, r, 0, Math.PI * 2);
  ctx.stroke();
}

/**
 * Connections a second on the lines, the busiest first; a number that would cover words or another number is left out.
 * @param {Ctx} ctx @param {{line: import("../model/lines.js").Line, rate: number}[]} counted @param {Rect[]} words where others stand @param {Tokens} tokens @param {number} zoom
 * @returns {number} how many were left out
 */
export function drawCounts(ctx, counted, words, tokens, zoom) {
  const scale = scaleAt(zoom, tokens);
  const taken = [...words];
  let drawn = 0;
  ctx.font = `600 ${TYPE * scale}px ${tokens.code}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  for (const { line, rate } of [...counted].sort((a, b) => b.rate - a.rate)) {
    const number = `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)}/s`;
    const [w, h] = [ctx.measureText(number).width + 10 * scale, 19 * scale];
    const box = spotsOf(line.points).map(([x, y]) => ({ x: x - w / 2, y: y - h / 2, w, h })).find((one) => !taken.some((other) => overlap(one, other)));
    if (!box) continue;
    taken.push(box);
    drawn += 1;
    plate(ctx, box, 6 * scale, tokens.page, tokens[`kind-${line.style}`] ?? tokens["kind-local"], 1.3 * scale);
    ctx.fillStyle = tokens.text;
    ctx.fillText(number, box.x + w / 2, box.y + h / 2 + 4.6 * scale);
  }
  return counted.length - drawn;
}

/** A card without its margin, where no words stand. @param {Rect} box @returns {Rect} */
export function shrunk({ x, y, w, h }) {
  return { x: x + 10, y: y + 6, w: w - 20, h: h - 12 };
}

/** @param {Rect} a @param {Rect} b */
function overlap(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
