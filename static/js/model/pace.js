/**
 * How much of the traffic is drawn. Frames that cost too much, or come too late, make the picture simpler
 * one step after another, and it says so; it goes back up only after a while of ease, and each time it
 * had to come down again soon it waits twice as long.
 */

/** @typedef {{fps: number, trail: number, share: number, words: string}} Step `trail`: segments; `share` of the budget of dots */

/** @type {Step[]} */
export const STEPS = [
  { fps: 30, trail: 5, share: 1, words: "" },
  { fps: 20, trail: 2, share: 1, words: "20 frames a second and short trails" },
  { fps: 15, trail: 0, share: 1, words: "15 frames a second and no trails" },
  { fps: 15, trail: 0, share: 0.4, words: "15 frames a second, no trails and fewer dots" },
];
/** ms of script a frame may cost. */
export const COST = 12;
/** A frame that comes this many times later than asked for is a late one. */
const LATE = 2.2;
/** ms of strain until it gets simpler, ms of ease until it gets richer again. */
const STRAIN = 1500;
const EASE = 8000;
const LONGEST_EASE = 120000;

export class Pace {
  constructor() {
    this.level = 0;
    this.strain = 0;
    this.ease = 0;
    this.patience = EASE;
    this.sinceClimb = Infinity;
  }

  get step() {
    return STEPS[this.level];
  }

  get interval() {
    return 1000 / this.step.fps;
  }

  /** @param {number} cost ms of script @param {number} passed ms since the frame before @returns {boolean} whether the step changed */
  frame(cost, passed) {
    const [tight, easy] = [cost > COST || passed > LATE * this.interval, cost < COST / 2 && passed < 1.5 * this.interval];
    this.sinceClimb += passed;
    this.strain = Math.max(0, this.strain + (tight ? passed : -2 * passed));
    this.ease = easy ? this.ease + passed : 0;
    if (this.strain >= STRAIN && this.level < STEPS.length - 1) return this.down();
    if (this.ease >= this.patience && this.level > 0) return this.up();
    return false;
  }

  down() {
    this.patience = this.sinceClimb < 2 * EASE ? Math.min(LONGEST_EASE, 2 * this.patience) : EASE;
    this.level += 1;
    [this.strain, this.ease] = [0, 0];
    return true;
  }

  up() {
    this.level -= 1;
    [this.strain, this.ease, this.sinceClimb] = [0, 0, 0];
    return true;
  }
}
