/**
 * Draws one tile of the mass picture into pixels: surfaces, nodes, and a small block for every pod. Plain
 * arithmetic on an array, so that it runs in a worker, on the page and in a test alike, and to the same bytes.
 */
import { NODE, places, POD } from "./masslayout.js";
import { LOOK } from "./cells.js";

export const TILE = 512;
export const LEAST = -6;
export const MOST = 1;
/** px of a failing pod's mark in a tile: at the smallest scale a tile is shown it is still 5 px wide. */
const MARK = 8.6;
/** The smallest scale a tile is shown at, before the next level takes over. */
export const SHRUNK = 0.595;
const WAIT_MARK = 5;

/** @typedef {{r: number, g: number, b: number}} Colour */
/**
 * @typedef {object} Palette colours as 0xAABBGGRR, as an ImageData of a little-endian machine holds them
 * @property {number} page
 * @property {number} cluster
 * @property {number} zone
 * @property {number} panel
 * @property {number} head
 * @property {number} border
 * @property {number} broken border of a node that is not ready
 * @property {number} closed border of a node that takes no new pods
 * @property {number} empty
 * @property {Uint32Array} looks colour by look
 */
/** @typedef {{layout: import("./masslayout.js").MassLayout, look: Uint8Array, capacity: number, trayAt: number, ready: Uint8Array, palette: Palette}} World ready: 1 by node, 2 takes no new pods, 0 not ready */

/** @param {number} zoom device pixels per unit @returns {number} the level of the tiles to show */
export function tileLevel(zoom) {
  return Math.max(LEAST, Math.min(MOST, Math.ceil(Math.log2(zoom / (2 * SHRUNK)))));
}

/** @param {number} level @param {number} tx @param {number} ty @returns {import("./masslayout.js").Rect} what a tile covers */
export function tileRect(level, tx, ty) {
  const size = TILE / 2 ** level;
  return { x: tx * size, y: ty * size, w: size, h: size };
}

/** How far a mark may reach over the edge of its place, in units. */
export function reach(/** @type {number} */ level) {
  return Math.ceil(MARK / 2 ** level);
}

/** A tile under the brush: where it is, how large a unit is, and the pixels. */
class Brush {
  /** @param {Uint32Array} pixels @param {number} scale @param {import("./masslayout.js").Rect} rect */
  constructor(pixels, scale, rect) {
    this.pixels = pixels;
    this.scale = scale;
    this.rect = rect;
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h in units @param {number} colour */
  box(x, y, w, h, colour) {
    const { scale, rect } = this;
    this.fill((x - rect.x) * scale, (y - rect.y) * scale, (x + w - rect.x) * scale, (y + h - rect.y) * scale, colour);
  }

  /** A rectangle in pixels, edges in between blended by how much of the pixel they cover. */
  fill(/** @type {number} */ x0, /** @type {number} */ y0, /** @type {number} */ x1, /** @type {number} */ y1, /** @type {number} */ colour) {
    if (x1 <= 0 || y1 <= 0 || x0 >= TILE || y0 >= TILE) return;
    const [left, top, right, bottom] = [Math.max(0, x0), Math.max(0, y0), Math.min(TILE, x1), Math.min(TILE, y1)];
    const [c0, c1, r0, r1] = [Math.floor(left), Math.ceil(right), Math.floor(top), Math.ceil(bottom)];
    for (let row = r0; row < r1; row += 1) {
      const high = Math.min(row + 1, bottom) - Math.max(row, top);
      const at = row * TILE;
      if (high > 0.999 && c0 === left && c1 === right) this.pixels.fill(colour, at + c0, at + c1);
      else for (let column = c0; column < c1; column += 1) this.mix(at + column, colour, high * (Math.min(column + 1, right) - Math.max(column, left)));
    }
  }

  /** @param {number} at @param {number} colour @param {number} share */
  mix(at, colour, share) {
    if (share > 0.996) {
      this.pixels[at] = colour;
      return;
    }
    const s = Math.round(share * 256);
    const before = this.pixels[at];
    const pair = before & 0xff00ff;
    const green = before & 0xff00;
    const odd = (pair + ((((colour & 0xff00ff) - pair) * s) >> 8)) & 0xff00ff;
    this.pixels[at] = (0xff000000 | odd | ((green + ((((colour & 0xff00) - green) * s) >> 8)) & 0xff00)) >>> 0;
  }

  /** A disc in pixels. */
  disc(/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ r, /** @type {number} */ colour) {
    const [c0, c1] = [Math.max(0, Math.floor(x - r - 1)), Math.min(TILE, Math.ceil(x + r + 1))];
    const [r0, r1] = [Math.max(0, Math.floor(y - r - 1)), Math.min(TILE, Math.ceil(y + r + 1))];
    for (let row = r0; row < r1; row += 1) {
      for (let column = c0; column < c1; column += 1) {
        const share = r + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y);
        if (share > 0) this.mix(row * TILE + column, colour, Math.min(1, share));
      }
    }
  }

  /** A box with round corners in units, `radius` too; corners are blended. */
  round(/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ w, /** @type {number} */ h, /** @type {number} */ radius, /** @type {number} */ colour) {
    const { scale, rect } = this;
    const r = Math.min(radius, w / 2, h / 2) * scale;
    if (r < 1) return this.box(x, y, w, h, colour);
    const [x0, y0] = [(x - rect.x) * scale, (y - rect.y) * scale];
    const [x1, y1] = [x0 + w * scale, y0 + h * scale];
    if (x1 <= 0 || y1 <= 0 || x0 >= TILE || y0 >= TILE) return undefined;
    this.fill(x0 + r, y0, x1 - r, y0 + r, colour);
    this.fill(x0, y0 + r, x1, y1 - r, colour);
    this.fill(x0 + r, y1 - r, x1 - r, y1, colour);
    for (const [cx, cy, dx, dy] of [[x0 + r, y0 + r, -1, -1], [x1 - r, y0 + r, 1, -1], [x0 + r, y1 - r, -1, 1], [x1 - r, y1 - r, 1, 1]]) this.corner(cx, cy, dx, dy, r, colour);
    return undefined;
  }

  /** A quarter of a disc, from its middle outwards. */
  corner(/** @type {number} */ cx, /** @type {number} */ cy, /** @type {number} */ dx, /** @type {number} */ dy, /** @type {number} */ r, /** @type {number} */ colour) {
    const [left, right] = dx < 0 ? [cx - r, cx] : [cx, cx + r];
    const [top, bottom] = dy < 0 ? [cy - r, cy] : [cy, cy + r];
    const [c0, c1] = [Math.max(0, Math.floor(left)), Math.min(TILE, Math.ceil(right))];
    const [r0, r1] = [Math.max(0, Math.floor(top)), Math.min(TILE, Math.ceil(bottom))];
    for (let row = r0; row < r1; row += 1) {
      const high = Math.min(row + 1, bottom) - Math.max(row, top);
      for (let column = c0; column < c1; column += 1) {
        const wide = Math.min(column + 1, right) - Math.max(column, left);
        const share = Math.min(1, r + 0.5 - Math.hypot(column + 0.5 - cx, row + 0.5 - cy)) * high * wide;
        if (share > 0) this.mix(row * TILE + column, colour, share);
      }
    }
  }
}

/**
 * @param {World} world @param {number} level @param {number} tx @param {number} ty
 * @param {Uint32Array} pixels TILE x TILE
 */
export function drawTile(world, level, tx, ty, pixels) {
  const rect = tileRect(level, tx, ty);
  const brush = new Brush(pixels, 2 ** level, rect);
  const { layout, palette } = world;
  const { frame, tray } = layout;
  pixels.fill(palette.page);
  brush.round(frame.x, frame.y, frame.w, frame.h, 18 * layout.scale, palette.cluster);
  /** @type {number[]} x, y, look and height of every mark, drawn last so that no pod covers it */
  const marks = [];
  const wide = { x: rect.x - reach(level), y: rect.y - reach(level), w: rect.w + 2 * reach(level), h: rect.h + 2 * reach(level) };
  for (const zone of layout.zones) {
    if (!meets(zone, wide)) continue;
    brush.round(zone.x, zone.y, zone.w, zone.h, 10 * layout.scale, palette.zone);
    drawNodes(brush, world, zone, wide, level, marks);
  }
  if (tray) drawPods(brush, world, world.trayAt, tray.columns * tray.rows, trayGrid(tray), level, marks);
  drawMarks(brush, marks, palette);
}

/** @param {import("./masslayout.js").Rect} a @param {import("./masslayout.js").Rect} b */
function meets(a, b) {
  return a.x < b.x + b.w && a.x + a.w > b.x && a.y < b.y + b.h && a.y + a.h > b.y;
}

/** @param {Brush} brush @param {World} world @param {import("./masslayout.js").Zone} zone @param {import("./masslayout.js").Rect} view @param {number} level @param {number[]} marks */
function drawNodes(brush, world, zone, view, level, marks) {
  const { layout, capacity } = world;
  const { left, right, top, bottom } = places(layout, zone, view);
  for (let row = top; row < bottom; row += 1) {
    for (let column = left; column < right; column += 1) {
      const node = zone.seats[row * zone.columns + column];
      if (node < 0) continue;
      drawPanel(brush, world, node, level);
      drawPods(brush, world, node * capacity, capacity, gridOf(layout, node, level), level, marks);
    }
  }
}

/** @param {Brush} brush @param {World} world @param {number} node @param {number} level */
function drawPanel(brush, world, node, level) {
  const { layout, palette, ready } = world;
  const [x, y, { w, h }] = [layout.x[node], layout.y[node], layout.step];
  const state = ready[node];
  const border = state === 1 ? palette.border : state ? palette.closed : palette.broken;
  const line = Math.max(state === 1 ? 2 : 6, 1.2 / 2 ** level);
  brush.round(x, y, w, h, 14, border);
  if (level < -4) return void brush.box(x + (state === 1 ? 0 : line), y + (state === 1 ? 0 : line), w - (state === 1 ? 0 : 2 * line), h - (state === 1 ? 0 : 2 * line), palette.panel);
  brush.round(x + line, y + line, w - 2 * line, h - 2 * line, 14 - line, palette.panel);
  if (level < -3) return undefined;
  brush.round(x + line, y + line, w - 2 * line, NODE.head - 12 - line, 14 - line, palette.head);
  brush.box(x + line, y + 18, w - 2 * line, NODE.head - 30, palette.head);
  return undefined;
}

/** @typedef {{x: number, y: number, columns: number, dx: number, dy: number, w: number, h: number}} Grid where pods stand, in units */

/** Seen from afar a node is nothing but its pods: they take its whole face, no further off than a pixel or two. */
function gridOf(/** @type {import("./masslayout.js").MassLayout} */ layout, /** @type {number} */ node, /** @type {number} */ level) {
  const { step } = layout;
  const [x, y] = [layout.x[node], layout.y[node]];
  if (level > -4) return { x: x + NODE.pad, y: y + NODE.head, columns: step.columns, dx: POD.x, dy: POD.y, w: POD.w, h: POD.h };
  const [top, bottom] = level < -4 ? [12, 12] : [NODE.head - 12, NODE.foot - 12];
  const [dx, dy] = [(step.w - 24) / step.columns, (step.h - top - bottom) / step.rows];
  return { x: x + 12, y: y + top, columns: step.columns, dx, dy, w: level < -4 ? dx : dx - 3, h: level < -4 ? dy : dy - 3 };
}

/** @param {import("./masslayout.js").Tray} tray @returns {Grid} */
function trayGrid({ x, y, columns, k }) {
  return { x, y: y + 12 * k, columns, dx: POD.x * k, dy: POD.y * k, w: POD.w * k, h: POD.h * k };
}

/** @param {Brush} brush @param {World} world @param {number} first @param {number} count @param {Grid} grid @param {number} level @param {number[]} marks */
function drawPods(brush, world, first, count, grid, level, marks) {
  const { look, palette } = world;
  const { scale, rect } = brush;
  const [w, h] = [grid.w * scale, grid.h * scale];
  const [left, top] = [(grid.x - rect.x) * scale, (grid.y - rect.y) * scale];
  for (let slot = 0; slot < count; slot += 1) {
    const kind = look[first + slot];
    if (!kind) continue;
    const column = slot % grid.columns;
    const x = left + column * grid.dx * scale;
    const y = top + ((slot - column) / grid.columns) * grid.dy * scale;
    if (kind === LOOK.failing || kind === LOOK.pending) marks.push(x + w / 2, y + h / 2, kind, h);
    if (x + w <= 0 || y + h <= 0 || x >= TILE || y >= TILE) continue;
    const colour = palette.looks[kind];
    if (level >= -2) brush.round(x / scale + rect.x, y / scale + rect.y, grid.w, grid.h, 7, colour);
    else brush.fill(x, y, x + w, y + h, colour);
    if (level >= -1 && kind > LOOK.failing && kind < LOOK.aside) hollow(brush, x, y, grid, palette);
  }
}

/** Pods that end or are done are outlines: they do no work. */
function hollow(/** @type {Brush} */ brush, /** @type {number} */ x, /** @type {number} */ y, /** @type {Grid} */ grid, /** @type {Palette} */ palette) {
  const { scale, rect } = brush;
  brush.round(x / scale + rect.x + 2.5, y / scale + rect.y + 2.5, grid.w - 5, grid.h - 5, 5, palette.panel);
}

/** Trouble is never too small to see: failing pods are discs, waiting ones squares. */
function drawMarks(/** @type {Brush} */ brush, /** @type {number[]} */ marks, /** @type {Palette} */ palette) {
  for (const [wanted, size] of [[LOOK.pending, WAIT_MARK], [LOOK.failing, MARK]]) {
    for (let i = 0; i < marks.length; i += 4) {
      const [x, y, kind, high] = marks.slice(i, i + 4);
      if (kind !== wanted || high >= size) continue;
      if (kind === LOOK.failing) brush.disc(x, y, size / 2, palette.looks[kind]);
      else brush.fill(x - size / 2, y - size / 2, x + size / 2, y + size / 2, palette.looks[kind]);
    }
  }
}

/** @param {string} colour `#rrggbb` @returns {number} as Palette holds it */
export function packed(colour) {
  const value = Number.parseInt(colour.slice(1, 7), 16);
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}
