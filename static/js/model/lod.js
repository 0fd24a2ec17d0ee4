/** Levels of detail by meaning: what is worth showing, from how large one pod is on the screen. */

export const LEVELS = Object.freeze({ heat: 0, nodes: 1, pods: 2, inside: 3 });
/** px of a pod (the side of a square as large as its box) where the next level begins. */
export const STEPS = [4, 13, 60];
const SLACK = 0.1;
/** px of the picture on the screen the sizes were chosen for. */
const USUAL = { w: 1920, h: 960 };

/** @param {number} w px of the picture @param {number} h @returns {number} how much larger than usual the screen is, at least 1 */
export function reach(w, h) {
  return Math.max(1, Math.min(w / USUAL.w, h / USUAL.h));
}

/**
 * A level is entered at its size and left 10 % below it, so that a zoom on the border does not flicker.
 * @param {number} size px of a pod on the screen @param {number} before level until now @param {number[]} [steps] @returns {number}
 */
export function levelAt(size, before, steps = STEPS) {
  let level = 0;
  steps.forEach((step, i) => { if (size >= (before > i ? step * (1 - SLACK) : step)) level = i + 1; });
  return level;
}
