/** The cluster as the mass picture needs it: layout, places, and sums; told what changed, it says what must be drawn anew. */
import { Cells } from "../../model/cells.js";
import { massLayout, nodesIn, NO_NODE, pick, slotAt, POD, NODE, traySlot } from "../../model/masslayout.js";

/** @typedef {import("../../model/mass.js").Mass} Mass */
/** @typedef {import("../../model/masslayout.js").MassLayout} MassLayout */
/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {import("../../model/masslayout.js").Box} Box */

const ENTRANCES = ["loadbalancer", "ingress", "gateway"];

/** Clients and entrances left, servers right. @param {Iterable<any>} entities */
function outside(entities) {
  const all = [...entities].filter((e) => e.kind === "external" || ENTRANCES.includes(e.kind));
  const callers = new Set(["internet"]);
  const called = new Set();
  for (const e of entities) {
    if (e.kind !== "flow") continue;
    callers.add(e.from);
    called.add(e.to);
  }
  const server = (/** @type {any} */ e) => e.kind === "external" && e.id !== "internet" && (called.has(e.id) || !callers.has(e.id));
  const rank = (/** @type {any} */ e) => ["external", ...ENTRANCES].indexOf(e.kind);
  const order = (/** @type {any} */ a, /** @type {any} */ b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1);
  return { left: all.filter((e) => !server(e)).sort(order), right: all.filter(server).sort(order) };
}

export class World {
  /** @param {Mass} mass @param {Map<string, any>} entities @param {World|null} [before] */
  constructor(mass, entities, before = null) {
    this.mass = mass;
    this.entities = entities;
    this.outside = outside(entities.values());
    this.layout = massLayout(this.needs(), before?.layout ?? null);
    const { step, tray } = this.layout;
    this.cells = new Cells(mass.nodes.length, step.columns * step.rows, tray ? tray.columns * tray.rows : 0);
    this.cells.fill(mass);
    this.ready = Uint8Array.from(mass.nodes, readiness);
    this.sum();
    /** @type {Map<number, [string, number][]>} */
    this.owners = new Map();
  }

  /** Like a Map of boxes: everybody can be asked for, those that Cytoscape holds can be listed. @param {Map<string, Box>} held */
  boxesOver(held) {
    const get = (/** @type {string} */ id) => this.box(id);
    return { get, has: (/** @type {string} */ id) => Boolean(get(id)), keys: () => held.keys(), values: () => held.values(), entries: () => held.entries(),
      [Symbol.iterator]: () => held[Symbol.iterator](), get size() { return held.size; } };
  }

  /** @param {Map<string, any>} entities @returns {boolean} whether other things stand outside */
  sidesChanged(entities) {
    this.entities = entities;
    const now = outside(entities.values());
    const same = (/** @type {any[]} */ a, /** @type {any[]} */ b) => a.length === b.length && a.every((one, i) => one.id === b[i].id);
    return !same(now.left, this.outside.left) || !same(now.right, this.outside.right);
  }

  /** @param {number} node @returns {[string, number][]} names of the workloads on it, and how many pods of each, most first */
  workloadsOf(node) {
    const known = this.owners.get(node);
    if (known) return known;
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const pod of this.mass.podsOf(node)) {
      const name = this.mass.workloads[this.mass.workload[pod]]?.name ?? "no workload";
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const all = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    if (this.owners.size > 2000) this.owners.clear();
    this.owners.set(node, all);
    return all;
  }

  needs() {
    const { mass } = this;
    let need = 0;
    mass.nodes.forEach((node, i) => { if (node) need = Math.max(need, mass.slotsOf(i)); });
    return { nodes: mass.nodes, need, waiting: mass.slotsOf(NO_NODE), outside: this.outside };
  }

  get counts() {
    return { ...this.mass.counts, waiting: this.waiting };
  }

  sum() {
    const { pod, trayAt } = this.cells;
    this.waiting = 0;
    for (let at = trayAt; at < pod.length; at += 1) if (pod[at]) this.waiting += 1;
    const { zones } = this.layout;
    this.sums = zones.map(({ name, count }) => ({ name, nodes: count, pods: 0, failing: 0, broken: 0 }));
    this.mass.nodes.forEach((node, i) => {
      const sum = this.sums[this.layout.zoneOf[i]];
      if (!node || !sum) return;
      sum.pods += this.cells.used[i];
      sum.failing += this.cells.failing[i];
      if (!node.ready) sum.broken += 1;
    });
  }

  /**
   * @param {import("../../model/mass.js").Changes} changes
   * @returns {{places: Uint32Array, looks: Uint8Array, nodes: Set<number>, moved: Set<number>, readiness: boolean}|null} `moved`: nodes with other pods than before; null: everything must be laid out again
   */
  change({ pods, nodes }) {
    const known = nodes.every((i) => i < this.layout.zoneOf.length && Boolean(this.mass.nodes[i]) === this.layout.zoneOf[i] >= 0
      && (!this.mass.nodes[i] || this.mass.nodes[i]?.zone === this.layout.zones[this.layout.zoneOf[i]].name));
    if (!known) return null;
    const { places, moved, full } = this.cells.update(this.mass, pods);
    if (full) return null;
    for (const node of moved) this.owners.delete(node);
    const touched = new Set([...places].map((place) => (place >= this.cells.trayAt ? -1 : Math.floor(place / this.cells.capacity))));
    const before = this.ready;
    this.ready = nodes.length ? Uint8Array.from(this.mass.nodes, readiness) : before;
    for (const i of nodes) if (this.ready[i] !== before[i]) touched.add(i);
    if (touched.size) this.sum();
    const list = Uint32Array.from(places);
    return { places: list, looks: Uint8Array.from(list, (place) => this.cells.look[place]), nodes: touched, moved, readiness: this.ready !== before };
  }

  /** @param {string} id @returns {Box|undefined} where it stands */
  box(id) {
    const { layout, mass } = this;
    if (id.startsWith("node:")) return this.nodeBox(mass.nodeOf(id));
    if (id.startsWith("pod:")) return this.podBox(mass.indexOf(id));
    if (id.startsWith("zone:")) {
      const zone = layout.zones.find((one) => `zone:${one.name}` === id);
      return zone && { id, kind: "zone", x: zone.x, y: zone.y, w: zone.w, h: zone.h };
    }
    return layout.sides.get(id);
  }

  /** @param {number} node @returns {Box|undefined} */
  nodeBox(node) {
    const { layout, mass } = this;
    if (node < 0 || !(layout.zoneOf[node] >= 0)) return undefined;
    return { id: mass.nodes[node]?.id ?? "", kind: "node", x: layout.x[node], y: layout.y[node], w: layout.step.w, h: layout.step.h };
  }

  /** @param {number} pod @returns {Box|undefined} */
  podBox(pod) {
    const { layout, cells, mass } = this;
    const place = pod < 0 ? null : cells.placeOf(pod);
    if (!place) return undefined;
    const id = mass.idOf(pod);
    if (place.node < 0) return layout.tray ? { id, kind: "pod", ...traySlot(layout.tray, place.slot) } : undefined;
    const { x, y } = slotAt(layout.step, place.slot);
    return { id, kind: "pod", x: layout.x[place.node] + x, y: layout.y[place.node] + y, w: POD.w, h: POD.h };
  }

  /**
   * What stands at a point.
   * @param {number} x @param {number} y @returns {{id: string, pod: number, node: number, zone: number}} id "" nothing; a pod whose name is not known yet has none
   */
  at(x, y) {
    for (const box of this.layout.sides.values()) {
      if (x >= box.x && x < box.x + box.w && y >= box.y && y < box.y + box.h) return { id: box.id, pod: -1, node: -1, zone: -1 };
    }
    const { zone, node, slot, tray } = pick(this.layout, x, y);
    const pod = slot >= 0 ? this.cells.podAt(node, slot) : tray >= 0 ? this.cells.waitingAt(tray) : -1;
    const id = pod >= 0 ? this.mass.idOf(pod) : node >= 0 ? this.mass.nodes[node]?.id ?? "" : zone >= 0 ? `zone:${this.layout.zones[zone].name}` : "";
    return { id, pod, node, zone };
  }

  /** @param {Rect} view @returns {number[]} */
  nodesIn(view) {
    return nodesIn(this.layout, view);
  }

  /** The foot of a node, where its bridge, its network card and its rules are. @param {number} node @returns {Rect} */
  foot(node) {
    const { layout } = this;
    return { x: layout.x[node] + NODE.pad, y: layout.y[node] + layout.step.h - NODE.foot, w: layout.step.w - 2 * NODE.pad, h: NODE.foot - 8 };
  }
}

/** @param {import("../../model/mass.js").MassNode|null} node @returns {number} 0 not ready, 1 ready, 2 takes no new pods */
function readiness(node) {
  if (!node?.ready) return 0;
  return node.schedulable ? 1 : 2;
}
