/** What happened in each second, for the strip under the picture: connections, those that failed, warnings, and whether anybody looked. */

/** @typedef {import("../net/past.js").Bucket} Bucket */
/** @typedef {{from: number, to: number, ok: number, refused: number, dropped: number, warnings: number, watched: boolean}} Bar */

const MOST = 1200;
/** Routes whose effect is remembered. */
const ROUTES = 3000;

export class Density {
  constructor() {
    /** @type {Map<number, Bucket>} */
    this.buckets = new Map();
    /** @type {Map<string, string>} what becomes of the connections of a route */
    this.effects = new Map();
  }

  /** What the server counted is the truth. @param {Bucket[]} buckets */
  load(buckets) {
    for (const bucket of buckets) this.buckets.set(bucket[0], bucket);
    this.trim();
  }

  /** @param {Iterable<any>} routes */
  learn(routes) {
    for (const route of routes) this.effects.set(route.id, route.effect);
  }

  /** A message as it comes, until the server's count replaces it. @param {any} message */
  hear(message) {
    const bucket = this.at(Math.floor(message.time));
    if (message.type === "state") bucket[4] += message.events.filter((/** @type {any} */ event) => event.type === "Warning").length;
    else {
      this.learn(message.routes ?? []);
      bucket[5] = true;
      for (const [route, count] of message.calls ?? []) {
        const effect = this.effects.get(route);
        if (!effect) continue;
        // What is used goes to the end: the beginning is forgotten first.
        this.effects.delete(route);
        this.effects.set(route, effect);
        bucket[effect === "refused" ? 2 : effect === "dropped" ? 3 : 1] += count;
      }
    }
    this.trim();
    for (const id of this.effects.keys()) {
      if (this.effects.size <= ROUTES) break;
      this.effects.delete(id);
    }
  }

  /** @param {number} second @returns {Bucket} */
  at(second) {
    const found = this.buckets.get(second) ?? /** @type {Bucket} */ ([second, 0, 0, 0, 0, false]);
    this.buckets.set(second, found);
    return found;
  }

  trim() {
    if (this.buckets.size <= MOST + 100) return;
    const newest = Math.max(...this.buckets.keys());
    for (const second of this.buckets.keys()) if (second < newest - MOST) this.buckets.delete(second);
  }

  /** Sums over equal stretches whose borders stay where they are while time goes on. @param {number} from @param {number} to @param {number} width seconds @returns {Bar[]} */
  bars(from, to, width) {
    const bars = [];
    for (let start = Math.floor(from / width) * width; start < to; start += width) bars.push(this.sum(start, start + width));
    return bars;
  }

  /** @param {number} from @param {number} to @returns {Bar} */
  sum(from, to) {
    const bar = { from, to, ok: 0, refused: 0, dropped: 0, warnings: 0, watched: false };
    for (let second = Math.floor(from); second < to; second += 1) {
      const bucket = this.buckets.get(second);
      if (!bucket) continue;
      bar.ok += bucket[1];
      bar.refused += bucket[2];
      bar.dropped += bucket[3];
      bar.warnings += bucket[4];
      bar.watched ||= bucket[5];
    }
    return bar;
  }
}
