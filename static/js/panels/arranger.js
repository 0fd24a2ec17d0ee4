/** Putting things elsewhere: by dragging, by Alt and arrows, or by two clicks; and putting them back. */
import { draggable } from "../graph/drag.js";
import { pin } from "../graph/viewcards.js";
import { layout } from "../model/layout.js";
import { astray, groupOf, restored, slotBeside, slotNear, swapped } from "../model/places.js";
import { Arrangements } from "../net/arrangements.js";
import { shortName } from "./describe.js";
import { isTyping } from "./dom.js";
import { notice } from "./toolbar.js";

/** @typedef {import("../net/arrangements.js").Places} Places */
/** @typedef {{x: number, y: number}} Point */

const HEAD = 46;
const STEP = 24;
const FINE = 4;
const GRID = 4;
const ARROWS = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] });
const KINDS = new Set(["workload", "pod", "service", "ingress", "gateway", "external", "loadbalancer", "namespace"]);

export class Arranger {
  /** @param {import("./views.js").Desk & {cluster: string, api: import("../net/http.js").Api}} desk */
  constructor(desk) {
    this.desk = desk;
    this.kept = new Arrangements(desk.cluster, desk.api, (words) => desk.toast(words, "bad"));
    this.moving = "";
    addEventListener("keydown", (event) => this.key(event), true);
    desk.offers.push({ label: "Move it…", testid: "context-move", shown: "Alt+arrows", fits: (entity) => this.may(this.shown(entity.id)), run: (id) => this.begin(id) },
      { label: "Put it back", testid: "context-put-back", fits: (entity) => this.pinned().has(this.shown(entity.id)), run: (id) => this.putBack(id) },
      { label: "Put everything back", testid: "context-put-all-back", fits: () => this.pinned().size > 0, run: () => this.putAllBack() });
  }

  /** @param {any} picture a picture that has just begun */
  attach(picture) {
    if (!picture.view.put) return;
    draggable(picture, {
      takes: (id, point) => this.may(id) && this.byHead(id, point),
      moves: (id, middle) => this.to(id, middle),
      lets: (id) => { this.change(this.desk.picture.places); this.say(id); },
    });
  }

  /** @returns {any} */
  get view() {
    return this.desk.picture.view;
  }

  /** By node a place is a slot. */
  get slotted() {
    return this.view.name === "nodes";
  }

  /** @param {string} id */
  shown(id) {
    return this.view.shownAs(id);
  }

  /** @returns {Set<string>} what does not stand where it would by itself */
  pinned() {
    return this.desk.picture.layout?.pinned ?? new Set();
  }

  /** Where things stood had nobody moved any. */
  natural() {
    return layout([...this.view.entities.values()]);
  }

  /** Makes a view show its pins. @param {any} view */
  prepare(view) {
    if (view.name !== "nodes" || view.pins) return view;
    const { paint } = view;
    view.pins = (/** @type {Places} */ places) => (places.size ? astray(places, this.natural()) : new Set());
    view.paint = (/** @type {CanvasRenderingContext2D} */ ctx, /** @type {any} */ seen, /** @type {number} */ zoom, /** @type {any} */ scene, /** @type {any} */ tokens) => {
      const title = paint(ctx, seen, zoom, scene, tokens);
      for (const id of scene.layout.pinned ?? []) {
        const box = scene.layout.boxes.get(id);
        if (box) pin(ctx, box.x + box.w - 5, box.y + 2, tokens);
      }
      return title;
    };
    return view;
  }

  /** @returns {Places} what was kept of the view that is shown; what is in focus is never arranged */
  places() {
    return this.desk.shown.focus ? new Map() : this.kept.of(this.view.name);
  }

  /** @param {string} id whether it can be put elsewhere */
  may(id) {
    const { picture } = this.desk;
    const box = picture.layout?.boxes.get(id);
    if (!box || !this.view.put) return false;
    return this.slotted ? groupOf(picture.layout, id) !== null : KINDS.has(box.kind) && !this.view.made.units.some((/** @type {any} */ unit) => unit.extra && unit.id !== id && unit.cards.some((/** @type {any} */ card) => card.id === id));
  }

  /** A panel is taken by its head, so that the camera can still be moved by its body. @param {string} id @param {Point} point */
  byHead(id, point) {
    const box = this.desk.picture.layout.boxes.get(id);
    return (box.kind !== "node" && box.kind !== "namespace") || point.y < box.y + HEAD;
  }

  /** @param {string} id @param {Point} middle */
  to(id, middle) {
    const { picture } = this.desk;
    const box = picture.layout.boxes.get(id);
    const snap = (/** @type {number} */ value) => Math.round(value / GRID) * GRID;
    if (!this.slotted) return picture.put(new Map([...picture.places, [id, [snap(middle.x - box.w / 2), snap(middle.y - box.h / 2)]]]));
    const slot = slotNear(picture.layout, id, middle);
    return picture.put(picture.layout.slots[/** @type {any} */ (groupOf(picture.layout, id))].get(id) === slot ? picture.places : swapped(picture.places, picture.layout, id, slot));
  }

  /** @param {Places} places */
  change(places) {
    const { picture, shown } = this.desk;
    picture.put(places);
    if (!shown.focus) this.kept.keep(this.view.name, places);
  }

  /** @param {string} id */
  say(id) {
    notice(`${shortName(id)} stays here${this.desk.shown.focus ? " until you leave the focus" : this.kept.person ? `, for ${this.kept.person}` : ", in this browser"}. Its menu puts it back.`, 4000);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "Escape" && this.moving) {
      event.stopImmediatePropagation();
      return this.end();
    }
    const way = ARROWS[event.key];
    const id = this.shown(this.desk.selected());
    if (!way || !event.altKey || event.ctrlKey || event.metaKey || isTyping(event.target) || document.querySelector("dialog[open]") || !this.may(id)) return undefined;
    event.preventDefault();
    const { picture } = this.desk;
    const box = picture.layout.boxes.get(id);
    if (this.slotted) this.change(swapped(picture.places, picture.layout, id, slotBeside(picture.layout, id, ...way)));
    else {
      const by = event.shiftKey ? FINE : STEP;
      this.change(new Map([...picture.places, [id, [box.x + way[0] * by, box.y + way[1] * by]]]));
    }
    picture.camera.reveal(picture.layout.boxes.get(id));
    return this.say(id);
  }

  /** The next click says where it goes: nobody has to drag. @param {string} ref */
  begin(ref) {
    const id = this.shown(ref);
    if (!this.may(id)) return this.desk.toast(this.desk.selected() ? "This cannot be put elsewhere in this view." : "Select what shall be moved first.", "bad");
    this.moving = id;
    return notice(`Click where ${shortName(id)} shall stand. Esc leaves it where it is.`);
  }

  end() {
    this.moving = "";
    notice("");
  }

  /** @param {Point} point @returns {boolean} whether a click was meant for us */
  tap(point) {
    if (!this.moving) return false;
    const id = this.moving;
    this.end();
    this.to(id, point);
    this.change(this.desk.picture.places);
    this.say(id);
    return true;
  }

  /** @param {string} ref */
  putBack(ref) {
    const { picture } = this.desk;
    const id = this.shown(ref);
    if (this.slotted) return this.change(restored(picture.places, picture.layout, this.natural(), id));
    return this.change(new Map([...picture.places].filter(([one]) => one !== id)));
  }

  /** Everything of this view where it would stand by itself, as if the page had just opened. */
  putAllBack() {
    const { picture, store } = this.desk;
    this.change(new Map());
    picture.setScene(store.entities, store.settings, true);
    picture.camera.fit();
    notice("Everything is back in its place.", 2500);
  }
}
