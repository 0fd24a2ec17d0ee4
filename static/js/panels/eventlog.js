/** The cluster's events as a list that filters, follows along and leads into the picture. Loaded when it is wanted. */
import { EVERYTHING, kindOf, kindsOf, pick } from "../model/events.js";
import { shortName } from "./describe.js";
import { fill, h, icon } from "./dom.js";

/** @typedef {{store: import("../model/store.js").Store, select: (id: string, centred?: boolean) => void}} Ports */

/** Drawn anew at most this often, in ms. */
const PACE = 250;

export class EventLog {
  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    this.wanted = { ...EVERYTHING };
    this.timer = 0;
    this.kinds = "";
    this.kind = /** @type {HTMLSelectElement} */ (this.choice("kind", "Kind of object", []));
    this.count = h("span.hint", { testid: "log-count", role: "status" });
    this.list = h("ol.loglist", { testid: "log-list", tabindex: 0, "aria-label": "Events, newest first" });
    const text = h("input", { type: "search", testid: "log-text", placeholder: "Words in it", "aria-label": "Words in the event", oninput: (/** @type {any} */ e) => this.want("text", e.target.value) });
    this.root = h("section.log", { testid: "log", "aria-label": "Events of the cluster" },
      h("header", {}, h("h2", {}, "Events"), this.choice("type", "Type", [["Normal", "Normal"], ["Warning", "Warning"]]), this.kind, text, this.count,
        h("button.plain.square", { "aria-label": "Close the events (e)", title: "Close (e)", testid: "log-close", onclick: () => this.close() }, icon("close"))), this.list);
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  get open() {
    return this.root.isConnected;
  }

  toggle() {
    if (this.open) return this.close();
    document.querySelector(".stage")?.append(this.root);
    this.draw();
    return this.root.querySelector("select")?.focus();
  }

  close() {
    this.root.remove();
  }

  /** Called with everything that happens. */
  refresh() {
    if (this.open && !this.timer) this.timer = setTimeout(() => this.draw(), PACE);
  }

  /** @param {"type"|"kind"} name @param {string} label @param {string[][]} options */
  choice(name, label, options) {
    return h("select", { testid: `log-${name}`, "aria-label": label, onchange: (/** @type {any} */ e) => this.want(name, e.target.value) }, choicesOf(label, options));
  }

  /** @param {"type"|"kind"|"text"} name @param {string} value */
  want(name, value) {
    this.wanted = { ...this.wanted, [name]: value };
    this.draw();
  }

  draw() {
    clearTimeout(this.timer);
    this.timer = 0;
    const { events } = this.ports.store;
    const kinds = kindsOf(events);
    if (kinds.join() !== this.kinds && document.activeElement !== this.kind) {
      this.kinds = kinds.join();
      if (this.wanted.kind && !kinds.includes(this.wanted.kind)) kinds.push(this.wanted.kind);
      fill(this.kind, choicesOf("Kind of object", kinds.map((kind) => [kind, kind])));
      this.kind.value = this.wanted.kind;
    }
    const shown = pick(events, this.wanted);
    const focused = this.list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.event : "";
    const top = this.list.scrollTop;
    const height = this.list.scrollHeight;
    fill(this.list, shown.length ? shown.map((event) => this.row(event)) : h("li.hint", {}, events.length ? "No event fits." : "Nothing has happened yet."));
    if (top > 0) this.list.scrollTop = top + Math.max(0, this.list.scrollHeight - height);
    if (focused) /** @type {HTMLElement|null} */ (this.list.querySelector(`[data-event="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
    this.count.textContent = shown.length === events.length ? `${events.length} events` : `${shown.length} of ${events.length}`;
  }

  /** @param {import("../model/events.js").Event} event */
  row(event) {
    const known = this.ports.store.entities.has(event.ref);
    return h("li", { data: { type: event.type }, testid: "log-event" }, h("button.plain", { data: { event: event.id }, "aria-disabled": String(!known),
      title: known ? event.message : `${event.message}\nIt is not in the cluster any more.`, onclick: () => { if (known) this.ports.select(event.ref, true); } },
    h("time.mono", { datetime: new Date(event.wall * 1000).toISOString() }, clock(event.wall)), h("span.type", {}, event.type), h("strong", {}, event.reason),
    h("span.on", {}, h("span.hint", {}, kindOf(event), " "), shortName(event.ref)), h("span.message", {}, event.message)));
  }
}

/** @param {string} label @param {string[][]} options */
function choicesOf(label, options) {
  return [["", `${label}: any`], ...options].map(([value, text]) => h("option", { value }, text));
}

/** @param {number} wall seconds since 1970 @returns {string} */
function clock(wall) {
  return new Date(wall * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}
