/**
 * Words and cards near by: drawn into tiles at exactly the zoom that is shown, a few in every frame. While the
 * zoom changes, what was drawn last is shown larger or smaller; it is drawn anew when the picture rests.
 */

/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {{canvas: HTMLCanvasElement, x: number, y: number, stale: boolean, drawn: number, used: number}} Sheet */
/** @typedef {{zoom: number, sheets: Map<string, Sheet>}} Age everything drawn at one zoom */

const SIDE = 512;
/** ms of drawing in a frame while the picture moves, and while it rests. */
const BUDGET = { moving: 2.5, resting: 9 };
/** How much an old age may be stretched. */
const STRETCH = 2.6;
const FRESH = 250;
const SPARE = 1.6;

export class Detail {
  /** @param {(ctx: CanvasRenderingContext2D, rect: Rect, zoom: number) => void} paint draws what a rectangle of the picture shows, in CSS px from the picture's origin */
  constructor(paint) {
    this.paint = paint;
    /** @type {Age|null} */
    this.age = null;
    /** @type {Age|null} */
    this.old = null;
    this.frame = 0;
    this.complete = true;
    this.stale = false;
    /** @type {HTMLCanvasElement[]} */
    this.pool = [];
  }

  /** @param {number} zoom begins anew at this zoom, unless it is drawn at it already */
  settle(zoom) {
    if (this.age?.zoom === zoom) return;
    if (this.age && (this.age.sheets.size || !this.old)) {
      this.drop(this.old);
      this.old = this.age;
    }
    this.age = { zoom, sheets: new Map() };
  }

  /** Nothing is near enough. */
  clear() {
    this.drop(this.old);
    this.drop(this.age);
    this.old = null;
    this.age = null;
    this.complete = true;
    this.stale = false;
  }

  /** @param {Age|null} age */
  drop(age) {
    for (const sheet of age?.sheets.values() ?? []) this.pool.push(sheet.canvas);
    this.pool.length = Math.min(this.pool.length, 24);
    age?.sheets.clear();
  }

  /** @param {Rect|null} box what changed, null everything */
  soil(box) {
    if (!this.age) return;
    const side = this.side(this.age);
    for (const sheet of this.age.sheets.values()) {
      const [x, y] = [sheet.x * side, sheet.y * side];
      if (!box || (box.x < x + side && box.x + box.w > x && box.y < y + side && box.y + box.h > y)) sheet.stale = true;
    }
    this.stale = true;
  }

  /** @param {Age} age @returns {number} units a sheet covers */
  side(age) {
    return SIDE / (age.zoom * this.ratio);
  }

  ratio = 1;

  /**
   * @param {CanvasRenderingContext2D} ctx in device pixels @param {{x: number, y: number, zoom: number}} camera in CSS px
   * @param {number} ratio @param {{w: number, h: number}} size of the canvas @param {boolean} moving
   * @returns {boolean} whether there is more to draw
   */
  draw(ctx, camera, ratio, size, moving) {
    this.frame += 1;
    if (ratio !== this.ratio) this.clear();
    this.ratio = ratio;
    if (!this.age) return false;
    const exact = this.age.zoom === camera.zoom;
    this.complete = true;
    const until = performance.now() + (moving ? BUDGET.moving : BUDGET.resting);
    if (exact) this.fill(camera, size, until, moving);
    if (this.old && !(exact && this.complete)) this.show(ctx, this.old, camera, size);
    else if (this.old) {
      this.drop(this.old);
      this.old = null;
    }
    this.show(ctx, this.age, camera, size);
    this.prune();
    return exact && (!this.complete || this.stale);
  }

  /** Draws sheets that are missing, then those out of date, as long as there is time. */
  fill(/** @type {{x: number, y: number, zoom: number}} */ camera, /** @type {{w: number, h: number}} */ size, /** @type {number} */ until, /** @type {boolean} */ moving) {
    const age = /** @type {Age} */ (this.age);
    const now = performance.now();
    let [drawn, late] = [0, false];
    for (const [x, y] of this.seen(age, camera, size)) {
      const sheet = age.sheets.get(`${x}:${y}`);
      if (sheet && (!sheet.stale || moving || now - sheet.drawn < FRESH)) {
        late ||= sheet.stale;
        continue;
      }
      if (drawn && performance.now() > until) {
        if (!sheet) this.complete = false;
        late = true;
        continue;
      }
      this.drawSheet(age, x, y, sheet);
      drawn += 1;
    }
    this.stale = late;
  }

  /** @param {Age} age @param {number} x @param {number} y @param {Sheet} [sheet] */
  drawSheet(age, x, y, sheet) {
    const canvas = sheet?.canvas ?? this.pool.pop() ?? document.createElement("canvas");
    if (canvas.width !== SIDE) [canvas.width, canvas.height] = [SIDE, SIDE];
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
    ctx.clearRect(0, 0, SIDE, SIDE);
    ctx.setTransform(this.ratio, 0, 0, this.ratio, -x * SIDE, -y * SIDE);
    const side = this.side(age);
    this.paint(ctx, { x: x * side, y: y * side, w: side, h: side }, age.zoom);
    age.sheets.set(`${x}:${y}`, { canvas, x, y, stale: false, drawn: performance.now(), used: this.frame });
  }

  /** @param {Age} age @param {{x: number, y: number, zoom: number}} camera @param {{w: number, h: number}} size @returns {[number, number][]} */
  seen(age, camera, size) {
    const step = this.side(age) * camera.zoom * this.ratio;
    const [left, top] = [Math.floor((-camera.x * this.ratio) / step), Math.floor((-camera.y * this.ratio) / step)];
    /** @type {[number, number][]} */
    const out = [];
    for (let y = top; y * step + camera.y * this.ratio < size.h; y += 1) for (let x = left; x * step + camera.x * this.ratio < size.w; x += 1) out.push([x, y]);
    const [mx, my] = [(size.w / 2 - camera.x * this.ratio) / step - 0.5, (size.h / 2 - camera.y * this.ratio) / step - 0.5];
    return out.sort((a, b) => Math.hypot(a[0] - mx, a[1] - my) - Math.hypot(b[0] - mx, b[1] - my));
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Age} age @param {{x: number, y: number, zoom: number}} camera @param {{w: number, h: number}} size */
  show(ctx, age, camera, size) {
    const stretch = camera.zoom / age.zoom;
    if (stretch > STRETCH || stretch < 1 / STRETCH) return;
    const step = SIDE * stretch;
    const [ox, oy] = [camera.x * this.ratio, camera.y * this.ratio];
    for (const [x, y] of this.seen(age, camera, size)) {
      const sheet = age.sheets.get(`${x}:${y}`);
      if (!sheet) continue;
      sheet.used = this.frame;
      const [left, top] = [Math.round(x * step + ox), Math.round(y * step + oy)];
      if (stretch === 1) ctx.drawImage(sheet.canvas, left, top);
      else ctx.drawImage(sheet.canvas, left, top, Math.round((x + 1) * step + ox) - left, Math.round((y + 1) * step + oy) - top);
    }
  }

  prune() {
    const sheets = /** @type {Age} */ (this.age).sheets;
    const shown = [...sheets.values()].filter((sheet) => sheet.used === this.frame).length;
    const room = Math.ceil(shown * SPARE) + 8;
    if (sheets.size <= room) return;
    const old = [...sheets.entries()].filter(([, sheet]) => sheet.used !== this.frame).sort((a, b) => a[1].used - b[1].used);
    for (const [key, sheet] of old.slice(0, sheets.size - room)) {
      this.pool.push(sheet.canvas);
      sheets.delete(key);
    }
    this.pool.length = Math.min(this.pool.length, 24);
  }
}
