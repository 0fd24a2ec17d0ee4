/** The one camera: Cytoscape's pan and zoom. It refits by itself until a person moves it. */
import { reach } from "../model/lod.js";

const MARGIN = 14;
/** Small clusters are not blown up further than this on a usual screen: pods would open. */
const LARGEST = 1.45;
/** px: what is smaller on the screen is not found by panning alone; it is shown this large. */
const TINY = { below: 13, shown: 80 };
/** Frames that a place is waited for: the past of a large cluster takes a second to come. */
const PATIENT = 120;

export class Camera {
  /** @param {any} cy @param {HTMLElement} container */
  constructor(cy, container) {
    this.cy = cy;
    this.container = container;
    this.moved = false;
    this.bounds = { x: 0, y: 0, w: 100, h: 100 };
    cy.on("dragpan scrollzoom pinchzoom", () => { this.moved = true; });
  }

  get() {
    const { x, y } = this.cy.pan();
    return { x, y, zoom: this.cy.zoom() };
  }

  /** How much larger than usual the screen is. */
  get reach() {
    return reach(this.container.clientWidth, this.container.clientHeight);
  }

  /** @param {import("../model/layout.js").Rect} bounds */
  follow(bounds) {
    const same = bounds.w === this.bounds.w && bounds.h === this.bounds.h && bounds.x === this.bounds.x;
    this.bounds = bounds;
    if (!same && !this.moved) this.fit();
  }

  /** Everything in view. */
  fit() {
    this.moved = false;
    const [w, h] = [this.container.clientWidth, this.container.clientHeight];
    if (!w || !h) return;
    const zoom = Math.min((w - 2 * MARGIN) / this.bounds.w, (h - 2 * MARGIN) / this.bounds.h, LARGEST * this.reach);
    const { x, y } = this.bounds;
    this.cy.viewport({ zoom, pan: { x: (w - this.bounds.w * zoom) / 2 - x * zoom, y: (h - this.bounds.h * zoom) / 2 - y * zoom } });
  }

  /** What a person moved it to: the middle and the width, in the picture's units; null while it fits everything. */
  view() {
    if (!this.moved) return null;
    const { x, y, zoom } = this.get();
    const [w, h] = [this.container.clientWidth, this.container.clientHeight];
    return [(w / 2 - x) / zoom, (h / 2 - y) / zoom, w / zoom].map((value) => Math.round(value * 10) / 10);
  }

  /** The same on a screen of another size. @param {number[]|null} view */
  show(view) {
    if (!view) return this.fit();
    const [w, h] = [this.container.clientWidth, this.container.clientHeight];
    const [x, y, width] = view;
    const zoom = w / width;
    this.moved = true;
    this.cy.viewport({ zoom, pan: { x: w / 2 - x * zoom, y: h / 2 - y * zoom } });
    return undefined;
  }

  resized() {
    this.cy.resize();
    if (!this.moved) this.fit();
  }

  /**
   * Brings a box into view, changing as little as possible unless it shall stand in the middle.
   * @param {{x: number, y: number, w: number, h: number}|undefined} box @param {boolean} [centred]
   */
  reveal(box, centred = false) {
    if (!box) return;
    const [w, h] = [this.container.clientWidth, this.container.clientHeight];
    if (box.w * this.get().zoom < TINY.below) {
      const near = TINY.shown / box.w;
      this.moved = true;
      this.cy.viewport({ zoom: near, pan: { x: w / 2 - (box.x + box.w / 2) * near, y: h / 2 - (box.y + box.h / 2) * near } });
      return;
    }
    const { x, y, zoom } = this.get();
    if (centred && this.moved) {
      this.cy.pan({ x: w / 2 - (box.x + box.w / 2) * zoom, y: h / 2 - (box.y + box.h / 2) * zoom });
      return;
    }
    const [left, top] = [box.x * zoom + x, box.y * zoom + y];
    const dx = left < 20 ? 20 - left : Math.min(0, w - 20 - (left + box.w * zoom));
    const dy = top < 20 ? 20 - top : Math.min(0, h - 20 - (top + box.h * zoom));
    if (dx || dy) this.cy.panBy({ x: dx, y: dy });
  }

  /**
   * Reveals what a picture that was just changed may not have placed yet.
   * @param {() => {x: number, y: number, w: number, h: number}|undefined} box where it is by now
   * @param {boolean} centred @param {() => boolean} wanted whether it is still asked for @param {number} [frames] how many are waited for
   */
  bring(box, centred, wanted, frames = PATIENT) {
    requestAnimationFrame(() => {
      const found = box();
      if (found) this.reveal(found, centred);
      else if (frames && wanted()) this.bring(box, centred, wanted, frames - 1);
    });
  }
}
