/** The one animation loop: at most 30 frames a second, fewer when they cost too much, and none at all when nothing moves. */
import { Pace } from "../model/pace.js";

/** ms a frame may stand for: a slow machine shows fewer frames, not slower packets. */
const LONGEST = 400;

export class Loop {
  /** @param {(passed: number) => boolean} draw returns whether something still moves */
  constructor(draw) {
    this.draw = draw;
    this.pace = new Pace();
    this.handle = 0;
    this.last = 0;
    this.frames = 0;
    this.urgent = false;
    /** @type {number[]} */
    this.costs = [];
    document.addEventListener("visibilitychange", () => {
      this.last = 0;
      if (document.hidden) this.stop();
      else this.wake();
    });
  }

  /** Draws soon; goes on by itself while something moves. @param {boolean} [urgent] with the very next frame, as what moves with the camera must */
  wake(urgent = false) {
    this.urgent ||= urgent;
    if (!this.handle && !document.hidden) this.handle = requestAnimationFrame(this.tick);
  }

  stop() {
    cancelAnimationFrame(this.handle);
    this.handle = 0;
    this.last = 0;
  }

  tick = (/** @type {number} */ now) => {
    this.handle = requestAnimationFrame(this.tick);
    const { urgent, last } = this;
    if (last && now - last < this.pace.interval - 2 && !urgent) return;
    this.urgent = false;
    const passed = last ? Math.min(LONGEST, now - last) : 0;
    this.last = now;
    const began = performance.now();
    const moving = this.draw(passed);
    const cost = performance.now() - began;
    this.frames += 1;
    this.costs.push(cost);
    if (this.costs.length > 240) this.costs.shift();
    if (last && !urgent) this.pace.frame(cost, passed);
    if (!moving && !this.urgent) this.stop();
  };

  /** @param {number} share @returns {number} ms a frame at this percentile */
  cost(share) {
    const sorted = [...this.costs].sort((a, b) => a - b);
    return sorted.length ? Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(2)) : 0;
  }
}
