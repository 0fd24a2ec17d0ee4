/**
 * Slots: who sits where. A page that opens seats everyone by age, so all pages that open at one time are
 * equal; while it stays open a newcomer takes the first free slot, a leaver leaves a hole, nobody moves.
 */

/** @typedef {{id: string, created?: number, name?: string}} Ordered */

/**
 * The order of the picture: creation time, then name, then id.
 * @param {Ordered} a @param {Ordered} b @returns {number}
 */
export function byAge(a, b) {
  return (a.created ?? 0) - (b.created ?? 0) || compare(a.name ?? "", b.name ?? "") || compare(a.id, b.id);
}

/** @param {string} a @param {string} b */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Gives everyone a slot; whom a person gave one has it, and those who had one keep it.
 * @param {Ordered[]} items
 * @param {Map<string, number>} [previous]
 * @param {Map<string, number[]>} [given]
 * @returns {Map<string, number>}
 */
export function assign(items, previous = new Map(), given = new Map()) {
  /** @type {Map<string, number>} */
  const slots = new Map();
  const taken = new Set();
  for (const wish of [(/** @type {string} */ id) => given.get(id)?.[0], (/** @type {string} */ id) => previous.get(id)]) {
    for (const { id } of items) {
      const slot = wish(id);
      if (slot === undefined || slots.has(id) || taken.has(slot)) continue;
      slots.set(id, slot);
      taken.add(slot);
    }
  }
  let next = 0;
  for (const { id } of [...items].sort(byAge)) {
    if (slots.has(id)) continue;
    while (taken.has(next)) next += 1;
    slots.set(id, next);
    taken.add(next);
  }
  return slots;
}

/** @param {Map<string, number>} slots @returns {number} how many slots the last one needs */
export function extent(slots) {
  return slots.size ? Math.max(...slots.values()) + 1 : 0;
}
