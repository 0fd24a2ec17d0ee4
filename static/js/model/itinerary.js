/** From the waypoints of a route to the legs a packet walks in the picture. */

/** @typedef {{kind: string, nat: string, encapsulated: boolean}} Segment */
/** @typedef {{from: string, to: string, over: boolean, inner: boolean, segment: Segment, index: number, node: string}} Leg */

const WIRE = "wire";

/**
 * Fills in what a route may leave out: the node a packet leaves through and the wire between nodes.
 * @param {string[]} waypoints
 * @param {(ref: string) => string} nodeOf the node id of a pod or node, "" for anything else
 * @returns {{ref: string, index: number}[]} stops; `index` is the segment that leads to the stop
 */
export function expand(waypoints, nodeOf) {
  /** @type {{ref: string, index: number}[]} */
  const stops = [];
  let node = "";
  waypoints.forEach((ref, at) => {
    const last = stops[stops.length - 1]?.ref ?? "";
    const index = at - 1;
    for (const between of missing(last, ref, node, nodeOf)) stops.push({ ref: between, index });
    if (ref !== last) stops.push({ ref, index });
    node = nodeOf(ref) || (outside(ref) ? "" : node);
  });
  return stops;
}

/** @param {string} ref */
function outside(ref) {
  return ref === "internet" || ref.startsWith("external:") || ref.startsWith("loadbalancer:");
}

/** @param {string} from @param {string} to @param {string} node @param {(ref: string) => string} nodeOf */
function missing(from, to, node, nodeOf) {
  if (!from) return [];
  const start = nodeOf(from) || (outside(from) ? "" : node);
  const end = nodeOf(to);
  const leave = start && start !== from ? [start] : [];
  const arrive = end && end !== to ? [end] : [];
  if (to === WIRE) return leave;
  if (from === WIRE) return arrive;
  if (to.startsWith("external:") && (start || !outside(from))) return start ? [...leave, WIRE] : [];
  if (from.startsWith("external:") && end) return [WIRE, ...arrive];
  if (start && end && start !== end) return [...leave, WIRE, ...arrive];
  return [];
}

/**
 * The legs between the stops; a crossing of the wire is one leg.
 * @param {{waypoints: string[], segments: Segment[]}} route
 * @param {(ref: string) => string} nodeOf
 * @returns {Leg[]}
 */
export function legs(route, nodeOf) {
  const stops = expand(route.waypoints, nodeOf);
  /** @type {Leg[]} */
  const out = [];
  let node = "";
  for (let i = 1; i < stops.length; i += 1) {
    node = nodeOf(stops[i - 1].ref) || node;
    const over = stops[i].ref === WIRE && i + 1 < stops.length;
    const [from, to] = [stops[i - 1], stops[over ? i + 1 : i]];
    const segment = route.segments[stops[i].index] ?? { kind: "local", nat: "", encapsulated: false };
    const inner = turnsInside(stops, i - 1) || turnsInside(stops, i);
    out.push({ from: from.ref, to: to.ref, over, inner: inner && !over, segment, index: stops[i].index, node });
    if (over) i += 1;
  }
  return out;
}

/**
 * Whether a packet at this stop turns round inside the node, at its bridge, and never meets the network card.
 * @param {{ref: string}[]} stops @param {number} at
 */
function turnsInside(stops, at) {
  if (!stops[at].ref.startsWith("node:") || at === 0) return false;
  return [stops[at - 1], stops[at + 1]].every((stop) => !stop || (stop.ref !== WIRE && !outside(stop.ref)));
}

/** @param {Leg} leg @param {boolean} blocked @returns {string} the id of the line this leg runs on */
export function lineId(leg, blocked) {
  const style = blocked ? "blocked" : leg.segment.kind || "local";
  return `line:${leg.from}>${leg.to}|${style}${leg.over && leg.segment.encapsulated ? "|tube" : ""}${leg.inner ? "|bridge" : ""}`;
}
