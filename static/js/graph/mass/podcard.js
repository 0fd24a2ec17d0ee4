/** A pod near by: a label on its block, then a card, then its inside: containers that share one network namespace. */
import { STATE, stateOf } from "../../model/mass.js";
import { podState } from "../../model/podstate.js";
import { podName } from "../cards.js";
import { shield } from "../icons.js";
import { plate, roundRect, write } from "../text.js";
import { blend } from "./palette.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../tokens.js").Tokens} Tokens */
/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {{entity: any, owner: string, state: number, heat: number}} One entity null: its name is not known yet */

/** Heights of a card in px from which it shows more. */
const ROOMY = 70;
const INSIDE = 108;
/** By state, until the pod itself is known. */
const WORDS = ["", "", "pending", "failing", "terminating", "completed"];
const TONES = ["", "", "pending", "text-blocked", "text-third", "text-third"];

/** @param {string} colour @returns {boolean} whether dark words read better on it */
export function light(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18;
}

/** @param {One} one @param {Tokens} tokens @returns {string} */
function colourOf({ state, heat }, tokens) {
  if (state === STATE.failing) return tokens["state-failing"];
  if (state === STATE.pending) return tokens["state-pending"];
  if (state === STATE.terminating) return tokens["text-third"];
  return state === STATE.succeeded ? tokens["stripe-quiet"] : tokens[`heat-${heat}`];
}

/** The last part of an address: the node's range stands above it. @param {string} ip */
export function hostPart(ip) {
  if (!ip) return "";
  const cut = ip.includes(":") ? ip.lastIndexOf(":") : ip.lastIndexOf(".");
  return ip.slice(cut);
}

/** Whole where the longest address of a range has room, so that neighbours look alike. @param {Ctx} ctx @param {string} ip @param {number} room */
function roomFor(ctx, ip, room) {
  const cut = ip.lastIndexOf(".");
  return ctx.measureText(cut < 0 ? ip : `${ip.slice(0, cut)}.000`).width <= room;
}

/** @param {Ctx} ctx @param {Rect} box @param {One} one @param {Tokens} tokens */
export function drawPodLabel(ctx, box, one, tokens) {
  const done = one.state >= STATE.terminating;
  // Of the two colours words have on each other, the one that stands out from the pod's.
  const [dark, pale] = light(tokens.text) ? [tokens["on-strong"], tokens.text] : [tokens.text, tokens["on-strong"]];
  const colour = done ? tokens.text : light(colourOf(one, tokens)) ? dark : pale;
  const { entity, owner } = one;
  const two = box.h >= 27;
  const x = box.x + box.w / 2;
  const room = box.w - 4;
  const type = { align: /** @type {CanvasTextAlign} */ ("center"), colour };
  if (!entity) return placeholder(ctx, x, box.y + box.h / 2, box.w * 0.5, colour);
  if (two) write(ctx, owner || entity.name, x, box.y + box.h * 0.46, room, { ...type, size: Math.min(13, Math.floor(box.h * 0.34)), least: 9, weight: 600, family: tokens.words });
  const size = Math.max(9, Math.min(12, Math.floor(box.h * (two ? 0.3 : 0.5))));
  ctx.font = `400 ${size}px ${tokens.code}`;
  const ip = entity.ip || "";
  const shown = roomFor(ctx, ip, room) ? ip : hostPart(ip);
  return void write(ctx, shown, x, box.y + box.h * (two ? 0.84 : 0.68), room, { ...type, size, least: 8, family: tokens.code });
}

/** A grey bar where words will be. */
function placeholder(/** @type {Ctx} */ ctx, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ w, /** @type {string} */ colour) {
  ctx.globalAlpha = 0.22;
  ctx.fillStyle = colour;
  roundRect(ctx, x - w / 2, y - 3, w, 6, 3);
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** @param {Ctx} ctx @param {Rect} box @param {One} one @param {Tokens} tokens */
export function drawPodCard(ctx, box, one, tokens) {
  const colour = colourOf(one, tokens);
  const told = one.entity && stateOf(one.entity) === one.state ? podState(one.entity) : { word: WORDS[one.state], tone: TONES[one.state] };
  const quiet = one.state === STATE.terminating || one.state === STATE.pending;
  const radius = Math.min(9, box.h * 0.16);
  const bar = Math.max(4, Math.min(8, box.w * 0.05));
  roundRect(ctx, box.x, box.y, box.w, box.h, radius);
  ctx.fillStyle = quiet ? tokens.panel : one.state === STATE.ready ? blend(colour, tokens.card, 0.72) : tokens.card;
  ctx.fill();
  ctx.save();
  ctx.clip();
  ctx.fillStyle = colour;
  ctx.fillRect(box.x, box.y, bar, box.h);
  ctx.restore();
  roundRect(ctx, box.x, box.y, box.w, box.h, radius);
  ctx.strokeStyle = told.word ? tokens[told.tone || "border"] : tokens.border;
  ctx.lineWidth = told.word ? 1.8 : 1.2;
  ctx.setLineDash(quiet ? [6, 5] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  words(ctx, { x: box.x + bar, y: box.y, w: box.w - bar, h: box.h }, one, told, tokens);
}

/** @param {Ctx} ctx @param {Rect} box @param {One} one @param {{word: string, tone: string}} told @param {Tokens} tokens */
function words(ctx, box, one, told, tokens) {
  const { entity } = one;
  const inside = box.h >= INSIDE;
  const line = inside ? Math.min(20, box.h * 0.13) : Math.min(19, box.h * (box.h >= ROOMY ? 0.22 : 0.3));
  const [left, room] = [box.x + Math.min(12, box.w * 0.06), box.w - Math.min(24, box.w * 0.12)];
  if (!entity) {
    placeholder(ctx, box.x + box.w * 0.4, box.y + box.h * 0.3, box.w * 0.6, tokens.text);
    return placeholder(ctx, box.x + box.w * 0.4, box.y + box.h * 0.58, box.w * 0.5, tokens.text);
  }
  const walled = (entity.isolated?.ingress || entity.isolated?.egress) && box.h >= ROOMY;
  const [name, unique] = podName(entity);
  const dim = one.state !== STATE.ready;
  const y = box.y + line * 1.35;
  const width = write(ctx, name, left, y, room - (walled ? 22 : 0), { size: Math.round(line), least: 9, weight: 600, family: tokens.words, colour: dim ? tokens["text-second"] : tokens.text });
  if (walled) shield(ctx, box.x + box.w - 16, box.y + line * 1.05, tokens["text-second"]);
  const spare = room - width - (walled ? 34 : 10);
  const rest = told.word || unique;
  if (inside && spare > 40) write(ctx, rest, left + width + 8, y, spare, { size: Math.round(line * 0.72), least: 9, family: told.word ? tokens.words : tokens.code, weight: told.word ? 600 : 400, colour: tokens[told.tone || "text-third"] });
  if (inside) return drawInside(ctx, { ...box, y: y + line * 0.5, h: box.y + box.h - y - line * 0.5 }, entity, tokens);
  const size = Math.max(9, Math.round(line * 0.84));
  ctx.font = `400 ${size}px ${tokens.code}`;
  const ip = entity.ip || "no address yet";
  write(ctx, !entity.ip || roomFor(ctx, ip, room + 2) ? ip : hostPart(ip), left, y + line * 1.25, room + 2, { size, least: 9, family: tokens.code, colour: tokens["text-second"] });
  if (box.h >= ROOMY) return squares(ctx, { ...box, x: left, y: y + line * 1.85, w: room }, entity, told.word ? told.word : unique.split("-").pop() ?? "", told.tone, tokens);
  return undefined;
}

/** @param {Ctx} ctx @param {Rect} box @param {any} entity @param {string} word @param {string} tone @param {Tokens} tokens */
function squares(ctx, box, entity, word, tone, tokens) {
  const all = entity.containers ?? [];
  all.slice(0, 4).forEach((/** @type {any} */ container, /** @type {number} */ i) => {
    const x = box.x + i * 17;
    ctx.fillStyle = tokens.stripe;
    ctx.strokeStyle = tokens.pending;
    ctx.lineWidth = 1.5;
    if (i) ctx.fillRect(x - 7, box.y + 4, 7, 2);
    roundRect(ctx, x, box.y, 10, 10, 3);
    if (container.ready) ctx.fill();
    else ctx.stroke();
  });
  const used = Math.min(4, all.length) * 17 + 4;
  write(ctx, word, box.x + box.w, box.y + 9.5, box.w - used, { size: 12, least: 9, family: tone ? tokens.words : tokens.code, weight: tone ? 600 : 400, align: "right", colour: tokens[tone || "text-third"] });
}

/** The pod's network namespace: its containers, the loopback they share, and the one device to the outside. */
function drawInside(/** @type {Ctx} */ ctx, /** @type {Rect} */ box, /** @type {any} */ entity, /** @type {Tokens} */ tokens) {
  const pad = Math.min(12, box.w * 0.05);
  const socket = Math.min(30, box.h * 0.3);
  const room = { x: box.x + pad, y: box.y, w: box.w - 2 * pad, h: box.h - socket - 6 };
  roundRect(ctx, room.x, room.y, room.w, room.h, 6);
  ctx.fillStyle = tokens.panel;
  ctx.globalAlpha = 0.6;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.strokeStyle = tokens["stripe-quiet"];
  ctx.lineWidth = 1;
  ctx.setLineDash([3, 3]);
  ctx.stroke();
  ctx.setLineDash([]);
  const lo = Math.min(18, room.h * 0.34);
  write(ctx, "lo 127.0.0.1", room.x + room.w / 2, room.y + room.h - lo * 0.32, room.w - 10, { size: Math.max(9, Math.round(lo * 0.68)), least: 9, family: tokens.code, colour: tokens["text-third"], align: "center" });
  containers(ctx, { x: room.x + 5, y: room.y + 5, w: room.w - 10, h: room.h - lo - 7 }, entity.containers ?? [], tokens);
  const wide = Math.min(box.w - 2 * pad, 220);
  const eth = { x: box.x + (box.w - wide) / 2, y: box.y + box.h - socket - 1, w: wide, h: socket - 3 };
  plate(ctx, eth, 5, tokens.bus, tokens["kind-local"], 1.3);
  const size = Math.max(9, Math.min(15, Math.round(eth.h * 0.5)));
  write(ctx, `eth0 ${entity.ip || "no address yet"}`, eth.x + eth.w / 2, eth.y + eth.h / 2 + size * 0.36, eth.w - 8, { size, least: 9, family: tokens.code, colour: tokens.text, align: "center" });
}

/** @param {Ctx} ctx @param {Rect} box @param {any[]} all @param {Tokens} tokens */
function containers(ctx, box, all, tokens) {
  const shown = all.length > 3 ? all.slice(0, 2) : all;
  const count = shown.length + (all.length > 3 ? 1 : 0);
  const width = (box.w - 5 * (count - 1)) / Math.max(1, count);
  if (box.h < 12) return;
  for (let i = 0; i < count; i += 1) {
    const container = shown[i];
    const x = box.x + i * (width + 5);
    roundRect(ctx, x, box.y, width, box.h, 4);
    ctx.fillStyle = tokens.card;
    ctx.fill();
    ctx.strokeStyle = container && !container.ready ? tokens.pending : tokens.stripe;
    ctx.lineWidth = 1.3;
    ctx.stroke();
    write(ctx, container ? container.name : `and ${all.length - shown.length} more`, x + width / 2, box.y + box.h / 2 + 4, width - 6,
      { size: Math.max(9, Math.min(13, Math.round(box.h * 0.5))), least: 9, weight: 500, family: tokens.words, colour: tokens["text-second"], align: "center" });
  }
}
