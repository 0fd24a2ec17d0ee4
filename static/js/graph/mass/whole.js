/** The whole big cluster drawn once, for a file: vectors throughout, words as large as where everything is in view. */
import { LOOK } from "../../model/cells.js";
import { NODE, POD, slotAt, traySlot } from "../../model/masslayout.js";
import { roundRect } from "../text.js";
import { drawGround } from "./ground.js";
import { blend } from "./palette.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../tokens.js").Tokens} Tokens */
/** @typedef {import("./world.js").World} World */

/** More pods than this make a file nobody can open: then each node shows how busy its pods are together, and every pod in trouble. */
const EACH = 20000;

/** @param {Tokens} tokens @returns {string[]} by look */
function coloursOf(tokens) {
  const heat = Array.from({ length: 8 }, (_, i) => tokens[`heat-${i}`]);
  return ["", ...heat, tokens["state-pending"], tokens["state-failing"], tokens["text-third"], tokens["stripe-quiet"]];
}

/** @param {Ctx} ctx in units @param {import("./ground.js").Ground} ground @param {World} world @param {Tokens} tokens */
export function drawWhole(ctx, ground, world, tokens) {
  const { frame, scale, zones, bounds } = world.layout;
  roundRect(ctx, frame.x, frame.y, frame.w, frame.h, 18 * scale);
  ctx.fillStyle = tokens.cluster;
  ctx.fill();
  for (const zone of zones) {
    roundRect(ctx, zone.x, zone.y, zone.w, zone.h, 10 * scale);
    ctx.fillStyle = blend(tokens.cluster, tokens.page, 0.5);
    ctx.fill();
  }
  const each = (world.mass.counts.pods ?? 0) <= EACH;
  world.mass.nodes.forEach((node, i) => { if (node) drawNode(ctx, world, i, tokens, each); });
  drawTray(ctx, world, tokens);
  ctx.save();
  ctx.scale(scale, scale);
  drawGround(ctx, ground, { x: 0, y: 0, zoom: 1 / scale }, { w: (bounds.x + bounds.w) / scale, h: (bounds.y + bounds.h) / scale }, tokens);
  ctx.restore();
}

/** @param {Ctx} ctx @param {World} world @param {number} index @param {Tokens} tokens @param {boolean} each */
function drawNode(ctx, world, index, tokens, each) {
  const { layout, cells, mass } = world;
  const colours = coloursOf(tokens);
  const [x, y, { w, h }] = [layout.x[index], layout.y[index], layout.step];
  const looks = cells.look.subarray(index * cells.capacity, (index + 1) * cells.capacity);
  const running = looks.filter((look) => look >= LOOK.heat && look < LOOK.pending);
  const mean = running.length ? Math.round(running.reduce((sum, look) => sum + look - LOOK.heat, 0) / running.length) : 0;
  roundRect(ctx, x, y, w, h, 14);
  ctx.fillStyle = each || !running.length ? tokens.panel : colours[LOOK.heat + mean];
  ctx.fill();
  ctx.strokeStyle = mass.nodes[index]?.ready ? tokens.border : tokens["state-failing"];
  ctx.lineWidth = mass.nodes[index]?.ready ? 2 : 8;
  ctx.stroke();
  looks.forEach((look, slot) => {
    if (!look || !(each || look === LOOK.failing || look === LOOK.pending)) return;
    const at = slotAt(layout.step, slot);
    mark(ctx, { x: x + at.x, y: y + at.y, w: POD.w, h: POD.h }, look, colours, layout.scale);
  });
  if (!each) return;
  ctx.fillStyle = tokens.text;
  ctx.font = `650 26px ${tokens.words}`;
  ctx.textAlign = "left";
  ctx.fillText(mass.nodes[index]?.name ?? "", x + NODE.pad, y + 32);
}

/** What fails is seen in the smallest print. @param {Ctx} ctx @param {{x: number, y: number, w: number, h: number}} box @param {number} look @param {string[]} colours @param {number} scale */
function mark(ctx, box, look, colours, scale) {
  const least = look === LOOK.failing || look === LOOK.pending ? 4 * scale : 0;
  const [w, h] = [Math.max(box.w, least), Math.max(box.h, least)];
  ctx.fillStyle = colours[look];
  if (look !== LOOK.failing || w === box.w) roundRect(ctx, box.x + (box.w - w) / 2, box.y + (box.h - h) / 2, w, h, 7);
  else {
    ctx.beginPath();
    ctx.arc(box.x + box.w / 2, box.y + box.h / 2, w / 2, 0, Math.PI * 2);
  }
  ctx.fill();
}

/** @param {Ctx} ctx @param {World} world @param {Tokens} tokens */
function drawTray(ctx, { layout, cells }, tokens) {
  const { tray } = layout;
  if (!tray) return;
  const colours = coloursOf(tokens);
  cells.look.subarray(cells.trayAt).forEach((look, slot) => { if (look) mark(ctx, traySlot(tray, slot), look, colours, layout.scale); });
}
