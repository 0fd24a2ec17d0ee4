/** The whole picture as it is now, drawn once more: into an SVG file, or into a PNG of twice the size. */
import { STEPS } from "../model/pace.js";
import { rounded, simplify } from "../model/polyline.js";
import { LEVEL } from "./nearness.js";
import { paintOver } from "./overlay.js";
import { LINES } from "./style.js";
import { SvgContext } from "./svg.js";
import { forgetText } from "./text.js";
import { kindColour, thickness } from "./tokens.js";

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {CanvasRenderingContext2D} Ctx */

/** Browsers give no larger canvas; a larger picture is drawn smaller. */
const SIDE = 8192;
const CLASSES = { faded: 0.07, near: 0.95 };

/** @param {Picture} picture @param {string} title @returns {string} */
export function svgOf(picture, title) {
  const ruler = /** @type {Ctx} */ (document.createElement("canvas").getContext("2d"));
  const ctx = new SvgContext((font, text) => {
    ruler.font = font;
    return ruler.measureText(text).width;
  });
  drawAll(/** @type {any} */ (ctx), picture);
  return ctx.document(boundsOf(picture), title, picture.tokens.page);
}

/** @param {Picture} picture @param {number} scale pixels of the file per pixel of the picture @returns {Promise<Blob>} */
export function pngOf(picture, scale) {
  const { x, y, w, h } = boundsOf(picture);
  const ratio = Math.min(scale, SIDE / w, SIDE / h);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(w * ratio), Math.round(h * ratio)];
  const ctx = /** @type {Ctx} */ (canvas.getContext("2d"));
  ctx.setTransform(ratio, 0, 0, ratio, -x * ratio, -y * ratio);
  ctx.fillStyle = picture.tokens.page;
  ctx.fillRect(x, y, w, h);
  drawAll(ctx, picture);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser could not write the PNG."))), "image/png");
  });
}

/** @param {Picture} picture */
function boundsOf({ layout }) {
  if (!layout) throw new Error("There is no picture yet.");
  return layout.bounds;
}

/** @param {Ctx} ctx @param {Picture} picture */
function drawAll(ctx, picture) {
  forgetText();
  const scene = { ...picture.scene(), near: { level: LEVEL.middle, inside: null, afar: null } };
  scene.paint(ctx, boundsOf(picture), 1, scene, picture.tokens);
  drawLines(ctx, picture);
  drawChosen(ctx, picture);
  paintOver(ctx, picture, 1, STEPS[0].trail, null);
}

/** @param {Ctx} ctx @param {Picture} picture */
function drawLines(ctx, { cy, lines, tokens }) {
  for (const line of lines.values()) {
    const edge = cy.getElementById(line.id);
    if (edge.empty()) continue;
    const { width, dash } = LINES[line.style] ?? LINES.local;
    const known = Object.entries(CLASSES).find(([name]) => edge.hasClass(name));
    ctx.globalAlpha = edge.selected() ? 1 : known?.[1] ?? 0.34;
    ctx.strokeStyle = kindColour(tokens, line.style);
    ctx.lineWidth = (edge.selected() ? 4 : width) * thickness(tokens);
    ctx.setLineDash(dash);
    ctx.beginPath();
    for (const [i, [x, y]] of rounded(simplify(line.points), 10).entries()) i ? ctx.lineTo(x, y) : ctx.moveTo(x, y);
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** The frame around what is selected. @param {Ctx} ctx @param {Picture} picture */
function drawChosen(ctx, { cy, layout, tokens }) {
  ctx.strokeStyle = tokens["kind-traced"];
  ctx.lineWidth = 3.5;
  for (const node of cy.nodes(":selected, .marked")) {
    const box = layout?.boxes.get(node.id());
    if (!box) continue;
    ctx.beginPath();
    ctx.roundRect(box.x, box.y, box.w, box.h, 10);
    ctx.stroke();
  }
}
