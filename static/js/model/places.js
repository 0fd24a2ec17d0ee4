/** Where a person put things by node: slots, which two things change. In the other views it is pixels and needs no help. */
import { SIZE } from "./layout.js";

/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./layout.js").Rect} Rect */
/** @typedef {Map<string, number[]>} Places */
/** @typedef {"nodes"|"lane"|"left"|"right"} Group */

const GROUPS = /** @type {Group[]} */ (["nodes", "lane", "left", "right"]);

/** @param {Layout} layout @param {string} id @returns {Group|null} null when it cannot be put elsewhere: a pod stands on its node */
export function groupOf(layout, id) {
  return GROUPS.find((name) => layout.slots[name].has(id)) ?? null;
}

/** @param {Layout} layout @param {Group} group @param {number} slot @returns {Rect} where it is in the picture */
export function slotRect(layout, group, slot) {
  const { plan, lane, frame } = layout;
  if (group === "lane") {
    return { w: plan.hex, h: SIZE.hex.h, x: lane.x + (slot % plan.lanePerRow) * (plan.hex + lane.gap), y: lane.y + Math.floor(slot / plan.lanePerRow) * (SIZE.hex.h + SIZE.laneRow) };
  }
  if (group === "nodes") {
    const { w, h } = /** @type {import("./layout.js").Panel} */ ([...layout.panels.values()][0]).box;
    const row = layout.rows[Math.floor(slot / plan.perRow)];
    return { x: SIZE.margin + 12 + (slot % plan.perRow) * (w + SIZE.panelGap), y: row.entry + 18, w, h };
  }
  const column = Math.floor(slot / plan.sidePerColumn);
  const step = column * (SIZE.side.w + 40);
  return { ...SIZE.side, x: group === "left" ? -SIZE.sideGap - SIZE.side.w - step : frame.w + SIZE.sideGap + step, y: SIZE.sideTop + (slot % plan.sidePerColumn) * SIZE.sideRow };
}

/** @param {Layout} layout @param {Group} group @returns {number} how many slots there are, empty ones at the end of a row included */
function room(layout, group) {
  const { plan } = layout;
  if (group === "nodes") return layout.rows.length * plan.perRow;
  if (group === "lane") return layout.lane.rows * plan.lanePerRow;
  const most = Math.max(0, ...layout.slots[group].values());
  return (Math.floor(most / plan.sidePerColumn) + 1) * plan.sidePerColumn;
}

/** @param {Layout} layout @param {Group} group */
function middles(layout, group) {
  return Array.from({ length: room(layout, group) }, (_, slot) => {
    const { x, y, w, h } = slotRect(layout, group, slot);
    return { slot, x: x + w / 2, y: y + h / 2 };
  });
}

/** @param {Layout} layout @param {string} id @param {{x: number, y: number}} point @returns {number} the slot it would take there */
export function slotNear(layout, id, point) {
  const group = /** @type {Group} */ (groupOf(layout, id));
  const away = (/** @type {{x: number, y: number}} */ one) => Math.hypot(one.x - point.x, one.y - point.y);
  return middles(layout, group).reduce((best, one) => (away(one) < away(best) ? one : best)).slot;
}

/** @param {Layout} layout @param {string} id @param {number} dx -1, 0, 1 @param {number} dy @returns {number} the next slot in that direction, or its own */
export function slotBeside(layout, id, dx, dy) {
  const group = /** @type {Group} */ (groupOf(layout, id));
  const own = /** @type {number} */ (layout.slots[group].get(id));
  const all = middles(layout, group);
  const here = all[own];
  if (!here) return own;
  const ahead = all.filter((one) => (one.x - here.x) * dx + (one.y - here.y) * dy > 1);
  const cost = (/** @type {{x: number, y: number}} */ one) => Math.abs((one.x - here.x) * dx + (one.y - here.y) * dy) + 4 * Math.abs((one.x - here.x) * dy) + 4 * Math.abs((one.y - here.y) * dx);
  return ahead.length ? ahead.reduce((best, one) => (cost(one) < cost(best) ? one : best)).slot : own;
}

/**
 * Puts a thing into a slot; who is there takes the slot that becomes free. Everybody of the group is written down, so that it is the same when the page opens again.
 * @param {Places} places @param {Layout} layout @param {string} id @param {number} slot @returns {Places}
 */
export function swapped(places, layout, id, slot) {
  const group = /** @type {Group} */ (groupOf(layout, id));
  const now = layout.slots[group];
  const own = /** @type {number} */ (now.get(id));
  const next = new Map(places);
  for (const [other, at] of now) next.set(other, [other === id ? slot : at === slot ? own : at]);
  return next;
}

/** @param {Places} places @param {Layout} natural as it would be without a person @returns {Set<string>} who does not stand there */
export function astray(places, natural) {
  return new Set([...places].filter(([id, [slot]]) => {
    const group = groupOf(natural, id);
    return group !== null && natural.slots[group].get(id) !== slot;
  }).map(([id]) => id));
}

/** Back to where it would be by itself. @param {Places} places @param {Layout} layout @param {Layout} natural @param {string} id @returns {Places} */
export function restored(places, layout, natural, id) {
  const group = groupOf(layout, id);
  if (!group) return places;
  const next = swapped(places, layout, id, /** @type {number} */ (natural.slots[group].get(id)));
  const strays = astray(next, natural);
  if ([...layout.slots[group].keys()].some((one) => strays.has(one))) return next;
  for (const one of layout.slots[group].keys()) next.delete(one);
  return next;
}
