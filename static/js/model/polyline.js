/** Polylines as tables: cumulative lengths, so a packet moves at constant speed whatever the curve. */

/** @typedef {[number, number]} Point */
/** @typedef {{points: Point[], lengths: number[], total: number}} Table */

/**
 * Drops repeated points and points in the middle of a straight run.
 * @param {Point[]} points @returns {Point[]}
 */
export function simplify(points) {
  /** @type {Point[]} */
  const out = [];
  for (const point of points) {
    const last = out[out.length - 1];
    if (last && last[0] === point[0] && last[1] === point[1]) continue;
    const before = out[out.length - 2];
    if (last && before && onTheWay(before, last, point)) out.pop();
    out.push(point);
  }
  return out;
}

/** @param {Point} a @param {Point} b @param {Point} c whether b only continues a straight run from a to c */
function onTheWay(a, b, c) {
  const vertical = a[0] === b[0] && b[0] === c[0] && (b[1] - a[1]) * (c[1] - b[1]) > 0;
  const horizontal = a[1] === b[1] && b[1] === c[1] && (b[0] - a[0]) * (c[0] - b[0]) > 0;
  return vertical || horizontal;
}

/**
 * Rounds the corners of an orthogonal path with a few points each.
 * @param {Point[]} points @param {number} radius @returns {Point[]}
 */
export function rounded(points, radius = 10) {
  if (points.length < 3) return points;
  /** @type {Point[]} */
  const out = [points[0]];
  for (let i = 1; i < points.length - 1; i += 1) {
    const [before, corner, after] = [points[i - 1], points[i], points[i + 1]];
    const cut = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2);
    const start = towards(corner, before, cut);
    const end = towards(corner, after, cut);
    for (const t of [0, 1 / 3, 2 / 3, 1]) out.push(bezier(start, corner, end, t));
  }
  out.push(points[points.length - 1]);
  return out;
}

/** @param {Point} a @param {Point} b */
export function distance(a, b) {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

/** @param {Point} from @param {Point} to @param {number} by @returns {Point} */
function towards(from, to, by) {
  const length = distance(from, to) || 1;
  return [from[0] + ((to[0] - from[0]) * by) / length, from[1] + ((to[1] - from[1]) * by) / length];
}

/** @param {Point} a @param {Point} b @param {Point} c @param {number} t @returns {Point} */
function bezier(a, b, c, t) {
  const u = 1 - t;
  return [u * u * a[0] + 2 * u * t * b[0] + t * t * c[0], u * u * a[1] + 2 * u * t * b[1] + t * t * c[1]];
}

/** @param {Point[]} points @returns {Table} */
export function table(points) {
  const lengths = [0];
  for (let i = 1; i < points.length; i += 1) lengths.push(lengths[i - 1] + distance(points[i - 1], points[i]));
  return { points, lengths, total: lengths[lengths.length - 1] };
}

/**
 * The place `length` px along the path, and the direction there.
 * @param {Table} path @param {number} length @returns {{x: number, y: number, angle: number}}
 */
export function at(path, length) {
  const { points, lengths, total } = path;
  if (points.length < 2) return { x: points[0]?.[0] ?? 0, y: points[0]?.[1] ?? 0, angle: 0 };
  const wanted = Math.max(0, Math.min(total, length));
  let [low, high] = [1, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lengths[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  const [a, b] = [points[low - 1], points[low]];
  const share = (wanted - lengths[low - 1]) / (lengths[low] - lengths[low - 1] || 1);
  return { x: a[0] + (b[0] - a[0]) * share, y: a[1] + (b[1] - a[1]) * share, angle: Math.atan2(b[1] - a[1], b[0] - a[0]) };
}

/**
 * Where on a path a label may stand, the best place first: in the middle of the longest run, then off its middle, then on shorter runs.
 * @param {Point[]} points @returns {Point[]}
 */
export function spotsOf(points) {
  const runs = points.slice(1).map((b, i) => ({ a: points[i], b, length: distance(points[i], b) })).sort((one, two) => two.length - one.length);
  return runs.slice(0, 3).flatMap(({ a, b }) => [0.5, 0.25, 0.75].map((t) => /** @type {Point} */ ([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t])));
}

/**
 * Absolute corners as the weights and distances Cytoscape's `round-segments` wants.
 * @param {Point[]} points first and last are the ends @returns {{weights: number[], distances: number[]}}
 */
export function segments(points) {
  const [a, b] = [points[0], points[points.length - 1]];
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const square = dx * dx + dy * dy || 1;
  const length = Math.sqrt(square);
  const inner = points.slice(1, -1);
  return {
    weights: inner.map((p) => ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square),
    distances: inner.map((p) => ((p[1] - a[1]) * dx - (p[0] - a[0]) * dy) / length),
  };
}
