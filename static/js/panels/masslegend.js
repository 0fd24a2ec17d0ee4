/** The legend of a big cluster: the heat of pods, what waits and what fails. It stands where that of the packets stands. */
import { byId, h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [CELL, HIGH] = [13, 12];

/** @param {string} name @param {Record<string, string|number>} attributes */
function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** @param {number} width @param {...SVGElement} shapes */
function drawing(width, ...shapes) {
  const svg = shape("svg", { viewBox: `0 0 ${width} ${HIGH}`, width, height: HIGH, "aria-hidden": "true" });
  svg.append(...shapes);
  svg.style.width = `calc(${width} * var(--px))`;
  return svg;
}

/** @param {number[]} scale connections a second from which each level begins @returns {string} */
export function scaleWords(scale) {
  const rate = (/** @type {number} */ value) => (value < 1 ? `${value}` : value.toLocaleString("en-GB"));
  return scale.length ? `connections a second of a pod: darkest 0, then from ${scale.slice(1).map(rate).join(", ")}` : "";
}

export class MassLegend {
  /** @param {number[]} scale */
  constructor(scale) {
    const box = (/** @type {string} */ fill, /** @type {object} */ more = {}) => shape("rect", { x: 1, y: 1, width: 14, height: 10, rx: 2.5, fill, ...more });
    const ramp = Array.from({ length: 8 }, (_, i) => shape("rect", { x: i * CELL, y: 0, width: CELL, height: HIGH, fill: `var(--heat-${i})` }));
    this.root = h("ul", { testid: "mass-legend", hidden: true },
      h("li", { title: scaleWords(scale), testid: "heat-scale" }, "pod traffic 0", drawing(8 * CELL, ...ramp), this.most(scale)),
      h("li", {}, drawing(16, box("var(--state-pending)")), "pending"),
      h("li", {}, drawing(12, shape("circle", { cx: 6, cy: 6, r: 5, fill: "var(--state-failing)" })), "failing"),
      h("li", {}, drawing(16, box("none", { stroke: "var(--text-third)", "stroke-width": 1.6 })), "ending or done"),
      h("li", {}, drawing(34, shape("path", { d: "M0 6h34", stroke: "var(--heat-4)", "stroke-width": 6 }), shape("path", { d: "M0 6h34", stroke: "var(--state-failing)", "stroke-width": 2 })), "zone to zone, red fails"));
    byId("legend").prepend(this.root);
  }

  /** @param {number[]} scale */
  most(scale) {
    return scale.length ? `${scale[scale.length - 1].toLocaleString("en-GB")}/s +` : "much";
  }

  /** @param {boolean} on this legend instead of the one of the packets */
  show(on) {
    this.root.hidden = !on;
    for (const other of byId("legend").querySelectorAll("ul")) if (other !== this.root) other.hidden = on;
  }

  remove() {
    this.show(false);
    this.root.remove();
  }
}
