/** The packet canvas: glyphs, trails, rings and crosses; pointer events pass through it. */
import { at } from "../model/polyline.js";
import { ending, phase, place, stops } from "../model/packets.js";
import { kindColour, thickness } from "./tokens.js";

/** @typedef {import("../model/packets.js").Dot} Dot */
/** @typedef {import("./tokens.js").Tokens} Tokens */
/** @typedef {CanvasRenderingContext2D} Ctx */

const STEP = 8;
/** px of the canvas beyond which a packet is not seen. */
const MARGIN = 60;
/** px after which a rewrite is old news. */
const FRESH = 160;

/** @typedef {{zoom: number, trail: number, shown: (dot: Dot) => boolean}} How `trail`: segments behind each packet */
/** @typedef {import("./sprites.js").Look} Look */
/** @typedef {{x: number, y: number, angle: number}} Spot */

/** @param {Tokens} tokens @param {number} zoom @returns {number} how large a packet is in the picture */
export function sizeAt(tokens, zoom) {
  return Math.max(6, 3.7 / Math.max(0.3, zoom)) * Number(tokens["picture-words"] || 1);
}

/**
 * Every packet as shapes, for a file.
 * @param {Ctx} ctx @param {Dot[]} dots @param {Tokens} tokens @param {How} how
 */
export function drawDots(ctx, dots, tokens, { zoom, trail, shown }) {
  const size = sizeAt(tokens, zoom);
  for (const dot of dots) {
    if (dot.wait > 0 || !shown(dot)) continue;
    const spot = at(dot.way.path, place(dot));
    if (dot.ended === 0) {
      ctx.save();
      ctx.translate(spot.x, spot.y);
      paintLook(ctx, lookOf(dot, spot, trail, tokens), size);
      ctx.restore();
    }
    drawNews(ctx, dot, spot, size, tokens);
  }
  ctx.globalAlpha = 1;
}

/**
 * Every packet as a stamp, for the screen.
 * @param {Ctx} ctx @param {Dot[]} dots @param {Tokens} tokens @param {How} how @param {import("./sprites.js").Sprites} sprites
 */
export function stampDots(ctx, dots, tokens, { zoom, trail, shown }, sprites) {
  const size = sizeAt(tokens, zoom);
  const { a: scale, e: left, f: top } = ctx.getTransform();
  const { width, height } = ctx.canvas;
  sprites.aim(scale, size);
  /** @type {[Dot, Spot][]} */
  const news = [];
  ctx.save();
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  for (const dot of dots) {
    if (dot.wait > 0 || !shown(dot)) continue;
    const spot = at(dot.way.path, place(dot));
    const [x, y] = [spot.x * scale + left, spot.y * scale + top];
    if (x < -MARGIN || y < -MARGIN || x > width + MARGIN || y > height + MARGIN) continue;
    if (dot.ended === 0) {
      const sprite = sprites.of(lookOf(dot, spot, trail, tokens));
      ctx.drawImage(sprite.image, Math.round(x) - sprite.x, Math.round(y) - sprite.y);
    }
    if (dot.ended > 0 || freshness(dot) > 0) news.push([dot, spot]);
  }
  ctx.restore();
  for (const [dot, spot] of news) drawNews(ctx, dot, spot, size, tokens);
  ctx.globalAlpha = 1;
}

/** @param {Dot} dot @param {Spot} spot @param {number} trail segments @param {Tokens} tokens @returns {Look} */
function lookOf(dot, spot, trail, tokens) {
  const { kind, encapsulated } = phase(dot.way, dot.gone);
  const bad = stops(dot.route);
  const glyph = dot.reply ? "reply" : dot.route.effect === "refused" ? "refused" : bad ? "blocked" : kind;
  const nat = bad || dot.reply ? null : rewrite(dot);
  return {
    glyph, colour: kindColour(tokens, dot.reply ? "local" : bad ? "blocked" : kind), angle: spot.angle, shell: encapsulated && !bad, ground: tokens.cluster, rim: tokens["kind-pod"],
    trail: straight(dot, spot, trail * STEP * (dot.reply ? 2 : 1)), every: dot.reply ? 2 : 1, ring: nat ? tokens[nat.nat === "snat" ? "kind-egress" : "kind-service"] : "",
  };
}

/** How long a straight trail can be here: all of it, half of it, or none just behind a corner. @param {Dot} dot @param {Spot} spot @param {number} wanted */
function straight(dot, spot, wanted) {
  const length = place(dot);
  for (const share of wanted ? [1, 0.5, 0.25] : []) {
    const back = wanted * share;
    if (length < back) continue;
    const tail = at(dot.way.path, length - back);
    if (Math.hypot(spot.x - tail.x, spot.y - tail.y) > back * 0.98) return back;
  }
  return 0;
}

/** A packet and its straight trail at 0,0. @param {Ctx} ctx @param {Look} look @param {number} size */
export function paintLook(ctx, look, size) {
  const [dx, dy] = [Math.cos(look.angle), Math.sin(look.angle)];
  const segments = Math.max(1, Math.round(look.trail / STEP));
  ctx.strokeStyle = look.colour;
  ctx.lineCap = "round";
  for (let i = 0; look.trail > 0 && i < segments; i += look.every) {
    const faded = i / segments;
    ctx.globalAlpha = 0.65 * (1 - faded);
    ctx.lineWidth = size * (0.66 - faded * 0.45);
    ctx.beginPath();
    ctx.moveTo(-dx * i * STEP, -dy * i * STEP);
    ctx.lineTo(-dx * (i + 1) * STEP, -dy * (i + 1) * STEP);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  const spot = { x: 0, y: 0, angle: look.angle };
  if (look.shell) shell(ctx, spot, size, look);
  glyph(ctx, look.glyph, spot, look.colour, size);
  if (!look.ring) return;
  ctx.globalAlpha = 0.32;
  ring(ctx, spot, size * 1.5, look.ring, 1.2);
  ring(ctx, spot, size * 1.95, look.ring, 0.9);
  ctx.globalAlpha = 1;
}

/** The last rewrite of its addresses so far. @param {Dot} dot */
function rewrite(dot) {
  return dot.way.marks.findLast((one) => one.nat !== "" && one.at <= dot.gone) ?? null;
}

/** 1 at the moment of a rewrite, 0 when it is old news. @param {Dot} dot */
function freshness(dot) {
  const mark = stops(dot.route) || dot.reply ? null : rewrite(dot);
  return mark ? Math.max(0, 1 - (dot.gone - mark.at) / FRESH) : 0;
}

/** What happens to a packet right now: its end, or a rewrite. @param {Ctx} ctx @param {Dot} dot @param {Spot} spot @param {number} size @param {Tokens} tokens */
function drawNews(ctx, dot, spot, size, tokens) {
  if (dot.ended > 0) drawEnd(ctx, dot, spot, kindColour(tokens, "blocked"), size);
  const fresh = freshness(dot);
  const mark = fresh > 0 ? rewrite(dot) : null;
  if (!mark) return;
  const colour = tokens[mark.nat === "snat" ? "kind-egress" : "kind-service"];
  ctx.globalAlpha = fresh;
  ring(ctx, spot, size * (1.5 + 0.3 * fresh), colour, 1.2 + fresh);
  ring(ctx, spot, size * (1.95 + 0.7 * fresh), colour, 0.9 + 0.6 * fresh);
  ctx.globalAlpha = 1;
}

/** The ways replies take, dashed. @param {Ctx} ctx @param {Iterable<import("../model/lines.js").Way|null>} ways @param {Tokens} tokens */
export function drawReplies(ctx, ways, tokens) {
  ctx.strokeStyle = tokens["kind-local"];
  ctx.lineWidth = 1.6 * thickness(tokens);
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
  } else if (kind === "blocked" || kind === "refused" || kind === "reply") {
    if (kind === "blocked") cross(ctx, r);
    else hollow(ctx, kind === "reply" ? r * 0.9 : r);
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
function shell(/** @type {Ctx} */ ctx, /** @type {{x: number, y: number}} */ spot, /** @type {number} */ size, /** @type {Look} */ look) {
  ctx.beginPath();
  ctx.roundRect(spot.x - size * 2.1, spot.y - size * 1.5, size * 4.2, size * 3, size * 0.8);
  ctx.fillStyle = look.ground;
  ctx.fill();
  ctx.strokeStyle = look.rim;
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
