/** The cluster by namespace: a panel each with its counts; one that is opened shows its workloads. */
import { behindOf, CARD } from "./calls.js";
import { census } from "./census.js";
import { byAge } from "./slots.js";

/** @typedef {import("./calls.js").Unit} Unit */
/** @typedef {{name: string, count: import("./census.js").SpaceCount, open: boolean, more: number, inside?: number}} Panel `inside`: connections a second that never leave it */

export const PANEL = { w: 320, h: 146, pad: 20, gap: 16, columns: 3, few: 12 };
/** More namespaces than this are not drawn at once. */
export const SPACES = 120;

/** @param {string} name */
export const spaceId = (name) => `namespace:${name}`;

/**
 * @param {Map<string, any>} entities @param {Map<string, number>} open how many workloads each opened namespace shows, by its id
 * @param {any[]} [routes] that are drawn, where no flows are told
 * @returns {{units: Unit[], arcs: import("./calls.js").Arc[], reps: (ref: string) => string, census: import("./census.js").Census,
 *   panels: Map<string, Panel>, hosts: Map<string, string>, left: {units: number, all: number}}}
 * `hosts`: the namespace in which each card stands; calls within one are not drawn but counted
 */
export function spaceGraph(entities, open, routes = []) {
  const all = [...entities.values()];
  const counted = census(all);
  const flows = all.filter((e) => e.kind === "flow");
  const arcs = arcsOf(flows, entities, routes);
  const calling = new Set(arcs.flatMap((arc) => [arc.from, arc.to]));
  const servers = new Set([...flows.map((flow) => flow.to), ...routes.map((route) => route.waypoints[route.waypoints.length - 1])]);
  const panels = new Map();
  const names = busiest(counted, flows, entities);
  const units = names.kept.map((name) => panelOf(name, all, counted, open.get(spaceId(name)) ?? 0, panels, !calling.has(spaceId(name)), entities));
  const outside = all.filter((e) => e.kind === "external" || e.kind === "loadbalancer").map((e) => outsideOf(e, servers));
  const cards = new Set([...units, ...outside].flatMap((unit) => unit.cards.map((card) => card.id)));
  const behind = behindOf(all, counted);
  const reps = (/** @type {string} */ ref) => {
    const owner = counted.owners.get(ref) ?? ref;
    if (cards.has(owner)) return owner;
    const worker = behind.get(ref)?.find((id) => cards.has(id));
    if (worker) return worker;
    const space = spaceId(entities.get(owner)?.namespace ?? "");
    return cards.has(space) ? space : "";
  };
  return { units: [...units, ...outside], arcs: arcs.filter((arc) => cards.has(arc.from) && cards.has(arc.to)), reps, census: counted, panels, hosts: new Map(units.flatMap((unit) => unit.cards.map((card) => [card.id, unit.id]))), left: { units: names.all - names.kept.length, all: names.all } };
}

/** The namespaces with the most calls and pods. */
function busiest(/** @type {import("./census.js").Census} */ counted, /** @type {any[]} */ flows, /** @type {Map<string, any>} */ entities) {
  const load = new Map([...counted.spaces].map(([name, count]) => [name, count.wanted / 1e6]));
  for (const flow of flows) {
    for (const id of [flow.from, flow.to]) {
      const name = entities.get(id)?.namespace;
      if (name !== undefined) load.set(name, (load.get(name) ?? 0) + flow.rps);
    }
  }
  const all = [...counted.spaces.keys()].sort((a, b) => /** @type {number} */ (load.get(b)) - /** @type {number} */ (load.get(a)) || (a < b ? -1 : 1));
  return { kept: all.slice(0, SPACES), all: all.length };
}

/** @param {any[]} flows @param {Map<string, any>} entities @param {any[]} routes @returns {import("./calls.js").Arc[]} between namespaces, and from and to the outside */
function arcsOf(flows, entities, routes) {
  const end = (/** @type {string} */ id) => (/^(external:|internet$|namespace:)/.test(id) ? id : spaceId(entities.get(id)?.namespace ?? ""));
  const arcs = new Map();
  const add = (/** @type {string} */ from, /** @type {string} */ to) => {
    if (from && to && from !== to && to !== "namespace:" && from !== "namespace:") arcs.set(`${from}>${to}`, { from, to });
  };
  for (const flow of flows) {
    const door = entities.get(flow.to);
    const controller = door?.controller ? entities.get(door.controller) : null;
    if (!controller) {
      add(end(flow.from), end(flow.to));
      continue;
    }
    const balancer = [...entities.values()].find((e) => e.kind === "loadbalancer" && e.service === controller.id);
    if (balancer) add(end(flow.from), balancer.id);
    add(balancer?.id ?? end(flow.from), spaceId(controller.namespace));
    for (const rule of door.rules) if (rule.service) add(spaceId(controller.namespace), end(rule.service));
  }
  for (const { waypoints } of routes) for (let i = 1; i < waypoints.length; i += 1) add(end(waypoints[i - 1]), end(waypoints[i]));
  return [...arcs.values()].sort((a, b) => (a.from + a.to < b.from + b.to ? -1 : 1));
}

/** @param {any} entity @param {Set<string>} servers @returns {Unit} */
function outsideOf(entity, servers) {
  const right = entity.kind === "external" && entity.id !== "internet" && servers.has(entity.id);
  return { id: entity.id, created: entity.created ?? 0, name: entity.name ?? "", ...CARD.outside, side: right ? "right" : "left", gate: entity.kind === "loadbalancer", quiet: false,
    cards: [{ id: entity.id, kind: entity.kind, ...CARD.outside, dx: 0, dy: 0 }] };
}

/** @returns {Unit} */
function panelOf(/** @type {string} */ name, /** @type {any[]} */ all, /** @type {import("./census.js").Census} */ counted, /** @type {number} */ shown,
  /** @type {Map<string, Panel>} */ panels, /** @type {boolean} */ quiet, /** @type {Map<string, any>} */ entities) {
  const id = spaceId(name);
  const count = /** @type {import("./census.js").SpaceCount} */ (counted.spaces.get(name));
  const members = shown ? all.filter((e) => e.namespace === name && (e.kind === "workload" || (e.kind === "pod" && counted.owners.get(e.id) === e.id))).sort(byAge) : [];
  const visible = members.slice(0, shown);
  const more = shown ? Math.max(members.length, count.workloads) - visible.length : 0;
  panels.set(id, { name, count, open: shown > 0, more });
  const columns = Math.min(PANEL.columns, Math.max(1, visible.length));
  const w = Math.max(PANEL.w, columns * (CARD.workload.w + PANEL.gap) - PANEL.gap + 2 * PANEL.pad);
  const rows = Math.ceil(visible.length / columns);
  const h = PANEL.h + (rows ? rows * (CARD.workload.h + PANEL.gap) + 6 : 0) + (more ? 44 : 0);
  const inside = visible.map((member, i) => ({ id: member.id, kind: member.kind, ...CARD.workload, dx: PANEL.pad + (i % columns) * (CARD.workload.w + PANEL.gap),
    dy: PANEL.h + Math.floor(i / columns) * (CARD.workload.h + PANEL.gap), goes: id }));
  return { id, created: entities.get(id)?.created ?? 0, name, w: PANEL.w, h: PANEL.h, extra: { w: w - PANEL.w, h: h - PANEL.h }, side: "", quiet, cards: [{ id, kind: "namespace", w, h, dx: 0, dy: 0 }, ...inside] };
}
