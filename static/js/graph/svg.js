/** A canvas that writes SVG: the few calls the drawing functions use, so that one drawing code makes both. */

/** @typedef {(font: string, text: string) => number} Measure how wide a text is, in pixels */
/** @typedef {{x: number, y: number, w: number, h: number}} Rect */

const IDENTITY = [1, 0, 0, 1, 0, 0];
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids exactly these
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** @param {string} text @returns {string} safe in XML text and attributes */
export function escaped(text) {
  return String(text).replace(CONTROLS, "").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** @param {number} value @returns {string} at most two decimals */
function n(value) {
  return String(Math.round(value * 100) / 100);
}

/**
 * Colours of CSS level 4 as SVG 1.1 knows them.
 * @param {string} colour @returns {{colour: string, alpha: number}}
 */
export function plain(colour) {
  const hex = /^#([0-9a-f]{6})([0-9a-f]{2})$/i.exec(colour);
  if (hex) return { colour: `#${hex[1]}`, alpha: Number.parseInt(hex[2], 16) / 255 };
  const rgb = /^rgb\((\d+) (\d+) (\d+)(?: \/ ([\d.]+)(%?))?\)$/.exec(colour);
  if (rgb) return { colour: `rgb(${rgb[1]},${rgb[2]},${rgb[3]})`, alpha: rgb[4] ? Number(rgb[4]) / (rgb[5] ? 100 : 1) : 1 };
  return { colour, alpha: 1 };
}

class Gradient {
  /** @param {number[]} circle inner x, y, r and outer x, y, r */
  constructor(circle) {
    this.circle = circle;
    /** @type {[number, string][]} */
    this.stops = [];
  }

  /** @param {number} at @param {string} colour */
  addColorStop(at, colour) {
    this.stops.push([at, colour]);
  }
}

/** What `save` keeps, with a canvas's defaults. */
class Style {
  /** @type {string|Gradient} */
  fillStyle = "black";
  /** @type {string|Gradient} */
  strokeStyle = "black";
  lineWidth = 1;
  globalAlpha = 1;
  font = "10px sans-serif";
  textAlign = "start";
  textBaseline = "alphabetic";
  lineCap = "butt";
  lineJoin = "miter";
  shadowColor = "";
  shadowBlur = 0;
  globalCompositeOperation = "source-over";
}
const KEPT = [...Object.keys(new Style()), "matrix", "dash", "clipped"];

/** Looks like a CanvasRenderingContext2D to those who draw. */
export class SvgContext extends Style {
  /** @param {Measure} measure */
  constructor(measure) {
    super();
    this.measure = measure;
    /** @type {any[]} */
    this.states = [];
    this.matrix = IDENTITY;
    /** @type {number[]} */
    this.dash = [];
    this.clipped = "";
    this.path = "";
    /** @type {string[]} */
    this.defs = [];
    /** @type {string[]} */
    this.out = [];
  }

  save() {
    this.states.push(Object.fromEntries(KEPT.map((key) => [key, /** @type {any} */ (this)[key]])));
  }

  restore() {
    Object.assign(this, this.states.pop());
  }

  /** @param {number} x @param {number} y */
  translate(x, y) {
    const [a, b, c, d, e, f] = this.matrix;
    this.matrix = [a, b, c, d, a * x + c * y + e, b * x + d * y + f];
  }

  /** @param {number} x @param {number} y */
  scale(x, y) {
    const [a, b, c, d, e, f] = this.matrix;
    this.matrix = [a * x, b * x, c * y, d * y, e, f];
  }

  /** @param {number} angle */
  rotate(angle) {
    const [a, b, c, d, e, f] = this.matrix;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    this.matrix = [a * cos + c * sin, b * cos + d * sin, c * cos - a * sin, d * cos - b * sin, e, f];
  }

  /** @param {number[]} dash */
  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.path = "";
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.path += `M${n(x)} ${n(y)}`;
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${n(x)} ${n(y)}`;
  }

  /** @param {number} cx @param {number} cy @param {number} x @param {number} y */
  quadraticCurveTo(cx, cy, x, y) {
    this.path += `Q${n(cx)} ${n(cy)} ${n(x)} ${n(y)}`;
  }

  closePath() {
    this.path += "Z";
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  rect(x, y, w, h) {
    this.path += `M${n(x)} ${n(y)}h${n(w)}v${n(h)}h${n(-w)}Z`;
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h @param {number} radius */
  roundRect(x, y, w, h, radius) {
    const r = Math.max(0, Math.min(radius, w / 2, h / 2));
    const arc = (/** @type {number} */ dx, /** @type {number} */ dy) => `a${n(r)} ${n(r)} 0 0 1 ${n(dx)} ${n(dy)}`;
    this.path += `M${n(x + r)} ${n(y)}h${n(w - 2 * r)}${arc(r, r)}v${n(h - 2 * r)}${arc(-r, r)}h${n(2 * r - w)}${arc(-r, -r)}v${n(2 * r - h)}${arc(r, -r)}Z`;
  }

  /** Whole circles are all the picture has. @param {number} x @param {number} y @param {number} r */
  arc(x, y, r) {
    this.ellipse(x, y, r, r);
  }

  /** @param {number} x @param {number} y @param {number} rx @param {number} ry */
  ellipse(x, y, rx, ry) {
    const half = (/** @type {number} */ dx) => `a${n(rx)} ${n(ry)} 0 0 1 ${n(dx)} 0`;
    this.path += `M${n(x - rx)} ${n(y)}${half(2 * rx)}${half(-2 * rx)}Z`;
  }

  clip() {
    const id = `clip${this.defs.length}`;
    this.defs.push(`<clipPath id="${id}"><path d="${this.path}"${this.transform()}/></clipPath>`);
    this.clipped = id;
  }

  fill() {
    this.put(`<path d="${this.path}"${this.colour("fill", this.fillStyle)}${this.shadow()}/>`);
  }

  stroke() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.map(n).join(" ")}"` : "";
    const ends = `${this.lineCap === "butt" ? "" : ` stroke-linecap="${this.lineCap}"`}${this.lineJoin === "miter" ? "" : ` stroke-linejoin="${this.lineJoin}"`}`;
    this.put(`<path d="${this.path}" fill="none"${this.colour("stroke", this.strokeStyle)} stroke-width="${n(this.lineWidth)}"${dash}${ends}/>`);
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  fillRect(x, y, w, h) {
    this.put(`<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}"${this.colour("fill", this.fillStyle)}/>`);
  }

  /** The length is written too, so that another font does not run over an edge. @param {string} text @param {number} x @param {number} y */
  fillText(text, x, y) {
    if (!text) return;
    const [, weight, size, family] = /^(?:(\d+) )?([\d.]+)px (.*)$/.exec(this.font.trim()) ?? ["", "", "10", "sans-serif"];
    const anchor = /** @type {Record<string, string>} */ ({ center: "middle", right: "end", end: "end" })[this.textAlign];
    this.put(`<text x="${n(x)}" y="${n(y)}" font-family="${escaped(family)}" font-size="${size}"${weight ? ` font-weight="${weight}"` : ""}`
      + `${anchor ? ` text-anchor="${anchor}"` : ""} textLength="${n(this.measure(this.font, text))}" lengthAdjust="spacingAndGlyphs"${this.colour("fill", this.fillStyle)}>${escaped(text)}</text>`);
  }

  /** @param {string} text */
  measureText(text) {
    return { width: this.measure(this.font, text) };
  }

  /** @param {number[]} circle */
  createRadialGradient(...circle) {
    return new Gradient(circle);
  }

  /** @param {string} element ends with `/>` or a closing tag */
  put(element) {
    const end = /^<\w+/.exec(element)?.[0].length ?? 0;
    const clip = this.clipped ? ` clip-path="url(#${this.clipped})"` : "";
    const made = `${element.slice(0, end)}${this.transform()}${element.slice(end)}`;
    this.out.push(clip ? `<g${clip}>${made}</g>` : made);
  }

  transform() {
    return this.matrix.every((value, i) => value === IDENTITY[i]) ? "" : ` transform="matrix(${this.matrix.map((v) => Math.round(v * 1e5) / 1e5).join(" ")})"`;
  }

  /** @param {"fill"|"stroke"} name @param {string|Gradient} paint */
  colour(name, paint) {
    const { colour, alpha } = paint instanceof Gradient ? { colour: `url(#${this.gradient(paint)})`, alpha: 1 } : plain(paint);
    const opacity = alpha * this.globalAlpha;
    return ` ${name}="${escaped(colour)}"${opacity < 1 ? ` ${name}-opacity="${n(opacity)}"` : ""}`;
  }

  /** @param {Gradient} paint @returns {string} its id */
  gradient({ circle, stops }) {
    const id = `glow${this.defs.length}`;
    const [, , inner, x, y, r] = circle;
    const shown = stops.map(([at, value]) => {
      const { colour, alpha } = plain(value);
      return `<stop offset="${n((inner + at * (r - inner)) / r)}" stop-color="${escaped(colour)}" stop-opacity="${n(alpha)}"/>`;
    });
    this.defs.push(`<radialGradient id="${id}" gradientUnits="userSpaceOnUse" cx="${n(x)}" cy="${n(y)}" r="${n(r)}">${shown.join("")}</radialGradient>`);
    return id;
  }

  shadow() {
    if (!this.shadowBlur) return "";
    const { colour, alpha } = plain(this.shadowColor);
    const def = `<filter id="shadow" x="-20%" y="-20%" width="140%" height="140%"><feDropShadow dx="0" dy="0" stdDeviation="${n(this.shadowBlur / 2)}" flood-color="${escaped(colour)}" flood-opacity="${n(alpha)}"/></filter>`;
    if (!this.defs.includes(def)) this.defs.push(def);
    return ' filter="url(#shadow)"';
  }

  /** @param {Rect} bounds @param {string} title @param {string} ground the colour behind everything @returns {string} the file */
  document(bounds, title, ground) {
    const { x, y, w, h } = bounds;
    return `<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="${n(w)}" height="${n(h)}" viewBox="${n(x)} ${n(y)} ${n(w)} ${n(h)}" role="img">\n`
      + `<title>${escaped(title)}</title>\n<defs>${this.defs.join("\n")}</defs>\n<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="${escaped(ground)}"/>\n${this.out.join("\n")}\n</svg>\n`;
  }
}
