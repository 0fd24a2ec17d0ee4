/** The presenter's pen and spotlight. They lie over the picture in its own units, so that every screen shows the same place. */
import { byId, h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
/** Units between two points of a way, and how many points are kept: the oldest way goes first. */
const APART = 6;
const MOST = 300;

/** @typedef {"pen"|"spot"|""} Mode */

export class Pointer {
  /** @param {any} picture */
  constructor(picture) {
    this.picture = picture;
    /** @type {Mode} */ this.mode = "";
    /** @type {number[][]} x, y, x, y … of each way */ this.ways = [];
    /** @type {number[]|null} */ this.spot = null;
    this.box = byId("picture");
    this.drawing = document.createElementNS(SVG, "svg");
    this.drawing.setAttribute("class", "pen");
    this.drawing.setAttribute("aria-hidden", "true");
    this.dark = h("div.spot", { hidden: true, "aria-hidden": "true", testid: "spot" });
    this.box.append(this.drawing, this.dark);
    this.box.addEventListener("pointerdown", (event) => this.down(event), true);
    this.box.addEventListener("pointermove", (event) => this.moved(event), true);
    picture.cy.on("viewport", () => this.draw());
  }

  /** @param {Mode} mode the same again puts it away */
  toggle(mode) {
    this.mode = this.mode === mode ? "" : mode;
    this.box.dataset.pointer = this.mode;
    this.spot = null;
    this.draw();
  }

  /** A new step: what was drawn is wiped away. */
  clear() {
    this.ways = [];
    this.spot = null;
    this.draw();
  }

  /** What the teacher of a room drew. @param {{pen?: number[][], spot?: number[]|null}} scene */
  show({ pen, spot }) {
    this.ways = pen ?? [];
    this.spot = spot ?? null;
    this.draw();
  }

  /** @param {PointerEvent} event */
  at(event) {
    const { x, y, zoom } = this.picture.camera.get();
    const edge = this.box.getBoundingClientRect();
    return [Math.round((event.clientX - edge.x - x) / zoom), Math.round((event.clientY - edge.y - y) / zoom)];
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (this.mode === "pen") this.ways.push(this.at(event));
  }

  /** @param {PointerEvent} event */
  moved(event) {
    if (this.mode === "spot") this.spot = this.at(event);
    else if (this.mode === "pen" && event.buttons & 1) this.extend(this.at(event));
    else return;
    this.draw();
  }

  /** @param {number[]} to */
  extend([x, y]) {
    const way = this.ways.at(-1);
    if (!way || Math.hypot(x - way[way.length - 2], y - way[way.length - 1]) < APART) return;
    way.push(x, y);
    while (this.ways.length > 1 && this.ways.flat().length > 2 * MOST) this.ways.shift();
    if (way.length > MOST) this.ways.push([x, y]);
  }

  draw() {
    const { x, y, zoom } = this.picture.camera.get();
    this.drawing.replaceChildren(...this.ways.map((way) => {
      const line = document.createElementNS(SVG, "polyline");
      line.setAttribute("points", way.map((value, i) => value * zoom + (i % 2 ? y : x)).join(" "));
      return line;
    }));
    this.dark.hidden = !this.spot;
    if (!this.spot) return;
    this.dark.style.setProperty("--x", `${this.spot[0] * zoom + x}px`);
    this.dark.style.setProperty("--y", `${this.spot[1] * zoom + y}px`);
  }
}

/** Keeps the screen awake while it is looked at; a browser that cannot is left alone. */
export function stayAwake() {
  const ask = () => {
    if (document.visibilityState === "visible") navigator.wakeLock?.request("screen").catch(() => {});
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}
