/** What moves in a big cluster: dots on the trunks, packets of what is watched, and the traced packet; sizes are those of the screen. */
import { LEVELS } from "../../model/lod.js";
import { place } from "../../model/packets.js";
import { at, table } from "../../model/polyline.js";
import { paintOver } from "../overlay.js";
import { aim, fitCanvas } from "../scene.js";
import { roundRect } from "../text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("./picture.js").MassPicture} MassPicture */
/** @typedef {{x: number, y: number, zoom: number}} Camera */

/** @param {HTMLCanvasElement} canvas @param {MassPicture} picture @param {Camera} camera */
export function drawOver(canvas, picture, camera) {
  const ctx = /** @type {Ctx} */ (canvas.getContext("2d"));
  const ratio = fitCanvas(canvas);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  if (!picture.world) return;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawRings(ctx, picture, camera);
  if (picture.spot) drawTraced(ctx, picture, camera);
  else if (!picture.trunked || (picture.still && picture.level >= LEVELS.pods)) {
    aim(ctx, camera, ratio);
    paintOver(ctx, /** @type {any} */ (picture), camera.zoom, picture.gesture ? 0 : picture.loop.pace.step.trail);
  } else if (!picture.still) drawTrunkDots(ctx, picture, camera);
}

/** What is under the pointer, and what is chosen. @param {Ctx} ctx @param {MassPicture} picture @param {Camera} camera */
function drawRings(ctx, picture, camera) {
  const { tokens } = picture;
  for (const [id, colour, width] of /** @type {[string, string, number][]} */ ([[picture.under, tokens["text-third"], 2], [picture.selected, tokens["kind-traced"], 3], ...[...picture.marked].map((one) => [one, tokens["kind-traced"], 2])])) {
    const box = id && screenOf(picture, id, camera);
    if (!box || box.x > 10000) continue;
    roundRect(ctx, box.x - 2, box.y - 2, box.w + 4, box.h + 4, Math.min(10, box.h * 0.2 + 2));
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke();
  }
}

/** At least large enough to be seen. @param {MassPicture} picture @param {string} id @param {Camera} camera */
function screenOf(picture, id, { x, y, zoom }) {
  const box = picture.layout?.boxes.get(id);
  if (!box) return null;
  const [w, h] = [Math.max(9, box.w * zoom), Math.max(9, box.h * zoom)];
  return { id, kind: box.kind, x: (box.x + box.w / 2) * zoom + x - w / 2, y: (box.y + box.h / 2) * zoom + y - h / 2, w, h };
}

/** @param {Ctx} ctx @param {MassPicture} picture @param {Camera} camera */
function drawTrunkDots(ctx, { flows, tokens }, { x, y, zoom }) {
  for (const dot of flows.dots) {
    if (dot.wait > 0) continue;
    const spot = at(dot.way.path, place(dot));
    const bad = dot.route.effect === "dropped";
    const [px, py] = [spot.x * zoom + x, spot.y * zoom + y];
    ctx.fillStyle = bad ? tokens["state-failing"] : tokens["kind-traced"];
    ctx.globalAlpha = dot.ended ? Math.max(0, 1 - dot.ended / 900) : 1;
    ctx.beginPath();
    if (bad) ctx.rect(px - 3, py - 3, 6, 6);
    else ctx.arc(px, py, 2.2, 0, Math.PI * 2);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

/** The same light as in a small cluster, with everything measured on the screen. @param {Ctx} ctx @param {MassPicture} picture @param {Camera} camera */
function drawTraced(ctx, picture, camera) {
  const spot = /** @type {any} */ (picture.spot);
  const { x, y, zoom } = camera;
  const moved = (/** @type {any} */ way) => way && { ...way, path: table(way.path.points.map((/** @type {number[]} */ [px, py]) => [px * zoom + x, py * zoom + y])) };
  const width = picture.surfaces.graph.clientWidth;
  const layout = { boxes: { get: (/** @type {string} */ id) => screenOf(picture, id, camera) ?? undefined }, frame: { x: 0, y: 0, w: width, h: 0 } };
  spot.draw(ctx, { ...spot, way: moved(spot.way), back: moved(spot.back) }, picture.reached * zoom, picture.tokens, layout, picture.docked, { top: 0, right: width, larger: picture.wordScale({ w: width, h: innerHeight }) });
}
