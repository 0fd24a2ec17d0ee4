/** Small helpers to build DOM. Text always goes in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {any} Child a node, text, a list of them, or nothing */

/**
 * @param {string} tag `div`, `p.hint`, `button.strong`
 * @param {Record<string, any>} [attributes] `on…` are listeners, `data` is the dataset
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "class") element.classList.add(...String(value).split(" ").filter(Boolean));
    else if (key === "testid") element.dataset.testid = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** @param {Element} element @param {Child[]} children */
function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** @param {string} name @returns {SVGElement} an icon of static/img/icons.svg */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element;
}

/** Long words may break after `=`, `,` and `/` before they break anywhere. @param {string} text @returns {Child[]} */
export function breakable(text) {
  return text.split(/(?<=[=,/])/).flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part]));
}

/** @param {Element} element @param {...Child} children */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/** @param {EventTarget|null} target @returns {boolean} whether keys belong to a field */
export function isTyping(target) {
  return target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.getAttribute("type") !== "range" || target.isContentEditable);
}
