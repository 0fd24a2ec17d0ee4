/** How much of a flow takes which route: the server counts by flow, the calls that were seen share it out. */

/** @typedef {{rps: number, failing: number}} Share connections a second; `failing` of them are refused or dropped */

const HALF_LIFE = 5000;
/** Routes that are remembered. */
const MOST = 3000;

/** @param {any} route @returns {"ok"|"refused"|"dropped"} which of a flow's totals counts it */
function bucketOf(route) {
  return route.effect === "refused" || route.effect === "dropped" ? route.effect : "ok";
}

export class Shares {
  constructor() {
    /** @type {Map<string, {weight: number, at: number}>} calls seen by route, old ones count less */
    this.seen = new Map();
  }

  /** @param {[string, number, string][]} calls @param {number} now ms */
  count(calls, now) {
    for (const [id, count] of calls) {
      const weight = this.weight(id, now) + count;
      // What is used goes to the end: the beginning is forgotten first.
      this.seen.delete(id);
      this.seen.set(id, { weight, at: now });
    }
    for (const id of this.seen.keys()) {
      if (this.seen.size <= MOST) break;
      this.seen.delete(id);
    }
  }

  /** @param {string} id @param {number} now */
  weight(id, now) {
    const known = this.seen.get(id);
    return known ? known.weight * 0.5 ** (Math.max(0, now - known.at) / HALF_LIFE) : 0;
  }

  /**
   * @param {Map<string, any>} routes @param {Record<string, {ok: number, refused: number, dropped: number}>} flows the server's totals
   * @param {number} now ms @returns {Map<string, Share>} by route
   */
  of(routes, flows, now) {
    for (const id of this.seen.keys()) if (!routes.has(id)) this.seen.delete(id);
    /** @type {Map<string, {sum: number, routes: number}>} */
    const groups = new Map();
    const key = (/** @type {any} */ route) => `${bucketOf(route)}|${route.flow}`;
    for (const route of routes.values()) {
      const group = groups.get(key(route)) ?? { sum: 0, routes: 0 };
      groups.set(key(route), { sum: group.sum + this.weight(route.id, now), routes: group.routes + 1 });
    }
    const shares = new Map();
    for (const route of routes.values()) {
      const { sum, routes: many } = /** @type {{sum: number, routes: number}} */ (groups.get(key(route)));
      const share = sum > 0.001 ? this.weight(route.id, now) / sum : 1 / many;
      const rps = (flows[route.flow]?.[bucketOf(route)] ?? 0) * share;
      shares.set(route.id, { rps, failing: bucketOf(route) === "ok" ? 0 : rps });
    }
    return shares;
  }
}

/** @param {number} rps @returns {string} `12/s`, two digits that count */
export function perSecond(rps) {
  if (rps < 0.05) return rps > 0 ? "<0.1/s" : "0/s";
  const shown = rps < 10 ? rps.toFixed(1) : rps < 100 ? rps.toFixed(0) : String(Math.round(rps / 10) * 10);
  return `${Number(shown).toLocaleString("en")}/s`;
}
