/**
 * Where everything stands in a big cluster: zones in blocks, nodes in a grid, pods in a grid. Integers
 * only, all multiples of 8, so that pods meet whole pixels down to an eighth of their size; the place of
 * any pod, and the pod at any place, is arithmetic.
 */

/** @typedef {{id: string, name: string, zone: string, ready: boolean, schedulable: boolean, ip: string}} MassNode */
/** @typedef {{x: number, y: number, w: number, h: number}} Rect */
/** @typedef {{columns: number, rows: number, w: number, h: number}} Step the grid of pods in a node, and the size of the node */
/** @typedef {Rect & {name: string, row: number, column: number, columns: number, rows: number, count: number, seats: Int32Array}} Zone seats: node index by place, -1 free */
/** @typedef {Rect & {columns: number, rows: number, k: number}} Tray k: how much larger its pods are */
/** @typedef {Rect & {id: string, kind: string}} Box */
/**
 * @typedef {object} MassLayout
 * @property {Step} step
 * @property {Zone[]} zones
 * @property {Int32Array} x left edge of node i, meaningless where `zoneOf` is -1
 * @property {Int32Array} y
 * @property {Int16Array} zoneOf
 * @property {Rect} frame
 * @property {Rect} bounds
 * @property {{x: number, y: number}} lane the space between zones
 * @property {Tray|null} tray pods on no node
 * @property {number} scale how much larger what stands outside is drawn
 * @property {Map<string, Box>} sides what stands outside the cluster
 * @property {{left: number, right: number}} more how many on each side are left out
 * @property {{columns: number, rows: number}} grid of zones
 * @property {Map<string, number>} seat place of a node in its zone, by id
 * @property {string[]} names of the zones in order
 */

export const POD = { w: 48, h: 32, x: 56, y: 40 };
export const NODE = { pad: 16, head: 48, foot: 40, gap: 32 };
const ZONE = { pad: 40 };
const STEPS = [[4, 2], [5, 3], [6, 4], [7, 5], [8, 6], [10, 7], [11, 8], [12, 10], [14, 12], [18, 15], [23, 20], [32, 32]];
const BLOCK = { least: 0.75, wanted: 1.6, most: 2.2 };
/** Width to height of all blocks together, so that with lanes and what stands outside they fill a screen beside its panels. */
const WHOLE = 2.2;
const SIDE = { w: 208, h: 80, gap: 64, row: 104, most: 6 };
const MARGIN = 24;
/** Height of a lane between zones, as a share of everything: names and lines must have room in it on a screen. */
const LANE = 0.095;
/** The lane above all zones is higher: the title of the cluster stands in it. */
export const TITLE = 1.4;
export const NO_NODE = 0xffffffff;

/** @param {number} value */
const eight = (value) => Math.ceil(value / 8) * 8;

/** @param {number} need pods the fullest node holds @returns {Step} */
export function stepFor(need) {
  const [columns, rows] = STEPS.find(([c, r]) => c * r >= need) ?? [64, Math.ceil(need / 64)];
  return { columns, rows, w: NODE.pad * 2 + columns * POD.x - (POD.x - POD.w), h: NODE.head + rows * POD.y - (POD.y - POD.h) + 8 + NODE.foot };
}

/**
 * The order of ids people expect: node-2 before node-10.
 * @param {string} a @param {string} b @returns {number}
 */
export function natural(a, b) {
  const [left, right] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    if (left[i] === right[i]) continue;
    const numbers = Number(left[i]) - Number(right[i]);
    if (numbers) return numbers;
    return left[i] < right[i] ? -1 : 1;
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0);
}

/**
 * Nobody moves while there is room: a node keeps its place, a gone one leaves a hole, a new one fills the
 * first. Only when a zone, a node or the tray is full, everything is laid out again.
 * @param {{nodes: (MassNode|null)[], need: number, waiting: number, outside?: {left: any[], right: any[]}}} cluster
 *   `need`: pods on the fullest node; `waiting`: pods on no node
 * @param {MassLayout|null} [previous]
 * @returns {MassLayout}
 */
export function massLayout(cluster, previous = null) {
  const groups = byZone(cluster.nodes);
  const names = [...groups.keys()].sort((a, b) => (a === "" ? 1 : 0) - (b === "" ? 1 : 0) || natural(a, b));
  const kept = previous && fits(cluster, groups, names, previous) ? previous : null;
  const step = kept?.step ?? stepFor(cluster.need + 1);
  const seat = seats(groups, cluster.nodes, kept);
  const shape = kept ? shapeOf(kept) : choose(groups, names, step);
  const place = { ...positions(cluster.nodes.length), seat, names };
  const zones = names.map((name, i) => zone(name, i, shape, step, groups.get(name) ?? [], cluster.nodes, place));
  const frame = frameOf(zones, shape.lane);
  const tray = trayOf(cluster.waiting, frame, kept?.tray ?? null, shape.lane);
  const scale = Math.max(1, Math.round(frame.w / 1900));
  const { sides, more } = outside(cluster.outside, frame, scale);
  return { step, zones, ...place, frame, tray, scale, sides, more, lane: shape.lane, grid: shape.grid, bounds: boundsOf(frame, sides, scale) };
}

/** @param {(MassNode|null)[]} nodes @returns {Map<string, number[]>} node indexes of each zone */
function byZone(nodes) {
  /** @type {Map<string, number[]>} */
  const groups = new Map();
  nodes.forEach((node, i) => {
    if (!node) return;
    const known = groups.get(node.zone);
    if (known) known.push(i);
    else groups.set(node.zone, [i]);
  });
  return groups;
}

/** @param {{need: number, waiting: number}} cluster @param {Map<string, number[]>} groups @param {string[]} names @param {MassLayout} previous */
function fits(cluster, groups, names, previous) {
  if (names.length !== previous.names.length || names.some((name, i) => name !== previous.names[i])) return false;
  if (cluster.need > previous.step.columns * previous.step.rows) return false;
  const tray = previous.tray;
  if (cluster.waiting > (tray ? tray.columns * tray.rows : 0)) return false;
  return previous.zones.every((one) => (groups.get(one.name) ?? []).length <= one.columns * one.rows);
}

/** @param {Map<string, number[]>} groups @param {(MassNode|null)[]} nodes @param {MassLayout|null} kept @returns {Map<string, number>} */
function seats(groups, nodes, kept) {
  /** @type {Map<string, number>} */
  const seat = new Map();
  for (const indexes of groups.values()) {
    const ids = indexes.map((i) => /** @type {MassNode} */ (nodes[i]).id);
    const taken = new Set();
    for (const id of ids) {
      const before = kept?.seat.get(id);
      if (before === undefined) continue;
      seat.set(id, before);
      taken.add(before);
    }
    let next = 0;
    for (const id of ids.filter((one) => !seat.has(one)).sort(natural)) {
      while (taken.has(next)) next += 1;
      taken.add(next);
      seat.set(id, next);
    }
  }
  return seat;
}

/** @typedef {{grid: {columns: number, rows: number}, rows: number[], columns: number[], lane: {x: number, y: number}}} Shape rows of nodes by row of zones, columns of nodes by zone */

/** @param {MassLayout} layout @returns {Shape} */
function shapeOf({ zones, grid, lane }) {
  return { grid, lane, columns: zones.map((one) => one.columns), rows: Array.from({ length: grid.rows }, (_, r) => zones.find((one) => one.row === r)?.rows ?? 1) };
}

/** The grid of zones whose blocks come nearest to 16:10 when the whole fills a screen. */
function choose(/** @type {Map<string, number[]>} */ groups, /** @type {string[]} */ names, /** @type {Step} */ step) {
  const counts = names.map((name) => groups.get(name)?.length ?? 0);
  let best = { columns: 1, rows: 1 };
  let least = Infinity;
  for (let columns = 1; columns <= Math.max(1, names.length); columns += 1) {
    const rows = Math.ceil(names.length / columns) || 1;
    const aspect = (WHOLE * rows) / columns;
    const empty = rows * columns - names.length;
    const off = Math.abs(Math.log(aspect / BLOCK.wanted)) + empty * 0.5;
    if (off < least) [best, least] = [{ columns, rows }, off];
  }
  return measure(best, counts, step);
}

/** @param {{columns: number, rows: number}} grid @param {number[]} counts @param {Step} step @returns {Shape} */
function measure(grid, counts, step) {
  const aspect = Math.max(BLOCK.least, Math.min(BLOCK.most, (WHOLE * grid.rows) / grid.columns));
  const [w, h] = [step.w + NODE.gap, step.h + NODE.gap];
  const rows = Array.from({ length: grid.rows }, (_, r) => {
    const mine = counts.slice(r * grid.columns, (r + 1) * grid.columns);
    const mean = mine.reduce((sum, n) => sum + n, 0) / Math.max(1, mine.length);
    return Math.max(1, Math.round(Math.sqrt((mean * w) / (aspect * h))));
  });
  const columns = level(counts.map((n, i) => Math.max(1, Math.ceil((n + Math.min(1, n >> 6)) / rows[Math.floor(i / grid.columns)]))), grid.columns);
  const widest = Math.max(1, ...columns) * w;
  const highest = Math.max(1, ...rows) * h;
  const whole = Math.max(grid.rows * highest, (grid.columns * widest) / WHOLE);
  return { grid, rows, columns, lane: { x: eight(Math.max(240, widest * 0.13)), y: eight(Math.max(240, (LANE * whole) / (1 - LANE * (grid.rows + TITLE)))) } };
}

/** Blocks that stand above each other are equally wide, unless that would waste much room. @param {number[]} widths @param {number} columns */
function level(widths, columns) {
  return widths.map((width, i) => {
    const widest = Math.max(...widths.filter((_, other) => other % columns === i % columns));
    return widest <= width * 2 || widest - width < 4 ? widest : width;
  });
}

/** @param {number} count */
function positions(count) {
  return { x: new Int32Array(count), y: new Int32Array(count), zoneOf: new Int16Array(count).fill(-1) };
}

/** @param {number[]} columns @param {Step} step */
function widths(columns, step) {
  return columns.map((count) => count * (step.w + NODE.gap) - NODE.gap + ZONE.pad * 2);
}

/** @returns {Zone} */
function zone(/** @type {string} */ name, /** @type {number} */ i, /** @type {Shape} */ shape, /** @type {Step} */ step,
  /** @type {number[]} */ indexes, /** @type {(MassNode|null)[]} */ nodes, /** @type {any} */ place) {
  const [row, column] = [Math.floor(i / shape.grid.columns), i % shape.grid.columns];
  const before = widths(shape.columns, step).slice(row * shape.grid.columns, i);
  const heights = shape.rows.map((count) => count * (step.h + NODE.gap) - NODE.gap + ZONE.pad * 2);
  const x = shape.lane.x + before.reduce((sum, w) => sum + w + shape.lane.x, 0);
  const y = Math.round(shape.lane.y * TITLE / 8) * 8 + heights.slice(0, row).reduce((sum, h) => sum + h + shape.lane.y, 0);
  const columns = shape.columns[i];
  const seats = new Int32Array(columns * shape.rows[row]).fill(-1);
  for (const index of indexes) {
    const seat = place.seat.get(/** @type {MassNode} */ (nodes[index]).id);
    seats[seat] = index;
    place.x[index] = x + ZONE.pad + (seat % columns) * (step.w + NODE.gap);
    place.y[index] = y + ZONE.pad + Math.floor(seat / columns) * (step.h + NODE.gap);
    place.zoneOf[index] = i;
  }
  return { name, row, column, columns, rows: shape.rows[row], x, y, w: widths([columns], step)[0], h: heights[row], count: indexes.length, seats };
}

/** @param {Zone[]} zones @param {{x: number, y: number}} lane @returns {Rect} */
function frameOf(zones, lane) {
  const right = Math.max(800, ...zones.map((one) => one.x + one.w));
  const bottom = Math.max(400, ...zones.map((one) => one.y + one.h));
  return { x: 0, y: 0, w: right + lane.x, h: bottom + lane.y };
}

/** Pods on no node, larger than others so that they are seen; the tray has room for half as many again, so that it grows seldom. */
function trayOf(/** @type {number} */ waiting, /** @type {Rect} */ frame, /** @type {Tray|null} */ kept, /** @type {{x: number, y: number}} */ lane) {
  if (!waiting && !kept) return null;
  const k = kept?.k ?? Math.max(1, Math.min(5, Math.round(frame.w / 9000)));
  const x = eight(lane.x / 2);
  const columns = kept?.columns ?? Math.max(1, Math.floor((frame.w - 2 * x) / (POD.x * k)));
  const rows = kept?.rows ?? Math.max(1, Math.ceil((waiting * 1.5) / columns));
  const tray = { x, y: frame.h + eight(lane.y * 0.35), columns, rows, k, w: columns * POD.x * k, h: (rows * POD.y + 16) * k };
  frame.h = tray.y + tray.h + x;
  return tray;
}

/** @param {Tray} tray @param {number} slot @returns {Rect} */
export function traySlot(tray, slot) {
  const { k } = tray;
  return { x: tray.x + (slot % tray.columns) * POD.x * k, y: tray.y + 12 * k + Math.floor(slot / tray.columns) * POD.y * k, w: POD.w * k, h: POD.h * k };
}

/** Clients, entrances and load balancers left, the rest of the world right; as many as fit, the others as a number. */
function outside(/** @type {{left: any[], right: any[]}|undefined} */ given, /** @type {Rect} */ frame, /** @type {number} */ scale) {
  /** @type {Map<string, Box>} */
  const sides = new Map();
  const more = { left: 0, right: 0 };
  for (const [side, x] of /** @type {["left"|"right", number][]} */ ([["left", -(SIDE.w + SIDE.gap) * scale], ["right", frame.w + SIDE.gap * scale]])) {
    const all = given?.[side] ?? [];
    const shown = all.slice(0, SIDE.most);
    more[side] = all.length - shown.length;
    const top = Math.max(64 * scale, Math.round((frame.h - shown.length * SIDE.row * scale) / 2));
    for (const [i, { id, kind }] of shown.entries()) sides.set(id, { id, kind, x, y: top + i * SIDE.row * scale, w: SIDE.w * scale, h: SIDE.h * scale });
  }
  return { sides, more };
}

/** @param {Rect} frame @param {Map<string, Box>} sides @param {number} scale @returns {Rect} */
function boundsOf(frame, sides, scale) {
  const boxes = [frame, ...sides.values()];
  const x = Math.min(...boxes.map((b) => b.x)) - MARGIN * scale;
  const right = Math.max(...boxes.map((b) => b.x + b.w)) + MARGIN * scale;
  return { x, y: -MARGIN * scale, w: right - x, h: frame.h + 2 * MARGIN * scale };
}

/** @param {Step} step @param {number} slot @returns {{x: number, y: number}} where a pod stands inside its node */
export function slotAt(step, slot) {
  return { x: NODE.pad + (slot % step.columns) * POD.x, y: NODE.head + Math.floor(slot / step.columns) * POD.y };
}

/**
 * What stands at a point, without a search: the zone, the place in it, the node there and the slot in that.
 * @param {MassLayout} layout @param {number} x @param {number} y
 * @returns {{zone: number, node: number, slot: number, tray: number}} -1 where there is none
 */
export function pick(layout, x, y) {
  const found = { zone: -1, node: -1, slot: -1, tray: trayAt(layout.tray, x, y) };
  found.zone = layout.zones.findIndex((one) => x >= one.x && x < one.x + one.w && y >= one.y && y < one.y + one.h);
  if (found.zone < 0) return found;
  const zone = layout.zones[found.zone];
  const { step } = layout;
  const [column, left] = cell(x - zone.x - ZONE.pad, step.w + NODE.gap, step.w);
  const [row, top] = cell(y - zone.y - ZONE.pad, step.h + NODE.gap, step.h);
  if (column < 0 || row < 0 || column >= zone.columns || row >= zone.rows) return found;
  found.node = zone.seats[row * zone.columns + column];
  const [c] = cell(left - NODE.pad, POD.x, POD.w);
  const [r] = cell(top - NODE.head, POD.y, POD.h);
  if (found.node >= 0 && c >= 0 && r >= 0 && c < step.columns && r < step.rows) found.slot = r * step.columns + c;
  return found;
}

/** @param {Tray|null} tray @param {number} x @param {number} y */
function trayAt(tray, x, y) {
  if (!tray) return -1;
  const [c] = cell((x - tray.x) / tray.k, POD.x, POD.w);
  const [r] = cell((y - tray.y) / tray.k - 12, POD.y, POD.h);
  return c >= 0 && r >= 0 && c < tray.columns && r < tray.rows ? r * tray.columns + c : -1;
}

/** @param {number} at @param {number} pitch @param {number} size @returns {[number, number]} the cell and the place in it; -1 in a gap */
function cell(at, pitch, size) {
  const index = Math.floor(at / pitch);
  const inside = at - index * pitch;
  return at < 0 || inside >= size ? [-1, 0] : [index, inside];
}

/**
 * The places of a zone that a rectangle meets.
 * @param {MassLayout} layout @param {Zone} zone @param {Rect} view @returns {{left: number, right: number, top: number, bottom: number}} right and bottom excluded
 */
export function places(layout, zone, view) {
  const [w, h] = [layout.step.w + NODE.gap, layout.step.h + NODE.gap];
  const [x, y] = [zone.x + ZONE.pad, zone.y + ZONE.pad];
  return {
    left: Math.max(0, Math.floor((view.x - x) / w)), right: Math.min(zone.columns, Math.ceil((view.x + view.w - x) / w)),
    top: Math.max(0, Math.floor((view.y - y) / h)), bottom: Math.min(zone.rows, Math.ceil((view.y + view.h - y) / h)),
  };
}

/** @param {MassLayout} layout @param {Rect} view @returns {number[]} indexes of the nodes it meets */
export function nodesIn(layout, view) {
  /** @type {number[]} */
  const out = [];
  for (const zone of layout.zones) {
    const { left, right, top, bottom } = places(layout, zone, view);
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        const index = zone.seats[row * zone.columns + column];
        if (index >= 0) out.push(index);
      }
    }
  }
  return out;
}
