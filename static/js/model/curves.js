/** Lines between boxes that stand anywhere: from a right side to a left side, around what stands between. */
import { rounded, simplify } from "./polyline.js";

/** @typedef {import("./polyline.js").Point} Point */
/** @typedef {import("./layout.js").Rect} Rect */

const CLEAR = 12;
const STEPS = 20;
const LOOP = 26;
/** lines of one gap lie side by side */
const LANES = 5;
const PITCH = 5;

/** Where a box is entered from above. */
const DROP = 13;
/** How far at most. */
const DEEP = 330;

/** Where lines meet a box, so that packets do not run over its words: between the lines of a Service, above the foot of anything else. @param {Rect & {kind?: string}} box @returns {number} */
export function portY(box) {
  return LEVEL.has(box.kind ?? "") ? box.y + box.h / 2 : box.y + box.h - 14;
}
const LEVEL = new Set(["service", "ingress", "gateway"]);

/** @param {string} key @returns {number} a small number that is always the same for this key */
export function hash(key) {
  let sum = 2166136261;
  for (let i = 0; i < key.length; i += 1) sum = Math.imul(sum ^ key.charCodeAt(i), 16777619);
  return sum >>> 0;
}

export class Curves {
  /** @param {Iterable<Rect & {id: string}>} obstacles what no line may cross */
  constructor(obstacles) {
    this.boxes = [...obstacles].sort((a, b) => a.x - b.x || a.y - b.y);
  }

  /** @param {Rect & {id: string}} from @param {Rect & {id: string}} to @returns {Point[]} */
  between(from, to) {
    const [start, end] = [/** @type {Point} */ ([from.x + from.w, portY(from)]), /** @type {Point} */ ([to.x, portY(to)])];
    if (below(from, to)) return drop(from, to);
    const lane = (hash(`${from.id}>${to.id}`) % LANES) - (LANES - 1) / 2;
    if (end[0] - start[0] < 2 * CLEAR) return this.round(start, end, lane);
    const anchors = [start];
    for (const span of spans(this.boxes, start[0] + 2, end[0] - 2)) {
      const last = anchors[anchors.length - 1];
      const share = ((span.x0 + span.x1) / 2 - last[0]) / (end[0] - last[0]);
      const y = nearest(span.walls, last[1] + (end[1] - last[1]) * share, lane * PITCH);
      anchors.push([Math.max(last[0], span.x0 - CLEAR), y], [Math.min(end[0], span.x1 + CLEAR), y]);
    }
    anchors.push(end);
    return wave(anchors);
  }

  /** Back to the left, or within a column: out, along a free lane, and in again. @param {Point} start @param {Point} end @param {number} lane @returns {Point[]} */
  round(start, end, lane) {
    const [right, left] = [start[0] + LOOP + lane * PITCH, end[0] - LOOP + lane * PITCH];
    const walls = this.boxes.filter((box) => box.x < right && box.x + box.w > left).map(wall).sort((a, b) => a[0] - b[0]);
    const y = nearest(walls, Math.max(start[1], end[1]) + 40, lane * PITCH);
    return rounded(simplify([start, [right, start[1]], [right, y], [left, y], [left, end[1]], end]), 16);
  }
}

/** Whether a Service stands on the workload behind it, or on another Service of it. @param {Rect & {kind?: string}} a @param {Rect & {kind?: string}} b */
function below(a, b) {
  const gap = b.y - (a.y + a.h);
  return LEVEL.has(a.kind ?? "") && !LEVEL.has(b.kind ?? "") && gap >= 0 && gap <= DEEP && a.x === b.x;
}

/** @param {Rect} a @param {Rect} b @returns {Point[]} */
function drop(a, b) {
  return [[b.x + DROP, a.y + a.h], [b.x + DROP, b.y]];
}

/** @param {Rect} box @returns {[number, number]} */
function wall(box) {
  return [box.y - CLEAR, box.y + box.h + CLEAR];
}

/** The columns between two x, each with the heights that are taken. @param {Rect[]} boxes by x @param {number} from @param {number} until */
function spans(boxes, from, until) {
  /** @type {{x0: number, x1: number, walls: [number, number][]}[]} */
  const found = [];
  for (const box of boxes) {
    if (box.x <= from || box.x + box.w >= until) continue;
    const last = found[found.length - 1];
    if (last && box.x < last.x1) {
      last.x1 = Math.max(last.x1, box.x + box.w);
      last.walls.push(wall(box));
    } else found.push({ x0: box.x, x1: box.x + box.w, walls: [wall(box)] });
  }
  for (const span of found) span.walls.sort((a, b) => a[0] - b[0]);
  return found;
}

/**
 * The free height nearest to what is wanted; `shift` keeps lines of one gap apart.
 * @param {[number, number][]} walls by their top @param {number} wanted @param {number} shift
 */
function nearest(walls, wanted, shift) {
  let [best, least] = [wanted, Infinity];
  let top = -Infinity;
  for (const [from, until] of [...walls, /** @type {[number, number]} */ ([Infinity, Infinity])]) {
    if (from >= top) {
      const y = within(wanted, top, from, shift);
      if (Math.abs(y - wanted) < least) [best, least] = [y, Math.abs(y - wanted)];
    }
    top = Math.max(top, until);
  }
  return best;
}

/** @param {number} wanted @param {number} top @param {number} bottom of the gap @param {number} shift */
function within(wanted, top, bottom, shift) {
  if (bottom - top < 2 * Math.abs(shift)) return (top + bottom) / 2;
  if (wanted >= top && wanted <= bottom) return wanted;
  return wanted < top ? top + Math.abs(shift) : bottom - Math.abs(shift);
}

/** Straight through the columns, waves between them. @param {Point[]} anchors pairs: out of one column, into the next @returns {Point[]} */
function wave(anchors) {
  /** @type {Point[]} */
  const points = [];
  for (let i = 0; i + 1 < anchors.length; i += 2) {
    const [a, b] = [anchors[i], anchors[i + 1]];
    const middle = (a[0] + b[0]) / 2;
    const steps = Math.abs(a[1] - b[1]) < 1 ? 1 : STEPS;
    for (let step = 0; step <= steps; step += 1) {
      const t = step / steps;
      const u = 1 - t;
      points.push([u * u * u * a[0] + 3 * u * t * middle + t * t * t * b[0], (u * u * u + 3 * u * u * t) * a[1] + (3 * u * t * t + t * t * t) * b[1]]);
    }
  }
  return simplify(points.map(([x, y]) => [Math.round(x * 10) / 10, Math.round(y * 10) / 10]));
}
