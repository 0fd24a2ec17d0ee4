/** What a browser of a large cluster borrows: entities that were asked for, and the columns they belong to. Loaded with the first large cluster. */
import { Mass } from "./mass.js";

/** Entities that are kept with all they have, and how many are asked for at once. */
const MOST = 6000;
const AT_ONCE = 60;
/** ms in which what is wanted is gathered into one question. */
const GATHER = 60;

/**
 * What is needed of the store.
 * @typedef {object} Holder
 * @property {number} epoch
 * @property {Map<string, any>} entities
 * @property {((ids: string[]) => Promise<{ok: boolean, body: any}>)|null} lender asks for entities by id
 * @property {(ids: string[]) => void} arrived hears which came because they were asked for
 */

export class Lending {
  /** @param {Holder} store @param {any} snapshot of form mass @param {{lending: Lending|null, entities: Map<string, any>}} before what the store held until now */
  constructor(store, snapshot, before) {
    const known = before.lending?.epoch === snapshot.epoch ? before.lending : null;
    this.store = store;
    this.epoch = snapshot.epoch;
    this.mass = Mass.fromSnapshot(snapshot, known?.mass ?? null);
    /** What the last message changed in the columns. @type {import("./mass.js").Changes|null} */
    this.changes = null;
    /** Ids, the oldest first. @type {Set<string>} */
    this.lent = new Set();
    /** What is looked at closely: kept up to date by the server. @type {Set<string>} */
    this.watched = before.lending?.watched ?? new Set();
    /** @type {Set<string>} */
    this.wanted = new Set();
    /** @type {Promise<void>|null} */
    this.asking = null;
    if (!known) return;
    // What is looked at stays on the screen while it is asked for anew.
    const kept = [...known.lent].filter((id) => this.watched.has(id)).map((id) => before.entities.get(id));
    this.learn(kept);
    for (const { id } of kept) this.want(id);
  }

  /** A `state` message, before the store takes it over: pods it changes without telling how are not known any more. @param {any} message */
  stale(message) {
    const told = new Set(message.set.map((/** @type {any} */ e) => e.id));
    for (const [index] of message.mass?.pods ?? []) {
      const id = this.mass.idOf(index);
      if (id && !told.has(id) && this.lent.delete(id)) this.store.entities.delete(id);
    }
  }

  /** A `state` message, after. @param {any} message */
  state(message) {
    this.changes = this.mass.apply(message);
    this.learn(message.set.filter((/** @type {any} */ e) => this.watched.has(e.id)));
  }

  /** A `traffic` message; names of pods on new routes are asked for. @param {any} message */
  traffic(message) {
    this.changes = this.mass.apply(message);
    for (const { waypoints } of message.routes) for (const id of waypoints) if (id.startsWith("pod:") && this.mass.indexOf(id) < 0) this.want(id);
  }

  /** Entities that were asked for; the oldest are forgotten when they are too many. @param {any[]} entities */
  learn(entities) {
    for (const entity of entities) {
      this.mass.learn(entity);
      this.lent.delete(entity.id);
      this.lent.add(entity.id);
      this.store.entities.set(entity.id, entity);
    }
    for (const id of this.lent) {
      if (this.lent.size <= MOST) break;
      if (!this.watched.has(id)) this.drop(id);
    }
  }

  /** @param {string} id */
  drop(id) {
    this.lent.delete(id);
    this.store.entities.delete(id);
  }

  /** These are looked at closely from now on; of the others only pods are kept, which say when they are out of date. @param {string[]} ids */
  watch(ids) {
    this.watched = new Set(ids);
    for (const id of this.lent) if (!this.watched.has(id) && !id.startsWith("pod:")) this.drop(id);
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
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const asked = ids.slice(at, at + AT_ONCE);
      const answer = await this.store.lender?.(asked);
      if (!answer?.ok || answer.body.epoch !== this.store.epoch) continue;
      this.learn(answer.body.entities);
      const there = new Set(answer.body.entities.map((/** @type {any} */ e) => e.id));
      const gone = asked.filter((id) => this.lent.has(id) && !there.has(id));
      for (const id of gone) this.drop(id);
      if (there.size + gone.length) this.store.arrived([...there, ...gone]);
    }
  }
}
