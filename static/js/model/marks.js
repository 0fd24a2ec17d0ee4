/** What denied packets leave behind: how many were stopped at an object and by which rule, for some seconds. */

/**
 * @typedef {{ref: string, dropped: number, refused: number, rules: Map<string, number>, connection: string, age: number,
 *   box?: import("./layout.js").Rect}} Mark `box`: where it is drawn */

/** ms a mark stays after the last packet, and how many of them it fades. */
export const STAYS = 8000;
const FADES = 2000;
/** Rules named; the others are counted. */
const NAMED = 3;

export class Marks {
  constructor() {
    /** @type {Map<string, Mark>} by the object that stopped the packets */
    this.all = new Map();
  }

  /** @param {any} route @param {number} count @param {string} connection one of them */
  add(route, count, connection) {
    const ref = route.stop || route.waypoints[route.waypoints.length - 1];
    const mark = this.all.get(ref) ?? { ref, dropped: 0, refused: 0, rules: new Map(), connection, age: 0 };
    mark[route.effect === "refused" ? "refused" : "dropped"] += count;
    mark.rules.set(route.reason, (mark.rules.get(route.reason) ?? 0) + count);
    Object.assign(mark, { connection, age: 0 });
    this.all.set(ref, mark);
  }

  /** @param {number} passed ms @returns {boolean} whether some mark stands */
  step(passed) {
    for (const mark of this.all.values()) {
      mark.age += passed;
      if (mark.age >= STAYS) this.all.delete(mark.ref);
    }
    return this.all.size > 0;
  }

  /** @param {(ref: string) => boolean} known forget what is gone */
  keep(known) {
    for (const ref of this.all.keys()) if (!known(ref)) this.all.delete(ref);
  }

  clear() {
    this.all.clear();
  }
}

/** @param {Mark} mark @returns {number} 1, falling to 0 at its end */
export function strength(mark) {
  return Math.max(0, Math.min(1, (STAYS - mark.age) / FADES));
}

/** @param {{dropped: number, refused: number}} mark @returns {string} "3 dropped", "2 refused", "3 dropped, 2 refused" */
export function countsOf({ dropped, refused }) {
  return [dropped ? `${dropped} dropped` : "", refused ? `${refused} refused` : ""].filter(Boolean).join(", ");
}

/** @param {Mark} mark @returns {string} the rules that decided, the busiest first */
export function rulesOf(mark) {
  const sorted = [...mark.rules].sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, NAMED).map(([rule, count]) => (sorted.length > 1 ? `${count}: ${rule}` : rule));
  return [...shown, ...(sorted.length > NAMED ? [`and ${sorted.length - NAMED} more rules`] : [])].join("\n");
}
