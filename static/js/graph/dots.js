/** The packet canvas: glyphs, trails, rings and crosses; pointer events pass through it. */
import { at } from "../model/polyline.js";
import { ending, phase, place, stops } from "../model/packets.js";
import { kindColour } from "./tokens.js";

/** @typedef {import("../model/packets.js").Dot} Dot */
/** @typedef {import("./tokens.js").Tokens} Tokens */
/** @typedef {CanvasRenderingContext2D} Ctx */

const STEP = 8;
/** px after which a rewrite is old news. */
const FRESH = 160;

/**
 * @param {Ctx} ctx @param {Dot[]} dots @param {Tokens} tokens
 * @param {{zoom: number, trail: number, shown: (dot: Dot) => boolean}} how `trail`: segments behind each packet
 */
export function drawDots(ctx, dots, tokens, { zoom, trail, shown }) {
  const size = Math.max(6, 3.7 / Math.max(0.3, zoom)) * Number(tokens["picture-words"] || 1);
  for (const dot of dots) {
    if (dot.wait > 0 || !shown(dot)) continue;
    const length = place(dot);
    const spot = at(dot.way.path, length);
    if (dot.reply) drawReply(ctx, dot, spot, size, trail, tokens);
    else drawPacket(ctx, dot, spot, size, trail, tokens);
  }
  ctx.globalAlpha = 1;
}

/** @param {Ctx} ctx @param {Dot} dot @param {{x: number, y: number, angle: number}} spot @param {number} size @param {number} trail @param {Tokens} tokens */
function drawPacket(ctx, dot, spot, size, trail, tokens) {
  const { kind, encapsulated } = phase(dot.way, dot.gone);
  const bad = stops(dot.route);
  const colour = kindColour(tokens, bad ? "blocked" : kind);
  if (dot.ended === 0) drawTrail(ctx, dot, size, colour, trail, 1);
  if (encapsulated) shell(ctx, spot, size, tokens);
  if (dot.ended > 0) drawEnd(ctx, dot, spot, colour, size);
  else glyph(ctx, dot.route.effect === "refused" ? "refused" : bad ? "blocked" : kind, spot, colour, size);
  if (!bad) drawRewritten(ctx, dot, spot, size, tokens);
}

/** A reply is hollow and its trail has gaps. @param {Ctx} ctx @param {Dot} dot @param {{x: number, y: number, angle: number}} spot @param {number} size @param {number} trail @param {Tokens} tokens */
function drawReply(ctx, dot, spot, size, trail, tokens) {
  const colour = tokens["kind-local"];
  drawTrail(ctx, dot, size, colour, trail, 2);
  if (phase(dot.way, dot.gone).encapsulated) shell(ctx, spot, size, tokens);
  ctx.beginPath();
  ctx.arc(spot.x, spot.y, size * 0.8, 0, Math.PI * 2);
  ctx.fillStyle = tokens.cluster;
  ctx.fill();
  ctx.strokeStyle = colour;
  ctx.lineWidth = size * 0.4;
  ctx.stroke();
}

/** The ways replies take, dashed. @param {Ctx} ctx @param {Iterable<import("../model/lines.js").Way|null>} ways @param {Tokens} tokens */
export function drawReplies(ctx, ways, tokens) {
  ctx.strokeStyle = tokens["kind-local"];
  ctx.lineWidth = 1.6 * Number(tokens["picture-lines"] || 1);
  ctx.globalAlpha = 0.55;
  ctx.setLineDash([3, 6]);
  for (const way of ways) {
    if (!way) continue;
    ctx.beginPath();
    for (const [i, [x, y]] of way.path.points.entries()) i ? ctx.lineTo(x, y) : ctx.moveTo(x, y);
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/**
 * A few fading segments read as motion even in a still picture.
 * @param {Ctx} ctx @param {Dot} dot @param {number} size @param {string} colour @param {number} segments @param {number} every 2: every other one
 */
function drawTrail(ctx, dot, size, colour, segments, every) {
  const length = place(dot);
  ctx.strokeStyle = colour;
  ctx.lineCap = "round";
  let from = at(dot.way.path, length);
  for (let i = 1; i <= segments * every && length - i * STEP > 0; i += 1) {
    const to = at(dot.way.path, length - i * STEP);
    const faded = i / every;
    if (i % every === 0) {
      ctx.globalAlpha = 0.75 - faded * 0.13;
      ctx.lineWidth = size * (0.75 - faded * 0.1);
      ctx.beginPath();
      ctx.moveTo(from.x, from.y);
      ctx.lineTo(to.x, to.y);
      ctx.stroke();
    }
    from = to;
  }
  ctx.globalAlpha = 1;
}

/** @param {Ctx} ctx @param {string} kind @param {{x: number, y: number, angle: number}} spot @param {string} colour @param {number} r */
export function glyph(ctx, kind, spot, colour, r) {
  ctx.save();
  ctx.translate(spot.x, spot.y);
  ctx.fillStyle = colour;
  ctx.strokeStyle = colour;
  ctx.beginPath();
  if (kind === "ingress") {
    ctx.rotate(spot.angle);
    ctx.moveTo(r * 1.2, 0);
    ctx.lineTo(-r, r);
    ctx.lineTo(-r, -r);
  } else if (kind === "service") {
    ctx.rotate(Math.PI / 4);
    ctx.rect(-r * 0.85, -r * 0.85, r * 1.7, r * 1.7);
  } else if (kind === "egress") {
    ctx.rect(-r * 0.85, -r * 0.85, r * 1.7, r * 1.7);
  } else if (kind === "blocked" || kind === "refused") {
    if (kind === "blocked") cross(ctx, r);
    else hollow(ctx, r);
    ctx.restore();
    return;
  } else {
    ctx.arc(0, 0, r, 0, Math.PI * 2);
  }
  ctx.fill();
  ctx.restore();
}

/** @param {Ctx} ctx @param {number} r */
function hollow(ctx, r) {
  ctx.lineWidth = r * 0.5;
  ctx.arc(0, 0, r * 0.85, 0, Math.PI * 2);
  ctx.stroke();
}

/** @param {Ctx} ctx @param {number} r */
function cross(ctx, r) {
  ctx.lineWidth = r * 0.55;
  ctx.lineCap = "round";
  ctx.beginPath();
  ctx.moveTo(-r, -r);
  ctx.lineTo(r, r);
  ctx.moveTo(r, -r);
  ctx.lineTo(-r, r);
  ctx.stroke();
}

/** @param {Ctx} ctx @param {{x: number, y: number}} spot @param {number} r @param {string} colour @param {number} width */
function ring(ctx, spot, r, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  ctx.arc(spot.x, spot.y, r, 0, Math.PI * 2);
  ctx.stroke();
}

/** A packet inside a packet: the outer header is a shell around the glyph. */
function shell(/** @type {Ctx} */ ctx, /** @type {{x: number, y: number}} */ spot, /** @type {number} */ size, /** @type {Tokens} */ tokens) {
  ctx.beginPath();
  ctx.roundRect(spot.x - size * 2.1, spot.y - size * 1.5, size * 4.2, size * 3, size * 0.8);
  ctx.fillStyle = tokens.cluster;
  ctx.fill();
  ctx.strokeStyle = tokens["kind-pod"];
  ctx.lineWidth = 1.6;
  ctx.stroke();
}

/** Refused: a ring that springs back. Dropped: a cross in a ring that stays, then fades. */
function drawEnd(/** @type {Ctx} */ ctx, /** @type {Dot} */ dot, /** @type {{x: number, y: number, angle: number}} */ spot, /** @type {string} */ colour, /** @type {number} */ size) {
  const share = ending(dot);
  ctx.globalAlpha = share < 0.6 ? 1 : 1 - (share - 0.6) / 0.4;
  if (dot.route.effect === "refused") {
    ring(ctx, spot, size * 1.2, colour, 2.4);
    const wall = at(dot.way.path, dot.way.path.total);
    ring(ctx, wall, size * (1.4 + share), colour, 1.4);
  } else {
    glyph(ctx, "blocked", spot, colour, size * 1.05);
    ring(ctx, spot, size * 2, colour, 2.4);
  }
  ctx.globalAlpha = 1;
}

/** A double ring since an address was rewritten: loud at first, then quiet. */
function drawRewritten(/** @type {Ctx} */ ctx, /** @type {Dot} */ dot, /** @type {{x: number, y: number}} */ spot, /** @type {number} */ size, /** @type {Tokens} */ tokens) {
  const mark = dot.way.marks.findLast((one) => one.nat !== "" && one.at <= dot.gone);
  if (!mark) return;
  const fresh = Math.max(0, 1 - (dot.gone - mark.at) / FRESH);
  const colour = tokens[mark.nat === "snat" ? "kind-egress" : "kind-service"];
  ctx.globalAlpha = 0.4 + 0.6 * fresh;
  ring(ctx, spot, size * (1.5 + 0.3 * fresh), colour, 1.2 + fresh);
  ring(ctx, spot, size * (1.95 + 0.7 * fresh), colour, 0.9 + 0.6 * fresh);
  ctx.globalAlpha = 1;
}
