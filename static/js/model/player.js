/** Goes through the past: to a moment, on from there at a speed, step by step. Knows neither the page nor the server. */
import { Reel } from "./reel.js";

/** @typedef {import("../net/past.js").Piece} Piece */
/** @typedef {import("./reel.js").Moment} Moment */
/** @typedef {import("./reel.js").Place} Place */
/** @typedef {"call"|"change"} Unit what a step is: one connection, or one change of the cluster */
/**
 * @typedef {object} Ports
 * @property {(from: number, to: number) => Promise<Piece|null>} piece
 * @property {(last: number, to: number) => Promise<Piece|null>} after
 * @property {(moment: Moment, time: number) => void} stand shows a moment
 * @property {(message: any) => void} apply plays one message
 * @property {(call: [string, number, string]) => void} single shows one connection
 * @property {() => void} changed the time or what it does changed
 * @property {() => number} now seconds since 1970
 * @property {() => void} caughtUp playing reached the present
 * @property {number} near seconds that count as the present
 */

/** Seconds fetched ahead of a moment, and how long before its end a reel is continued. */
const AHEAD = 30;
const SOON = 12;
const REELS = 6;

export class Player {
  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    /** whether the page shows the past */
    this.away = false;
    this.playing = false;
    this.speed = 1;
    this.time = 0;
    /** @type {Place} */
    this.place = { line: 0, call: 0 };
    /** @type {Reel|null} */
    this.reel = null;
    /** @type {Reel[]} the last few, newest use first */
    this.reels = [];
    this.asked = 0;
    this.fetching = false;
  }

  /**
   * Shows a moment. Whoever asks again before the answer came wins.
   * @param {number} time @param {boolean} [playing] @returns {Promise<boolean>} whether it could be shown
   */
  async go(time, playing = this.playing) {
    this.asked += 1;
    const mine = this.asked;
    const reel = this.kept(time) ?? (await this.fetch(time));
    if (mine !== this.asked) return true;
    if (!reel?.lines.length) return false;
    this.away = true;
    this.playing = playing;
    this.use(reel);
    this.put(reel.find(Math.max(time, reel.begins)), Math.max(time, reel.begins));
    return true;
  }

  /** Whether a moment can be shown without asking the server. @param {number} time @returns {Reel|null} */
  kept(time) {
    return this.reels.find((reel) => reel.begins <= time && time <= reel.reaches) ?? null;
  }

  /** @param {number} time @returns {Promise<Reel|null>} */
  async fetch(time) {
    const piece = await this.ports.piece(time, Math.min(time + AHEAD, this.ports.now()));
    if (!piece?.lines.length) return null;
    const reel = new Reel(piece.lines);
    reel.extend([], piece.last, piece.more ? 0 : Math.min(time + AHEAD, piece.now));
    while (piece.more && reel.reaches < time) if (!(await this.extend(reel))) break;
    return reel;
  }

  /** @param {Reel} reel @returns {Promise<boolean>} whether it got longer */
  async extend(reel) {
    const to = Math.min(this.ports.now(), reel.reaches + AHEAD + SOON * this.speed);
    const piece = reel.last ? await this.ports.after(reel.last, to) : null;
    if (!piece || piece.gap) return false;
    reel.extend(piece.lines, piece.last, piece.more && piece.lines.length ? piece.lines[piece.lines.length - 1].time : Math.min(to, piece.now));
    return true;
  }

  /** @param {Reel} reel */
  use(reel) {
    this.reel = reel;
    this.reels = [reel, ...this.reels.filter((one) => one !== reel)].slice(0, REELS);
  }

  /** @param {Place} place @param {number} time */
  put(place, time) {
    this.place = place;
    this.time = time;
    if (this.reel) this.ports.stand(this.reel.moment(place), time);
    this.ports.changed();
  }

  /** The present again; whoever calls fetches it. */
  leave() {
    this.asked += 1;
    this.away = false;
    this.playing = false;
    this.reel = null;
    this.reels = [];
    this.ports.changed();
  }

  /** @param {boolean} on */
  play(on) {
    this.playing = on;
    this.ports.changed();
  }

  /** @param {number} passed seconds of real time */
  tick(passed) {
    const { reel } = this;
    if (!this.away || !this.playing || !reel) return;
    const until = Math.min(this.time + passed * this.speed, reel.reaches);
    for (const line of reel.between(this.place, until)) {
      if (line.type === "keyframe") this.ports.stand(reel.moment({ line: reel.lines.indexOf(line) + 1, call: 0 }), line.time);
      else if (played(line)) this.ports.apply(line.message);
    }
    this.place = reel.find(until);
    this.time = until;
    if (this.ports.now() - until <= this.ports.near) this.ports.caughtUp();
    else if (reel.reaches - until < SOON * Math.max(1, this.speed)) this.more(reel);
    this.ports.changed();
  }

  /** @param {Reel} reel */
  async more(reel) {
    if (this.fetching) return;
    this.fetching = true;
    await this.extend(reel);
    this.fetching = false;
  }

  /**
   * One step; whole moments are shown anew only when they lie behind.
   * @param {Unit} unit @param {1|-1} way @returns {Promise<any>} the connection or the message, null when there is none
   */
  async step(unit, way) {
    this.playing = false;
    const found = this.look(unit, way) ?? ((await this.farther(way)) ? this.look(unit, way) : null);
    if (!found || !this.reel) return null;
    this.move(found.place);
    if ("call" in found) this.ports.single(found.call);
    return "call" in found ? found.call : found.message;
  }

  /** To a place on this reel, showing no connections on the way. @param {Place} to */
  move(to) {
    const reel = /** @type {Reel} */ (this.reel);
    const [first, last] = [Math.min(to.line, this.place.line), Math.max(to.line, this.place.line) + 1];
    const between = reel.lines.slice(first, last);
    const back = to.line < this.place.line || (to.line === this.place.line && to.call < this.place.call);
    if (between.some((line) => line.type === "keyframe") || (back && between.some((line) => line.type === "state"))) {
      return this.put(to, reel.timeOf(to));
    }
    const end = to.call ? to.line + 1 : to.line;
    if (!back) for (const { message } of reel.lines.slice(this.place.line, end).filter(played)) this.ports.apply(message.calls ? { ...message, calls: [] } : message);
    this.place = to;
    this.time = reel.timeOf(to);
    return this.ports.changed();
  }

  /** @param {Unit} unit @param {1|-1} way */
  look(unit, way) {
    const { reel, place } = this;
    if (!reel) return null;
    if (unit === "call") return way > 0 ? reel.nextCall(place) : reel.lastCall(place);
    return way > 0 ? reel.nextChange(place) : reel.lastChange(place);
  }

  /** Nothing more on this reel: another, that reaches farther. @param {1|-1} way @returns {Promise<boolean>} */
  async farther(way) {
    const { reel, time } = this;
    if (!reel) return false;
    if (way > 0) return (await this.extend(reel)) && reel.lines.length > this.place.line;
    const earlier = await this.fetch(reel.begins - 0.001);
    if (!earlier || earlier.begins >= reel.begins) return false;
    this.use(earlier);
    this.place = earlier.find(Math.min(time, reel.begins - 0.001));
    return true;
  }
}

/** @param {import("../net/past.js").Line} line */
function played(line) {
  return line.type === "state" || line.type === "traffic";
}
