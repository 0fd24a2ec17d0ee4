/** One node near by, in CSS px: its name and sums at any size, its pods with addresses, its plumbing when it is large enough. */
import { NODE, POD, slotAt } from "../../model/masslayout.js";
import { LEVELS } from "../../model/lod.js";
import { plate, roundRect, write } from "../text.js";
import { drawPodCard, drawPodLabel } from "./podcard.js";
import { told } from "./ground.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../tokens.js").Tokens} Tokens */
/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/**
 * @typedef {object} Look what is drawn of one node
 * @property {number} index
 * @property {import("../../model/mass.js").MassNode} node
 * @property {any} entity
 * @property {Map<number, any>|null} names pods by index
 * @property {import("./world.js").World} world
 * @property {Tokens} tokens
 * @property {any} settings
 * @property {number} level
 * @property {number} zoom
 * @property {Rect} rect what is drawn, in units
 */

/** px: a panel narrower than this shows no name, only what is wrong. */
const NAMED = 110;
const BADGED = 40;
/** The size of a pod from which its address is written into it. */
export const ADDRESSED = 0.56;

/** @param {Ctx} ctx @param {Look} look */
export function drawNodeDetail(ctx, look) {
  const { world, zoom, index, level, tokens } = look;
  const { layout, cells } = world;
  const box = { x: layout.x[index] * zoom, y: layout.y[index] * zoom, w: layout.step.w * zoom, h: layout.step.h * zoom };
  const failing = cells.failing[index];
  if (box.w < NAMED) {
    if (failing && box.w >= BADGED) badge(ctx, box, failing, tokens);
    return;
  }
  if (level === LEVELS.inside) panel(ctx, box, look);
  head(ctx, box, look, failing);
  if (level >= LEVELS.pods) drawPods(ctx, look);
  if (level === LEVELS.inside) plumbing(ctx, look);
  else if (NODE.foot * zoom >= 11) foot(ctx, box, look);
}

/** @param {Ctx} ctx @param {Rect} box @param {number} failing @param {Tokens} tokens */
function badge(ctx, box, failing, tokens) {
  const text = told(failing);
  ctx.font = `700 10px ${tokens.words}`;
  const width = Math.max(14, ctx.measureText(text).width + 8);
  roundRect(ctx, box.x + box.w - width + 4, box.y - 5, width, 14, 7);
  ctx.fillStyle = tokens["state-failing"];
  ctx.fill();
  ctx.fillStyle = tokens.dark ? tokens.page : tokens.panel;
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  ctx.fillText(text, box.x + box.w - width / 2 + 4, box.y + 5.5);
}

/** @param {Ctx} ctx @param {Rect} box @param {Look} look */
function panel(ctx, box, { node, tokens, zoom }) {
  const r = 14 * zoom;
  roundRect(ctx, box.x, box.y, box.w, box.h, r);
  ctx.fillStyle = tokens.panel;
  ctx.fill();
  ctx.save();
  ctx.clip();
  ctx.fillStyle = tokens["panel-head"];
  ctx.fillRect(box.x, box.y, box.w, (NODE.head - 12) * zoom);
  ctx.restore();
  roundRect(ctx, box.x, box.y, box.w, box.h, r);
  ctx.strokeStyle = !node.ready ? tokens["state-failing"] : node.schedulable ? tokens.border : tokens["state-pending"];
  ctx.lineWidth = node.ready ? 2 : 3.5;
  ctx.stroke();
}

/** @param {Ctx} ctx @param {Rect} box @param {Look} look @param {number} failing */
function head(ctx, box, look, failing) {
  const { node, entity, tokens, zoom, level, world, index } = look;
  const high = (NODE.head - 12) * zoom;
  const size = Math.max(9, Math.min(level === LEVELS.inside ? 22 : 15, Math.floor(high * 0.72)));
  const pad = Math.max(5, Math.min(18, 14 * zoom));
  const y = box.y + high / 2 + size * 0.36;
  let right = box.x + box.w - pad;
  const say = (/** @type {string} */ text, /** @type {string} */ colour, /** @type {string} */ family, /** @type {number} */ weight) => {
    if (!text || right - box.x < box.w * 0.42) return;
    right -= write(ctx, text, right, y, box.w, { size: Math.max(9, size - 2), least: 9, weight, family, colour, align: "right" }) + 10;
  };
  const pods = world.cells.used[index];
  if (failing) say(`${told(failing)} failing`, tokens["text-blocked"], tokens.words, 650);
  if (!node.ready) say("NotReady", tokens["text-blocked"], tokens.words, 650);
  else if (!node.schedulable) say("cordoned", tokens.pending, tokens.words, 600);
  if (level < LEVELS.pods) say(told(pods), tokens["text-second"], tokens.words, 500);
  else if (box.w > 230) say(entity?.podCIDR || node.ip, tokens["text-second"], tokens.code, 400);
  if (level === LEVELS.inside && box.w > 700 && entity?.podCIDR) say(node.ip, tokens["text-third"], tokens.code, 400);
  write(ctx, node.name, box.x + pad, y, right - box.x - pad, { size, least: 9, weight: 650, family: tokens.words, colour: tokens.text });
}

/** What runs here, most first: "web ×12, api ×6 and 12 more". */
function foot(/** @type {Ctx} */ ctx, /** @type {Rect} */ box, /** @type {Look} */ look) {
  const { tokens, zoom, level, world, index } = look;
  const high = NODE.foot * zoom;
  const size = Math.max(9, Math.min(14, Math.floor(high * 0.46)));
  const pad = Math.max(5, Math.min(16, 14 * zoom));
  const room = box.w - 2 * pad;
  ctx.font = `500 ${size}px ${tokens.words}`;
  const total = world.cells.used[index];
  const lead = level >= LEVELS.pods ? `${told(total)} pod${total === 1 ? "" : "s"}: ` : "";
  const text = lead + worded(world.workloadsOf(index), total, (words) => ctx.measureText(lead + words).width <= room);
  write(ctx, text, box.x + pad, box.y + box.h - high * 0.36, room, { size, least: 9, weight: 500, family: tokens.words, colour: tokens["text-second"] });
}

/**
 * As many as there is room for, and how many pods are left out.
 * @param {[string, number][]} all names and pods, most first @param {number} total pods @param {(words: string) => boolean} fits @returns {string}
 */
export function worded(all, total, fits) {
  let shown = 0;
  let best = "";
  for (let n = 1; n <= all.length; n += 1) {
    shown += all[n - 1][1];
    const left = total - shown;
    const words = all.slice(0, n).map(([name, count]) => (count > 1 ? `${name} ×${count}` : name)).join(", ") + (left > 0 ? ` and ${told(left)} more` : "");
    if (!fits(words)) break;
    best = words;
  }
  return best || `${told(total)} pods`;
}

/** @param {Ctx} ctx @param {Look} look */
function drawPods(ctx, look) {
  const { world, zoom, index, level, names, rect, tokens } = look;
  const { layout, cells, mass } = world;
  if (level < LEVELS.inside && zoom < ADDRESSED) return;
  if (level === LEVELS.inside) cables(ctx, look);
  for (let slot = 0; slot < cells.capacity; slot += 1) {
    const pod = cells.podAt(index, slot);
    if (pod < 0) continue;
    const at = slotAt(layout.step, slot);
    const [x, y] = [layout.x[index] + at.x, layout.y[index] + at.y];
    if (x > rect.x + rect.w || y > rect.y + rect.h || x + POD.w < rect.x || y + POD.h < rect.y) continue;
    const box = { x: x * zoom, y: y * zoom, w: POD.w * zoom, h: POD.h * zoom };
    const owner = mass.workloads[mass.workload[pod]]?.name ?? "";
    const one = { entity: names?.get(pod) ?? null, owner, state: mass.state[pod], heat: mass.heat[pod] };
    ctx.globalAlpha = cells.aside?.(pod) ? 0.3 : 1;
    if (level === LEVELS.inside) drawPodCard(ctx, box, one, tokens);
    else drawPodLabel(ctx, box, one, tokens);
    ctx.globalAlpha = 1;
  }
}

/** Every pod hangs on the bridge by a pair of devices: down between the columns. */
function cables(/** @type {Ctx} */ ctx, /** @type {Look} */ { world, zoom, index, tokens }) {
  const { layout, cells } = world;
  const { rows, columns, h } = layout.step;
  const bottom = (layout.y[index] + h - NODE.foot) * zoom;
  ctx.strokeStyle = tokens["stripe-quiet"];
  ctx.lineWidth = 1.2;
  ctx.globalAlpha = 0.75;
  ctx.beginPath();
  for (let slot = 0; slot < rows * columns; slot += 1) {
    if (cells.podAt(index, slot) < 0) continue;
    const at = slotAt(layout.step, slot);
    const row = Math.floor(slot / columns);
    const [x, y] = [(layout.x[index] + at.x + POD.w / 2) * zoom, (layout.y[index] + at.y + POD.h) * zoom];
    const lane = (layout.x[index] + at.x + POD.w + 1.5 + (5 * (row + 0.5)) / rows) * zoom;
    const turn = y + 3.5 * zoom;
    ctx.moveTo(x, y);
    ctx.lineTo(x, turn);
    ctx.lineTo(lane, turn);
    ctx.lineTo(lane, bottom);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** The bridge all pods hang on; below it the rules every packet passes, the tunnel and the network card. */
function plumbing(/** @type {Ctx} */ ctx, /** @type {Look} */ look) {
  const { world, zoom, index, tokens, entity, node, settings } = look;
  const foot = world.foot(index);
  const [x, y, w, h] = [foot.x * zoom, foot.y * zoom, foot.w * zoom, foot.h * zoom];
  const tunnel = (settings.network ?? "vxlan") === "vxlan";
  const services = world.mass.counts.services;
  const gap = Math.min(12, 3 * zoom);
  const row = (h - gap) / 2;
  device(ctx, { x: x - 6 * zoom, y, w: w + 12 * zoom, h: row }, { title: "cni0 bridge", text: entity?.bridge ?? "", colour: tokens.border }, tokens);
  const parts = [
    { share: tunnel ? 0.44 : 0.6, title: "kube-proxy rules", text: services === undefined ? "" : `${told(services)} Service${services === 1 ? "" : "s"}`, colour: tokens["kind-service"] },
    ...(tunnel ? [{ share: 0.22, title: "flannel.1", text: "VXLAN", colour: tokens["kind-pod"] }] : []),
    { share: tunnel ? 0.34 : 0.4, title: "eth0", text: node.ip, colour: tokens["kind-local"] },
  ];
  let left = x;
  parts.forEach((part, i) => {
    const width = (w - gap * (parts.length - 1)) * part.share;
    if (i) link(ctx, left - gap, y + h - row / 2, gap, tokens);
    device(ctx, { x: left, y: y + h - row, w: width, h: row }, part, tokens);
    left += width + gap;
  });
}

/** @param {Ctx} ctx @param {number} x @param {number} y @param {number} w @param {Tokens} tokens */
function link(ctx, x, y, w, tokens) {
  ctx.fillStyle = tokens["stripe-quiet"];
  ctx.fillRect(x, y - 1.5, w, 3);
}

/** @param {Ctx} ctx @param {Rect} box @param {{title: string, text: string, colour: string}} part @param {Tokens} tokens */
function device(ctx, box, { title, text, colour }, tokens) {
  plate(ctx, box, Math.min(8, box.h * 0.16), tokens.bus, colour, 1.4);
  const size = Math.max(9, Math.min(16, Math.floor(box.h * 0.56)));
  const [left, right, y] = [box.x + Math.min(12, size * 0.7), box.x + box.w - Math.min(12, size * 0.7), box.y + box.h / 2 + size * 0.36];
  const width = write(ctx, title, left, y, right - left, { size, least: 9, weight: 600, family: tokens.words, colour: tokens.text });
  const room = right - left - width - 8;
  ctx.font = `400 ${size - 1}px ${tokens.code}`;
  if (text && ctx.measureText(text).width <= room) write(ctx, text, right, y, room + 1, { size: size - 1, least: size - 1, family: tokens.code, colour: tokens["text-second"], align: "right" });
}
