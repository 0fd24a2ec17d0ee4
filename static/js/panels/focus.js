/** Focus: one object and what it touches, and nothing else, until Esc. */
import { focusOn, through } from "../model/focus.js";
import { titleOf } from "./describe.js";
import { byId, fill, h, isTyping } from "./dom.js";

/** @typedef {{id: string, lens: import("../model/focus.js").Lens}} Focused */

const MARGIN = 14;

/** @param {string} id @param {import("../model/store.js").Store} store the cluster as it is each time it is asked */
export function lensOf(id, store) {
  let lens = focusOn(id, store.entities, store.routes.values());
  return {
    id,
    entities: (/** @type {Map<string, any>} */ all) => {
      lens = focusOn(id, all, store.routes.values()) ?? lens;
      return lens ? through(all, lens) : all;
    },
    route: (/** @type {any} */ route) => Boolean(lens?.route(route)),
  };
}

/** What is in focus, how much that is, and the way out. */
export class FocusBar {
  /** @param {{leave: () => void, busy: () => boolean}} ports `busy`: something else wants Esc first */
  constructor({ leave, busy }) {
    this.words = h("span", { testid: "focus-words", role: "status" });
    this.root = h("div.focusbar", { testid: "focus", hidden: true }, this.words, h("button.plain", { testid: "focus-leave", onclick: leave }, "Leave ", h("kbd", {}, "Esc")));
    byId("picture").append(this.root);
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.root.hidden || busy() || isTyping(event.target)) return;
      event.stopImmediatePropagation();
      event.preventDefault();
      leave();
    }, true);
  }

  hide() {
    this.root.hidden = true;
  }

  /** @param {any} entity @param {number} shown @param {number} all */
  show(entity, shown, all) {
    fill(this.words, "focus on ", h("strong", {}, titleOf(entity)), `: ${shown.toLocaleString("en")} of ${all.toLocaleString("en")} objects`);
    this.root.hidden = false;
  }
}

/**
 * The object stays where the eye holds it, as far as everything else can still be seen.
 * @param {any} picture @param {string} id @param {{x: number, y: number, w: number, h: number}|null} was where it stood on the screen
 */
export function hold(picture, id, was) {
  const now = picture.screenBox(id);
  if (!was || !now) return;
  const { clientWidth, clientHeight } = picture.surfaces.graph;
  const { x, y, zoom } = picture.camera.get();
  const { bounds } = picture.layout;
  const room = (/** @type {number} */ start, /** @type {number} */ size, /** @type {number} */ space, /** @type {number} */ wanted) => {
    const [least, most] = [MARGIN - start, space - MARGIN - start - size];
    return Math.min(Math.max(wanted, Math.min(least, most)), Math.max(least, most));
  };
  const dx = room(bounds.x * zoom + x, bounds.w * zoom, clientWidth, was.x + was.w / 2 - now.x - now.w / 2);
  const dy = room(bounds.y * zoom + y, bounds.h * zoom, clientHeight, was.y + was.h / 2 - now.y - now.h / 2);
  picture.cy.panBy({ x: dx, y: dy });
}
