/** How near the ordinary picture is, and what draws its two ends: loaded when somebody comes there. */
/** @typedef {import("./inside.js").Inside} Inside */
/** @typedef {import("./inside.js").Source} Source */
/** @typedef {typeof import("./afar.js")} Afar */
import { SIZE } from "../model/layout.js";
import { levelAt } from "../model/lod.js";

/** Pods as dots, with few and large words, as cards, opened. */
export const LEVEL = Object.freeze({ afar: 0, far: 1, middle: 2, near: 3 });
/** px of a pod's card on the screen where the next level begins: the first two where words become too small, the last on a usual screen. */
const HEIGHTS = [24, 65, 130];

export class Nearness {
  /** @param {Source} machines are asked what is inside them @param {() => void} changed */
  constructor(machines, changed) {
    this.machines = machines;
    this.changed = changed;
    /** @type {number} */
    this.level = LEVEL.middle;
    /** @type {Inside|null} */
    this.inside = null;
    /** @type {Afar|null} */
    this.afar = null;
  }

  /** @param {number} zoom @param {number} [reach] how much larger than usual the screen is */
  at(zoom, reach = 1) {
    const before = this.level;
    this.level = levelAt(zoom * SIZE.card.h, before, [HEIGHTS[0], HEIGHTS[1], HEIGHTS[2] * reach]);
    if (this.level === LEVEL.near && !this.inside) this.open();
    if (this.level === LEVEL.afar && !this.afar) this.leave();
  }

  async open() {
    const { Inside } = await import("./inside.js");
    this.inside ??= new Inside(this.machines, this.changed);
    this.changed();
  }

  async leave() {
    this.afar = await import("./afar.js");
    this.changed();
  }
}
