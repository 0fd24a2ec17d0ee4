/** The one animation loop: at most 30 frames a second, and none at all when nothing moves. */

const FRAME = 1000 / 30;
/** ms a frame may stand for: a slow machine shows fewer frames, not slower packets. */
const LONGEST = 400;

export class Loop {
  /** @param {(passed: number) => boolean} draw returns whether something still moves */
  constructor(draw) {
    this.draw = draw;
    this.handle = 0;
    this.last = 0;
    this.frames = 0;
    /** @type {number[]} */
    this.costs = [];
    document.addEventListener("visibilitychange", () => {
      this.last = 0;
      if (document.hidden) this.stop();
      else this.wake();
    });
  }

  /** Draws soon; goes on by itself while something moves. */
  wake() {
    if (!this.handle && !document.hidden) this.handle = requestAnimationFrame(this.tick);
  }

  stop() {
    cancelAnimationFrame(this.handle);
    this.handle = 0;
    this.last = 0;
  }

  tick = (/** @type {number} */ now) => {
    this.handle = requestAnimationFrame(this.tick);
    if (this.last && now - this.last < FRAME - 2) return;
    const passed = this.last ? Math.min(LONGEST, now - this.last) : 0;
    this.last = now;
    const began = performance.now();
    const moving = this.draw(passed);
    this.frames += 1;
    this.costs.push(performance.now() - began);
    if (this.costs.length > 240) this.costs.shift();
    if (!moving) this.stop();
  };

  /** @param {number} share @returns {number} ms a frame at this percentile */
  cost(share) {
    const sorted = [...this.costs].sort((a, b) => a - b);
    return sorted.length ? Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(2)) : 0;
  }
}
