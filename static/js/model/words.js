/** What scripts say, in the language of the page. */

/** @type {Record<string, string>} */
let others = {};

/** @param {Record<string, string>} words English -> the page's language */
export function setWords(words) {
  others = words;
}

/**
 * @param {string} text `Step {n} of {all}`; it stays as it is where no words are known for it
 * @param {Record<string, string|number>} [values] of n and all
 * @returns {string}
 */
export function t(text, values) {
  const words = Object.hasOwn(others, text) ? others[text] : text;
  return values ? words.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole)) : words;
}
