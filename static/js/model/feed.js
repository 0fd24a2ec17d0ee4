/** Between the socket and the picture: keeps order, holds everything back while paused, steps call by call. */

/** @typedef {{apply: (message: any) => void, call: (call: [string, number, string]) => boolean, waiting: (count: number) => void}} Sink */

const MOST = 2000;

export class Feed {
  /** @param {Sink} sink */
  constructor(sink) {
    this.sink = sink;
    this.paused = false;
    /** whether the page shows the past: what comes then is only heard by `passing`, the server has it */
    this.away = false;
    /** @type {(message: any) => void} hears everything as it comes */
    this.passing = () => {};
    /** @type {any[]} messages and single calls, in order */
    this.queue = [];
  }

  /** @param {any} message a `state` or `traffic` message */
  push(message) {
    this.passing(message);
    if (this.away) return undefined;
    if (!this.paused) return this.sink.apply(message);
    if (message.type === "traffic") {
      this.queue.push({ ...message, calls: [] });
      for (const call of message.calls) this.queue.push({ type: "call", call });
      this.trim();
    } else this.queue.push(message);
    return this.sink.waiting(this.waiting);
  }

  /** How many changes and calls wait. */
  get waiting() {
    return this.queue.filter((item) => item.type !== "traffic").length;
  }

  /** Old calls are forgotten first, state never. */
  trim() {
    let over = this.queue.length - MOST;
    if (over > 0) this.queue = this.queue.filter((item) => item.type !== "call" || over-- <= 0);
  }

  pause() {
    this.paused = true;
    this.sink.waiting(this.waiting);
  }

  /** Applies what waited, but does not replay old calls: a live picture jumps to now. */
  resume() {
    this.paused = false;
    const held = this.queue;
    this.queue = [];
    for (const item of held) if (item.type !== "call") this.sink.apply(item);
    this.sink.waiting(0);
  }

  /** @returns {boolean} whether one more call was let through */
  step() {
    while (this.queue.length) {
      const item = this.queue.shift();
      if (item.type !== "call") this.sink.apply(item);
      else if (this.sink.call(item.call)) {
        this.sink.waiting(this.waiting);
        return true;
      }
    }
    this.sink.waiting(0);
    return false;
  }

  /** A new snapshot makes everything held back old. */
  clear() {
    this.queue = [];
    if (!this.away) this.sink.waiting(0);
  }

  /** Nothing reaches the picture from here until `back`. */
  leave() {
    this.away = true;
    this.paused = true;
    this.queue = [];
  }

  /** The present again; whoever calls fetches it whole. */
  back() {
    this.away = false;
    this.paused = false;
    this.queue = [];
  }
}
