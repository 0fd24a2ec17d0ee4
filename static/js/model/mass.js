/**
 * Every pod of a cluster as columns: one typed array a property, one index a pod, no object a pod.
 * Filled from a snapshot of either form and then from `state` and `traffic` messages. The arrays grow, so they are
 * read from the `Mass` each time and never kept.
 */
import { Full, STATE, stateOf } from "./massfull.js";
import { NOWHERE, Seats } from "./massseats.js";
import { Workloads } from "./massworkloads.js";
import { byAge } from "./slots.js";

export { NOWHERE, STATE, stateOf };
const START = 1024;

/** @typedef {import("./massfull.js").MassNode} MassNode */
/** @typedef {import("./massfull.js").Trunk} Trunk */
/** @typedef {{pods: number[], nodes: number[], trunks: boolean}} Changes indexes */

export class Mass {
  constructor() {
    /** @type {(MassNode|null)[]} by node index; a node that is gone leaves null */
    this.nodes = [];
    /** The highest pod index there was, plus one. */
    this.count = 0;
    this.node = new Uint32Array(START).fill(NOWHERE);
    this.state = new Uint8Array(START);
    this.heat = new Uint8Array(START);
    this.workload = new Uint32Array(START);
    this.seats = new Seats(START);
    this.list = new Workloads();
    /** Connections a second from which each level of `heat` begins; 0 is none. @type {number[]} */
    this.heatScale = [];
    /** @type {Record<string, number>} nodes, pods, ready, pending, failing, terminating, succeeded, services, workloads … */
    this.counts = {};
    /** @type {Trunk[]} */
    this.trunks = [];
    /** One connection in how many was decided; 1 is all. */
    this.sampled = 1;
    /** @type {Map<number, string>} the ids of pods that are known by name */
    this.ids = new Map();
    /** @type {Map<string, number>} */
    this.indexes = new Map();
    /** @type {Map<string, number>} */
    this.nodeIndexes = new Map();
    /** @type {Full|null} form full: what the server counts in form mass */
    this.full = null;
  }

  /** Place of pod i inside its node. The first free one; who leaves leaves a hole. */
  get slot() {
    return this.seats.slot;
  }

  get workloads() {
    return this.list.entries;
  }

  /**
   * From the entities of form full.
   * @param {Iterable<any>} entities
   * @param {{routes?: Iterable<any>, before?: Mass|null}} [more] the routes that are known; pods and nodes of `before` keep index and slot
   */
  static fromEntities(entities, { routes = [], before = null } = {}) {
    const mass = new Mass();
    const full = new Full();
    [mass.full, mass.heatScale] = [full, full.scale];
    const all = [...entities];
    const kind = (/** @type {string} */ name) => all.filter((e) => e.kind === name).sort(byAge);
    for (const entity of all) full.set(entity);
    full.learn(routes);
    const kept = before?.full ? before : null;
    if (kept) [mass.nodes, mass.count] = [kept.nodes.map(() => null), kept.count];
    for (const node of kind("node")) mass.setNode(node, kept?.nodeIndexes.get(node.id));
    const pods = kind("pod");
    mass.reserve(mass.count + pods.length);
    for (const pod of pods) if (kept?.indexes.has(pod.id)) mass.keep(pod, kept);
    for (const pod of pods) if (!mass.indexes.has(pod.id)) mass.setPod(pod);
    mass.counts = full.counts(mass);
    return mass;
  }

  /** @param {any} snapshot of form mass @param {Mass|null} [before] of the same epoch: who stayed on a node keeps the slot */
  static fromSnapshot(snapshot, before = null) {
    const mass = new Mass();
    const columns = snapshot.mass;
    mass.count = columns.count;
    mass.node = column(Uint32Array, columns.node);
    mass.state = column(Uint8Array, columns.state);
    mass.heat = column(Uint8Array, columns.heat);
    mass.workload = column(Uint32Array, columns.workload);
    mass.list = Workloads.fromColumns(snapshot.workloads);
    mass.seats = new Seats(mass.node.length);
    mass.heatScale = columns.heatScale;
    mass.sampled = columns.sampled ?? 1;
    mass.counts = snapshot.counts ?? {};
    mass.trunks = snapshot.trunks ?? [];
    for (const entity of snapshot.entities) if (entity.kind === "node") mass.setNode(entity, entity.index);
    mass.seats.fill(mass.node, mass.state, mass.count, before?.seats ?? null);
    for (const entity of snapshot.entities) if (entity.kind === "pod") mass.learn(entity);
    return mass;
  }

  /** @param {number} index @returns {string} "pod:ns/name", "" when its name was never told */
  idOf(index) {
    return this.ids.get(index) ?? "";
  }

  /** @param {string} id @returns {number} -1 when it is not there or its name was never told */
  indexOf(id) {
    return this.indexes.get(id) ?? -1;
  }

  /** @param {string} id @returns {number} -1 when there is no such node */
  nodeOf(id) {
    return this.nodeIndexes.get(id) ?? -1;
  }

  /** @param {number} node index @returns {number[]} its pods in the order of their slots */
  podsOf(node) {
    return this.seats.of(node);
  }

  /** @param {number} node index @returns {number} slots that were ever needed at once: the last pod's plus one */
  slotsOf(node) {
    return this.seats.extent(node);
  }

  /** The name of a pod, from an entity with its `index`. @param {any} pod @returns {number} its index, -1 when it is gone */
  learn(pod) {
    const { id, index } = pod;
    if (index === undefined || index < 0 || index >= this.count || this.state[index] === STATE.gone) return this.indexOf(id);
    this.forget(index);
    this.ids.set(index, id);
    this.indexes.set(id, index);
    return index;
  }

  /** @param {number} index */
  forget(index) {
    const id = this.ids.get(index);
    if (id === undefined) return;
    this.ids.delete(index);
    if (this.indexes.get(id) === index) this.indexes.delete(id);
  }

  /** A `state` or `traffic` message of either form. @param {any} message @returns {Changes} */
  apply(message) {
    /** @type {Changes} */
    const changes = { pods: [], nodes: [], trunks: false };
    if (message.type === "traffic") this.traffic(message, changes);
    else this.change(message, changes);
    return changes;
  }

  /** @param {any} message @param {Changes} changes */
  change(message, changes) {
    const pods = new Set();
    for (const id of message.unset) {
      if (this.nodeIndexes.has(id)) changes.nodes.push(this.dropNode(id));
      else if (this.full && this.indexes.has(id)) pods.add(this.place(this.indexOf(id), NOWHERE, STATE.gone, 0));
      this.full?.unset(id);
    }
    for (const entity of message.set) {
      if (entity.kind === "node") changes.nodes.push(this.setNode(entity, entity.index));
      else if (entity.kind === "pod" && this.full) pods.add(this.setPod(entity));
      this.full?.set(entity);
    }
    const mass = message.mass;
    for (const [index, kind, namespace, name] of mass?.workloads ?? []) this.list.set(index, kind, namespace, name);
    for (const [index, node, state, workload] of mass?.pods ?? []) {
      this.reserve(index + 1);
      pods.add(this.place(index, node < 0 ? NOWHERE : node, state, workload));
    }
    if (this.full) this.counts = this.full.counts(this);
    else if (mass?.counts) this.counts = { ...this.counts, ...mass.counts };
    changes.pods.push(...pods);
  }

  /** @param {any} message @param {Changes} changes */
  traffic(message, changes) {
    const told = this.full ? this.full.hear(message, this) : message.mass;
    for (const [index, level] of told?.heat ?? []) {
      if (index >= this.count || this.heat[index] === level) continue;
      this.heat[index] = level;
      changes.pods.push(index);
    }
    if (told?.sweep) this.sweep(told.sweep, changes);
    if (told?.sampled) this.sampled = told.sampled;
    if (!told?.trunks) return;
    this.trunks = told.trunks;
    changes.trunks = true;
  }

  /** Levels of heat from an index on. @param {[number, string]} part @param {Changes} changes */
  sweep([start, levels], changes) {
    const bytes = atob(levels);
    for (let i = 0; i < bytes.length && start + i < this.count; i += 1) {
      const level = this.state[start + i] === STATE.gone ? 0 : bytes.charCodeAt(i);
      if (this.heat[start + i] === level) continue;
      this.heat[start + i] = level;
      changes.pods.push(start + i);
    }
  }

  /** @param {any} entity @param {number} [wanted] its index @returns {number} */
  setNode(entity, wanted) {
    const index = this.nodeIndexes.get(entity.id) ?? wanted ?? firstNull(this.nodes);
    while (this.nodes.length < index) this.nodes.push(null);
    const { id, name, zone, ready, schedulable, ip } = entity;
    this.nodes[index] = { id, name, zone: zone ?? "", ready, schedulable, ip };
    this.nodeIndexes.set(id, index);
    for (const pod of this.full?.claim(id) ?? []) this.place(pod, index, this.state[pod], this.workload[pod]);
    return index;
  }

  /** @param {string} id @returns {number} */
  dropNode(id) {
    const index = /** @type {number} */ (this.nodeIndexes.get(id));
    this.nodes[index] = null;
    this.nodeIndexes.delete(id);
    return index;
  }

  /** A pod of form full. @param {any} pod @returns {number} its index */
  setPod(pod) {
    let index = this.indexOf(pod.id);
    if (index < 0) {
      index = this.free();
      this.reserve(index + 1);
      this.state[index] = STATE.pending;
      this.learn({ id: pod.id, index });
    }
    return this.put(pod, index);
  }

  /** A pod keeps the index and slot it had before everything was fetched anew. @param {any} pod @param {Mass} before */
  keep(pod, before) {
    const index = before.indexOf(pod.id);
    this.state[index] = STATE.pending;
    this.learn({ id: pod.id, index });
    const node = this.nodeOf(pod.node);
    if (node >= 0 && before.node[index] === node) this.seats.take(index, node, before.slot[index]);
    else if (node < 0 && before.node[index] === NOWHERE) this.seats.take(index, NOWHERE, before.slot[index]);
    this.put(pod, index);
  }

  /** @param {any} pod @param {number} index */
  put(pod, index) {
    const node = this.nodeOf(pod.node);
    if (pod.node && node < 0) this.full?.await(pod.node, index);
    return this.place(index, node < 0 ? NOWHERE : node, stateOf(pod), pod.workload ? this.list.indexOf(pod.workload) : 0);
  }

  /** The smallest index nobody has. */
  free() {
    if (this.ids.size === this.count) return this.count;
    const index = this.state.indexOf(STATE.gone);
    return index < 0 || index > this.count ? this.count : index;
  }

  /** @param {number} index @param {number} node @param {number} state @param {number} workload @returns {number} index */
  place(index, node, state, workload) {
    if (state === STATE.gone) {
      this.seats.leave(index);
      this.forget(index);
      this.heat[index] = 0;
      this.full?.clear(index);
    } else this.seats.sit(index, node);
    this.node[index] = state === STATE.gone ? NOWHERE : node;
    this.state[index] = state;
    this.workload[index] = workload;
    return index;
  }

  /** Room for this many pods. @param {number} count */
  reserve(count) {
    if (count > this.node.length) {
      const size = Math.max(count, this.node.length * 2);
      const old = this.node.length;
      this.node = grown(this.node, new Uint32Array(size)).fill(NOWHERE, old);
      this.state = grown(this.state, new Uint8Array(size));
      this.heat = grown(this.heat, new Uint8Array(size));
      this.workload = grown(this.workload, new Uint32Array(size));
      this.seats.reserve(size);
    }
    this.count = Math.max(this.count, count);
  }
}

/** @template {Uint8Array|Uint32Array} T @param {T} from @param {T} into @returns {T} */
function grown(from, into) {
  into.set(from);
  return into;
}

/** @param {any[]} list @returns {number} */
function firstNull(list) {
  const hole = list.indexOf(null);
  return hole < 0 ? list.length : hole;
}

/**
 * A column of the snapshot: base64 of little endian numbers, with some room to grow.
 * @template {Uint8Array|Uint32Array} T @param {{new(length: number): T, BYTES_PER_ELEMENT: number}} Type @param {string} text @returns {T}
 */
function column(Type, text) {
  const bytes = atob(text);
  const length = bytes.length / Type.BYTES_PER_ELEMENT;
  const found = new Type(Math.max(START, Math.ceil(length * 1.1)));
  const raw = new Uint8Array(found.buffer);
  for (let i = 0; i < bytes.length; i += 1) raw[i] = bytes.charCodeAt(i);
  if (Type.BYTES_PER_ELEMENT === 4) found.fill(NOWHERE, length);
  return found;
}
