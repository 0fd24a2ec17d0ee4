/** Traffic between zones as lines on a metro map: straight between neighbours, otherwise through the lanes between the blocks. */
import { rounded, simplify, table } from "./polyline.js";

/** @typedef {import("./polyline.js").Point} Point */
/** @typedef {import("./masslayout.js").MassLayout} MassLayout */
/** @typedef {import("./masslayout.js").Zone} Zone */
/** @typedef {{id: string, from: string, to: string, rps: number, errors: number, corners: Point[], there: any, back: any, rates: [number, number], failing: [number, number]}} Trunk
 *   `there` and `back` are ways for packets; the rates are of both directions */

const INSIDE = "\u0000";
/** Lines never start nearer than this share to the corner of a block. */
const EDGE = 0.08;
/** The left part of the roof belongs to the zone's name. */
export const ROOF = 0.76;

/**
 * Both directions of two zones are one line.
 * @param {{from: string, to: string, rps: number, errors: number}[]} trunks @param {string[]} names of the zones
 */
export function pairs(trunks, names) {
  /** @type {Map<string, {id: string, from: string, to: string, rps: number, errors: number, rates: [number, number], failing: [number, number]}>} */
  const found = new Map();
  const order = (/** @type {string} */ name) => (name === "internet" ? -1 : name === "external" ? names.length : names.indexOf(name));
  for (const { from, to, rps, errors } of trunks) {
    const outside = (/** @type {string} */ name) => name === "internet" || name === "external";
    if (from === to || ![from, to].every((name) => outside(name) || names.includes(name)) || (outside(from) && outside(to))) continue;
    const turned = order(from) > order(to);
    const [a, b] = turned ? [to, from] : [from, to];
    const id = `trunk:${a}${INSIDE}${b}`;
    const one = found.get(id) ?? { id, from: a, to: b, rps: 0, errors: 0, rates: /** @type {[number, number]} */ ([0, 0]), failing: /** @type {[number, number]} */ ([0, 0]) };
    one.rps += rps;
    one.errors += errors;
    one.rates[turned ? 1 : 0] += rps;
    one.failing[turned ? 1 : 0] += errors;
    found.set(id, one);
  }
  return [...found.values()].sort((a, b) => order(a.from) - order(b.from) || order(a.to) - order(b.to));
}

/** Hands out doors in the walls of the blocks and tracks in the lanes, evenly, in the order of the lines. */
class Lanes {
  /** @param {MassLayout} layout */
  constructor(layout) {
    this.layout = layout;
    /** @type {Map<string, number>} */
    this.wanted = new Map();
    /** @type {Map<string, number>} */
    this.given = new Map();
    this.counting = true;
  }

  /** @param {string} key @returns {number} 0 to 1, this user's share of the width; while counting only noted */
  share(key) {
    if (this.counting) {
      this.wanted.set(key, (this.wanted.get(key) ?? 0) + 1);
      return 0.5;
    }
    const at = this.given.get(key) ?? 0;
    this.given.set(key, at + 1);
    return (at + 0.5) / (this.wanted.get(key) ?? 1);
  }

  /** @param {Zone} zone @param {"roof"|"floor"} side @returns {number} x of a door */
  doorX(zone, side) {
    const from = side === "roof" ? ROOF : EDGE;
    return Math.round(zone.x + zone.w * (from + (1 - EDGE - from) * this.share(`${side} ${zone.name}`)));
  }

  /** @param {Zone} zone @param {"left"|"right"} side @returns {number} y of a door */
  doorY(zone, side) {
    return Math.round(zone.y + zone.h * (0.22 + 0.56 * this.share(`${side} ${zone.name}`)));
  }

  /** @param {number} row the lane above this row of zones @returns {number} y of a track; titles stand above it in the first lane, names below it in all but the last */
  trackY(row) {
    const { layout } = this;
    const below = layout.zones.find((zone) => zone.row === row);
    const above = layout.zones.find((zone) => zone.row === row - 1);
    const share = this.share(`track ${row}`);
    if (!below) return Math.round((above?.y ?? 0) + (above?.h ?? 0) + layout.lane.y * (0.12 + 0.6 * share));
    return Math.round(below.y - layout.lane.y * (0.92 - 0.37 * share));
  }

  /** @param {number} column the lane left of this column of zones @returns {number} x of a riser */
  riserX(column) {
    const { layout } = this;
    const zone = layout.zones.find((one) => one.column === column);
    const right = zone ? zone.x : layout.frame.w;
    return Math.round(right - layout.lane.x * (0.85 - 0.7 * this.share(`riser ${column}`)));
  }
}

/**
 * @param {MassLayout} layout @param {{from: string, to: string, rps: number, errors: number}[]} trunks @returns {Trunk[]}
 */
export function trunkLines(layout, trunks) {
  const all = pairs(trunks, layout.names);
  const lanes = new Lanes(layout);
  for (const pair of all) course(lanes, pair.from, pair.to);
  lanes.counting = false;
  return all.map((pair) => {
    const corners = simplify(course(lanes, pair.from, pair.to));
    const points = rounded(corners, Math.round(layout.lane.y * 0.12));
    const line = { id: pair.id };
    const way = (/** @type {Point[]} */ path) => ({ path: table(path), marks: [{ at: 0, kind: "pod", nat: "", encapsulated: false }], stops: [], lines: [line], pills: [] });
    return { ...pair, corners, there: way(points), back: way([...points].reverse()) };
  });
}

/** @param {Lanes} lanes @param {string} from @param {string} to @returns {Point[]} */
function course(lanes, from, to) {
  const { layout } = lanes;
  const [a, b] = [from, to].map((name) => layout.zones.find((zone) => zone.name === name));
  if (!a && b) return fromOutside(lanes, b, "left");
  if (a && !b) return fromOutside(lanes, a, "right").reverse();
  if (!a || !b) return [];
  if (a.row === b.row && Math.abs(a.column - b.column) === 1) return beside(lanes, a, b);
  if (a.column === b.column && Math.abs(a.row - b.row) === 1) return above(lanes, a, b);
  return around(lanes, a, b);
}

/** @param {Lanes} lanes @param {Zone} a @param {Zone} b @returns {Point[]} */
function beside(lanes, a, b) {
  const [left, right] = a.column < b.column ? [a, b] : [b, a];
  const y = lanes.doorY(left, "right");
  const points = /** @type {Point[]} */ ([[left.x + left.w, y], [right.x, y]]);
  return left === a ? points : points.reverse();
}

/** @param {Lanes} lanes @param {Zone} a @param {Zone} b @returns {Point[]} */
function above(lanes, a, b) {
  const [top, bottom] = a.row < b.row ? [a, b] : [b, a];
  const x = Math.min(lanes.doorX(bottom, "roof"), Math.min(top.x + top.w, bottom.x + bottom.w) - Math.round(bottom.w * EDGE));
  const points = /** @type {Point[]} */ ([[x, top.y + top.h], [x, bottom.y]]);
  return top === a ? points : points.reverse();
}

/** The lane that zones of one row use between themselves and to the outside: away from the middle, where the diagonals are. */
function laneOf(/** @type {MassLayout} */ layout, /** @type {number} */ row, /** @type {boolean} */ outside) {
  if (layout.grid.rows === 1) return outside ? 0 : 1;
  return row === 0 ? 0 : row + 1;
}

/** @param {Lanes} lanes @param {Zone} zone @param {number} lane @returns {Point} the door of a zone to a lane above or below it */
function door(lanes, zone, lane) {
  return lane > zone.row ? [lanes.doorX(zone, "floor"), zone.y + zone.h] : [lanes.doorX(zone, "roof"), zone.y];
}

/** @param {Lanes} lanes @param {Zone} a @param {Zone} b @returns {Point[]} */
function around(lanes, a, b) {
  const { layout } = lanes;
  if (a.row > b.row) return around(lanes, b, a).reverse();
  const first = a.row === b.row ? laneOf(layout, a.row, false) : a.row + 1;
  const last = a.row === b.row ? first : b.row;
  const [start, end] = [door(lanes, a, first), door(lanes, b, last)];
  const y = lanes.trackY(first);
  if (first === last) return [start, [start[0], y], [end[0], y], end];
  const [x, low] = [lanes.riserX(b.column), lanes.trackY(last)];
  return [start, [start[0], y], [x, y], [x, low], [end[0], low], end];
}

/** @param {Lanes} lanes @param {Zone} zone @param {"left"|"right"} side @returns {Point[]} from the outside in */
function fromOutside(lanes, zone, side) {
  const { layout } = lanes;
  const start = gate(layout, side);
  const left = side === "left";
  const x = lanes.riserX(left ? 0 : layout.grid.columns);
  const near = left ? zone.column === 0 : !layout.zones.some((one) => one.row === zone.row && one.column === zone.column + 1);
  if (near) {
    const y = lanes.doorY(zone, side);
    return [start, [x, start[1]], [x, y], [left ? zone.x : zone.x + zone.w, y]];
  }
  const lane = laneOf(layout, zone.row, true);
  const [y, end] = [lanes.trackY(lane), door(lanes, zone, lane)];
  return [start, [x, start[1]], [x, y], [end[0], y], end];
}

/** @param {MassLayout} layout @param {"left"|"right"} side @returns {Point} where the outside begins: at the middle of its boxes, or at the frame */
export function gate(layout, side) {
  const boxes = [...layout.sides.values()].filter((box) => (side === "left" ? box.x < 0 : box.x > 0));
  const box = boxes[0];
  const y = box ? box.y + Math.round(box.h / 2) : Math.round(layout.frame.h / 2);
  const x = box ? (side === "left" ? box.x + box.w : box.x) : side === "left" ? 0 : layout.frame.w;
  return [x, y];
}
