/** The picture in words, kept live: read by screen readers always, and opened beside the picture with a key. Loaded after the picture. */
import { aloud, outline } from "../model/outline.js";
import { byId, fill, h, icon } from "./dom.js";

/** Written anew at most this often, in ms; spoken at most this often. */
const PACE = 2000;
const SPOKEN = 6000;

/**
 * @typedef {object} Desk
 * @property {string} cluster
 * @property {import("../model/store.js").Store} store
 * @property {import("../desk/signals.js").Signals} signals
 * @property {(id: string, centred?: boolean) => void} select
 */

class Twin {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.open = false;
    this.most = 30;
    /** What it says now; nothing is touched while it stays the same, so that nobody loses their place. */
    this.told = "";
    this.timer = 0;
    /** @type {any[]} */
    this.events = [];
    this.voice = h("p.visually-hidden", { role: "status", "aria-live": "polite", testid: "aloud" });
    this.body = h("div.twin-body", {});
    this.root = h("section.twin.visually-hidden", { testid: "twin", "aria-label": "The picture in words" }, h("header", {}, h("h2", {}, "In words"),
      h("button.plain.square", { "aria-label": "Close the words (w)", title: "Close (w)", testid: "twin-close", hidden: true, onclick: () => this.toggle() }, icon("close"))), this.body);
    byId("picture").append(this.root, this.voice);
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.open) return;
      event.stopPropagation();
      this.toggle();
    });
    for (const signal of /** @type {const} */ (["loaded", "drawn", "traffic"])) desk.signals.on(signal, () => this.soon());
    desk.signals.on("state", (message) => this.hear(message.events));
    this.draw();
  }

  /** @param {any[]} events */
  hear(events) {
    if (!events.length) return;
    if (!this.events.length) setTimeout(() => this.speak(), SPOKEN);
    this.events.push(...events);
  }

  speak() {
    const words = aloud(this.events);
    this.events = [];
    if (words) this.voice.textContent = words;
  }

  soon() {
    this.timer ||= setTimeout(() => this.draw(), PACE);
  }

  toggle() {
    this.open = !this.open;
    this.told = "";
    this.root.classList.toggle("visually-hidden", !this.open);
    /** @type {HTMLElement} */ (this.root.querySelector("button")).hidden = !this.open;
    this.draw();
    if (this.open) this.root.querySelector("button")?.focus({ preventScroll: true });
    else byId("graph").focus({ preventScroll: true });
  }

  draw() {
    clearTimeout(this.timer);
    this.timer = 0;
    const { summary, parts } = outline(this.desk.store, this.desk.cluster, this.most);
    const told = JSON.stringify([summary, parts, this.open]);
    if (told === this.told) return;
    this.told = told;
    const place = this.body.scrollTop;
    const at = this.body.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.id : "";
    fill(this.body, h("p", { testid: "twin-summary" }, summary), parts.map((one) => this.part(one)));
    this.body.scrollTop = place;
    if (at) /** @type {HTMLElement|null} */ (this.body.querySelector(`[data-id="${CSS.escape(at)}"]`))?.focus({ preventScroll: true });
  }

  /** @param {import("../model/outline.js").Part} one */
  part({ title, items, more }) {
    return [h("h3", {}, title), h("ul", {}, items.map((item) => this.item(item)), this.rest(more))];
  }

  /** @param {import("../model/outline.js").Item} item @returns {HTMLElement} */
  item({ id, text, bad, items, more }) {
    const words = this.open && id ? h("button.plain", { data: { id }, onclick: () => this.desk.select(id, true) }, text) : h("span", {}, text);
    return h("li", { class: bad ? "bad" : "" }, words, items?.length ? h("ul", {}, items.map((one) => this.item(one)), this.rest(more ?? 0)) : null);
  }

  /** @param {number} more */
  rest(more) {
    if (!more) return null;
    const words = `and ${more.toLocaleString("en")} more`;
    return h("li", {}, this.open ? h("button", { testid: "twin-more", onclick: () => { this.most *= 10; this.draw(); } }, words) : words);
  }
}

/** @type {Twin|null} */
let twin = null;

/** @param {Desk} desk */
export function start(desk) {
  twin ??= new Twin(desk);
  return twin;
}
