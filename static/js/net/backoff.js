/** How long to wait before the next try: doubling, with a share of chance so that browsers spread. */

const FIRST = 500;
const MOST = 15000;

/** @param {number} tries failed so far @param {number} chance 0 to 1 @returns {number} ms */
export function delay(tries, chance) {
  const full = Math.min(MOST, FIRST * 2 ** Math.min(tries, 10));
  return Math.round(full * (0.6 + 0.4 * chance));
}
