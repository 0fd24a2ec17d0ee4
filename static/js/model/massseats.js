/** Who sits where: the first free slot of its node, a leaver leaves a hole, nobody moves. No object a pod. */

/** The node of a pod that is on none. */
export const NOWHERE = 0xffffffff;
/** Who has no seat, not even among those without a node. */
const UNSEATED = 0xfffffffe;
const HOLE = -1;

export class Seats {
  /** @param {number} size pods there is room for */
  constructor(size) {
    /** Slot of each pod; meaningless for one that has none. */
    this.slot = new Uint32Array(size);
    /** Where each pod sits. */
    this.home = new Uint32Array(size).fill(UNSEATED);
    /** @type {Map<number, number[]>} node -> pods by slot */
    this.rows = new Map();
    /** @type {Map<number, number>} node -> holes in its row */
    this.holes = new Map();
  }

  /** @param {number} size */
  reserve(size) {
    const [slot, home, old] = [this.slot, this.home, this.home.length];
    this.slot = new Uint32Array(size);
    this.home = new Uint32Array(size).fill(UNSEATED, old);
    this.slot.set(slot);
    this.home.set(home);
  }

  /** @param {number} node @returns {number[]} */
  row(node) {
    const row = this.rows.get(node) ?? [];
    if (!this.rows.has(node)) this.rows.set(node, row);
    return row;
  }

  /** The first free slot of a node; who sits there already stays. @param {number} pod @param {number} node */
  sit(pod, node) {
    if (this.home[pod] === node) return;
    this.leave(pod);
    const row = this.row(node);
    this.take(pod, node, this.holes.get(node) ? row.indexOf(HOLE) : row.length);
  }

  /** A certain slot, which must be free. @param {number} pod @param {number} node @param {number} slot */
  take(pod, node, slot) {
    const row = this.row(node);
    const made = slot - row.length;
    if (made < 0) this.holes.set(node, (this.holes.get(node) ?? 0) - 1);
    else if (made > 0) {
      for (let i = 0; i < made; i += 1) row.push(HOLE);
      this.holes.set(node, (this.holes.get(node) ?? 0) + made);
    }
    row[slot] = pod;
    this.slot[pod] = slot;
    this.home[pod] = node;
  }

  /** @param {number} pod */
  leave(pod) {
    const node = this.home[pod];
    if (node === UNSEATED) return;
    this.home[pod] = UNSEATED;
    const row = this.row(node);
    row[this.slot[pod]] = HOLE;
    let holes = (this.holes.get(node) ?? 0) + 1;
    while (row.length && row[row.length - 1] === HOLE) {
      row.pop();
      holes -= 1;
    }
    this.holes.set(node, holes);
  }

  /** @param {number} node @returns {number[]} pods in the order of their slots */
  of(node) {
    return (this.rows.get(node) ?? []).filter((pod) => pod !== HOLE);
  }

  /** @param {number} node @returns {number} the last pod's slot plus one */
  extent(node) {
    return this.rows.get(node)?.length ?? 0;
  }

  /**
   * Seats everybody of a snapshot by index; who was on the same node before keeps the slot.
   * @param {Uint32Array} nodes of each pod @param {Uint8Array} states 0 has no seat @param {number} count @param {Seats|null} before
   */
  fill(nodes, states, count, before) {
    const known = Math.min(count, before?.home.length ?? 0);
    for (let pod = 0; pod < known; pod += 1) {
      if (states[pod] && before?.home[pod] === nodes[pod]) this.take(pod, nodes[pod], before.slot[pod]);
    }
    for (let pod = 0; pod < count; pod += 1) if (states[pod]) this.sit(pod, nodes[pod]);
  }
}
