/**
 * Packets on their ways. Time-based: a packet is a way and how far it got, so speed is constant in
 * pixels a second on every machine. One dot stands for `worth` connections; the number adapts.
 */

/** @typedef {import("./lines.js").Way} Way */
/** @typedef {{route: any, way: Way, gone: number, wait: number, connection: string, ended: number, alone: boolean, worth: number}} Dot */

export const SPEED = 260;
const CROWD = 280;
/** The share of a crowd that must be left free before a dot is worth less, so that it does not flicker. */
const ROOM = 0.9;
const AFTERLIFE = 900;
/** ms between two changes of what a dot is worth: old dots must leave first. */
const PATIENCE = 5000;
const WORTHS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

export class Packets {
  constructor() {
    /** @type {Dot[]} */
    this.dots = [];
    this.worth = 1;
    /** @type {Map<string, number>} */
    this.credit = new Map();
    this.sinceChange = 0;
  }

  /**
   * @param {any} route @param {Way} way @param {number} count @param {string} connection
   * @param {number} spread ms over which these connections were opened
   */
  add(route, way, count, connection, spread) {
    const credit = (this.credit.get(route.id) ?? 0) + count;
    const dots = Math.min(40, Math.floor(credit / this.worth));
    this.credit.set(route.id, credit - dots * this.worth);
    for (let i = 0; i < dots; i += 1) this.push(route, way, connection, (spread * (i + 0.5)) / dots);
  }

  /** @param {any} route @param {Way} way @param {string} connection @param {number} wait @param {boolean} [alone] moves though paused */
  push(route, way, connection, wait, alone = false) {
    this.dots.push({ route, way, gone: 0, wait, connection, ended: 0, alone, worth: alone ? 1 : this.worth });
  }

  /** Many connections make one dot; the legend says how many. As few as the crowd on the way allows. */
  adapt(/** @type {number} */ passed) {
    this.sinceChange += passed;
    if (this.sinceChange < PATIENCE) return;
    const before = this.worth;
    const at = WORTHS.indexOf(this.worth);
    const under = this.dots.reduce((sum, dot) => sum + (dot.ended ? 0 : dot.worth), 0);
    if (under / this.worth > CROWD && at < WORTHS.length - 1) this.worth = WORTHS[at + 1];
    else if (at > 0 && under / WORTHS[at - 1] < CROWD * ROOM) this.worth = WORTHS[at - 1];
    if (this.worth !== before) this.sinceChange = 0;
  }

  /**
   * @param {number} passed ms @param {number} speed @param {boolean} paused only lone packets move
   * @returns {boolean} whether anything moves
   */
  step(passed, speed, paused) {
    let moving = false;
    if (!paused) this.adapt(passed);
    for (const dot of this.dots) {
      if (paused && !dot.alone) continue;
      moving = true;
      advance(dot, passed * speed);
    }
    this.dots = this.dots.filter((dot) => dot.ended < AFTERLIFE && (dot.gone < dot.way.path.total || dot.ended > 0 || stops(dot.route)));
    return moving && this.dots.length > 0;
  }

  /** Ways change when things move: packets under way go on at the same share of the new way. */
  reroute(/** @type {(route: any) => Way|null} */ wayOf) {
    this.dots = this.dots.filter((dot) => {
      const way = wayOf(dot.route);
      if (!way) return false;
      dot.gone *= way.path.total / (dot.way.path.total || 1);
      dot.way = way;
      return true;
    });
  }

  clear() {
    this.dots = [];
    this.credit.clear();
  }
}

/** @param {any} route whether its packets do not arrive */
function stops(route) {
  return route.effect === "dropped" || route.effect === "refused";
}

/** @param {Dot} dot @param {number} ms */
function advance(dot, ms) {
  if (dot.wait > 0) {
    dot.wait -= ms;
    return;
  }
  if (dot.gone < dot.way.path.total) dot.gone += (SPEED * ms) / 1000;
  else if (stops(dot.route)) dot.ended += ms;
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
