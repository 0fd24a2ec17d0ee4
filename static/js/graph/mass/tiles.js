/** Tiles of the mass picture: asked for when seen, drawn by a worker, kept while there is room, redrawn when their pods change. */
import { drawTile, LEAST, reach, TILE, tileLevel } from "../../model/raster.js";

/** @typedef {import("../../model/raster.js").World} World */
/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {{key: string, level: number, x: number, y: number, bitmap: ImageBitmap|HTMLCanvasElement|null, stale: boolean, used: number, drawn: number}} Tile */

const BYTES = TILE * TILE * 4;
/** Bytes of tiles kept when the screen needs less. */
export const KEEP = 96 * 1024 * 1024;
/** Tiles asked for at a time: while a hand moves the picture the view may have moved on when an answer comes. */
const AHEAD = { moving: 3, still: 8 };
/** ms between two drawings of one tile because its pods changed. */
const FRESH = 250;
/** The share of the time that may go into redrawing what changed. */
const DUTY = 0.3;

/** The page draws the tiles itself where there are no workers: one at a time, between frames. */
class Here {
  /** @param {(answer: any) => void} done */
  constructor(done) {
    this.done = done;
    /** @type {World|null} */
    this.world = null;
  }

  /** @param {any} message */
  postMessage({ world, ready, places, looks, tile }) {
    if (world) this.world = { ...world, look: world.look.slice() };
    const mine = /** @type {World} */ (this.world);
    if (ready) mine.ready = ready;
    if (places) places.forEach((/** @type {number} */ place, /** @type {number} */ i) => { mine.look[place] = looks[i]; });
    if (tile) setTimeout(() => this.draw(tile), 0);
  }

  /** @param {any} tile */
  draw({ key, level, x, y, turn }) {
    const began = performance.now();
    const canvas = document.createElement("canvas");
    canvas.width = TILE;
    canvas.height = TILE;
    const image = new ImageData(TILE, TILE);
    drawTile(/** @type {World} */ (this.world), level, x, y, new Uint32Array(image.data.buffer));
    canvas.getContext("2d")?.putImageData(image, 0, 0);
    this.done({ key, turn, bitmap: canvas, took: performance.now() - began });
  }

  terminate() {
    this.world = null;
  }
}

export class Tiles {
  /** @param {() => void} changed a tile came */
  constructor(changed) {
    this.changed = changed;
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    /** @type {Map<string, number>} asked for and not answered yet, with when */
    this.asked = new Map();
    this.turn = 0;
    this.frame = 0;
    this.spent = 0;
    this.rest = 0;
    this.still = false;
    this.waiting = 0;
    this.least = KEEP;
    /** @type {World|null} */
    this.world = null;
    this.worker = this.open();
  }

  /** @returns {any} */
  open() {
    const answer = (/** @type {any} */ data) => this.take(data);
    if (typeof Worker === "undefined" || typeof createImageBitmap === "undefined") return new Here(answer);
    const worker = new Worker(new URL("./tiler.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => answer(data);
    worker.onerror = () => {
      worker.terminate();
      this.asked.clear();
      this.worker = new Here(answer);
      if (this.world) this.worker.postMessage({ world: this.world });
      this.changed();
    };
    return worker;
  }

  /** @param {World} world everything is drawn anew, what is shown stays until then unless it is another picture */
  setWorld(world, other = true) {
    this.world = world;
    this.turn += 1;
    this.asked.clear();
    this.worker.postMessage({ world });
    if (other) this.clear();
    for (const tile of this.tiles.values()) tile.stale = true;
  }

  /** @param {Uint32Array} places @param {Uint8Array} looks @param {Iterable<number>} nodes whose pods these are, -1 the tray */
  patch(places, looks, nodes) {
    this.worker.postMessage({ places, looks });
    this.soil(nodes);
  }

  /** @param {Uint8Array} ready by node @param {Iterable<number>} nodes that changed */
  setReady(ready, nodes) {
    this.worker.postMessage({ ready });
    this.soil(nodes);
  }

  /** Marks what shows these nodes as out of date. @param {Iterable<number>} nodes */
  soil(nodes) {
    const { layout } = /** @type {World} */ (this.world);
    const levels = [...new Set([...this.tiles.values()].map((tile) => tile.level))];
    for (const node of nodes) {
      const box = node < 0 ? layout.tray : { x: layout.x[node], y: layout.y[node], w: layout.step.w, h: layout.step.h };
      if (!box) continue;
      for (const level of levels) this.soilBox(box, level);
    }
  }

  /** @param {Rect} box @param {number} level */
  soilBox(box, level) {
    const size = TILE / 2 ** level;
    const edge = reach(level);
    for (let x = Math.floor((box.x - edge) / size); x * size < box.x + box.w + edge; x += 1) {
      for (let y = Math.floor((box.y - edge) / size); y * size < box.y + box.h + edge; y += 1) {
        const tile = this.tiles.get(`${level}:${x}:${y}`);
        if (tile) tile.stale = true;
      }
    }
  }

  /** @param {any} answer */
  take({ key, turn, bitmap, took }) {
    if (turn !== this.turn) {
      bitmap.close?.();
      return;
    }
    this.asked.delete(key);
    const tile = this.tiles.get(key);
    const [level, x, y] = key.split(":").map(Number);
    if (tile?.bitmap instanceof ImageBitmap) tile.bitmap.close();
    this.tiles.set(key, { key, level, x, y, bitmap, stale: false, used: this.frame, drawn: performance.now() });
    if (tile) this.rest = performance.now() + took * (1 / DUTY - 1);
    this.spent += took;
    this.changed();
  }

  /**
   * Draws what is seen; asks for what is missing.
   * @param {CanvasRenderingContext2D} ctx in device pixels @param {{x: number, y: number, zoom: number}} camera in device pixels
   * @param {number} width @param {number} height @param {boolean} moving whether a gesture is under way
   * @returns {boolean} whether everything seen is there
   */
  draw(ctx, camera, width, height, moving) {
    this.frame += 1;
    const level = tileLevel(camera.zoom);
    const seen = this.seen(camera, width, height, level);
    /** @type {[string, number, number][]} */
    const missing = [];
    for (const [key, x, y] of seen) {
      const tile = this.tiles.get(key);
      if (!tile) missing.push([key, x, y]);
      this.blit(ctx, camera, tile ?? this.parent(level, x, y), level, x, y);
      if (tile) tile.used = this.frame;
    }
    this.ask(level, missing, seen, moving);
    this.prune(seen.length);
    this.waiting = missing.length;
    return missing.length === 0;
  }

  /** Keys of the tiles in view, nearest to the middle first. */
  seen(/** @type {{x: number, y: number, zoom: number}} */ camera, /** @type {number} */ width, /** @type {number} */ height, /** @type {number} */ level) {
    const size = (TILE / 2 ** level) * camera.zoom;
    const [left, top] = [Math.floor(-camera.x / size), Math.floor(-camera.y / size)];
    const [right, bottom] = [Math.ceil((width - camera.x) / size), Math.ceil((height - camera.y) / size)];
    const bounds = this.world?.layout.bounds ?? { x: 0, y: 0, w: 0, h: 0 };
    const unit = TILE / 2 ** level;
    /** @type {[string, number, number][]} */
    const out = [];
    for (let y = Math.max(top, Math.floor(bounds.y / unit)); y < Math.min(bottom, Math.ceil((bounds.y + bounds.h) / unit)); y += 1) {
      for (let x = Math.max(left, Math.floor(bounds.x / unit)); x < Math.min(right, Math.ceil((bounds.x + bounds.w) / unit)); x += 1) out.push([`${level}:${x}:${y}`, x, y]);
    }
    const [mx, my] = [(left + right - 1) / 2, (top + bottom - 1) / 2];
    return out.sort((a, b) => Math.hypot(a[1] - mx, a[2] - my) - Math.hypot(b[1] - mx, b[2] - my));
  }

  /** @param {number} level @param {number} x @param {number} y @returns {Tile|undefined} the nearest coarser tile there is */
  parent(level, x, y) {
    for (let up = level - 1; up >= LEAST; up -= 1) {
      const tile = this.tiles.get(`${up}:${x >> (level - up)}:${y >> (level - up)}`);
      if (tile) {
        tile.used = this.frame;
        return tile;
      }
    }
    return undefined;
  }

  /** Edges fall on whole pixels, so that no seam shows. */
  blit(/** @type {CanvasRenderingContext2D} */ ctx, /** @type {any} */ camera, /** @type {Tile|undefined} */ tile, /** @type {number} */ level, /** @type {number} */ x, /** @type {number} */ y) {
    if (!tile?.bitmap) return;
    const size = (TILE / 2 ** level) * camera.zoom;
    const [left, top] = [Math.round(x * size + camera.x), Math.round(y * size + camera.y)];
    const [w, h] = [Math.round((x + 1) * size + camera.x) - left, Math.round((y + 1) * size + camera.y) - top];
    const down = 2 ** (level - tile.level);
    const part = TILE / down;
    ctx.drawImage(tile.bitmap, (x - tile.x * down) * part, (y - tile.y * down) * part, part, part, left, top, w, h);
  }

  /** Missing tiles first; then those whose pods changed, seldom while a hand moves the picture. */
  ask(/** @type {number} */ level, /** @type {[string, number, number][]} */ missing, /** @type {[string, number, number][]} */ seen, /** @type {boolean} */ moving) {
    const now = performance.now();
    for (const [key, x, y] of missing) {
      if (this.asked.size >= (moving ? AHEAD.moving : AHEAD.still)) return;
      if (!this.asked.has(key)) this.send(key, level, x, y);
    }
    if (missing.length || now < this.rest) return;
    for (const [key, x, y] of seen) {
      const tile = this.tiles.get(key);
      if (this.asked.size >= 1) return;
      if (tile?.stale && !this.asked.has(key) && now - tile.drawn > (moving ? FRESH * 4 : FRESH)) {
        tile.stale = false;
        this.send(key, level, x, y);
      }
    }
  }

  /** @returns {boolean} whether something in view is out of date and will be drawn again */
  get behind() {
    for (const tile of this.tiles.values()) if (tile.stale && tile.used === this.frame) return true;
    return this.asked.size > 0;
  }

  /** @param {string} key @param {number} level @param {number} x @param {number} y */
  send(key, level, x, y) {
    this.asked.set(key, performance.now());
    this.worker.postMessage({ tile: { key, level, x, y, turn: this.turn } });
  }

  /** @param {number} shown */
  prune(shown) {
    const room = Math.max(this.least, shown * 3 * BYTES) / BYTES;
    if (this.tiles.size <= room) return;
    const old = [...this.tiles.values()].filter((tile) => tile.used !== this.frame).sort((a, b) => a.used - b.used);
    for (const tile of old.slice(0, this.tiles.size - room)) this.drop(tile);
  }

  /** @param {Tile} tile */
  drop(tile) {
    if (tile.bitmap instanceof ImageBitmap) tile.bitmap.close();
    this.tiles.delete(tile.key);
  }

  clear() {
    for (const tile of this.tiles.values()) this.drop(tile);
  }

  get bytes() {
    return this.tiles.size * BYTES;
  }

  destroy() {
    this.clear();
    this.worker.terminate();
  }
}
