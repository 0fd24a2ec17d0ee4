/** The switch between the views of one cluster. Loaded once the first picture stands. */
import { ByNode } from "../graph/bynode.js";
import { CardView } from "../graph/cardview.js";
import { drawCallCard, drawSpaceCard } from "../graph/viewcards.js";
import { callGraph } from "../model/calls.js";
import { Shares } from "../model/shares.js";
import { spaceGraph } from "../model/spaces.js";
import { Sums } from "../model/sums.js";
import { viewOf, VIEWS } from "../model/views.js";
import { Arranger } from "./arranger.js";
import { byId, h } from "./dom.js";
import { FocusBar, hold, lensOf } from "./focus.js";
import { wear } from "./wear.js";

/** @typedef {import("../model/views.js").ViewName} ViewName */
/**
 * @typedef {object} Desk
 * @property {any} picture
 * @property {import("../model/store.js").Store} store
 * @property {import("../net/http.js").Api} api
 * @property {import("../model/feed.js").Feed} feed
 * @property {import("../desk/signals.js").Signals} signals
 * @property {() => string} selected
 * @property {(id: string) => void} select
 * @property {() => import("../model/filter.js").Filter} filter
 * @property {() => void} remember
 * @property {{view: string, focus: string}} shown what the address tells
 * @property {() => any} traced the open trace
 * @property {(words: string, tone?: "good"|"bad") => void} toast
 * @property {import("./contextmenu.js").Desk["offers"]} offers
 */

/** Workloads an opened namespace shows before it is asked for all. */
const FEW = 12;
/** ms between two looks at the rates: more often is restless. */
const CALM = 2000;
/** ms between two questions for the sums of a large cluster. */
const PACE = 4000;
const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  nodes: "M4 5h16v5H4zM4 14h16v5H4zM8 7.5h.01M8 16.5h.01",
  services: "M3 9h5v6H3zM16 4h5v5h-5zM16 15h5v5h-5zM8 12h3m0 0c3 0 2-5.5 5-5.5M11 12c3 0 2 5.5 5 5.5",
  namespaces: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  matrix: "M4 4h16v16H4zM4 9.3h16M4 14.6h16M9.3 4v16M14.6 4v16",
};

/** @type {Views|null} */
let board = null;

/** @param {Desk} desk @returns {Views} */
export function start(desk) {
  board ??= new Views(desk);
  return board;
}

export class Views {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    /** How many workloads each opened namespace shows. @type {Map<string, number>} */
    this.opened = new Map();
    /** @type {Map<string, any>} */
    this.known = new Map([["nodes", desk.picture.view]]);
    /** @type {ViewName} */
    this.current = "nodes";
    this.measured = 0;
    this.switching = false;
    /** @type {import("./matrix.js").MatrixPanel|null} */
    this.matrix = null;
    this.shares = new Shares();
    /** What a large cluster is drawn from in every view but the one by node. @type {Sums|null} */
    this.sums = null;
    this.asking = "";
    this.asked = 0;
    this.root = this.bar();
    byId("status").after(this.root);
    dress(this.root);
    this.arranger = new Arranger(/** @type {any} */ (desk));
    /** When it is known where this person put things. */
    this.placesKnown = this.begin();
    this.focusBar = new FocusBar({ leave: () => this.focus(""), busy: () => Boolean(desk.traced() || document.querySelector("dialog[open], [role=menu]")) });
    desk.signals.on("traffic", (message) => this.measure(message));
    desk.signals.on("filter", () => this.rearrange());
    desk.signals.on("drawn", () => this.tell());
    desk.signals.on("loaded", () => { this.tell(); this.renew(); });
    desk.signals.on("picture", () => this.taken());
    const opened = (/** @type {string} */ id) => this.opened.has(id);
    desk.offers.push({ label: "Show its workloads", testid: "context-open-space", fits: (e) => e.kind === "namespace" && this.current === "namespaces" && !opened(e.id), run: (id) => this.toggle(id, FEW) },
      { label: "Hide its workloads", testid: "context-close-space", fits: (e) => e.kind === "namespace" && this.current === "namespaces" && opened(e.id), run: (id) => this.toggle(id, 0) });
    desk.offers.push({ label: "Focus on it", testid: "context-focus", shown: "o", fits: () => true, run: (id) => this.focus(id) });
  }

  bar() {
    return h("div.views", { role: "group", "aria-label": "View", testid: "views" }, VIEWS.map((view) => h("button", {
      "aria-pressed": String(view.name === this.current), "aria-label": view.label, title: `${view.label}: ${view.does} (${view.key})`, testid: `view-${view.name}`, data: { view: view.name },
      onclick: () => this.go(view.name) }, icon(ICONS[view.name]), h("span", { "aria-hidden": "true" }, view.label))));
  }

  /** @param {ViewName} name @returns {any} the view, one for everything and one for what is in focus */
  viewOf(name) {
    const known = this.known.get(name);
    if (known && !this.desk.shown.focus) return known;
    const made = name === "nodes" ? new ByNode() : name === "services" ? new CardView("services", (entities) => this.calls(entities), drawCallCard)
      : new CardView("namespaces", (entities) => this.spaces(entities), drawSpaceCard);
    if (!this.desk.shown.focus) this.known.set(name, made);
    return made;
  }

  /** What is drawn: of a large cluster sums, else everybody. @returns {{entities: Map<string, any>, routes: Map<string, any>, shares: Map<string, import("../model/shares.js").Share>}} */
  told() {
    const { store } = this.desk;
    return this.sums ?? { entities: store.entities, routes: store.routes, shares: this.shares.of(store.routes, store.totals.flows, performance.now()) };
  }

  /** @returns {Record<string, string>|null} what to ask a large cluster for; null when this view needs no sums */
  question() {
    const { store, filter, shown } = this.desk;
    if (!store.mass || this.current === "nodes") return null;
    const narrowed = { ...(filter().namespace ? { namespace: filter().namespace } : {}), ...(shown.focus ? { around: shown.focus } : {}) };
    if (this.current === "services") return { by: "service", ...narrowed };
    if (this.current === "namespaces" || this.matrix?.coarse !== false) return { by: "namespace", ...(shown.focus ? { around: shown.focus } : {}), open: this.current === "matrix" ? "" : [...this.opened.keys()].map((id) => id.slice("namespace:".length)).join() };
    return { by: "workload", ...narrowed };
  }

  /** Asks for the sums this view needs. @returns {Promise<boolean>} whether there is something to draw, and nobody asked for something else meanwhile */
  async fetch() {
    const question = this.question();
    if (!question) {
      this.sums = null;
      return true;
    }
    const words = JSON.stringify(question);
    this.asking = words;
    const answer = await this.desk.api.sums(question);
    this.asked = performance.now();
    if (this.asking !== words) return false;
    this.asking = "";
    if (!answer.ok) {
      this.desk.toast(answer.body.error, "bad");
      return false;
    }
    this.sums ??= new Sums();
    this.sums.take(answer.body);
    return true;
  }

  /** The sums anew; the picture is drawn anew where cards came or went. */
  async renew() {
    const question = this.question();
    if (!question || this.asking === JSON.stringify(question) || !await this.fetch()) return;
    if (this.current === "matrix") return void this.matrix?.refresh();
    const { picture, store } = this.desk;
    this.weigh(picture.view);
    picture.setScene(store.entities, store.settings);
  }

  /** In a cluster too large for one picture, a filter by namespace chooses what is shown. @param {Map<string, any>} entities */
  calls(entities) {
    const { namespace } = this.desk.filter();
    if (this.sums) return { ...callGraph(entities, undefined, undefined, this.sums.routes.values()), title: "WHO CALLS WHOM", note: this.summed() };
    const all = callGraph(entities);
    const graph = all.left.units && namespace ? callGraph(entities, near(entities, namespace)) : all;
    return { ...graph, title: "WHO CALLS WHOM", note: leftOut(graph.left, "workloads and Services", namespace ? `those of ${namespace} and whom they touch` : "the busiest: filter by namespace (f) for others") };
  }

  /** What sums leave out. */
  summed() {
    const { left: { routes, all }, measured } = /** @type {Sums} */ (this.sums);
    const { namespace } = this.desk.filter();
    const calls = (/** @type {number} */ count) => `${count.toLocaleString("en")} call${count === 1 ? "" : "s"}`;
    const part = routes ? `${(all - routes).toLocaleString("en")} of ${calls(all)}: those that fail and the busiest; filter by ${namespace ? "another " : ""}namespace (f) for others` : namespace ? `the ${calls(all)} of ${namespace}` : calls(all);
    return measured ? part : `${part} · how many a second is not kept of that moment`;
  }

  /** @param {Map<string, any>} entities */
  spaces(entities) {
    const graph = spaceGraph(entities, this.opened, this.sums ? [...this.sums.routes.values()] : []);
    return { ...graph, title: "NAMESPACES", note: leftOut(graph.left, "namespaces", "the busiest") };
  }

  /** @param {string} wanted */
  async go(wanted) {
    const name = viewOf(wanted);
    if (name === this.current) return;
    this.current = name;
    this.desk.shown.view = name === "nodes" ? "" : name;
    for (const button of this.root.children) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.view === name));
    await this.show();
    this.desk.remember();
  }

  async show() {
    if (this.current === "matrix") return this.openMatrix();
    this.matrix?.show(false);
    await this.placesKnown;
    if (!await this.fetch()) return undefined;
    const { picture, shown, store } = this.desk;
    const view = this.viewOf(this.current);
    view.sums = this.sums;
    this.weigh(view);
    if (shown.focus && !this.sums) view.lens = lensOf(shown.focus, store);
    this.switching = true;
    view.tap = (/** @type {string} */ id, /** @type {{x: number, y: number}} */ point) => this.arranger.tap(point) || this.opens(id, point);
    picture.setView(this.arranger.prepare(view), shown.focus ? new Map() : this.arranger.kept.of(view.name));
    this.switching = false;
    this.tell();
  }

  async openMatrix() {
    const { MatrixPanel } = await import("./matrix.js");
    this.matrix ??= new MatrixPanel({ told: () => this.told(), select: (id) => this.desk.select(id), coarser: () => this.renew(), note: () => (this.sums && (this.sums.left.routes || !this.sums.measured) ? this.summed() : "") });
    this.matrix.large(Boolean(this.desk.store.mass));
    if (await this.fetch() && this.current === "matrix") this.matrix.show(true);
  }

  /** @param {string} id what stays, with what it touches; "" shows everything again */
  async focus(id) {
    const { store, shown, picture, remember } = this.desk;
    // Of a large cluster the page may not hold what was just selected.
    if (id && !this.sums?.entities.has(id) && !(await store.entity(id))) return undefined;
    const held = id || shown.focus;
    if (id === shown.focus) return undefined;
    // Of a large cluster only sums tell what something touches.
    if (id && (this.current === "matrix" || (store.mass && this.current === "nodes" && !id.startsWith("node:")))) await this.go("services");
    const was = picture.screenBox(held);
    shown.focus = id;
    await this.show();
    hold(picture, held, was);
    return remember();
  }

  /** On the selection; pressed again, everything is back. */
  toggleFocus() {
    const selected = this.desk.selected();
    if (!selected && !this.desk.shown.focus) return this.desk.toast("Select an object first: focus shows it and what it touches.", "bad");
    return this.focus(this.desk.shown.focus && (!selected || selected === this.desk.shown.focus) ? "" : selected);
  }

  /** Shows what an address names. @param {{view?: string, focus?: string}} wanted */
  async restore({ view = "", focus = "" }) {
    if (viewOf(view) !== this.current) await this.go(view);
    if (focus !== this.desk.shown.focus) await this.focus((await this.desk.store.entity(focus)) ? focus : "");
  }

  /** How much of the cluster is in the picture while something is in focus. */
  tell() {
    const { picture, store, shown } = this.desk;
    const entity = store.entities.get(shown.focus) ?? this.sums?.entities.get(shown.focus);
    if (!shown.focus || !picture.layout) return this.focusBar.hide();
    if (!entity) return void this.focus("");
    const kinds = new Set([...picture.layout.boxes.values()].map((box) => box.kind));
    if (this.sums) return this.focusBar.show(entity, picture.layout.boxes.size, (store.mass?.counts.workloads ?? 0) + (store.mass?.counts.services ?? 0));
    const all = [...store.entities.values()].filter((e) => (this.current === "nodes" ? ["node", "pod", "service", "ingress", "gateway", "external", "loadbalancer"].includes(e.kind) : kinds.has(e.kind))).length;
    return this.focusBar.show(entity, picture.layout.boxes.size, Math.max(all, picture.layout.boxes.size));
  }

  /** Things stand where this person put them, from the first moment it is known. */
  async begin() {
    const { picture } = this.desk;
    const { view } = picture;
    this.arranger.attach(picture);
    view.tap = (/** @type {string} */ _id, /** @type {{x: number, y: number}} */ point) => this.arranger.tap(point);
    this.arranger.prepare(view);
    await this.arranger.kept.load();
    if (this.desk.picture === picture && picture.view === view && picture.layout && this.arranger.places().size) picture.put(this.arranger.places());
  }

  /** A namespace is opened by its sign, or asked for the rest of its workloads. @param {string} id @param {{x: number, y: number}} point @returns {boolean} whether it was meant so */
  opens(id, point) {
    const { picture } = this.desk;
    const panel = picture.view.made?.panels?.get(id);
    const box = picture.layout.boxes.get(id);
    if (!panel || !box) return false;
    if (point.y < box.y + 46 && point.x > box.x + box.w - 46) return this.toggle(id, panel.open ? 0 : FEW);
    if (panel.more && point.y > box.y + box.h - 50) return this.toggle(id, Infinity);
    return false;
  }

  /** @param {string} id @param {number} shown workloads @returns {boolean} */
  toggle(id, shown) {
    const { picture, store } = this.desk;
    if (shown) this.opened.set(id, shown);
    else this.opened.delete(id);
    setTimeout(() => (this.sums ? this.renew() : picture.setScene(store.entities, store.settings)), 0);
    return true;
  }

  /** A cluster that outgrew its picture got another one, which begins by node. */
  taken() {
    this.arranger.attach(this.desk.picture);
    if (this.switching) return;
    this.known.set("nodes", this.desk.picture.view);
    if (this.current !== "nodes" || this.desk.shown.focus) setTimeout(() => this.show(), 0);
  }

  rearrange() {
    const { picture, store } = this.desk;
    if (this.sums) return void this.renew();
    if (this.current === "services" || this.desk.shown.focus) picture.setScene(store.entities, store.settings);
  }

  /** @param {any} message */
  measure(message) {
    const now = performance.now();
    this.shares.count(message.calls, now);
    if (now - this.measured < CALM) return;
    const { picture } = this.desk;
    if (this.sums && now - this.asked > PACE && !this.desk.feed.paused) this.renew();
    if (this.desk.shown.focus && !this.sums) this.rearrange();
    this.matrix?.refresh();
    if (this.weigh(picture.view) && picture.view.reweigh(picture.lines)) {
      picture.drawEdges();
      picture.redraw();
    }
  }

  /** @param {any} view @returns {boolean} whether it shows rates */
  weigh(view) {
    this.measured = performance.now();
    if (!view.measure) return false;
    const { routes, shares } = this.told();
    view.measure(routes, shares);
    return true;
  }
}

/** Its style comes with it; until then nobody sees it undressed. @param {HTMLElement} root */
function dress(root) {
  root.hidden = true;
  wear("views").then(() => { root.hidden = false; });
}

/** @param {Map<string, any>} entities @param {string} namespace @returns {(id: string) => boolean} what is in a namespace or calls it or is called by it */
function near(entities, namespace) {
  const inside = (/** @type {string} */ id) => entities.get(id)?.namespace === namespace;
  const touched = new Set();
  for (const flow of entities.values()) {
    if (flow.kind !== "flow") continue;
    if (inside(flow.to)) touched.add(flow.from);
    if (inside(flow.from)) touched.add(flow.to);
  }
  return (id) => inside(id) || touched.has(id);
}

/** @param {{units: number, all: number}} left @param {string} what @param {string} which */
function leftOut(left, what, which) {
  return left.units ? `${left.all - left.units} of ${left.all.toLocaleString("en")} groups of ${what}: ${which}` : "";
}

/** @param {string} path */
function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
