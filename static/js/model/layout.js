/**
 * Where everything stands: deterministic lanes, integers only, no physics.
 *
 * INTERNET | service lane, track channel, node panels, node network | EXTERNAL. The layout is a pure
 * function of the entities and of the slots it gave out before, so nothing jumps when things change.
 */
import { assign, byAge, extent } from "./slots.js";

export const SIZE = {
  card: { w: 192, h: 88 }, gutter: 68, rowGap: 10, pairGap: 18, pad: 12, header: 46, bridge: 30, run: 16,
  panelGap: 24, socket: { w: 110, h: 24 }, cable: 24, bus: 82, title: 60, hex: { w: 172, h: 60 }, widest: 232, laneLabel: 30,
  side: { w: 204, h: 80 }, sideGap: 64, margin: 22, sideTop: 210, sideRow: 124, laneRow: 22,
};
const TARGET = { w: 1920, h: 980 };
const PAIR = SIZE.card.w * 2 + SIZE.gutter;

/**
 * @typedef {{id: string, kind: string, x: number, y: number, w: number, h: number}} Box
 * @typedef {{x: number, y: number, w: number, h: number}} Rect
 * @typedef {{box: Box, row: number, gutters: number[], bridge: Rect, socket: Rect, bodyTop: number}} Panel
 * @typedef {{top: number, tracks: number, entry: number, bus: Rect}} Row
 * @typedef {{pairs: number, perRow: number, lanePerRow: number, hex: number, sidePerColumn: number}} Plan hex: how wide a Service is
 * @typedef {{nodes: Map<string, number>, pods: Map<string, Map<string, number>>, lane: Map<string, number>,
 *   left: Map<string, number>, right: Map<string, number>, pending: Map<string, number>}} Slots
 * @typedef {{plan: Plan, slots: Slots, boxes: Map<string, Box>, panels: Map<string, Panel>, rows: Row[],
 *   frame: Rect, lane: {x: number, y: number, rows: number, gap: number, pitch: number, trackTop: number},
 *   tray: Rect|null, bounds: Rect, riser: {left: number, right: number}, pinned?: Set<string>}} Layout
 */

/**
 * @param {any[]} entities
 * @param {Layout|null} [previous]
 * @param {Map<string, number[]>} [places] the slots a person gave to nodes, to Services and to what stands outside
 * @returns {Layout}
 */
export function layout(entities, previous = null, places = new Map()) {
  const groups = group(entities);
  const slots = seat(groups, places, previous?.slots);
  const plan = choose(slots, previous);
  const boxes = new Map();
  const lane = placeLane(slots.lane, plan, frameWidth(plan, slots), boxes, entities);
  const { panels, rows, bottom } = placePanels(slots, plan, lane.bottom, boxes, frameWidth(plan, slots));
  const frame = { x: 0, y: 0, w: frameWidth(plan, slots), h: bottom };
  const tray = placeTray(slots.pending, frame, boxes);
  placeSides(slots, plan, frame, boxes, entities);
  const bounds = surround([frame, ...boxes.values()], 30);
  return { plan, slots, boxes, panels, rows, frame, tray, bounds, lane: lane.lane,
    riser: { left: SIZE.margin / 2, right: frame.w - SIZE.margin / 2 } };
}

/** @param {any[]} entities */
function group(entities) {
  const of = (/** @type {string[]} */ ...kinds) => entities.filter((e) => kinds.includes(e.kind));
  const nodes = of("node");
  const known = new Set(nodes.map((n) => n.id));
  const pods = of("pod");
  const called = new Set(of("flow").map((f) => f.to));
  const callers = new Set(of("flow").map((f) => f.from));
  const server = (/** @type {any} */ e) => e.id !== "internet" && (called.has(e.id) || !callers.has(e.id));
  const outside = of("external");
  return {
    nodes, lane: of("service", "ingress", "gateway"),
    placed: pods.filter((p) => known.has(p.node)), pending: pods.filter((p) => !known.has(p.node)),
    left: [...outside.filter((e) => !server(e)), ...of("loadbalancer").map((e) => ({ ...e, created: 1e15 + (e.created ?? 0) }))],
    right: outside.filter(server),
  };
}

/** @param {ReturnType<typeof group>} groups @param {Map<string, number[]>} places @param {Slots} [before] @returns {Slots} */
function seat(groups, places, before) {
  const pods = new Map();
  for (const node of groups.nodes) {
    pods.set(node.id, assign(groups.placed.filter((p) => p.node === node.id), before?.pods.get(node.id)));
  }
  return {
    nodes: assign(groups.nodes, before?.nodes, places), pods, lane: assign(groups.lane, before?.lane, places),
    left: assign(groups.left, before?.left, places), right: assign(groups.right, before?.right, places),
    pending: assign([...groups.pending].sort(byAge)),
  };
}

/** Picks the grid that needs the least shrinking; an old grid stays as long as its nodes fit. */
function choose(/** @type {Slots} */ slots, /** @type {Layout|null} */ previous) {
  const nodes = Math.max(1, extent(slots.nodes));
  if (previous && extent(previous.slots.nodes) >= nodes) return previous.plan;
  let best = /** @type {Plan|null} */ (null);
  let least = Infinity;
  for (const pairs of [1, 2, 3]) {
    for (let perRow = 1; perRow <= nodes; perRow += 1) {
      const plan = { pairs, perRow, lanePerRow: 1, hex: SIZE.hex.w, sidePerColumn: 5 };
      const need = shrink(plan, slots);
      if (need < least - 0.001) [best, least] = [plan, need];
    }
  }
  return finish(/** @type {Plan} */ (best), slots);
}

/** Services are as wide as they can be without a further row: their names are long. @param {Plan} plan @param {Slots} slots */
function finish(plan, slots) {
  const width = frameWidth(plan, slots) - SIZE.margin * 2 - SIZE.laneLabel;
  const gap = laneGap(2);
  const most = Math.max(1, Math.floor((width + gap) / (SIZE.hex.w + gap)));
  const count = Math.max(1, extent(slots.lane));
  plan.lanePerRow = Math.max(1, Math.min(most, Math.max(Math.ceil(count / Math.ceil(count / most)), Math.floor((width + gap) / (SIZE.widest + gap)))));
  plan.hex = Math.max(SIZE.hex.w, Math.min(SIZE.widest, Math.floor((width + gap) / plan.lanePerRow) - gap));
  return plan;
}

/** @param {Plan} plan @param {Slots} slots */
function shrink(plan, slots) {
  finish(plan, slots);
  const rows = Math.ceil(Math.max(1, extent(slots.nodes)) / plan.perRow);
  const laneRows = Math.ceil(extent(slots.lane) / plan.lanePerRow);
  const height = SIZE.title + laneRows * (SIZE.hex.h + SIZE.laneRow) + 140 + rows * (panelHeight(plan, slots) + SIZE.bus + 110);
  const width = frameWidth(plan, slots) + 2 * (SIZE.side.w + SIZE.sideGap);
  return Math.max(width / TARGET.w, height / TARGET.h) + 0.0001 * width / TARGET.w;
}

/** @param {Plan} plan */
function panelWidth(plan) {
  return SIZE.pad * 2 + plan.pairs * PAIR + (plan.pairs - 1) * SIZE.pairGap;
}

/** One slot more than is used: a replacement starts while the old pod still terminates. */
function panelHeight(/** @type {Plan} */ plan, /** @type {Slots} */ slots) {
  const used = Math.max(0, ...[...slots.pods.values()].map(extent));
  const rows = Math.max(2, Math.ceil((used + 1) / (plan.pairs * 2)));
  return SIZE.header + SIZE.pad + rows * (SIZE.card.h + SIZE.rowGap) + SIZE.bridge + SIZE.run + 4;
}

/** @param {Plan} plan @param {Slots} slots */
function frameWidth(plan, slots) {
  const columns = Math.max(1, Math.min(plan.perRow, extent(slots.nodes)));
  const panels = columns * panelWidth(plan) + (columns - 1) * SIZE.panelGap;
  return extent(slots.nodes) ? panels + SIZE.margin * 2 + 24 : 900;
}

/** @param {number} rows how wide the gap between hexagons is, so that upper rows can reach the channel */
function laneGap(rows) {
  return 12 + Math.max(0, rows - 2) * 6;
}

/** @param {Map<string, number>} slots @param {Plan} plan @param {number} width @param {Map<string, Box>} boxes @param {any[]} entities */
function placeLane(slots, plan, width, boxes, entities) {
  const kinds = new Map(entities.map((e) => [e.id, e.kind]));
  const count = extent(slots);
  const rows = Math.max(1, Math.ceil(count / plan.lanePerRow));
  const columns = Math.max(1, Math.min(count, plan.lanePerRow));
  const space = width - SIZE.margin * 2 - SIZE.laneLabel - columns * plan.hex;
  const gap = Math.max(10, Math.min(laneGap(rows) + 20, Math.floor(space / Math.max(1, columns - 1))));
  const x = SIZE.margin + SIZE.laneLabel;
  for (const [id, slot] of slots) {
    const row = Math.floor(slot / plan.lanePerRow);
    boxes.set(id, { id, kind: kinds.get(id) ?? "service", w: plan.hex, h: SIZE.hex.h,
      x: x + (slot % plan.lanePerRow) * (plan.hex + gap), y: SIZE.title + row * (SIZE.hex.h + SIZE.laneRow) });
  }
  const trackTop = SIZE.title + rows * (SIZE.hex.h + SIZE.laneRow) + 6;
  const pitch = Math.max(5, Math.min(9, Math.floor(150 / Math.max(1, count))));
  return { bottom: trackTop + Math.max(24, count * pitch) + 4, lane: { x, y: SIZE.title, rows, gap, pitch, trackTop } };
}

/** @param {Slots} slots @param {Plan} plan @param {number} top @param {Map<string, Box>} boxes @param {number} width */
function placePanels(slots, plan, top, boxes, width) {
  const panels = new Map();
  const rows = [];
  const height = panelHeight(plan, slots);
  const count = Math.max(1, Math.ceil(extent(slots.nodes) / plan.perRow));
  let y = top;
  for (let row = 0; row < count; row += 1) {
    const channel = row ? 34 : 0;
    const panelTop = y + channel + 34;
    const busTop = panelTop + height + SIZE.socket.h - 12 + SIZE.cable;
    rows.push({ top: y, tracks: y + 8, entry: panelTop - 18,
      bus: { x: SIZE.margin - 6, y: busTop, w: width - SIZE.margin * 2 + 12, h: SIZE.bus } });
    for (const [id, slot] of slots.nodes) {
      if (Math.floor(slot / plan.perRow) === row) {
        panels.set(id, placePanel(id, slot % plan.perRow, row, panelTop, height, plan, slots, boxes));
      }
    }
    y = busTop + SIZE.bus + 18;
  }
  return { panels, rows, bottom: y };
}

/** @returns {Panel} */
function placePanel(/** @type {string} */ id, /** @type {number} */ column, /** @type {number} */ row, /** @type {number} */ y,
  /** @type {number} */ h, /** @type {Plan} */ plan, /** @type {Slots} */ slots, /** @type {Map<string, Box>} */ boxes) {
  const w = panelWidth(plan);
  const x = SIZE.margin + 12 + column * (w + SIZE.panelGap);
  const box = { id, kind: "node", x, y, w, h };
  boxes.set(id, box);
  const bodyTop = y + SIZE.header + SIZE.pad;
  for (const [pod, slot] of slots.pods.get(id) ?? []) {
    boxes.set(pod, { id: pod, kind: "pod", ...slotAt(slot, x, bodyTop, plan), ...SIZE.card });
  }
  const gutters = Array.from({ length: plan.pairs }, (_, i) => x + SIZE.pad + i * (PAIR + SIZE.pairGap) + SIZE.card.w);
  const bridge = { x: x + SIZE.pad, y: y + h - SIZE.run - SIZE.bridge, w: w - 2 * SIZE.pad, h: SIZE.bridge };
  const socket = { x: x + Math.round((w - SIZE.socket.w) / 2), y: y + h - 12, ...SIZE.socket };
  return { box, row, gutters, bridge, socket, bodyTop };
}

/** @param {number} slot @param {number} x @param {number} top @param {Plan} plan */
function slotAt(slot, x, top, plan) {
  const columns = plan.pairs * 2;
  const [row, column] = [Math.floor(slot / columns), slot % columns];
  const pair = Math.floor(column / 2);
  return { x: x + SIZE.pad + pair * (PAIR + SIZE.pairGap) + (column % 2) * (SIZE.card.w + SIZE.gutter),
    y: top + row * (SIZE.card.h + SIZE.rowGap) };
}

/** @param {Map<string, number>} slots @param {Rect} frame @param {Map<string, Box>} boxes @returns {Rect|null} */
function placeTray(slots, frame, boxes) {
  if (!slots.size) return null;
  const step = SIZE.card.w + 14;
  const perRow = Math.max(1, Math.floor((frame.w - SIZE.margin * 2 - 120) / step));
  const rows = Math.ceil(slots.size / perRow);
  const tray = { x: SIZE.margin - 6, y: frame.h, w: frame.w - SIZE.margin * 2 + 12, h: rows * (SIZE.card.h + 12) + 16 };
  for (const [id, slot] of slots) {
    boxes.set(id, { id, kind: "pod", ...SIZE.card, x: tray.x + 120 + (slot % perRow) * step,
      y: tray.y + 14 + Math.floor(slot / perRow) * (SIZE.card.h + 12) });
  }
  frame.h += tray.h + 18;
  return tray;
}

/** @param {Slots} slots @param {Plan} plan @param {Rect} frame @param {Map<string, Box>} boxes @param {any[]} entities */
function placeSides(slots, plan, frame, boxes, entities) {
  const kinds = new Map(entities.map((e) => [e.id, e.kind]));
  for (const [side, x, step] of /** @type {[Map<string, number>, number, number][]} */ ([
    [slots.left, -SIZE.sideGap - SIZE.side.w, -1], [slots.right, frame.w + SIZE.sideGap, 1]])) {
    for (const [id, slot] of side) {
      const column = Math.floor(slot / plan.sidePerColumn);
      boxes.set(id, { id, kind: kinds.get(id) ?? "external", ...SIZE.side,
        x: x + step * column * (SIZE.side.w + 40), y: SIZE.sideTop + (slot % plan.sidePerColumn) * SIZE.sideRow });
    }
  }
}

/** @param {Rect[]} rects @param {number} margin @returns {Rect} */
export function surround(rects, margin) {
  const x = Math.min(...rects.map((r) => r.x)) - margin;
  const y = Math.min(...rects.map((r) => r.y)) - margin;
  const right = Math.max(...rects.map((r) => r.x + r.w)) + margin;
  const bottom = Math.max(...rects.map((r) => r.y + r.h)) + margin;
  return { x, y, w: right - x, h: bottom - y };
}
