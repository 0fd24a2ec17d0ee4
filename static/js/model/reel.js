/**
 * A stretch of the past as lines in order: where a moment is in it, what the cluster was then, and what happened next.
 * A place is a line and, inside a `traffic` line, how many of its connections were shown.
 */

/** @typedef {import("../net/past.js").Line} Line */
/** @typedef {{line: number, call: number}} Place everything before `line` has happened, and `call` connections of it */
/** @typedef {{keyframe: any, states: any[], traffic: any[], recent: any[]}} Moment `traffic`: all with routes; `recent`: those under way */

/** Seconds connections stay in sight. */
const UNDER_WAY = 1.5;

export class Reel {
  /** @param {Line[]} lines begins with a keyframe */
  constructor(lines) {
    this.lines = lines;
    /** the number of the last line on the server, to go on from */
    this.last = 0;
    this.reaches = lines[lines.length - 1]?.time ?? 0;
  }

  get begins() {
    return this.lines[0]?.time ?? 0;
  }

  /** @param {Line[]} more @param {number} last @param {number} reaches all before this moment is here */
  extend(more, last, reaches) {
    this.lines.push(...more);
    this.last = last;
    this.reaches = Math.max(this.reaches, reaches);
  }

  /** @param {number} time @returns {Place} after everything that had happened by then */
  find(time) {
    let [low, high] = [0, this.lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle].time <= time) low = middle + 1;
      else high = middle;
    }
    return { line: low, call: 0 };
  }

  /** @param {Place} place @returns {number} */
  timeOf(place) {
    const at = place.call ? place.line : place.line - 1;
    return this.lines[Math.max(0, Math.min(at, this.lines.length - 1))]?.time ?? 0;
  }

  /** What has to be shown to stand at a place. @param {Place} place @returns {Moment} */
  moment(place) {
    const end = place.call ? place.line + 1 : place.line;
    let start = Math.min(end, this.lines.length) - 1;
    while (start > 0 && this.lines[start].type !== "keyframe") start -= 1;
    const messages = this.lines.slice(start, end);
    const now = this.timeOf(place);
    const traffic = messages.filter((line) => line.type === "traffic");
    return {
      keyframe: this.lines[Math.max(0, start)].message.snapshot,
      states: messages.filter((line) => line.type === "state").map((line) => line.message),
      traffic: traffic.map((line) => line.message),
      recent: traffic.filter((line) => line.time > now - UNDER_WAY).map((line) => line.message),
    };
  }

  /** The next connection. @param {Place} place @returns {{place: Place, call: [string, number, string]}|null} */
  nextCall(place) {
    for (let { line, call } = place; line < this.lines.length; line += 1, call = 0) {
      const calls = this.callsOf(line);
      if (call < calls.length) return { place: { line, call: call + 1 }, call: calls[call] };
    }
    return null;
  }

  /** The connection before the one that was shown last. @param {Place} place @returns {{place: Place, call: [string, number, string]}|null} */
  lastCall(place) {
    let { line, call } = place.call ? { line: place.line, call: place.call - 1 } : { line: place.line, call: 0 };
    while (line >= 0) {
      if (call > 0) return { place: { line, call }, call: this.callsOf(line)[call - 1] };
      line -= 1;
      call = this.callsOf(line).length;
    }
    return null;
  }

  /** The next change of the cluster. @param {Place} place @returns {{place: Place, message: any}|null} */
  nextChange(place) {
    for (let line = place.call ? place.line + 1 : place.line; line < this.lines.length; line += 1) {
      if (this.changes(line)) return { place: { line: line + 1, call: 0 }, message: this.lines[line].message };
    }
    return null;
  }

  /** The change before the one that was shown last. @param {Place} place @returns {{place: Place, message: any}|null} */
  lastChange(place) {
    const here = !place.call && this.changes(place.line - 1);
    for (let line = place.line - (here ? 2 : 1); line >= 0; line -= 1) {
      if (this.changes(line)) return { place: { line: line + 1, call: 0 }, message: this.lines[line].message };
    }
    return null;
  }

  /** @param {number} line @returns {[string, number, string][]} */
  callsOf(line) {
    const found = this.lines[line];
    return found?.type === "traffic" ? found.message.calls ?? [] : [];
  }

  /** @param {number} line @returns {boolean} */
  changes(line) {
    return this.lines[line]?.type === "state" || (line > 0 && this.lines[line]?.type === "keyframe");
  }

  /** Lines between two places, for playing on. @param {Place} from @param {number} until @returns {Line[]} */
  between(from, until) {
    const first = from.call ? from.line + 1 : from.line;
    const lines = [];
    for (let line = first; line < this.lines.length && this.lines[line].time <= until; line += 1) lines.push(this.lines[line]);
    return lines;
  }
}
