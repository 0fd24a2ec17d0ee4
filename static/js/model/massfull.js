/** What form full leaves to the browser: states, counts, heat of the pods and traffic between zones. */
import { podState } from "./podstate.js";

/** @typedef {{from: string, to: string, rps: number, errors: number}} Trunk zones; "" is "no zone", "internet" and "external" are outside */
/** @typedef {{id: string, name: string, zone: string, ready: boolean, schedulable: boolean, ip: string}} MassNode */
/**
 * What is needed of a `Mass` here.
 * @typedef {object} Mass
 * @property {number} count
 * @property {Uint8Array} state
 * @property {Uint8Array} heat
 * @property {Uint32Array} node
 * @property {(MassNode|null)[]} nodes
 * @property {Map<string, number>} nodeIndexes
 * @property {(id: string) => number} indexOf
 * @property {(id: string) => number} nodeOf
 */

export const STATE = { gone: 0, ready: 1, pending: 2, failing: 3, terminating: 4, succeeded: 5 };
/** Connections a second from which each level of heat begins; the same as in live/mass.py. */
export const HEAT_SCALE = [0, 0.05, 0.2, 0.8, 3, 12, 50, 200];
const WINDOW = 5;
const ROUTE_AGE = 90;
const MOST_ROUTES = 2000;
/** A level is left only well below its beginning, or it would flicker. */
const STICKY = 0.7;
const PLURALS = /** @type {Record<string, string>} */ ({ policy: "policies", ingress: "ingresses" });
const OF_STATE = ["", "ready", "pending", "failing", "terminating", "succeeded"];

/** @param {any} pod an entity @returns {number} a `STATE` */
export function stateOf(pod) {
  if (pod.terminating) return STATE.terminating;
  const { tone } = podState(pod);
  if (tone === "text-blocked") return STATE.failing;
  if (pod.node && pod.phase === "Succeeded") return STATE.succeeded;
  return tone === "" ? STATE.ready : STATE.pending;
}

/** @param {number} rate connections a second @param {number} level now @param {number[]} [scale] @returns {number} the level it has from now on */
export function levelOf(rate, level, scale = HEAT_SCALE) {
  let next = level;
  while (next < scale.length - 1 && rate >= scale[next + 1]) next += 1;
  while (next > 0 && rate < scale[next] * STICKY) next -= 1;
  return next;
}

export class Full {
  constructor() {
    this.scale = HEAT_SCALE;
    /** @type {Map<string, string>} kinds of what is neither pod nor node */
    this.kinds = new Map();
    /** @type {Map<string, number[]>} node id -> pods that came before their node */
    this.waiting = new Map();
    /** @type {Map<string, any>} */
    this.routes = new Map();
    this.rate = new Float32Array(0);
    /** @type {Map<string, {from: string, to: string, rps: number, errors: number}>} */
    this.trunks = new Map();
    this.time = 0;
  }

  /** @param {any} entity */
  set(entity) {
    if (entity.kind !== "pod" && entity.kind !== "node") this.kinds.set(entity.id, entity.kind);
  }

  /** @param {string} id */
  unset(id) {
    this.kinds.delete(id);
  }

  /** @param {string} node id @param {number} pod index */
  await(node, pod) {
    const list = this.waiting.get(node) ?? [];
    this.waiting.set(node, [...list, pod]);
  }

  /** @param {string} node id @returns {number[]} pods that waited for it */
  claim(node) {
    const list = this.waiting.get(node) ?? [];
    this.waiting.delete(node);
    return list;
  }

  /** @param {Mass} mass @returns {Record<string, number>} */
  counts(mass) {
    const counts = /** @type {Record<string, number>} */ ({ nodes: mass.nodeIndexes.size, pods: 0, ready: 0, pending: 0, failing: 0, terminating: 0, succeeded: 0,
      services: 0, workloads: 0, namespaces: 0, policies: 0 });
    for (let i = 0; i < mass.count; i += 1) {
      if (!mass.state[i]) continue;
      counts.pods += 1;
      counts[OF_STATE[mass.state[i]]] += 1;
    }
    for (const kind of this.kinds.values()) {
      const name = PLURALS[kind] ?? `${kind}s`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** @param {Iterable<any>} routes */
  learn(routes) {
    for (const route of routes) this.routes.set(route.id, { ...route, used: this.time });
  }

  /** Routes nobody takes any more; the server then gives a new id. */
  forget() {
    for (const [id, route] of this.routes) if (route.used < this.time - ROUTE_AGE) this.routes.delete(id);
  }

  /** @param {number} pod whose index is somebody else's now */
  clear(pod) {
    this.rate[pod] = 0;
  }

  /**
   * A traffic frame: what its calls do to the rates.
   * @param {any} message @param {Mass} mass @returns {{heat: number[][], trunks: Trunk[]}}
   */
  hear(message, mass) {
    const passed = this.time ? Math.max(0, message.time - this.time) : 0;
    if (!this.time) for (const route of this.routes.values()) route.used = message.time;
    this.time = message.time;
    this.learn(message.routes);
    if (this.routes.size > MOST_ROUTES) this.forget();
    this.fade(Math.exp(-passed / WINDOW), mass.count);
    for (const [id, count] of message.calls) {
      const route = this.routes.get(id);
      if (!route) continue;
      route.used = message.time;
      const pods = new Set(route.waypoints.map((/** @type {string} */ ref) => mass.indexOf(ref)));
      for (const pod of pods) if (pod >= 0) this.rate[pod] += count / WINDOW;
      this.between(route, count, mass);
    }
    const heat = [];
    for (let i = 0; i < mass.count; i += 1) {
      const level = levelOf(this.rate[i], mass.heat[i]);
      if (level !== mass.heat[i]) heat.push([i, level]);
    }
    return { heat, trunks: [...this.trunks.values()].map((trunk) => ({ ...trunk })) };
  }

  /** @param {number} factor what is left of the rates @param {number} count of pods */
  fade(factor, count) {
    if (this.rate.length < count) {
      const old = this.rate;
      this.rate = new Float32Array(count * 2);
      this.rate.set(old);
    }
    for (let i = 0; i < count; i += 1) this.rate[i] *= factor;
    for (const [name, trunk] of this.trunks) {
      trunk.rps *= factor;
      trunk.errors *= factor;
      if (trunk.rps < 0.01) this.trunks.delete(name);
    }
  }

  /** @param {any} route @param {number} count @param {Mass} mass */
  between(route, count, mass) {
    const zones = route.waypoints.map((/** @type {string} */ ref) => zoneOf(ref, mass)).filter((/** @type {string|null} */ zone) => zone !== null);
    if (!zones.length) return;
    // What is stopped on its way counts up to the last zone it reached.
    const [from, to] = [zones[0], zones[zones.length - 1]];
    const name = `${from}\n${to}`;
    const trunk = this.trunks.get(name) ?? { from, to, rps: 0, errors: 0 };
    trunk.rps += count / WINDOW;
    if (route.effect === "refused" || route.effect === "dropped") trunk.errors += count / WINDOW;
    this.trunks.set(name, trunk);
  }
}

/** @param {string} ref @param {Mass} mass @returns {string|null} null when it is neither on a node nor outside */
function zoneOf(ref, mass) {
  if (ref === "internet") return ref;
  if (ref?.startsWith("external:")) return "external";
  const node = mass.nodeOf(ref) >= 0 ? mass.nodeOf(ref) : mass.node[mass.indexOf(ref)];
  return mass.nodes[node]?.zone ?? null;
}
