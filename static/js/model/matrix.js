/** Every caller and everything called: what runs between them, and what becomes of it. */
import { behindOf } from "./calls.js";
import { census } from "./census.js";

/** @typedef {"ok"|"some"|"refused"|"dropped"|"idle"} Verdict `some`: a part of the calls fails; `idle`: nobody calls now */
/** @typedef {{from: string, to: string, rps: number, failing: number, verdict: Verdict, flows: string[]}} Cell */
/** @typedef {{id: string, name: string, group: string, kind: string, rps: number, failing: number}} End */
/** @typedef {{rows: End[], columns: End[], cells: Map<string, Cell>}} Matrix */
/** @typedef {"namespace"|"traffic"|"errors"|"name"} Order */

export const key = (/** @type {string} */ from, /** @type {string} */ to) => `${from}>${to}`;

/** @param {any} entity @param {string} id @returns {End} */
function endOf(entity, id) {
  const outside = !entity?.namespace && !["node", "namespace"].includes(entity?.kind);
  const name = entity?.label || entity?.name || id;
  return { id, name, group: entity?.namespace ?? (outside ? "outside" : `${entity.kind}s`), kind: entity?.kind ?? "", rps: 0, failing: 0 };
}

/**
 * Where a route begins and where it ends or stops, as workloads where there are some.
 * @param {any} route @param {Map<string, string>} owners @returns {{from: string, to: string}|null} null for what never leaves its workload; a whole namespace may call itself
 */
function endsOf(route, owners) {
  const stops = route.waypoints.filter((/** @type {string} */ ref) => ref !== "wire");
  const inner = stops.filter((/** @type {string} */ ref) => !ref.startsWith("node:"));
  const [first, last] = [inner[0] ?? stops[0], inner[inner.length - 1] ?? stops[stops.length - 1]];
  const [from, to] = [owners.get(first) ?? first, owners.get(last) ?? last];
  return !from || !to || (from === to && !from.startsWith("namespace:")) ? null : { from, to };
}

/** @param {Cell} cell @param {string[]} effects of its routes @returns {Verdict} */
function verdictOf({ rps, failing }, effects) {
  const bad = effects.filter((effect) => effect === "refused" || effect === "dropped");
  if (!effects.length) return "idle";
  if (bad.length === effects.length || (rps > 0 && failing >= rps * 0.995)) return bad.includes("dropped") ? "dropped" : "refused";
  return bad.length && failing > 0 ? "some" : "ok";
}

/**
 * @param {Map<string, any>} entities @param {Map<string, any>} routes @param {Map<string, import("./shares.js").Share>} shares by route
 * @returns {Matrix}
 */
export function matrix(entities, routes, shares) {
  const counted = census(entities.values());
  const { owners } = counted;
  const behind = behindOf([...entities.values()], counted);
  /** @type {Map<string, Cell & {effects: string[]}>} */
  const cells = new Map();
  const at = (/** @type {string} */ from, /** @type {string} */ to) => {
    const id = key(from, to);
    return cells.get(id) ?? /** @type {Cell & {effects: string[]}} */ (cells.set(id, { from, to, rps: 0, failing: 0, verdict: "idle", flows: [], effects: [] }).get(id));
  };
  const seen = new Set();
  for (const route of routes.values()) {
    const ends = endsOf(route, owners);
    seen.add(route.flow);
    if (!ends) continue;
    const cell = at(ends.from, ends.to);
    const { rps, failing } = shares.get(route.id) ?? { rps: 0, failing: 0 };
    cell.rps += rps;
    cell.failing += failing;
    cell.effects.push(route.effect);
    if (!cell.flows.includes(route.flow)) cell.flows.push(route.flow);
  }
  for (const flow of entities.values()) {
    if (flow.kind !== "flow" || seen.has(flow.id) || !entities.has(flow.from) || !entities.has(flow.to)) continue;
    const [first] = behind.get(flow.to) ?? [];
    at(owners.get(flow.from) ?? flow.from, first ?? owners.get(flow.to) ?? flow.to).flows.push(flow.id);
  }
  return { ...ends(cells, entities), cells: new Map([...cells].map(([id, { effects, ...cell }]) => [id, { ...cell, verdict: verdictOf(cell, effects) }])) };
}

/** @param {Map<string, Cell>} cells @param {Map<string, any>} entities @returns {{rows: End[], columns: End[]}} */
function ends(cells, entities) {
  const [rows, columns] = [new Map(), new Map()];
  for (const cell of cells.values()) {
    for (const [side, id] of /** @type {[Map<string, End>, string][]} */ ([[rows, cell.from], [columns, cell.to]])) {
      const end = side.get(id) ?? endOf(entities.get(id), id);
      side.set(id, { ...end, rps: end.rps + cell.rps, failing: end.failing + cell.failing });
    }
  }
  return { rows: [...rows.values()], columns: [...columns.values()] };
}

/** @param {End[]} ends @param {Order} order @returns {End[]} `namespace` groups, the rest does not */
export function sorted(ends, order) {
  const name = (/** @type {End} */ a, /** @type {End} */ b) => compare(a.name, b.name) || compare(a.id, b.id);
  const outside = (/** @type {End} */ a) => (a.group === "outside" ? 0 : 1);
  const orders = {
    namespace: (/** @type {End} */ a, /** @type {End} */ b) => outside(a) - outside(b) || compare(a.group, b.group) || name(a, b),
    traffic: (/** @type {End} */ a, /** @type {End} */ b) => b.rps - a.rps || name(a, b),
    errors: (/** @type {End} */ a, /** @type {End} */ b) => b.failing - a.failing || b.rps - a.rps || name(a, b),
    name,
  };
  return [...ends].sort(orders[order]);
}

/** @param {string} a @param {string} b */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @param {Matrix} matrix @returns {Matrix} only who fails, and whom they call in vain */
export function troubled({ rows, columns, cells }) {
  const bad = new Map([...cells].filter(([, cell]) => ["some", "refused", "dropped"].includes(cell.verdict)));
  const [from, to] = [new Set([...bad.values()].map((cell) => cell.from)), new Set([...bad.values()].map((cell) => cell.to))];
  return { rows: rows.filter((row) => from.has(row.id)), columns: columns.filter((column) => to.has(column.id)), cells: bad };
}
