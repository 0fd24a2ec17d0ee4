/** What is drawn over the tiles in every frame: the frame, zones with their names and counts, the outside, trunks. Lines and words keep their size on the screen. */
import { drawOutside, drawService } from "../cards.js";
import { ROOF } from "../../model/masstrunks.js";
import { roundRect, write } from "../text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../tokens.js").Tokens} Tokens */
/** @typedef {import("../../model/masslayout.js").MassLayout} MassLayout */
/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {{x: number, y: number, zoom: number}} Camera in CSS px */
/** @typedef {{name: string, nodes: number, pods: number, failing: number, broken: number}} Sum what a zone holds */
/**
 * @typedef {object} Ground
 * @property {MassLayout} layout
 * @property {Sum[]} sums by zone
 * @property {Map<string, any>} entities
 * @property {any} settings
 * @property {Record<string, number>} counts
 * @property {import("../../model/masstrunks.js").Trunk[]} trunks
 * @property {number} level
 * @property {(id: string) => boolean} dimmed
 */

/** Below this scale cards outside have few and larger words. */
const FEW = 0.85;

/** @param {number} value */
export const told = (value) => value.toLocaleString("en-GB");

/** @param {Camera} camera @param {Rect} rect @returns {Rect} on the screen, edges on whole pixels */
export function onScreen({ x, y, zoom }, rect) {
  const [left, top] = [Math.round(rect.x * zoom + x), Math.round(rect.y * zoom + y)];
  return { x: left, y: top, w: Math.round((rect.x + rect.w) * zoom + x) - left, h: Math.round((rect.y + rect.h) * zoom + y) - top };
}

/** @returns {number} where the last name docked at the upper edge ends @param {Ctx} ctx in CSS px @param {Ground} ground @param {Camera} camera @param {{w: number, h: number}} view @param {Tokens} tokens */
export function drawGround(ctx, ground, camera, view, tokens) {
  const { layout } = ground;
  const frame = onScreen(camera, layout.frame);
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = tokens.border;
  roundRect(ctx, frame.x, frame.y, frame.w, frame.h, 18 * layout.scale * camera.zoom);
  ctx.stroke();
  drawTrunks(ctx, ground, camera, tokens);
  let docked = 0;
  layout.zones.forEach((zone, i) => { docked = Math.max(docked, drawZone(ctx, onScreen(camera, zone), ground.sums[i], view, tokens)); });
  drawTitle(ctx, ground, frame, camera, tokens);
  if (layout.tray) drawTray(ctx, layout.tray, ground.counts, camera, tokens);
  drawSides(ctx, ground, camera, tokens);
  return docked;
}

/** @param {Ctx} ctx @param {Ground} ground @param {Rect} frame @param {Camera} camera @param {Tokens} tokens */
function drawTitle(ctx, { layout, settings, counts }, frame, camera, tokens) {
  const room = layout.lane.y * camera.zoom;
  if (room < 40 || frame.y < -room) return;
  const [x, y] = [frame.x + Math.max(14, layout.lane.x * camera.zoom * 0.2), frame.y + Math.min(26, Math.max(20, room * 0.36))];
  const width = write(ctx, "CLUSTER", x, y, 120, { size: 15, weight: 650, family: tokens.words, colour: tokens["text-second"] });
  const parts = [settings.cluster_cidr ? `one flat network ${settings.cluster_cidr}` : "", ...["nodes", "pods", "services"].filter((name) => counts[name]).map((name) => `${told(counts[name])} ${name === "services" ? "Services" : name}`)];
  write(ctx, parts.filter(Boolean).join(" · "), x + width + 12, y, frame.w - width - 60, { size: 14, least: 11, family: tokens.words, colour: tokens["text-third"] });
}

/** The name stands on the roof of its block, and stays in sight while some of the block is. */
function drawZone(/** @type {Ctx} */ ctx, /** @type {Rect} */ box, /** @type {Sum} */ sum, /** @type {{w: number, h: number}} */ view, /** @type {Tokens} */ tokens) {
  if (box.x > view.w || box.y > view.h || box.x + box.w < 0 || box.y + box.h < 0) return 0;
  roundRect(ctx, box.x, box.y, box.w, box.h, Math.min(10, box.w * 0.02));
  ctx.strokeStyle = tokens.border;
  ctx.lineWidth = 2;
  ctx.stroke();
  const docked = box.y < 44;
  const x = Math.max(box.x + 3, 12);
  const y = docked ? 30 : box.y - 10;
  const room = Math.min(docked ? box.x + box.w : box.x + box.w * ROOF, view.w) - x - 8;
  if (room < 60 || (docked && box.y + box.h < 60)) return 0;
  const words = zoneWords(ctx, sum, room, tokens);
  if (docked) {
    roundRect(ctx, x - 8, 8, words.width + 16, 32, 8);
    ctx.globalAlpha = 0.97;
    ctx.fillStyle = tokens.panel;
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.strokeStyle = tokens.border;
    ctx.lineWidth = 1;
    ctx.stroke();
  }
  let at = x;
  for (const part of words.parts) {
    ctx.font = part.font;
    ctx.fillStyle = part.colour;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.fillText(part.text, at, y);
    at += part.width + 12;
  }
  return docked ? at : 0;
}

/** As many words as there is room for; what fails is the last to go, and becomes a sign before that. */
function zoneWords(/** @type {Ctx} */ ctx, /** @type {Sum} */ sum, /** @type {number} */ room, /** @type {Tokens} */ tokens) {
  const plain = `500 14px ${tokens.words}`;
  const strong = `650 14px ${tokens.words}`;
  const all = [
    { text: sum.name || "no zone", font: `650 18px ${tokens.words}`, colour: tokens.text, rank: 1, width: 0 },
    { text: `${told(sum.nodes)} node${sum.nodes === 1 ? "" : "s"}`, font: plain, colour: tokens["text-second"], rank: 5, width: 0 },
    { text: `${told(sum.pods)} pods`, font: plain, colour: tokens["text-second"], rank: 4, width: 0 },
    { text: sum.failing ? `${told(sum.failing)} failing` : "", font: strong, colour: tokens["text-blocked"], rank: 2, width: 0 },
    { text: sum.broken ? `${told(sum.broken)} NotReady` : "", font: strong, colour: tokens["text-blocked"], rank: 3, width: 0 },
  ].filter((part) => part.text);
  const measure = (/** @type {typeof all[0]} */ part, text = part.text) => {
    ctx.font = part.font;
    return { ...part, text, width: ctx.measureText(text).width };
  };
  let parts = all.map((part) => measure(part));
  const widthOf = () => parts.reduce((total, part) => total + part.width + 12, -12);
  for (let rank = 5; rank > 2 && widthOf() > room; rank -= 1) parts = parts.filter((part) => part.rank !== rank);
  if (widthOf() > room) parts = parts.map((part) => (part.rank === 2 ? measure(part, `✕ ${told(sum.failing)}`) : part));
  if (widthOf() > room) parts = parts.filter((part) => part.rank === 1);
  return { parts, width: widthOf() };
}

/** @param {Ctx} ctx @param {import("../../model/masslayout.js").Tray} tray @param {Record<string, number>} counts @param {Camera} camera @param {Tokens} tokens */
function drawTray(ctx, tray, counts, camera, tokens) {
  const box = onScreen(camera, { x: tray.x - 16 * tray.k, y: tray.y, w: tray.w + 24 * tray.k, h: tray.h });
  roundRect(ctx, box.x, box.y, box.w, box.h, Math.min(10, box.h * 0.2));
  ctx.strokeStyle = tokens.pending;
  ctx.lineWidth = 1.3;
  ctx.setLineDash([6, 5]);
  ctx.stroke();
  ctx.setLineDash([]);
  const text = `${told(counts.waiting ?? 0)} pending on no node`;
  write(ctx, text, Math.max(12, box.x + 4), box.y - 7, Math.max(60, box.w), { size: 14, least: 11, weight: 600, family: tokens.words, colour: tokens.pending });
}

/** @param {Ctx} ctx @param {Ground} ground @param {Camera} camera @param {Tokens} tokens */
function drawSides(ctx, { layout, entities, dimmed }, camera, tokens) {
  const { scale } = layout;
  const far = camera.zoom * scale < FEW || Number(tokens["picture-words"]) > 1 ? 22 : 0;
  ctx.save();
  ctx.translate(camera.x, camera.y);
  ctx.scale(camera.zoom * scale, camera.zoom * scale);
  for (const box of layout.sides.values()) {
    const entity = entities.get(box.id);
    if (!entity) continue;
    ctx.globalAlpha = dimmed(box.id) ? 0.28 : 1;
    const small = { ...box, x: box.x / scale, y: box.y / scale, w: box.w / scale, h: box.h / scale };
    if (box.kind === "ingress" || box.kind === "gateway") drawService(ctx, small, entity, tokens, far);
    else drawOutside(ctx, small, entity, tokens, box.x < 0, far);
  }
  ctx.restore();
  ctx.globalAlpha = 1;
  for (const [side, word, boxes] of /** @type {["left"|"right", string, Rect[]][]} */ ([["left", "INTERNET", []], ["right", "EXTERNAL", []]])) {
    boxes.push(...[...layout.sides.values()].filter((box) => (side === "left" ? box.x < 0 : box.x > 0)));
    if (boxes.length) heading(ctx, word, layout.more[side], boxes, camera, tokens);
  }
}

/** @param {Ctx} ctx @param {string} word @param {number} more @param {Rect[]} boxes @param {Camera} camera @param {Tokens} tokens */
function heading(ctx, word, more, boxes, camera, tokens) {
  const [first, last] = [onScreen(camera, boxes[0]), onScreen(camera, boxes[boxes.length - 1])];
  const type = { size: 15, least: 10, weight: 650, family: tokens.words, colour: tokens["text-second"], align: /** @type {CanvasTextAlign} */ ("center") };
  write(ctx, word, first.x + first.w / 2, first.y - 10, Math.max(80, first.w), type);
  if (more) write(ctx, `and ${told(more)} more`, last.x + last.w / 2, last.y + last.h + 22, Math.max(80, last.w), { ...type, size: 14, weight: 500 });
}

/** px of a trunk on the screen: what is twenty times as much is not twenty times as wide. */
export function trunkWidth(/** @type {number} */ rps, /** @type {number} */ most) {
  return 1.5 + 7 * (Math.log1p(rps) / Math.log1p(Math.max(1, most))) ** 3;
}

/** @param {Ctx} ctx @param {Ground} ground @param {Camera} camera @param {Tokens} tokens */
function drawTrunks(ctx, { layout, trunks, level }, camera, tokens) {
  if (level > 2) return;
  const most = Math.max(1, ...trunks.map((trunk) => trunk.rps));
  const thin = Math.min(1, (layout.lane.y * camera.zoom) / 64);
  const radius = layout.lane.y * 0.12 * camera.zoom;
  ctx.lineCap = "round";
  ctx.lineJoin = "round";
  for (const trunk of trunks) {
    if (trunk.rps <= 0 && !trunk.errors) continue;
    const width = Math.max(1.5, trunkWidth(trunk.rps, most) * thin);
    path(ctx, trunk.corners, camera, radius);
    ctx.globalAlpha = level === 2 ? 0.45 : 1;
    ctx.strokeStyle = tokens.cluster;
    ctx.lineWidth = width + 3;
    ctx.stroke();
    ctx.strokeStyle = tokens[`heat-${trunk.rps > most * 0.3 ? 4 : trunk.rps > most * 0.03 ? 3 : 2}`];
    ctx.lineWidth = width;
    ctx.stroke();
    if (!trunk.errors) continue;
    ctx.strokeStyle = tokens["state-failing"];
    ctx.lineWidth = Math.max(1.2, width * Math.min(1, trunk.errors / Math.max(trunk.rps, trunk.errors)));
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** Corners are round, whatever the zoom. @param {Ctx} ctx @param {import("../../model/polyline.js").Point[]} corners @param {Camera} camera @param {number} radius px */
function path(ctx, corners, { x, y, zoom }, radius) {
  const points = corners.map(([px, py]) => [px * zoom + x, py * zoom + y]);
  ctx.beginPath();
  ctx.moveTo(points[0][0], points[0][1]);
  for (let i = 1; i < points.length - 1; i += 1) {
    const [before, [x1, y1], after] = [points[i - 1], points[i], points[i + 1]];
    const [long, far] = [Math.hypot(x1 - before[0], y1 - before[1]), Math.hypot(after[0] - x1, after[1] - y1)];
    const cut = Math.min(radius, long / 2, far / 2);
    ctx.lineTo(x1 + ((before[0] - x1) * cut) / (long || 1), y1 + ((before[1] - y1) * cut) / (long || 1));
    ctx.quadraticCurveTo(x1, y1, x1 + ((after[0] - x1) * cut) / (far || 1), y1 + ((after[1] - y1) * cut) / (far || 1));
  }
  const last = points[points.length - 1];
  ctx.lineTo(last[0], last[1]);
}
