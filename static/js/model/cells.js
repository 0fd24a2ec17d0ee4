/**
 * One byte for every place a pod can stand: what it looks like. The tiles are drawn from these bytes
 * alone, and the pod at a place is one look-up.
 */
import { NO_NODE } from "./masslayout.js";

/** What a place looks like: 0 empty, 1 to 8 the heat of a running pod, then trouble; last what a filter sets aside. */
export const LOOK = Object.freeze({ empty: 0, heat: 1, pending: 9, failing: 10, terminating: 11, succeeded: 12, aside: 13 });
const STATE_LOOKS = [LOOK.empty, LOOK.heat, LOOK.pending, LOOK.failing, LOOK.terminating, LOOK.succeeded];

/**
 * @typedef {object} Columns the typed columns of a `Mass`
 * @property {number} count
 * @property {Uint32Array} node
 * @property {Uint32Array} slot in its node, or among those on no node
 * @property {Uint8Array} state
 * @property {Uint8Array} heat
 */

/** @param {number} state @param {number} heat @returns {number} */
export function lookOf(state, heat) {
  return state === 1 ? LOOK.heat + Math.min(7, heat) : STATE_LOOKS[state] ?? LOOK.empty;
}

export class Cells {
  /** @param {number} nodes @param {number} capacity places in a node @param {number} tray places for pods on no node */
  constructor(nodes, capacity, tray) {
    this.capacity = capacity;
    this.trayAt = nodes * capacity;
    this.look = new Uint8Array(this.trayAt + tray);
    /** pod index + 1 at each place */
    this.pod = new Int32Array(this.trayAt + tray);
    /** place + 1 of each pod */
    this.place = new Int32Array(0);
    /** failing and pending pods of each node */
    this.failing = new Uint16Array(nodes);
    this.used = new Uint16Array(nodes);
    /** Whether a filter sets a pod aside; trouble never is. @type {((pod: number) => boolean)|null} */
    this.aside = null;
  }

  /** @param {Columns} mass @param {number} pod @returns {number} */
  lookOf(mass, pod) {
    const look = lookOf(mass.state[pod], mass.heat[pod]);
    return this.aside && look !== LOOK.failing && this.aside(pod) ? LOOK.aside : look;
  }

  /** Another filter. @param {Columns} mass @param {((pod: number) => boolean)|null} aside */
  setAside(mass, aside) {
    if (!aside && !this.aside) return;
    this.aside = aside;
    for (let pod = 0; pod < mass.count; pod += 1) if (this.place[pod]) this.look[this.place[pod] - 1] = this.lookOf(mass, pod);
  }

  /** @param {number} node @param {number} slot */
  at(node, slot) {
    return node * this.capacity + slot;
  }

  /** @param {Columns} mass @param {number} pod */
  home(mass, pod) {
    return mass.node[pod] === NO_NODE ? this.trayAt + mass.slot[pod] : this.at(mass.node[pod], mass.slot[pod]);
  }

  /** @param {number} node @param {number} slot @returns {number} pod index, -1 none */
  podAt(node, slot) {
    return this.pod[node * this.capacity + slot] - 1;
  }

  /** @param {number} slot @returns {number} pod index in the tray, -1 none */
  waitingAt(slot) {
    return (this.pod[this.trayAt + slot] ?? 0) - 1;
  }

  /** @param {number} pod @returns {{node: number, slot: number}|null} node -1: in the tray */
  placeOf(pod) {
    const place = (this.place[pod] ?? 0) - 1;
    if (place < 0) return null;
    if (place >= this.trayAt) return { node: -1, slot: place - this.trayAt };
    return { node: Math.floor(place / this.capacity), slot: place % this.capacity };
  }

  /**
   * @param {Columns} mass @param {Iterable<number>} pods indexes that changed
   * @returns {{places: Set<number>, moved: Set<number>, full: boolean}} places that look different; nodes somebody came to or left; full: someone found no place
   */
  update(mass, pods) {
    this.grow(mass.count);
    const places = new Set();
    const moved = new Set();
    const all = [...pods];
    for (const pod of all) {
      if (!this.leaves(mass, pod)) continue;
      this.move(this.place[pod] - 1, moved);
      this.put(this.place[pod] - 1, -1, LOOK.empty, places);
    }
    let full = false;
    for (const pod of all) {
      if (!mass.state[pod]) continue;
      const place = this.wanted(mass, pod);
      if (place < 0) full = true;
      else {
        if (this.place[pod] !== place + 1) this.move(place, moved);
        this.put(place, pod, this.lookOf(mass, pod), places);
      }
    }
    return { places, moved, full };
  }

  /** @param {number} place @param {Set<number>} moved */
  move(place, moved) {
    if (place < this.trayAt) moved.add(Math.floor(place / this.capacity));
  }

  /** Everybody at once. @param {Columns} mass */
  fill(mass) {
    this.grow(mass.count);
    const { node, slot, state, heat, count } = mass;
    for (let pod = 0; pod < count; pod += 1) {
      if (!state[pod]) continue;
      const waits = node[pod] === NO_NODE;
      const place = waits ? this.trayAt + slot[pod] : node[pod] * this.capacity + slot[pod];
      const look = lookOf(state[pod], heat[pod]);
      this.look[place] = look;
      this.pod[place] = pod + 1;
      this.place[pod] = place + 1;
      if (waits) continue;
      this.used[node[pod]] += 1;
      if (look === LOOK.failing) this.failing[node[pod]] += 1;
    }
  }

  /** @param {number} count */
  grow(count) {
    if (count <= this.place.length) return;
    const larger = new Int32Array(Math.ceil(count * 1.2) + 64);
    larger.set(this.place);
    this.place = larger;
  }

  /** @param {Columns} mass @param {number} pod whether it stands where it no longer belongs */
  leaves(mass, pod) {
    const place = this.place[pod] - 1;
    if (place < 0) return false;
    return !mass.state[pod] || place !== this.home(mass, pod);
  }

  /** @param {Columns} mass @param {number} pod @returns {number} the place it takes, -1 there is none */
  wanted(mass, pod) {
    const place = this.home(mass, pod);
    if (mass.node[pod] === NO_NODE) return place < this.look.length ? place : -1;
    return mass.slot[pod] < this.capacity && place < this.trayAt ? place : -1;
  }

  /** @param {number} place @param {number} pod -1: nobody @param {number} look @param {Set<number>} places */
  put(place, pod, look, places) {
    const before = this.pod[place] - 1;
    if (before >= 0 && before !== pod) this.place[before] = 0;
    this.count(place, this.look[place], -1);
    this.count(place, look, 1);
    if (this.look[place] !== look) places.add(place);
    this.look[place] = look;
    this.pod[place] = pod + 1;
    if (pod >= 0) this.place[pod] = place + 1;
  }

  /** @param {number} place @param {number} look @param {number} by */
  count(place, look, by) {
    if (place >= this.trayAt || !look) return;
    const node = Math.floor(place / this.capacity);
    this.used[node] += by;
    if (look === LOOK.failing) this.failing[node] += by;
  }
}
