/** The keyboard in the picture: arrows go to the nearest object, [ and ] through its edges, Enter along the edge, Backspace back. Loaded after the picture. */
import { edgesOf, nearest, spoken } from "../model/graphwalk.js";
import { gist } from "../model/gist.js";
import { titleOf } from "./describe.js";
import { byId, h } from "./dom.js";

/** @typedef {import("./twin.js").Desk & {picture: any, selected: () => string}} Desk */

/** @type {Record<string, import("../model/graphwalk.js").Direction>} */
const ARROWS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
const HELP = "Arrows: nearest object. [ and ]: its edges. Enter: along the edge. Backspace: back.";

class Walker {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    /** @type {string[]} where we came from */
    this.trail = [];
    this.at = -1;
    this.said = h("p.walk", { role: "status", "aria-live": "polite", testid: "walk", hidden: true });
    this.graph = byId("graph");
    for (const [name, value] of Object.entries({ tabindex: "0", role: "application", "aria-label": "Picture of the network", "aria-describedby": "walk-help" })) this.graph.setAttribute(name, value);
    byId("picture").append(this.said, h("p.visually-hidden", { id: "walk-help" }, HELP));
    // Before the keys of the page: in the picture the arrows and Enter are ours.
    this.graph.addEventListener("keydown", (event) => this.key(event));
    this.graph.addEventListener("blur", () => this.mark(""));
    desk.signals.on("select", () => { this.at = -1; this.mark(""); });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const done = ARROWS[event.key] ? this.step(ARROWS[event.key]) : event.key === "]" ? this.edge(1) : event.key === "[" ? this.edge(-1)
      : event.key === "Enter" ? this.follow() : event.key === "Backspace" ? this.back() : false;
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {import("../model/graphwalk.js").Direction} direction */
  step(direction) {
    const { picture, selected, store } = this.desk;
    const boxes = picture.layout?.boxes;
    const from = selected();
    if (!boxes || document.querySelector("#trace:not([hidden])")) return false;
    const id = boxes.has(from) ? nearest(boxes, from, direction, (/** @type {string} */ one) => store.entities.has(one)) : this.first(boxes);
    if (id) this.go(id);
    else this.say("Nothing further that way.");
    return true;
  }

  /** @param {Map<string, any>} boxes the first Service, else whatever is first */
  first(boxes) {
    const known = [...boxes.keys()].filter((id) => this.desk.store.entities.has(id));
    return known.find((id) => id.startsWith("service:")) ?? known[0] ?? "";
  }

  /** @param {string} id */
  go(id) {
    const from = this.desk.selected();
    if (from) this.trail.push(from);
    if (this.trail.length > 100) this.trail.shift();
    this.arrive(id);
  }

  /** @param {string} id */
  arrive(id) {
    this.desk.select(id);
    this.graph.focus({ preventScroll: true });
    const entity = this.desk.store.entities.get(id);
    if (!entity) return;
    const { kind, title, address, state } = gist(entity, this.desk.store);
    const edges = edgesOf(id, this.desk.store).length;
    this.say([`${kind} ${title}`, address, state, edges === 1 ? "1 edge" : `${edges} edges`].filter(Boolean).join(", "));
  }

  /** @param {number} by */
  edge(by) {
    const edges = edgesOf(this.desk.selected(), this.desk.store);
    if (!edges.length) return this.say(this.desk.selected() ? "It has no edges." : "Choose an object first, with an arrow.");
    this.at = this.at < 0 ? (by > 0 ? 0 : edges.length - 1) : (this.at + by + edges.length) % edges.length;
    const one = edges[this.at];
    const other = this.desk.store.entities.get(one.to);
    this.mark(one.to);
    return this.say(`Edge ${this.at + 1} of ${edges.length}: ${spoken(one, other ? `${other.kind} ${titleOf(other)}` : one.to)}`);
  }

  follow() {
    const one = edgesOf(this.desk.selected(), this.desk.store)[this.at];
    if (!one) return false;
    this.go(one.to);
    return true;
  }

  back() {
    const id = this.trail.pop();
    if (id) this.arrive(id);
    else this.say("This is where the walk began.");
    return true;
  }

  /** @param {string} id the other end of the edge under the eye */
  mark(id) {
    const { cy } = this.desk.picture;
    cy.nodes(".hover").removeClass("hover");
    if (id) cy.getElementById(id).addClass("hover");
    else this.said.hidden = true;
  }

  /** @param {string} words */
  say(words) {
    this.said.hidden = false;
    this.said.textContent = words;
    return true;
  }
}

/** @type {Walker|null} */
let walker = null;

/** @param {Desk} desk */
export function start(desk) {
  walker ??= new Walker(desk);
}

/** Puts the keyboard into the picture. */
export function enter() {
  byId("graph").focus({ preventScroll: true });
  walker?.say(HELP);
}
