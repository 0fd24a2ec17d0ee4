/** The scene canvas: everything that stands still, drawn under Cytoscape with the same camera. */
import { SIZE } from "../model/layout.js";
import { drawNode, drawOutside, drawPod, drawService, FAR } from "./cards.js";
import { LEVEL } from "./nearness.js";
import { plate, roundRect, write } from "./text.js";

/** @typedef {import("../model/layout.js").Layout} Layout */
/** @typedef {import("./tokens.js").Tokens} Tokens */
/** @typedef {{x: number, y: number, zoom: number}} Camera */
/** @typedef {{layout: Layout, entities: Map<string, any>, settings: any, dimmed: (id: string) => boolean, paint: Paint, near: Pick<import("./nearness.js").Nearness, "level"|"inside"|"afar">}} Scene */
/** @typedef {(ctx: CanvasRenderingContext2D, view: import("../model/layout.js").Rect, zoom: number, scene: Scene, tokens: Tokens) => number} Paint what stands still, as the view shows it */


/** @param {HTMLCanvasElement} canvas @returns {number} device pixels per CSS pixel, at most 2 */
export function fitCanvas(canvas) {
  const ratio = Math.min(2, devicePixelRatio || 1);
  const [w, h] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  return ratio;
}

/** @param {CanvasRenderingContext2D} ctx @param {Camera} camera @param {number} ratio */
export function aim(ctx, camera, ratio) {
  ctx.setTransform(camera.zoom * ratio, 0, 0, camera.zoom * ratio, camera.x * ratio, camera.y * ratio);
}

/** @param {HTMLCanvasElement} canvas @param {Camera} camera @param {Scene} scene @param {Tokens} tokens @returns {number} where the title ends */
export function drawScene(canvas, camera, scene, tokens) {
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const ratio = fitCanvas(canvas);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.globalAlpha = 1;
  ctx.fillStyle = tokens.page;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  aim(ctx, camera, ratio);
  const view = { x: -camera.x / camera.zoom, y: -camera.y / camera.zoom, w: canvas.width / ratio / camera.zoom, h: canvas.height / ratio / camera.zoom };
  drawGrid(ctx, view, tokens, camera.zoom);
  return scene.paint(ctx, view, camera.zoom, scene, tokens);
}

/**
 * Everything that stands still, without the ground it stands on.
 * @param {CanvasRenderingContext2D} ctx @param {import("../model/layout.js").Rect} view what is seen @param {number} zoom @param {Scene} scene @param {Tokens} tokens
 * @returns {number} where the title ends
 */
export function paint(ctx, view, zoom, scene, tokens) {
  const far = farness(scene, tokens);
  const title = drawFrame(ctx, scene, tokens, far);
  drawBuses(ctx, scene, tokens, far);
  drawThings(ctx, scene, tokens, view, zoom);
  drawHeadings(ctx, scene, tokens, far);
  ctx.globalAlpha = 1;
  return title;
}

/** For a projector words are written as if from afar: fewer and larger. @param {Scene} scene @param {Tokens} tokens @returns {number} how small names may become there, 0 where words are the usual ones */
function farness({ near: { level } }, tokens) {
  return level <= LEVEL.far ? 22 : level === LEVEL.middle && Number(tokens["picture-words"]) > 1 ? FAR.plain : 0;
}

/** @param {CanvasRenderingContext2D} ctx @param {import("../model/layout.js").Rect} view @param {Tokens} tokens @param {number} zoom */
function drawGrid(ctx, view, tokens, zoom) {
  const step = zoom < 0.35 ? 80 : 40;
  ctx.fillStyle = tokens.grid;
  for (let x = Math.floor(view.x / step) * step; x < view.x + view.w; x += step) {
    for (let y = Math.floor(view.y / step) * step; y < view.y + view.h; y += step) ctx.fillRect(x, y, 2, 2);
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {Tokens} tokens @param {number} far @returns {number} where the title ends */
function drawFrame(ctx, { layout, settings }, tokens, far) {
  const { frame } = layout;
  plate(ctx, frame, 18, tokens.cluster, tokens.border, 1.8);
  const width = write(ctx, "CLUSTER", SIZE.margin, 38, 140, { size: far ? FAR.address : 19, weight: 650, family: tokens.words, colour: tokens["text-second"] });
  const told = write(ctx, `one flat network ${settings.cluster_cidr ?? ""}`, SIZE.margin + width + 14, 38, 400,
    { size: far ? FAR.address : 18, family: tokens.words, colour: tokens["text-third"] });
  ctx.save();
  const height = layout.lane.rows * (SIZE.hex.h + SIZE.laneRow) - SIZE.laneRow;
  ctx.translate(SIZE.margin + 12, layout.lane.y + height / 2);
  ctx.rotate(-Math.PI / 2);
  const small = far > 0 || height < 120;
  if (!far || height > 100) write(ctx, small ? "SERVICES" : "SERVICES (VIRTUAL)", 0, 0, height + 18,
    { size: far ? FAR.plain : 16, least: 13, weight: 600, family: tokens.words, colour: tokens["text-third"], align: "center" });
  ctx.restore();
  if (!layout.slots.lane.size) write(ctx, "No Services: pods are called by their own addresses.", SIZE.margin + SIZE.laneLabel + 14, layout.lane.y + SIZE.hex.h / 2 + 6, frame.w - 2 * SIZE.margin - SIZE.laneLabel,
    { size: far ? FAR.plain : 18, least: 14, family: tokens.words, colour: tokens["text-third"] });
  return SIZE.margin + width + 14 + told;
}

/** @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {Tokens} tokens @param {number} far */
function drawBuses(ctx, { layout, settings }, tokens, far) {
  const size = far ? FAR.plain : 16;
  layout.rows.forEach(({ bus }, row) => {
    plate(ctx, bus, 12, tokens.bus, tokens.border, 1.5);
    const width = write(ctx, "NODE NETWORK", bus.x + 18, bus.y + bus.h - 9, 240, { size, weight: 650, family: tokens.words, colour: tokens["text-second"] });
    write(ctx, settings.node_cidr ?? "", bus.x + 32 + width, bus.y + bus.h - 9, 240, { size, family: tokens.code, colour: tokens["text-third"] });
    if ((settings.network ?? "vxlan") === "vxlan" && layout.panels.size > 1) drawTube(ctx, layout, row, tokens, far ? FAR.plain : 16);
  });
}

/** Room for the tunnel's name at its left end, where no packet passes. */
const LABEL = 78;

/** The overlay: a tunnel that lies in the node network, from the first node of a row to its last. */
function drawTube(/** @type {CanvasRenderingContext2D} */ ctx, /** @type {Layout} */ layout, /** @type {number} */ row, /** @type {Tokens} */ tokens, /** @type {number} */ size) {
  const panels = [...layout.panels.values()].filter((p) => p.row === row);
  if (!panels.length) return;
  const { bus } = layout.rows[row];
  const centres = panels.map((p) => p.socket.x + p.socket.w / 2);
  const [left, right] = [Math.min(...centres) - 58 - LABEL, layout.rows.length > 1 ? bus.x + bus.w + 14 : Math.max(...centres) + 58];
  roundRect(ctx, left, bus.y + 7, right - left, 30, 15);
  ctx.save();
  ctx.globalAlpha *= tokens.dark ? 0.16 : 0.12;
  ctx.fillStyle = tokens["kind-pod"];
  ctx.fill();
  ctx.restore();
  ctx.strokeStyle = tokens["kind-pod"];
  ctx.lineWidth = 1.4;
  ctx.save();
  ctx.globalAlpha *= 0.7;
  ctx.stroke();
  ctx.restore();
  write(ctx, "VXLAN", left + 14 + LABEL / 2, bus.y + 22 + size * 0.36, 84, { size, weight: 650, family: tokens.words, colour: tokens["text-pod"], align: "center" });
}

/** @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {Tokens} tokens @param {import("../model/layout.js").Rect} view @param {number} zoom */
function drawThings(ctx, scene, tokens, view, zoom) {
  const { layout, entities, near } = scene;
  const { level } = near;
  const [inside, afar] = [level === LEVEL.near ? near.inside : null, level === LEVEL.afar ? near.afar : null];
  const far = farness(scene, tokens);
  if (layout.tray) drawTray(ctx, layout.tray, tokens);
  const shade = (/** @type {string} */ id) => { ctx.globalAlpha = scene.dimmed(id) ? 0.28 : 1; };
  for (const [id, panel] of layout.panels) {
    ctx.globalAlpha = scene.dimmed(id) ? 0.55 : 1;
    if (!seen(panel.box, view)) continue;
    const node = entities.get(id) ?? {};
    if (afar) afar.drawNode(ctx, panel, node, scene, tokens, zoom);
    else drawNode(ctx, panel, node, tokens, far, inside ? () => inside.node(ctx, panel, node, tokens, scene) : undefined);
  }
  for (const [id, box] of layout.boxes) {
    const entity = entities.get(id);
    if (!entity || box.kind === "node" || !seen(box, view)) continue;
    shade(id);
    if (box.kind === "pod" && inside) inside.pod(ctx, box, entity, tokens, scene);
    else if (box.kind === "pod" && afar) afar.drawPod(ctx, box, entity, tokens, zoom);
    else if (box.kind === "pod") drawPod(ctx, box, entity, tokens, far);
    else if (["service", "ingress", "gateway"].includes(box.kind)) drawService(ctx, box, entity, tokens, far);
    else drawOutside(ctx, box, entity, tokens, box.x < 0, far);
  }
  ctx.globalAlpha = 1;
}

/** @param {import("../model/layout.js").Rect} box @param {import("../model/layout.js").Rect} view */
function seen(box, view) {
  return box.x < view.x + view.w && box.x + box.w > view.x && box.y < view.y + view.h + 60 && box.y + box.h + 60 > view.y;
}

/** @param {CanvasRenderingContext2D} ctx @param {import("../model/layout.js").Rect} tray @param {Tokens} tokens */
function drawTray(ctx, tray, tokens) {
  roundRect(ctx, tray.x, tray.y, tray.w, tray.h, 12);
  ctx.strokeStyle = tokens.pending;
  ctx.lineWidth = 1.4;
  ctx.setLineDash([6, 5]);
  ctx.stroke();
  ctx.setLineDash([]);
  write(ctx, "Pending", tray.x + 18, tray.y + 34, 96, { size: 17, weight: 650, family: tokens.words, colour: tokens.pending });
  write(ctx, "on no node", tray.x + 18, tray.y + 56, 96, { size: 16, family: tokens.words, colour: tokens["text-third"] });
}

/** @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {Tokens} tokens @param {number} far */
function drawHeadings(ctx, { layout }, tokens, far) {
  const type = { size: far ? FAR.address : 18, weight: 650, family: tokens.words, colour: tokens["text-second"], align: /** @type {CanvasTextAlign} */ ("center") };
  const y = 190;
  if (layout.slots.left.size) write(ctx, "INTERNET", -SIZE.sideGap - SIZE.side.w / 2, y, 200, type);
  if (layout.slots.right.size) write(ctx, "EXTERNAL", layout.frame.w + SIZE.sideGap + SIZE.side.w / 2, y, 200, type);
}
