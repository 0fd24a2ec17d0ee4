/** Finds what somebody means from a few of its letters. */

/** Points a letter needs on average: scattered letters mean nothing. */
const LEAST = 1.5;
const START = /[\s/:._-]/;

/**
 * How well letters fit a text, in order and not necessarily side by side; beginnings of words count more.
 * @param {string} text in lower case @param {string} word in lower case @returns {number} 0 when it does not fit
 */
export function rate(text, word) {
  const whole = text.indexOf(word);
  if (whole >= 0) return 40 + (whole === 0 ? 30 : START.test(text[whole - 1]) ? 20 : 0) + Math.min(20, (20 * word.length) / text.length);
  let [at, score] = [-1, 0];
  for (const letter of word) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return 0;
    score += next === at + 1 ? 3 : next === 0 || START.test(text[next - 1]) ? 4 : -0.5;
    at = next;
  }
  return score >= LEAST * word.length ? Math.min(38, 8 + (16 * score) / (3 * word.length)) - Math.min(6, at / 20) : 0;
}

/**
 * The best first; equals stay in the order they came in.
 * @template {{text: string, more?: string}} T
 * @param {T[]} entries @param {string} query every word of it must fit @param {(entry: T) => number} liked added to what fits @param {number} most
 * @returns {T[]}
 */
export function ranked(entries, query, liked, most) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const rated = [];
  for (const entry of entries) {
    const [text, more] = [entry.text.toLowerCase(), (entry.more ?? "").toLowerCase()];
    let sum = 0;
    for (const word of words) {
      const score = Math.max(rate(text, word), more.includes(word) ? 15 : 0);
      sum = score ? sum + score : Number.NEGATIVE_INFINITY;
    }
    if (sum > 0 || !words.length) rated.push({ entry, score: sum + liked(entry) });
  }
  return rated.sort((a, b) => b.score - a.score).slice(0, most).map((one) => one.entry);
}
