/** Ways and lines of the views that show cards: from card to card, and over each card along its foot. */
import { portY } from "./curves.js";
import { isBlocked } from "./lines.js";
import { table } from "./polyline.js";
import { perSecond } from "./shares.js";

/** @typedef {import("./polyline.js").Point} Point */
/** @typedef {import("./lines.js").Way} Way */
/** @typedef {import("./lines.js").Line & {rps: number, failing: number, dress: import("./lines.js").Dress}} CallLine */
/** @typedef {{boxes: Map<string, import("./layout.js").Box>, reps: (ref: string) => string, curves: import("./curves.js").Curves, paths: Map<string, Point[]>, hosts?: Map<string, string>}} Ground
 * `hosts`: in which panel a card stands; what runs within one panel is not drawn */

/** @param {string} from @param {string} to @param {Ground} ground @returns {Point[]} */
export function pathOf(from, to, ground) {
  const id = `${from}>${to}`;
  const known = ground.paths.get(id);
  if (known) return known;
  const [a, b] = [from, to].map((one) => /** @type {import("./layout.js").Box} */ (ground.boxes.get(one)));
  const path = ground.curves.between(a, b);
  ground.paths.set(id, path);
  return path;
}

/** @param {any} route @param {Ground} ground @returns {{ref: string, card: string, index: number}[]} where it passes, cards or what stands in none */
function passes(route, { reps }) {
  return route.waypoints.map((/** @type {string} */ ref, /** @type {number} */ index) => ({ ref, card: reps(ref), index }));
}

/** What holds between two cards: the kind it leaves with, any rewrite on the way. A tunnel is between nodes, so it is not shown here. */
function markOf(/** @type {any} */ route, /** @type {number} */ from, /** @type {number} */ to) {
  const between = route.segments.slice(from, to);
  const kind = between.find((/** @type {any} */ s) => s?.kind && s.kind !== "local")?.kind ?? "local";
  return { kind, nat: between.find((/** @type {any} */ s) => s?.nat)?.nat ?? "", encapsulated: false };
}

/** @param {any} route @param {Ground} ground @returns {Way|null} null when it never leaves its card, or passes none */
export function cardWay(route, ground) {
  /** @type {Point[]} */
  const points = [];
  /** @type {Way} */
  const way = { path: table([]), marks: [], stops: [], lines: [], pills: [] };
  let length = 0;
  let last = { card: "", index: 0 };
  for (const { ref, card, index } of passes(route, ground)) {
    if (card && last.card && card !== last.card && apart(last.card, card, ground)) {
      const mark = markOf(route, last.index, index);
      const drawn = pathOf(last.card, card, ground);
      const joint = joining(points[points.length - 1], drawn[0], /** @type {import("./layout.js").Box} */ (ground.boxes.get(last.card)));
      way.marks.push({ at: length, ...mark });
      length += table([...points.slice(-1), ...joint, ...drawn]).total;
      points.push(...joint, ...drawn);
      way.lines.push({ id: `call:${last.card}>${card}`, from: last.card, to: card, style: mark.kind, points: drawn, routes: [route.id], flows: [route.flow] });
    }
    way.stops.push({ ref, at: length });
    if (card) last = { card, index };
  }
  if (points.length < 2) return null;
  if (!isBlocked(route)) points.push(...into(points[points.length - 1], /** @type {import("./layout.js").Box} */ (ground.boxes.get(last.card))));
  way.path = table(points);
  return way;
}

/** @param {string} a @param {string} b @param {Ground} ground whether a line between them is drawn */
function apart(a, b, { hosts }) {
  return !hosts?.has(a) || hosts.get(a) !== hosts.get(b);
}

/** A little further into the card that is reached. @returns {Point[]} */
function into(/** @type {Point} */ at, /** @type {import("./layout.js").Box} */ box) {
  return [[at[0], portY(box)], [at[0] + 24, portY(box)]];
}

/** From where a packet came into a card to where it leaves it. @returns {Point[]} */
function joining(/** @type {Point|undefined} */ at, /** @type {Point} */ to, /** @type {import("./layout.js").Box} */ box) {
  if (!at || (at[0] === to[0] && at[1] === to[1])) return [];
  const y = portY(box);
  return /** @type {Point[]} */ ([[at[0], y], [to[0], y]]);
}

/**
 * One line between two cards, whatever runs on it; calls that nobody makes now are there too.
 * @param {Iterable<Way>} ways @param {import("./calls.js").Arc[]} arcs @param {Ground} ground
 * @returns {Map<string, CallLine>}
 */
export function callLines(ways, arcs, ground) {
  /** @type {Map<string, CallLine>} */
  const merged = new Map();
  const bare = () => ({ rps: 0, failing: 0, dress: { weight: 0, label: "", trouble: /** @type {""} */ (""), curved: true } });
  for (const one of ways) {
    for (const line of one.lines) {
      const known = merged.get(line.id);
      if (!known) merged.set(line.id, { ...line, routes: [...line.routes], flows: [...line.flows], ...bare() });
      else {
        known.routes.push(...line.routes);
        if (!known.flows.includes(line.flows[0])) known.flows.push(line.flows[0]);
      }
    }
  }
  for (const { from, to } of arcs) {
    const id = `call:${from}>${to}`;
    if (merged.has(id) || !ground.boxes.has(from) || !ground.boxes.has(to)) continue;
    merged.set(id, { id, from, to, style: "idle", points: pathOf(from, to, ground), routes: [], flows: [], ...bare() });
  }
  return merged;
}

const STEPS = [0.05, 0.5, 2, 8, 30, 120, 500, 2000];

/**
 * Rate, share of errors and weight of every line; a weight has few steps, so a line seldom changes.
 * @param {Map<string, CallLine>} lines @param {Map<string, any>} routes @param {Map<string, import("./shares.js").Share>} shares
 */
export function weigh(lines, routes, shares) {
  for (const line of lines.values()) {
    const all = line.routes.map((id) => shares.get(id) ?? { rps: 0, failing: 0 });
    [line.rps, line.failing] = [all.reduce((sum, one) => sum + one.rps, 0), all.reduce((sum, one) => sum + one.failing, 0)];
    const errors = line.rps > 0 ? line.failing / line.rps : 0;
    const stopped = errors > 0.995 || (line.routes.length > 0 && line.routes.every((id) => isBlocked(routes.get(id) ?? {})));
    const share = stopped ? "all" : `${(errors * 100).toFixed(errors < 0.1 ? 1 : 0)} %`;
    line.dress = { ...line.dress, weight: STEPS.filter((step) => line.rps >= step).length, trouble: stopped ? "all" : errors > 0.004 ? "some" : "",
      label: line.rps < 0.05 || line.points.length < 3 ? "" : `${perSecond(line.rps)}${stopped || errors > 0.004 ? ` ✕ ${share}` : ""}` };
  }
}
