/** What the browser knows of a cluster: a snapshot and the diffs on top of it, in order. */

/** @typedef {{changed: boolean, gap: boolean}} Outcome */

const EVENTS = 300;
/** Pods of a large cluster that are kept with all they have, and how many are asked for at once. */
const MOST_LENT = 6000;
const AT_ONCE = 60;
/** ms in which what is wanted is gathered into one question. */
const GATHER = 60;
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
    /** The pods of a large cluster as columns, null in form full. @type {import("./mass.js").Mass|null} */
    this.mass = null;
    /** What the last message changed in them. @type {import("./mass.js").Changes|null} */
    this.massChanges = null;
    /** @type {typeof import("./mass.js").Mass|null} loaded with the first large cluster */
    this.Mass = null;
    /** Entities of form mass that were asked for, the oldest first. @type {Set<string>} */
    this.lent = new Set();
    /** What is looked at closely: kept up to date by the server. @type {Set<string>} */
    this.watched = new Set();
    /** Asks for entities by id. @type {((ids: string[]) => Promise<{ok: boolean, body: any}>)|null} */
    this.lender = null;
    /** Hears which entities came because they were asked for. @type {(ids: string[]) => void} */
    this.arrived = () => {};
    /** @type {Set<string>} */
    this.wanted = new Set();
    /** @type {Promise<void>|null} */
    this.asking = null;
  }

  /** Loads what is needed to read a snapshot. @param {any} snapshot */
  async prepare(snapshot) {
    if (snapshot.form === "mass") this.Mass ??= (await import("./mass.js")).Mass;
  }

  get loaded() {
    return this.epoch !== 0;
  }

  /** @param {any} snapshot */
  load(snapshot) {
    const same = snapshot.epoch === this.epoch && this.mass !== null;
    const lent = same ? [...this.lent].map((id) => this.entities.get(id)).filter((entity) => this.watched.has(entity?.id)) : [];
    this.epoch = snapshot.epoch;
    this.seq = snapshot.seq;
    this.time = snapshot.time;
    this.settings = snapshot.settings ?? {};
    this.entities = new Map(snapshot.entities.map((/** @type {any} */ e) => [e.id, e]));
    this.mass = snapshot.form === "mass" && this.Mass ? this.Mass.fromSnapshot(snapshot, same ? this.mass : null) : null;
    this.massChanges = null;
    this.lent = new Set();
    // What is looked at stays on the screen while it is asked for anew.
    this.learn(lent);
    for (const { id } of lent) this.want(id);
    this.routes = new Map((snapshot.routes ?? []).map((/** @type {any} */ r) => [r.id, r]));
    this.used = new Map([...this.routes.keys()].map((id) => [id, snapshot.time]));
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
    if (this.mass) this.stale(message);
    for (const id of message.unset) this.entities.delete(id);
    const gone = new Set(message.unset);
    if (gone.size) this.forget((route) => route.waypoints.some((/** @type {string} */ id) => gone.has(id)));
    for (const entity of message.set) this.entities.set(entity.id, entity);
    if (this.mass) {
      this.massChanges = this.mass.apply(message);
      this.learn(message.set.filter((/** @type {any} */ e) => this.watched.has(e.id)));
    }
    this.events.push(...message.events);
    if (this.events.length > EVENTS) this.events.splice(0, this.events.length - EVENTS);
    return { changed: message.set.length + message.unset.length > 0, gap: false };
  }

  /** One `traffic` message. @param {any} message @returns {{fresh: boolean, known: boolean}} whether it brought new routes, whether it is ours */
  traffic(message) {
    if (message.epoch !== this.epoch) return { fresh: false, known: false };
    this.totals = message.totals;
    if (this.mass) {
      this.massChanges = this.mass.apply(message);
      for (const { waypoints } of message.routes) for (const id of waypoints) if (id.startsWith("pod:") && this.mass.indexOf(id) < 0) this.want(id);
    }
    for (const route of message.routes) this.routes.set(route.id, route);
    for (const [id] of [...message.routes.map((/** @type {any} */ r) => [r.id]), ...message.calls]) this.used.set(id, message.time);
    const forgotten = this.forget((route) => (this.used.get(route.id) ?? 0) < message.time - ROUTE_AGE);
    return { fresh: message.routes.length > 0 || forgotten, known: true };
  }

  /** Lent pods that this message changes, without telling how, are not known any more. @param {any} message */
  stale(message) {
    const told = new Set(message.set.map((/** @type {any} */ e) => e.id));
    for (const [index] of message.mass?.pods ?? []) {
      const id = this.mass?.idOf(index) ?? "";
      if (id && !told.has(id) && this.lent.delete(id)) this.entities.delete(id);
    }
  }

  /** Entities of form mass that were asked for; the oldest are forgotten when they are too many. @param {any[]} entities */
  learn(entities) {
    for (const entity of entities) {
      this.mass?.learn(entity);
      this.lent.delete(entity.id);
      this.lent.add(entity.id);
      this.entities.set(entity.id, entity);
    }
    for (const id of this.lent) {
      if (this.lent.size <= MOST_LENT) break;
      if (this.watched.has(id)) continue;
      this.lent.delete(id);
      this.entities.delete(id);
    }
  }

  /** These are looked at closely from now on; of the others only pods are kept, which say when they are out of date. @param {string[]} ids */
  watch(ids) {
    this.watched = new Set(ids);
    for (const id of this.lent) {
      if (this.watched.has(id) || id.startsWith("pod:")) continue;
      this.lent.delete(id);
      this.entities.delete(id);
    }
  }

  /** An entity is needed soon. @param {string} id @returns {Promise<void>} when it came, or did not */
  want(id) {
    this.wanted.add(id);
    this.asking ??= new Promise((resolve) => { setTimeout(resolve, GATHER); }).then(() => this.ask());
    return this.asking;
  }

  /** Asks for what is wanted. */
  async ask() {
    const ids = [...this.wanted];
    this.wanted.clear();
    this.asking = null;
    for (let at = 0; at < ids.length && this.mass && this.lender; at += AT_ONCE) {
      const answer = await this.lender(ids.slice(at, at + AT_ONCE));
      if (!answer.ok || answer.body.epoch !== this.epoch) continue;
      this.learn(answer.body.entities);
      if (answer.body.entities.length) this.arrived(answer.body.entities.map((/** @type {any} */ e) => e.id));
    }
  }

  /** An entity, asked for when it is not here. @param {string} id @returns {Promise<any|null>} null when there is none */
  async entity(id) {
    if (this.mass && id && !this.entities.has(id)) await this.want(id);
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
