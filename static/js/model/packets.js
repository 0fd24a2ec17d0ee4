/**
 * Packets on their ways. Time-based: a packet is a way and how far it got, so speed is constant in
 * pixels a second on every machine. One dot stands for `worth` connections; the number adapts, so that
 * all ways share one budget of dots by weight. A line in use shows a dot every `RARE` ms at least.
 */

/** @typedef {import("./lines.js").Way} Way */
/**
 * @typedef {object} Dot
 * @property {any} route
 * @property {Way} way
 * @property {number} gone px of the way
 * @property {number} wait ms until it sets out
 * @property {string} connection
 * @property {number} ended ms since it was stopped
 * @property {boolean} alone moves though paused
 * @property {boolean} reply goes back to who asked
 * @property {number} worth connections it stands for
 */
/** @typedef {{stopped?: (dot: Dot) => void, back?: (dot: Dot) => Way|null}} Ports `back`: the way of a delivered packet's reply, where replies are shown */

export const SPEED = 260;
/** Dots on their way at once. */
export const BUDGET = 280;
/** ms in which every line in use shows a dot, however rarely it is used. */
export const RARE = 6000;
/** The same for calls that do not arrive: each trouble is seen soon. */
const TROUBLE = 1000;
/** The share of a budget that must be left free before a dot is worth less, so that it does not flicker. */
const ROOM = 0.9;
const AFTERLIFE = 900;
/** ms between two changes of what a dot is worth: old dots must leave first. */
const PATIENCE = 5000;

/** @param {number} at @returns {number} 1, 2, 5, 10, 20 ... */
const nice = (at) => [1, 2, 5][at % 3] * 10 ** Math.floor(at / 3);

export class Packets {
  /** @param {Ports} [ports] */
  constructor(ports = {}) {
    this.ports = ports;
    /** @type {Dot[]} */
    this.dots = [];
    this.budget = BUDGET;
    this.level = 0;
    /** @type {Map<string, number>} */
    this.credit = new Map();
    /** @type {Map<string, number>} when each line last got a dot */
    this.served = new Map();
    this.clock = 0;
    this.sinceChange = 0;
  }

  /** How many connections a dot stands for. */
  get worth() {
    return nice(this.level);
  }

  /**
   * @param {any} route @param {Way} way @param {number} count @param {string} connection
   * @param {number} spread ms over which these connections were opened
   */
  add(route, way, count, connection, spread) {
    const credit = (this.credit.get(route.id) ?? 0) + count;
    while (credit / this.worth > Math.max(this.budget / 10, 2 * this.budget - this.dots.length)) this.level += 1;
    let [dots, each] = [Math.floor(credit / this.worth), this.worth];
    if (!dots && this.due(route, way)) [dots, each] = [1, credit];
    this.credit.set(route.id, credit - dots * each);
    for (let i = 0; i < dots; i += 1) this.push(route, way, connection, (spread * (i + jitter(`${route.id}|${connection}|${i}`))) / dots, false, each);
    if (dots) for (const id of [route.id, ...way.lines.map((line) => line.id)]) this.served.set(id, this.clock);
  }

  /** @param {any} route @param {Way} way @returns {boolean} whether some line of the way has shown no dot for too long */
  due(route, way) {
    const since = (/** @type {string} */ id) => this.clock - (this.served.get(id) ?? -Infinity);
    return stops(route) ? since(route.id) >= TROUBLE : way.lines.some((line) => since(line.id) >= RARE);
  }

  /** @param {any} route @param {Way} way @param {string} connection @param {number} wait @param {boolean} [alone] @param {number} [worth] */
  push(route, way, connection, wait, alone = false, worth = 1) {
    this.dots.push({ route, way, gone: 0, wait, connection, ended: 0, alone, reply: false, worth });
  }

  /** Many connections make one dot; the legend says how many. As few as the dots on the way allow. */
  adapt(/** @type {number} */ passed) {
    this.sinceChange += passed;
    if (this.sinceChange < PATIENCE) return;
    const before = this.level;
    const under = this.dots.reduce((sum, dot) => sum + (dot.ended || dot.reply ? 0 : dot.worth), 0);
    if (under / this.worth > this.budget) this.level += 1;
    else if (before > 0 && under / nice(before - 1) < this.budget * ROOM) this.level -= 1;
    if (this.level === before) return;
    this.sinceChange = 0;
    for (const [id, at] of this.served) if (this.clock - at > 10 * RARE) this.served.delete(id);
  }

  /**
   * @param {number} passed ms @param {number} speed @param {boolean} paused only lone packets move
   * @returns {boolean} whether anything moves
   */
  step(passed, speed, paused) {
    let moving = false;
    if (!paused) {
      this.clock += passed;
      this.adapt(passed);
    }
    for (const dot of this.dots) {
      if (paused && !dot.alone) continue;
      moving = true;
      this.advance(dot, passed * speed);
    }
    this.dots = this.dots.filter((dot) => dot.ended < AFTERLIFE && (dot.gone < dot.way.path.total || dot.ended > 0 || stops(dot.route)));
    return moving && this.dots.length > 0;
  }

  /** @param {Dot} dot @param {number} ms */
  advance(dot, ms) {
    if (dot.wait > 0) {
      dot.wait -= ms;
      return;
    }
    const { total } = dot.way.path;
    if (dot.gone < total) {
      dot.gone += (SPEED * ms) / 1000;
      if (dot.gone >= total) this.arrive(dot);
    } else if (stops(dot.route)) dot.ended += ms;
  }

  /** @param {Dot} dot */
  arrive(dot) {
    if (stops(dot.route)) return this.ports.stopped?.(dot);
    const back = dot.reply ? null : this.ports.back?.(dot);
    return back && Object.assign(dot, { way: back, gone: 0, reply: true });
  }

  /** Ways change when things move: packets under way go on at the same share of the new way. */
  reroute(/** @type {(route: any) => Way|null} */ wayOf) {
    this.dots = this.dots.filter((dot) => {
      const way = dot.reply ? this.ports.back?.(dot) : wayOf(dot.route);
      if (!way) return false;
      dot.gone *= way.path.total / (dot.way.path.total || 1);
      dot.way = way;
      return true;
    });
    /** @type {Set<string>} */
    const alive = new Set();
    for (const id of this.credit.keys()) {
      const way = wayOf({ id });
      if (!way) this.credit.delete(id);
      else for (const one of [id, ...way.lines.map((line) => line.id)]) alive.add(one);
    }
    for (const id of this.served.keys()) if (!alive.has(id)) this.served.delete(id);
  }

  clear() {
    this.dots = [];
    this.credit.clear();
    this.served.clear();
  }
}

/**
 * A number from 0 to 1 that looks drawn by lot and is the same for the same words (FNV-1a, then mixed).
 * @param {string} words
 */
export function jitter(words) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i += 1) hash = Math.imul(hash ^ words.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/** @param {any} route whether its packets do not arrive */
export function stops(route) {
  return route.effect === "dropped" || route.effect === "refused";
}

/**
 * What is true of a packet where it is now.
 * @param {Way} way @param {number} gone @returns {{kind: string, encapsulated: boolean, rewritten: boolean}}
 */
export function phase(way, gone) {
  let mark = way.marks[0];
  let rewritten = false;
  for (const next of way.marks) {
    if (next.at > gone + 0.001) break;
    mark = next;
    rewritten ||= next.nat !== "";
  }
  return { kind: mark.kind || "local", encapsulated: mark.encapsulated, rewritten };
}

/**
 * Where a dot is drawn: a refused one bounces back along its way, a dropped one stays where it died.
 * @param {Dot} dot @returns {number}
 */
export function place(dot) {
  const back = dot.route.effect === "refused" ? Math.min(140, (dot.ended / AFTERLIFE) * 160) : 0;
  return Math.min(dot.gone, dot.way.path.total) - back;
}

/** @param {Dot} dot @returns {number} 0 while it travels, up to 1 while its end is shown */
export function ending(dot) {
  return Math.min(1, dot.ended / AFTERLIFE);
}
