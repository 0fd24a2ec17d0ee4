/** Packets are drawn once for each look and then stamped: that costs a third of drawing each of them anew. */

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {{image: ImageBitmap, x: number, y: number}} Sprite `x`, `y`: px from its corner to the packet */
/** @typedef {{glyph: string, colour: string, trail: number, every: number, shell: boolean, ring: string, angle: number, ground: string, rim: string}} Look
 * `trail`: px of the picture behind it; `every`: 2 for a trail with gaps; `ring`: its colour, "" for none; `ground` and `rim` are those of the shell */

/** Directions that are told apart: along the lines, and enough between for curves. */
const TURNS = 32;
const KEPT = 600;

export class Sprites {
  /** @param {(ctx: Ctx, look: Look, size: number) => void} paint draws a packet at 0,0 */
  constructor(paint) {
    this.paint = paint;
    /** @type {Map<string, Sprite>} */
    this.made = new Map();
    this.scale = 0;
    this.size = 0;
    /** Where they are made, one after another. */
    this.table = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1, 1).getContext("2d"));
  }

  /** @param {number} scale device pixels a px of the picture @param {number} size of a packet */
  aim(scale, size) {
    if (scale !== this.scale || size !== this.size || this.made.size > KEPT) this.made.clear();
    [this.scale, this.size] = [scale, size];
  }

  forget() {
    this.made.clear();
  }

  /** @param {Look} look @returns {Sprite} */
  of(look) {
    const turn = (Math.round((look.angle / (2 * Math.PI)) * TURNS) + TURNS) % TURNS;
    const key = `${look.glyph}|${look.colour}|${look.trail}|${look.every}|${turn}|${look.shell}|${look.ring}`;
    const known = this.made.get(key);
    if (known) return known;
    const made = this.make({ ...look, angle: (turn * 2 * Math.PI) / TURNS });
    this.made.set(key, made);
    return made;
  }

  /** @param {Look} look @returns {Sprite} */
  make(look) {
    const { scale, size } = this;
    const head = size * (look.shell ? 2.3 : look.ring ? 2.2 : 1.5) + 2;
    const tail = { x: -Math.cos(look.angle) * look.trail, y: -Math.sin(look.angle) * look.trail };
    const [left, top] = [Math.min(-head, tail.x - size / 2), Math.min(-head, tail.y - size / 2)];
    const [right, bottom] = [Math.max(head, tail.x + size / 2), Math.max(head, tail.y + size / 2)];
    const ctx = this.table;
    [ctx.canvas.width, ctx.canvas.height] = [Math.ceil((right - left) * scale), Math.ceil((bottom - top) * scale)];
    const [x, y] = [Math.round(-left * scale), Math.round(-top * scale)];
    ctx.setTransform(scale, 0, 0, scale, x, y);
    this.paint(/** @type {any} */ (ctx), look, size);
    return { image: ctx.canvas.transferToImageBitmap(), x, y };
  }
}
