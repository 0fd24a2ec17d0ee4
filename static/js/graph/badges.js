/** Small words over the picture: what was denied and where, and how busy a line is where nothing may move. */
import { longest } from "../model/polyline.js";
import { countsOf, strength } from "../model/marks.js";
import { roundRect } from "./text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("./tokens.js").Tokens} Tokens */
/** @typedef {import("../model/layout.js").Rect} Rect */

const TYPE = 13;
const TALL = 22;
/** How far a mark hangs over the upper edge of its object: above every word that stands there. */
const LAP = 8;
/** Words are never smaller than this on the screen, in pixels. */
const LEAST = 12.5;

/** @param {number} zoom @param {Tokens} tokens @returns {number} how much larger than usual words must be written */
function scaleAt(zoom, tokens) {
  return Math.max(1, LEAST / (TYPE * zoom)) * Number(tokens["picture-words"] || 1);
}

/**
 * "3 dropped" at the object that stopped them; where it stands is kept in the mark, for the pointer.
 * @param {Ctx} ctx @param {Iterable<import("../model/marks.js").Mark>} marks
 * @param {import("../model/layout.js").Layout} layout @param {Tokens} tokens @param {number} zoom
 */
export function drawMarks(ctx, marks, layout, tokens, zoom) {
  const scale = scaleAt(zoom, tokens);
  for (const mark of marks) {
    const on = layout.boxes.get(mark.ref);
    if (!on) continue;
    const words = countsOf(mark);
    ctx.font = `650 ${TYPE * scale}px ${tokens.words}`;
    const w = ctx.measureText(words).width + 34 * scale;
    const box = { x: on.x + on.w - w - 6, y: on.y + LAP - TALL * scale, w, h: TALL * scale };
    mark.box = box;
    ctx.globalAlpha = strength(mark);
    roundRect(ctx, box.x, box.y, box.w, box.h, box.h / 2);
    ctx.fillStyle = tokens.page;
    ctx.fill();
    ctx.strokeStyle = tokens["kind-blocked"];
    ctx.lineWidth = 1.8 * scale;
    ctx.stroke();
    sign(ctx, box.x + 15 * scale, box.y + box.h / 2, scale, mark.dropped > 0);
    ctx.fillStyle = tokens["text-blocked"];
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.fillText(words, box.x + 25 * scale, box.y + box.h / 2 + 4.6 * scale);
  }
  ctx.globalAlpha = 1;
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
 * Connections a second on the lines, the busiest first; a number that would cover another is left out.
 * @param {Ctx} ctx @param {{line: import("../model/lines.js").Line, rate: number}[]} counted @param {Tokens} tokens @param {number} zoom
 * @returns {number} how many were left out
 */
export function drawCounts(ctx, counted, tokens, zoom) {
  const scale = scaleAt(zoom, tokens);
  /** @type {Rect[]} */
  const taken = [];
  ctx.font = `600 ${TYPE * scale}px ${tokens.code}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  for (const { line, rate } of [...counted].sort((a, b) => b.rate - a.rate)) {
    const words = `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)}/s`;
    const [w, h] = [ctx.measureText(words).width + 12 * scale, 20 * scale];
    const middle = longest(line.points);
    const box = { x: middle.x - w / 2, y: middle.y - h / 2, w, h };
    if (taken.some((other) => box.x < other.x + other.w && other.x < box.x + box.w && box.y < other.y + other.h && other.y < box.y + box.h)) continue;
    taken.push(box);
    roundRect(ctx, box.x, box.y, box.w, box.h, 6 * scale);
    ctx.fillStyle = tokens.page;
    ctx.fill();
    ctx.strokeStyle = tokens[`kind-${line.style}`] ?? tokens["kind-local"];
    ctx.lineWidth = 1.3 * scale;
    ctx.stroke();
    ctx.fillStyle = tokens.text;
    ctx.fillText(words, middle.x, middle.y + 4.6 * scale);
  }
  return counted.length - taken.length;
}
