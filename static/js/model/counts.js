/** Connections a second of every route, counted over the last seconds: what stands on the lines where nothing may move. */

/** ms that are counted. */
export const WINDOW = 10000;
/** ms that are counted together. */
const GRAIN = 200;

export class Counts {
  constructor() {
    /** @type {Map<string, [at: number, count: number][]>} */
    this.seen = new Map();
    this.now = 0;
  }

  /** @param {[string, number, string][]} calls @param {number} now ms */
  add(calls, now) {
    this.now = now;
    for (const [id, count] of calls) {
      const all = this.seen.get(id) ?? [];
      const last = all[all.length - 1];
      if (last && now - last[0] < GRAIN) last[1] += count;
      else all.push([now, count]);
      this.seen.set(id, all);
    }
    for (const [id, all] of this.seen) {
      while (all.length && all[0][0] <= now - WINDOW) all.shift();
      if (!all.length) this.seen.delete(id);
    }
  }

  /** @param {string[]} routes @returns {number} connections a second on all of them together */
  of(routes) {
    const count = routes.reduce((sum, id) => sum + (this.seen.get(id) ?? []).reduce((s, [, n]) => s + n, 0), 0);
    return (count * 1000) / WINDOW;
  }

  clear() {
    this.seen.clear();
  }
}
