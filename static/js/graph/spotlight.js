/** The traced packet: its route in near-white over everything, the packet itself, and its header flag. */
import { SIZE } from "../model/layout.js";
import { at } from "../model/polyline.js";
import { roundRect } from "./text.js";
import { thickness } from "./tokens.js";

/** @typedef {import("../model/lines.js").Way} Way */
/** @typedef {import("./tokens.js").Tokens} Tokens */
/** @typedef {{tag: string, tone: string, before: string, after: string}} Flag */
/** @typedef {{way: Way|null, back: Way|null, reply: boolean, reached: number, refs: Set<string>, ref: string, flag: Flag|null, failed: boolean}} Spot */

/** @param {CanvasRenderingContext2D} ctx @param {Spot} spot @param {number} reached @param {Tokens} tokens
 * @param {import("../model/layout.js").Layout} layout @param {number} title where the title of the frame ends
 * @param {{top: number, right: number, larger: number}} view where the view begins and ends, and how much larger than usual the flag's words are */
export function drawSpotlight(ctx, spot, reached, tokens, layout, title, view) {
  const colour = tokens["kind-traced"];
  const way = spot.reply ? spot.back : spot.way;
  halo(ctx, layout.boxes.get(spot.ref), colour);
  const thick = thickness(tokens);
  if (spot.way) route(ctx, spot.way, spot.reply ? Infinity : reached, colour, false, spot.reply ? 0.3 : 1, thick);
  if (spot.reply && spot.back) route(ctx, spot.back, reached, colour, true, 1, thick);
  const here = way ? at(way.path, reached) : centre(layout.boxes.get(spot.ref));
  if (!here) return;
  if (spot.flag) drawFlag(ctx, spot.flag, here, tokens, layout, title, view);
  bigDot(ctx, here, tokens, spot.failed);
}

/** @param {import("../model/layout.js").Box|undefined} box */
function centre(box) {
  return box ? { x: box.x + box.w / 2, y: box.y + box.h / 2, angle: 0 } : null;
}

/** @param {CanvasRenderingContext2D} ctx @param {import("../model/layout.js").Box|undefined} box @param {string} colour */
function halo(ctx, box, colour) {
  if (!box) return;
  roundRect(ctx, box.x - 4, box.y - 4, box.w + 8, box.h + 8, 13);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 3.5;
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {Way} way @param {number} reached @param {string} colour @param {boolean} dashed @param {number} alpha @param {number} thick for a projector more than 1 */
function route(ctx, way, reached, colour, dashed, alpha, thick) {
  ctx.strokeStyle = colour;
  ctx.lineJoin = "round";
  ctx.lineCap = dashed ? "butt" : "round";
  ctx.setLineDash(dashed ? [14, 8] : []);
  for (const [from, to, share] of [[0, reached, 1], [reached, way.path.total, 0.35]]) {
    if (from >= way.path.total) break;
    ctx.globalAlpha = alpha * share;
    ctx.lineWidth = (share === 1 ? 3.5 : 2.5) * thick;
    stroke(ctx, way, from, Math.min(to, way.path.total));
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} ctx @param {Way} way @param {number} from @param {number} to */
function stroke(ctx, way, from, to) {
  const { points, lengths } = way.path;
  const start = at(way.path, from);
  ctx.beginPath();
  ctx.moveTo(start.x, start.y);
  for (let i = 0; i < points.length; i += 1) if (lengths[i] > from && lengths[i] < to) ctx.lineTo(points[i][0], points[i][1]);
  const end = at(way.path, to);
  ctx.lineTo(end.x, end.y);
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {{x: number, y: number}} here @param {Tokens} tokens @param {boolean} failed */
function bigDot(ctx, here, tokens, failed) {
  const colour = tokens[failed ? "kind-blocked" : "kind-traced"];
  if (tokens.dark) {
    const glow = ctx.createRadialGradient(here.x, here.y, 4, here.x, here.y, 34);
    glow.addColorStop(0, `${colour}88`);
    glow.addColorStop(1, `${colour}00`);
    ctx.fillStyle = glow;
    ctx.fillRect(here.x - 34, here.y - 34, 68, 68);
  }
  ctx.beginPath();
  ctx.arc(here.x, here.y, 10, 0, Math.PI * 2);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.strokeStyle = tokens.page;
  ctx.lineWidth = 2.5;
  ctx.stroke();
  if (!failed) return;
  ctx.strokeStyle = tokens["on-strong"];
  ctx.beginPath();
  ctx.moveTo(here.x - 4, here.y - 4);
  ctx.lineTo(here.x + 4, here.y + 4);
  ctx.moveTo(here.x + 4, here.y - 4);
  ctx.lineTo(here.x - 4, here.y + 4);
  ctx.stroke();
}

/** The header of the packet, docked in its own row right of the title, with a leader to where the packet is. */
function drawFlag(/** @type {CanvasRenderingContext2D} */ ctx, /** @type {Flag} */ flag, /** @type {{x: number, y: number}} */ here,
  /** @type {Tokens} */ tokens, /** @type {import("../model/layout.js").Layout} */ layout, /** @type {number} */ title, /** @type {{top: number, right: number, larger: number}} */ { top, right, larger }) {
  const size = 19 * larger;
  const type = `600 ${size}px ${tokens.code}`;
  ctx.font = `700 ${size}px ${tokens.words}`;
  const tag = ctx.measureText(flag.tag).width + 28;
  ctx.font = type;
  const [before, arrow] = [ctx.measureText(flag.before).width, flag.after ? 46 * larger : 0];
  const width = tag + before + arrow + ctx.measureText(flag.after).width + 30;
  const high = Math.max(44, size * 1.65);
  const y = Math.max(8, top + 8) - (high - 44) / 4;
  const { frame } = layout;
  const left = flagLeft(here.x, width, y > 8 ? frame.x : title, { x: frame.x, w: Math.min(frame.w, right - frame.x) });
  leader(ctx, Math.max(left + 14, Math.min(left + width - 14, here.x)), y + high, here, tokens);
  roundRect(ctx, left, y, width, high, 9);
  ctx.fillStyle = tokens.page;
  ctx.fill();
  ctx.save();
  ctx.clip();
  ctx.fillStyle = tokens[flag.tone] ?? tokens["kind-local"];
  ctx.fillRect(left, y, tag, high);
  ctx.restore();
  ctx.strokeStyle = tokens["kind-traced"];
  ctx.lineWidth = 2.2;
  ctx.stroke();
  flagWords(ctx, flag, left, y + high / 2 + size * 0.36, tag, before, arrow, tokens, size);
}

/**
 * Above the packet if it can, but never over the title of the frame.
 * @param {number} x of the packet @param {number} width @param {number} title where the title ends
 * @param {{x: number, w: number}} frame @returns {number}
 */
export function flagLeft(x, width, title, frame) {
  return Math.max(title + 18, Math.min(frame.x + frame.w - width - SIZE.margin, x - width / 2));
}

/** From under the flag along its row, then straight to the packet. */
function leader(/** @type {CanvasRenderingContext2D} */ ctx, /** @type {number} */ x, /** @type {number} */ y, /** @type {{x: number, y: number}} */ here, /** @type {Tokens} */ tokens) {
  ctx.strokeStyle = tokens["kind-traced"];
  ctx.lineWidth = 1.6;
  ctx.globalAlpha = 0.6;
  ctx.setLineDash([3, 6]);
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x, y + 4);
  ctx.lineTo(here.x, y + 4);
  ctx.lineTo(here.x, here.y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} ctx @param {Flag} flag @param {number} left @param {number} y @param {number} tag @param {number} before
 * @param {number} arrow @param {Tokens} tokens @param {number} size */
function flagWords(ctx, flag, left, y, tag, before, arrow, tokens, size) {
  ctx.textAlign = "left";
  ctx.font = `700 ${size}px ${tokens.words}`;
  ctx.fillStyle = tokens["on-strong"];
  ctx.fillText(flag.tag, left + 14, y);
  ctx.font = `600 ${size}px ${tokens.code}`;
  ctx.fillStyle = tokens["text-second"];
  ctx.fillText(flag.before, left + tag + 14, y);
  if (!flag.after) return;
  ctx.fillText("→", left + tag + 14 + before + arrow / 2 - size / 3, y);
  ctx.fillStyle = tokens["text-service"];
  ctx.fillText(flag.after, left + tag + 14 + before + arrow, y);
}
