/** The card beside what the pointer rests on. Everything on it is in the side panel too. Loaded when it is wanted. */
import { gist } from "../model/gist.js";
import { byId, fill, h } from "./dom.js";

/** @typedef {{x: number, y: number, w: number, h: number}} Rect in pixels of the picture's element */

const GAP = 10;

export class HoverCard {
  /** @param {import("../model/store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.root = h("div.card", { testid: "hover-card", role: "tooltip", hidden: true });
    byId("picture").append(this.root);
    addEventListener("keydown", (event) => { if (event.key === "Escape") this.hide(); }, true);
  }

  hide() {
    this.root.hidden = true;
  }

  /** @param {string} id @param {Rect} beside */
  show(id, beside) {
    const entity = this.store.entities.get(id);
    if (!entity) return this.hide();
    const { kind, title, address, state, well, traffic } = gist(entity, this.store);
    fill(this.root, h("span.kind", {}, kind), h("strong", {}, title), h("span.mono", {}, address), state ? h("span", { class: well ? "" : "wrong" }, state) : null, h("span.hint", {}, traffic));
    this.root.hidden = false;
    return this.place(beside);
  }

  /** Right of the object, left of it where there is no room, and never over an edge. @param {Rect} beside */
  place({ x, y, w }) {
    const { clientWidth, clientHeight } = /** @type {HTMLElement} */ (this.root.parentElement);
    const { offsetWidth, offsetHeight } = this.root;
    const left = x + w + GAP + offsetWidth <= clientWidth - GAP ? x + w + GAP : x - GAP - offsetWidth;
    this.root.style.left = `${Math.max(GAP, Math.min(left, clientWidth - offsetWidth - GAP))}px`;
    this.root.style.top = `${Math.max(GAP, Math.min(y, clientHeight - offsetHeight - GAP))}px`;
  }
}
