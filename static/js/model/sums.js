/** Who calls whom in a large cluster, as the server sums it up: the same entities, routes and shares the views are drawn from in a small one. */

/** @typedef {import("./shares.js").Share} Share */
/** @typedef {{way: string[], kind: string, flow: string, rates: number[]}} Row `rates`: delivered, refused, dropped a second */

const EFFECTS = ["allowed", "refused", "dropped"];
/** Connections a second that are shown as something. */
const LEAST = 0.005;

export class Sums {
  constructor() {
    /** @type {Map<string, any>} */
    this.entities = new Map();
    /** @type {Map<string, any>} */
    this.routes = new Map();
    /** @type {Map<string, Share>} by route */
    this.shares = new Map();
    /** Ways between cards: how many are not told, and how many there are. */
    this.left = { routes: 0, all: 0 };
    this.sampled = 1;
    /** Rates are known; of the past they are not. */
    this.measured = true;
  }

  /** @param {any} body of `GET sums` @returns {boolean} whether there are other cards or routes than before */
  take({ entities, routes, left, sampled, measured }) {
    const before = [...this.entities.keys(), ...this.routes.keys()].join();
    this.entities = new Map(entities.map((/** @type {any} */ e) => [e.id, e]));
    this.routes = new Map();
    this.shares = new Map();
    for (const row of routes) this.add(row);
    Object.assign(this, { left, sampled, measured });
    return before !== [...this.entities.keys(), ...this.routes.keys()].join();
  }

  /** A route for each thing that becomes of its connections. @param {Row} row */
  add({ way, kind, flow, rates }) {
    const outcomes = rates.map((rps, i) => ({ rps, effect: EFFECTS[i] })).filter(({ rps }) => rps >= LEAST);
    for (const { rps, effect } of outcomes.length ? outcomes : [{ rps: 0, effect: EFFECTS[0] }]) {
      const id = `sum:${effect}:${way.join(">")}`;
      const segments = way.slice(1).map(() => ({ kind, nat: "", encapsulated: false }));
      this.routes.set(id, { id, flow, kind, effect, waypoints: way, segments, verdict: "", symptom: "", stop: "", overlay: false, reason: "" });
      this.shares.set(id, { rps, failing: effect === EFFECTS[0] ? 0 : rps });
    }
  }

  /** What was delivered in a while, as a traffic frame says it. @param {number} passed ms @returns {[string, number, string][]} */
  calls(passed) {
    return [...this.routes.values()].filter(({ id, effect }) => effect === EFFECTS[0] && this.shares.get(id)?.rps).map(({ id }) => [id, ((this.shares.get(id)?.rps ?? 0) * passed) / 1000, ""]);
  }
}
