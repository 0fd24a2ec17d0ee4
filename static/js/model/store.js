/** What the browser knows of a cluster: a snapshot and the diffs on top of it, in order. */

/** @typedef {{changed: boolean, gap: boolean}} Outcome */

const EVENTS = 300;
/** Seconds after which an unused route is forgotten; the server forgets sooner and then gives a new id. */
const ROUTE_AGE = 90;

export class Store {
  constructor() {
    this.epoch = 0;
    this.seq = 0;
    this.time = 0;
    /** @type {Map<string, any>} */
    this.entities = new Map();
    /** @type {Map<string, any>} */
    this.routes = new Map();
    /** @type {Map<string, number>} when each route was last taken */
    this.used = new Map();
    /** @type {any[]} */
    this.events = [];
    this.settings = {};
    this.totals = { rps: 0, flows: /** @type {Record<string, any>} */ ({}) };
    /** What a large cluster has instead of entities, null in form full. @type {import("./lending.js").Lending|null} */
    this.lending = null;
    /** @type {typeof import("./lending.js").Lending|null} loaded with the first large cluster */
    this.Lending = null;
    /** Asks for entities by id. @type {((ids: string[]) => Promise<{ok: boolean, body: any}>)|null} */
    this.lender = null;
    /** Hears which entities came because they were asked for. @type {(ids: string[]) => void} */
    this.arrived = () => {};
  }

  /** The pods of a large cluster as columns, null in form full. */
  get mass() {
    return this.lending?.mass ?? null;
  }

  /** What the last message changed in them. */
  get massChanges() {
    return this.lending?.changes ?? null;
  }

  /** Loads what is needed to read a snapshot. @param {any} snapshot */
  async prepare(snapshot) {
    if (snapshot.form === "mass") this.Lending ??= (await import("./lending.js")).Lending;
  }

  get loaded() {
    return this.epoch !== 0;
  }

  /** @param {any} snapshot */
  load(snapshot) {
    const before = { lending: this.lending, entities: this.entities };
    this.epoch = snapshot.epoch;
    this.seq = snapshot.seq;
    this.time = snapshot.time;
    this.settings = snapshot.settings ?? {};
    this.entities = new Map(snapshot.entities.map((/** @type {any} */ e) => [e.id, e]));
    this.lending = snapshot.form === "mass" && this.Lending ? new this.Lending(this, snapshot, before) : null;
    this.routes = new Map((snapshot.routes ?? []).map((/** @type {any} */ r) => [r.id, r]));
    // A picture may be older than 90 s where nothing has changed: its routes count from the first message on.
    this.used = new Map();
    this.events = [...(snapshot.events ?? [])].slice(-EVENTS);
  }

  /**
   * One `state` message. Old ones are ignored; one that builds on something unknown is a gap.
   * @param {any} message @returns {Outcome}
   */
  state(message) {
    if (message.epoch !== this.epoch) return { changed: false, gap: true };
    if (message.seq <= this.seq) return { changed: false, gap: false };
    if (message.base !== this.seq) return { changed: false, gap: true };
    this.seq = message.seq;
    this.time = message.time;
    this.lending?.stale(message);
    for (const id of message.unset) this.entities.delete(id);
    const gone = new Set(message.unset);
    if (gone.size) this.forget((route) => route.waypoints.some((/** @type {string} */ id) => gone.has(id)));
    for (const entity of message.set) this.entities.set(entity.id, entity);
    this.lending?.state(message);
    this.events.push(...message.events);
    if (this.events.length > EVENTS) this.events.splice(0, this.events.length - EVENTS);
    return { changed: message.set.length + message.unset.length > 0, gap: false };
  }

  /** One `traffic` message. @param {any} message @returns {{fresh: boolean, known: boolean}} whether it brought new routes, whether it is ours */
  traffic(message) {
    if (message.epoch !== this.epoch) return { fresh: false, known: false };
    this.totals = message.totals;
    this.lending?.traffic(message);
    for (const route of message.routes) this.routes.set(route.id, route);
    for (const [id] of [...message.routes.map((/** @type {any} */ r) => [r.id]), ...message.calls]) this.used.set(id, message.time);
    for (const id of this.routes.keys()) if (!this.used.has(id)) this.used.set(id, message.time);
    const forgotten = this.forget((route) => /** @type {number} */ (this.used.get(route.id)) < message.time - ROUTE_AGE);
    return { fresh: message.routes.length > 0 || forgotten, known: true };
  }

  /** Entities of a large cluster that were asked for. @param {any[]} entities */
  learn(entities) {
    this.lending?.learn(entities);
  }

  /** What is looked at closely from now on. @param {string[]} ids */
  watch(ids) {
    this.lending?.watch(ids);
  }

  /** An entity, asked for when it is not here. @param {string} id @returns {Promise<any|null>} null when there is none */
  async entity(id) {
    if (this.lending && id && !this.entities.has(id)) await this.lending.want(id);
    return this.entities.get(id) ?? null;
  }

  /** @param {(route: any) => boolean} test @returns {boolean} whether some route went */
  forget(test) {
    const before = this.routes.size;
    for (const [id, route] of this.routes) {
      if (!test(route)) continue;
      this.routes.delete(id);
      this.used.delete(id);
    }
    return this.routes.size < before;
  }

  /** @param {string} id @returns {any[]} its events, newest first */
  eventsOf(id) {
    return this.events.filter((event) => event.ref === id).reverse();
  }
}
