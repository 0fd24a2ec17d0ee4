/** Reads the design tokens of tokens.css, so that canvases and Cytoscape use the same colours as the page. */

const NAMES = [
  "page", "cluster", "panel", "panel-head", "card", "border", "grid", "bus", "shadow", "text", "text-second", "text-third",
  "kind-ingress", "kind-service", "kind-pod", "kind-egress", "kind-blocked", "kind-traced", "kind-local",
  "text-service", "text-blocked", "text-ingress", "text-pod", "text-egress", "pending", "focus", "on-strong", "stripe", "stripe-quiet",
  "heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5", "heat-6", "heat-7", "state-pending", "state-failing", "picture-words", "picture-lines",
];

/** @typedef {Record<string, string> & {dark: string}} Tokens */

/** @returns {boolean} whether the page is dark now */
export function isDark() {
  const saved = document.documentElement.dataset.theme;
  return saved ? saved === "dark" : !matchMedia("(prefers-color-scheme: light)").matches;
}

/** @returns {Tokens} */
export function readTokens() {
  const style = getComputedStyle(document.documentElement);
  const dark = isDark();
  /** @type {Record<string, string>} */
  const tokens = { dark: dark ? "yes" : "", words: style.getPropertyValue("--words"), code: style.getPropertyValue("--code") };
  for (const name of NAMES) tokens[name] = choose(style.getPropertyValue(`--${name}`).trim(), dark);
  return /** @type {Tokens} */ (tokens);
}

/** @param {string} value @param {boolean} dark @returns {string} the half of light-dark() that counts */
export function choose(value, dark) {
  const match = /^light-dark\((.*)\)$/s.exec(value);
  if (!match) return value;
  const split = match[1].search(/,(?![^(]*\))/);
  return (dark ? match[1].slice(split + 1) : match[1].slice(0, split)).trim();
}

/** How much thicker lines are, for a projector. @param {Tokens} tokens @returns {number} */
export function thickness(tokens) {
  return Number(tokens["picture-lines"]) || 1;
}

/** @param {Tokens} tokens @param {string} kind @returns {string} */
export function kindColour(tokens, kind) {
  return tokens[`kind-${kind}`] ?? tokens["kind-local"];
}
