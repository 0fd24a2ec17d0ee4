/** Text on a canvas: measured once, shrunk before it is cut in its middle, never over its edge. */

/** @typedef {{font: string, text: string, width: number}} Fitted */

/** @type {Map<string, Fitted>} */
const fitted = new Map();

/** Forget what was measured, for example when the fonts have arrived. */
export function forgetText() {
  fitted.clear();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} text
 * @param {number} width
 * @param {{size: number, least?: number, weight?: number, family: string}} type
 * @returns {Fitted}
 */
export function fit(ctx, text, width, type) {
  const key = `${text}|${width}|${type.size}|${type.least}|${type.weight}|${type.family}`;
  const known = fitted.get(key);
  if (known) return known;
  if (fitted.size > 4000) fitted.clear();
  const result = measure(ctx, text, width, type);
  fitted.set(key, result);
  return result;
}

/** @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} width
 * @param {{size: number, least?: number, weight?: number, family: string}} type */
function measure(ctx, text, width, { size, least = size - 4, weight = 400, family }) {
  let font = "";
  for (let px = size; px >= least; px -= size < 12 ? 0.4 : 1) {
    font = `${weight} ${px}px ${family}`;
    ctx.font = font;
    const all = ctx.measureText(text).width;
    if (all <= width) return { font, text, width: all };
  }
  let kept = text.length - 1;
  while (kept > 2 && ctx.measureText(shortened(text, kept)).width > width) kept -= 1;
  return { font, text: shortened(text, kept), width: ctx.measureText(shortened(text, kept)).width };
}

/** Both ends of a name tell it apart from others. @param {string} text @param {number} kept how many letters */
function shortened(text, kept) {
  return `${text.slice(0, Math.ceil(kept / 2))}…${text.slice(text.length - Math.floor(kept / 2))}`;
}

/**
 * Writes text that fits; returns how wide it became.
 * @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} x @param {number} y @param {number} width
 * @param {{size: number, least?: number, weight?: number, family: string, colour: string, align?: CanvasTextAlign}} type
 */
export function write(ctx, text, x, y, width, type) {
  const { font, text: shown, width: wide } = fit(ctx, text, width, type);
  ctx.font = font;
  ctx.fillStyle = type.colour;
  ctx.textAlign = type.align ?? "left";
  ctx.textBaseline = "alphabetic";
  ctx.fillText(shown, x, y);
  return wide;
}

/** A filled rectangle with round corners and a border. @param {CanvasRenderingContext2D} ctx @param {{x: number, y: number, w: number, h: number}} box @param {number} r @param {string} fill @param {string} border @param {number} width of the border */
export function plate(ctx, { x, y, w, h }, r, fill, border, width) {
  roundRect(ctx, x, y, w, h, r);
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.strokeStyle = border;
  ctx.lineWidth = width;
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} w @param {number} h @param {number} r */
export function roundRect(ctx, x, y, w, h, r) {
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, r);
}
