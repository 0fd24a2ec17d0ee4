/** Levels of detail by meaning: what is worth showing, from how large one pod is on the screen. */

export const LEVELS = Object.freeze({ heat: 0, nodes: 1, pods: 2, inside: 3 });
/** px of a pod (the side of a square as large as its box) where the next level begins. */
export const STEPS = [4, 13, 60];
const SLACK = 0.1;

/**
 * A level is entered at its size and left 10 % below it, so that a zoom on the border does not flicker.
 * @param {number} size px of a pod on the screen @param {number} before level until now @param {number[]} [steps] @returns {number}
 */
export function levelAt(size, before, steps = STEPS) {
  let level = 0;
  steps.forEach((step, i) => { if (size >= (before > i ? step * (1 - SLACK) : step)) level = i + 1; });
  return level;
}
