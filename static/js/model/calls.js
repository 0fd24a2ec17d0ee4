/** The cluster by service: what stands in the picture, what belongs together, and who may call whom by its manifests. */
import { census } from "./census.js";
import { byAge } from "./slots.js";

/** @typedef {{id: string, kind: string, w: number, h: number, dx: number, dy: number, goes?: string}} Card at its place inside its unit; `goes`: the card it goes along with */
/** @typedef {{id: string, created: number, name: string, w: number, h: number, side: ""|"left"|"right", quiet: boolean, cards: Card[],
 *   gate?: boolean, extra?: {w: number, h: number}}} Unit what is laid out as one; `gate`: between outside and inside; `extra`: what it has grown by being opened */
/** @typedef {{from: string, to: string}} Arc between cards */
/** @typedef {{units: Unit[], arcs: Arc[], reps: (ref: string) => string, census: import("./census.js").Census, left: {units: number, all: number}}} Graph */

export const CARD = { workload: { w: 216, h: 84 }, service: { w: 216, h: 62 }, outside: { w: 204, h: 80 }, plug: 12, stack: 4, column: 8, gap: 26, between: 70 };
/** More units than this are not drawn at once. */
export const UNITS = 200;
const OUTSIDE = ["external", "loadbalancer"];
const DOORS = ["service", "ingress", "gateway"];

/**
 * @param {Map<string, any>} entities
 * @param {(id: string) => boolean} [wanted] whether a card may be shown
 * @param {number} [most] units at once
 * @param {Iterable<any>} [routes] that are drawn: who they lead to stands after who they come from
 * @returns {Graph}
 */
export function callGraph(entities, wanted = () => true, most = UNITS, routes = []) {
  const all = [...entities.values()];
  const counted = census(all);
  const bare = new Set(counted.owners.values());
  const shown = all.filter((e) => wanted(e.id) && (OUTSIDE.includes(e.kind) || DOORS.includes(e.kind) || e.kind === "workload" || (e.kind === "pod" && bare.has(e.id))));
  const arcs = arcsOf(all, entities, counted, routes).filter((arc) => wanted(arc.from) && wanted(arc.to));
  const units = group(shown, behindOf(all, counted), arcs, all);
  const kept = most >= units.length ? units : busiest(units, all, counted, most);
  const cards = new Set(kept.flatMap((unit) => unit.cards.map((card) => card.id)));
  return {
    units: kept, arcs: arcs.filter((arc) => cards.has(arc.from) && cards.has(arc.to)), census: counted, left: { units: units.length - kept.length, all: units.length },
    reps: (ref) => {
      const id = counted.owners.get(ref) ?? ref;
      return cards.has(id) ? id : "";
    },
  };
}

/** The workloads behind each Service: those of its endpoints, or while there are none those its selector means. */
export function behindOf(/** @type {any[]} */ all, /** @type {import("./census.js").Census} */ { owners }) {
  const workloads = all.filter((e) => e.kind === "workload");
  /** @type {Map<string, string[]>} */
  const behind = new Map();
  for (const service of all) {
    if (service.kind !== "service") continue;
    const found = new Set(service.workloads ?? (service.endpoints ?? []).map((/** @type {any} */ x) => owners.get(x.pod) ?? "").filter(Boolean));
    const wanted = Object.entries(service.selector ?? {});
    if (!found.size && wanted.length) {
      const meant = workloads.filter((w) => w.namespace === service.namespace && wanted.every(([key, value]) => (w.labels?.[key] ?? w.selector?.[key]) === value));
      for (const workload of meant) found.add(workload.id);
    }
    behind.set(service.id, [...found].sort());
  }
  return behind;
}

/** Who calls whom by the flows, and how what comes from outside comes in. */
function arcsOf(/** @type {any[]} */ all, /** @type {Map<string, any>} */ entities, /** @type {import("./census.js").Census} */ { owners }, /** @type {Iterable<any>} */ routes) {
  /** @type {Map<string, Arc>} */
  const arcs = new Map();
  const add = (/** @type {string} */ from, /** @type {string} */ to) => {
    const [a, b] = [owners.get(from) ?? from, owners.get(to) ?? to];
    if (a && b && a !== b && entities.has(a) && entities.has(b)) arcs.set(`${a}>${b}`, { from: a, to: b });
  };
  const ports = new Map(all.filter((e) => e.kind === "service").flatMap((e) => e.ports.filter((/** @type {any} */ p) => p.nodePort).map((/** @type {any} */ p) => [p.nodePort, e.id])));
  for (const balancer of all) if (balancer.kind === "loadbalancer") add(balancer.id, balancer.service);
  for (const flow of all) {
    if (flow.kind !== "flow") continue;
    const to = entities.get(flow.to);
    if (to?.kind === "ingress" || to?.kind === "gateway") enter(flow, to, all, add);
    else add(flow.from, to?.kind === "node" ? ports.get(flow.port) ?? "" : flow.to);
  }
  for (const { waypoints } of routes) for (let i = 1; i < waypoints.length; i += 1) add(waypoints[i - 1], waypoints[i]);
  return [...arcs.values()].sort((a, b) => (a.from + a.to < b.from + b.to ? -1 : 1));
}

/** Through a load balancer, where there is one, to the controller, and from it to the backends. */
function enter(/** @type {any} */ flow, /** @type {any} */ door, /** @type {any[]} */ all, /** @type {(from: string, to: string) => void} */ add) {
  const balancer = all.find((e) => e.kind === "loadbalancer" && e.service === door.controller);
  add(flow.from, balancer?.id ?? door.controller ?? door.id);
  if (!door.controller) return;
  for (const rule of door.rules) if (rule.service) add(door.controller, rule.service);
}

/**
 * Services and the workloads behind them are one unit; an Ingress stands with its controller.
 * @param {any[]} shown @param {Map<string, string[]>} behind @param {Arc[]} arcs @param {any[]} all @returns {Unit[]}
 */
function group(shown, behind, arcs, all) {
  const ids = new Set(shown.map((e) => e.id));
  /** @type {Map<string, string>} */
  const roots = new Map();
  const root = (/** @type {string} */ id) => {
    let at = id;
    while (roots.has(at)) at = /** @type {string} */ (roots.get(at));
    return at;
  };
  const join = (/** @type {string} */ a, /** @type {string} */ b) => {
    if (ids.has(a) && ids.has(b) && root(a) !== root(b)) roots.set(root(b), root(a));
  };
  for (const [service, workloads] of behind) for (const id of workloads) join(service, id);
  for (const door of shown) if (door.controller) join(door.controller, door.id);
  /** @type {Map<string, any[]>} */
  const members = new Map();
  for (const entity of [...shown].sort(byAge)) members.set(root(entity.id), [...(members.get(root(entity.id)) ?? []), entity]);
  const calling = new Set(arcs.flatMap((arc) => [root(arc.from), root(arc.to)]));
  const servers = new Set(all.filter((e) => e.kind === "flow").map((e) => e.to));
  return [...members.values()].map((list) => unitOf(list, calling.has(root(list[0].id)), servers));
}

/** @param {any[]} members by age @param {boolean} calling @param {Set<string>} servers @returns {Unit} */
function unitOf(members, calling, servers) {
  const [first] = members;
  const base = { id: first.id, created: first.created ?? 0, name: first.name ?? "" };
  if (OUTSIDE.includes(first.kind)) {
    const right = first.kind === "external" && first.id !== "internet" && servers.has(first.id);
    return { ...base, ...CARD.outside, side: right ? "right" : "left", gate: first.kind === "loadbalancer", quiet: false, cards: [{ id: first.id, kind: first.kind, ...CARD.outside, dx: 0, dy: 0 }] };
  }
  const doors = members.filter((e) => DOORS.includes(e.kind));
  const workers = members.filter((e) => !DOORS.includes(e.kind));
  const stacked = workers.length === 1 && doors.length <= CARD.stack;
  const cards = stacked ? stack(doors, workers[0])
    : [...block(doors, 0), ...block(workers, doors.length ? blockWidth(doors.length) + CARD.between : 0)];
  const [w, h] = [Math.max(...cards.map((c) => c.dx + c.w)), Math.max(...cards.map((c) => c.dy + c.h))];
  return { ...base, w, h, side: "", quiet: !calling, cards };
}

/** Services on the one workload behind them, Ingresses on top. @param {any[]} doors @param {any} worker @returns {Card[]} */
function stack(doors, worker) {
  const sorted = [...doors].sort((a, b) => DOORS.indexOf(b.kind) - DOORS.indexOf(a.kind));
  const step = CARD.service.h + CARD.plug;
  return [...sorted.map((door, i) => ({ id: door.id, kind: door.kind, ...CARD.service, dx: 0, dy: i * step, goes: worker.id })),
    { id: worker.id, kind: worker.kind, ...CARD.workload, dx: 0, dy: sorted.length * step }];
}

/** @param {number} count */
function blockWidth(count) {
  return Math.ceil(count / CARD.column) * (CARD.workload.w + 16) - 16;
}

/** Columns of at most eight. @param {any[]} entities @param {number} dx @returns {Card[]} */
function block(entities, dx) {
  return entities.flatMap((_, i) => (i % CARD.column ? [] : column(entities.slice(i, i + CARD.column), dx + (i / CARD.column) * (CARD.workload.w + 16))));
}

/** @param {any[]} entities @param {number} dx @returns {Card[]} */
function column(entities, dx) {
  let dy = 0;
  return entities.map((entity) => {
    const size = DOORS.includes(entity.kind) ? CARD.service : CARD.workload;
    const card = { id: entity.id, kind: entity.kind, ...size, dx, dy };
    dy += size.h + CARD.gap;
    return card;
  });
}

/** Those with the most calls by the manifests, then those with the most pods; outside machines always. */
function busiest(/** @type {Unit[]} */ units, /** @type {any[]} */ all, /** @type {import("./census.js").Census} */ counted, /** @type {number} */ most) {
  /** @type {Map<string, number>} */
  const load = new Map();
  const add = (/** @type {string} */ id, /** @type {number} */ by) => load.set(counted.owners.get(id) ?? id, (load.get(counted.owners.get(id) ?? id) ?? 0) + by);
  for (const flow of all) if (flow.kind === "flow") for (const id of [flow.from, flow.to]) add(id, flow.rps);
  for (const [id, { wanted }] of counted.workloads) add(id, Math.min(0.5, wanted / 10000));
  const weight = (/** @type {Unit} */ unit) => (unit.side ? Infinity : unit.cards.reduce((sum, card) => sum + (load.get(card.id) ?? 0), 0));
  const kept = new Set([...units].sort((a, b) => weight(b) - weight(a) || byAge(a, b)).slice(0, most));
  return units.filter((unit) => kept.has(unit));
}
