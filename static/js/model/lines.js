/** The lines of the picture: every leg that some route uses, once, with the flows on it. */
import { legs, lineId } from "./itinerary.js";
import { join } from "./tracks.js";
import { rounded, segments, simplify, table } from "./polyline.js";

/** @typedef {import("./polyline.js").Point} Point */
/** @typedef {import("./polyline.js").Table} Table */
/** @typedef {{id: string, from: string, to: string, style: string, points: Point[], routes: string[], flows: string[], dress?: Dress}} Line */
/** @typedef {{weight: number, label: string, trouble: ""|"some"|"all", curved: boolean}} Dress how a line that stands for many calls looks: `weight` 0 to 8 */
/** @typedef {{at: number, kind: string, nat: string, encapsulated: boolean}} Mark */
/** @typedef {{path: Table, marks: Mark[], stops: {ref: string, at: number}[], lines: Line[], pills: Pill[]}} Way */
/** @typedef {{x: number, y: number, node: string, port: number}} Pill one node port in use */
/** @typedef {{x: number, y: number, node: string, text: string, all: string}} Door */

/** More node ports than this are cut short. */
const NAMED = 3;

/** @param {any} route @returns {boolean} */
export function isBlocked(route) {
  return route.effect === "dropped" || route.effect === "refused";
}

/**
 * The whole way of a route: one polyline, what changes along it, and the lines it runs on.
 * @param {any} route @param {import("./tracks.js").Tracks} tracks @returns {Way|null}
 */
export function way(route, tracks) {
  const blocked = isBlocked(route);
  /** @type {Point[]} */
  const points = [];
  /** @type {Way} */
  const result = { path: table([]), marks: [], stops: [], lines: [], pills: [] };
  /** @type {{mark: Omit<Mark, "at">, from: string, to: string, index: number}[]} */
  const pieces = [];
  const all = legs(route, tracks.nodeOf);
  all.forEach((leg, i) => {
    const last = points[points.length - 1] ?? null;
    const drawn = tracks.leg(leg, last);
    if (drawn.length < 2) return;
    result.lines.push({ id: lineId(leg, blocked), from: leg.from, to: leg.to, style: blocked ? "blocked" : leg.segment.kind || "local",
      points: drawn, routes: [route.id], flows: [route.flow] });
    pieces.push({ mark: { ...leg.segment, encapsulated: leg.over && leg.segment.encapsulated }, from: leg.from, to: leg.to, index: points.length });
    points.push(...(last ? join(last, drawn) : drawn));
    result.pills.push(...pills(leg, all[i + 1]?.to ?? "", tracks, route.flow));
  });
  if (points.length < 2) return null;
  return measure(result, pieces, points);
}

/** Rounds the corners and finds where each piece begins on the rounded path. */
function measure(/** @type {Way} */ result, /** @type {any[]} */ pieces, /** @type {Point[]} */ points) {
  let length = 0;
  const all = [];
  result.stops.push({ ref: pieces[0].from, at: 0 });
  for (let i = 0; i < pieces.length; i += 1) {
    const until = pieces[i + 1]?.index ?? points.length;
    const start = i ? all[all.length - 1] : points[0];
    const piece = rounded(simplify([start, ...points.slice(pieces[i].index, until)]), 10);
    result.marks.push({ at: length, ...pieces[i].mark });
    length += table(piece).total;
    result.stops.push({ ref: pieces[i].to, at: length });
    all.push(...(i ? piece.slice(1) : piece));
  }
  result.path = table(all);
  return result;
}

/**
 * A node port is a door in the roof of a node, whichever way its packets come.
 * @param {import("./itinerary.js").Leg} leg @param {string} next
 * @param {import("./tracks.js").Tracks} tracks @param {string} flow @returns {Pill[]}
 */
function pills(leg, next, tracks, flow) {
  const panel = tracks.layout.panels.get(leg.to);
  if (tracks.kind(leg.from) !== "side" || !panel) return [];
  const open = (tracks.entities.get(next)?.ports ?? []).filter((/** @type {any} */ p) => p.nodePort);
  const called = tracks.entities.get(flow)?.port;
  const port = (open.find((/** @type {any} */ p) => p.nodePort === called || p.port === called) ?? open[0])?.nodePort;
  return port ? [{ x: tracks.gutterX(leg.to, 0, "entry"), y: tracks.layout.rows[panel.row].entry, node: leg.to, port }] : [];
}

/**
 * What stands on the roofs: every node port in use, the same on every node that routes enter.
 * @param {Iterable<Way>} ways @returns {Door[]}
 */
export function doors(ways) {
  const all = [...ways].flatMap((one) => one.pills);
  const ports = [...new Set(all.map((pill) => pill.port))].sort((a, b) => a - b);
  const word = `NodePort${ports.length > 1 ? "s" : ""}`;
  const text = `${word} ${ports.slice(0, NAMED).join(", ")}${ports.length > NAMED ? ", …" : ""}`;
  const nodes = new Map(all.map((pill) => [pill.node, pill]));
  return [...nodes.values()].map(({ x, y, node }) => ({ x, y, node, text, all: `${word} ${ports.join(", ")}` }));
}

/**
 * Merges the ways of all routes into lines.
 * @param {Iterable<Way>} ways @returns {Map<string, Line>}
 */
export function lines(ways) {
  /** @type {Map<string, Line>} */
  const merged = new Map();
  for (const one of ways) {
    for (const line of one.lines) {
      const known = merged.get(line.id);
      if (!known) merged.set(line.id, { ...line, routes: [...line.routes], flows: [...line.flows] });
      else {
        known.routes.push(...line.routes);
        if (!known.flows.includes(line.flows[0])) known.flows.push(line.flows[0]);
      }
    }
  }
  return merged;
}

/** @param {Line} line @returns {{weights: number[], distances: number[]}} */
export function bends(line) {
  return segments(line.points);
}
