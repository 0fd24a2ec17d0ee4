/** Connections and failures a second over the last minutes, per flow: what a sparkline draws. */

/** Seconds between two samples, and how many are kept: three minutes. */
export const STEP = 2;
export const KEPT = 90;

/** @typedef {{rps: number, ok?: number, refused: number, dropped: number}} Total */
/** @typedef {{rps: number[], failing: number[], now: number, most: number, failed: number, seconds: number}} Course oldest first; `failed` is the share of failures over all of it */

export class Series {
  constructor() {
    /** @type {{time: number, flows: Record<string, Total>}[]} */
    this.samples = [];
  }

  /** Keeps the totals of a `traffic` message. Time that ran backwards means that another moment is looked at. @param {number} time @param {Record<string, Total>} flows */
  add(time, flows) {
    while (this.samples.length && this.samples[this.samples.length - 1].time > time) this.samples.pop();
    const last = this.samples[this.samples.length - 1];
    if (last && time - last.time < STEP) return;
    this.samples.push({ time, flows });
    if (this.samples.length > KEPT) this.samples.shift();
  }

  clear() {
    this.samples = [];
  }

  /** @param {string[]} ids of flows, summed @returns {Course} */
  of(ids) {
    const rps = [];
    const failing = [];
    for (const { flows } of this.samples) {
      const known = ids.map((id) => flows[id]).filter(Boolean);
      rps.push(known.reduce((sum, one) => sum + one.rps, 0));
      failing.push(known.reduce((sum, one) => sum + one.refused + one.dropped, 0));
    }
    const all = rps.reduce((a, b) => a + b, 0);
    const seconds = this.samples.length ? Math.round(this.samples[this.samples.length - 1].time - this.samples[0].time) : 0;
    return { rps, failing, now: rps[rps.length - 1] ?? 0, most: Math.max(0, ...rps), failed: all ? failing.reduce((a, b) => a + b, 0) / all : 0, seconds };
  }
}

/**
 * The line of a sparkline in a box, its highest value at the top; "" without two values.
 * @param {number[]} values @param {number} most value at the top @param {number} width @param {number} height @param {number} slots places on the axis; the newest value is at the right end
 */
export function pathOf(values, most, width, height, slots = KEPT) {
  if (values.length < 2 || most <= 0) return "";
  const step = width / (slots - 1);
  const left = width - step * (values.length - 1);
  return values.map((value, i) => `${i ? "L" : "M"}${(left + i * step).toFixed(1)} ${(height - (value / most) * height).toFixed(1)}`).join("");
}
