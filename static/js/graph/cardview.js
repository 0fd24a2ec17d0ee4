/** The views that show cards and the calls between them: by service and by namespace. Loaded when one is wanted. */
import { Curves } from "../model/curves.js";
import { layered } from "../model/layoutlayers.js";
import { callLines, cardWay, weigh } from "../model/viewlines.js";
import { FAR, paintCards } from "./viewcards.js";

/** @typedef {import("../model/layoutlayers.js").Layered} Layered */
/** @typedef {{units: import("../model/calls.js").Unit[], arcs: import("../model/calls.js").Arc[], reps: (ref: string) => string, left: {units: number, all: number}, title: string, note: string}} Graph */

export class CardView {
  /**
   * @param {"services"|"namespaces"} name
   * @param {(entities: Map<string, any>) => Graph} graph what stands in the picture and who calls whom
   * @param {(ctx: CanvasRenderingContext2D, box: any, scene: any, tokens: any, far: boolean, graph: any) => void} card draws one
   */
  constructor(name, graph, card) {
    this.name = name;
    this.graph = graph;
    /** What of the cluster is shown; all of it without. @type {import("./bynode.js").ByNode["lens"]} */
    this.lens = null;
    /** Most lines at once; those of the selection always are. */
    this.most = 150;
    /** @type {any} */
    this.made = null;
    /** @type {(Layered & {title: string, note: string})|null} */
    this.layout = null;
    /** @type {Map<string, import("../model/shares.js").Share>} */
    this.rates = new Map();
    /** @type {Map<string, any>} */
    this.routes = new Map();
    this.paint = (/** @type {CanvasRenderingContext2D} */ ctx, /** @type {any} */ view, /** @type {number} */ zoom, /** @type {any} */ scene, /** @type {any} */ tokens) =>
      paintCards(ctx, view, zoom, scene, tokens, (box, far) => card(ctx, box, scene, tokens, far, this.made));
  }

  /** @param {Map<string, any>} entities @param {Map<string, number[]>} places where a person put cards @param {boolean} fresh forget where things were */
  arrange(entities, places, fresh) {
    if (fresh) this.layout = null;
    this.made = this.graph(entities);
    this.within();
    return this.put(places);
  }

  /** @param {Map<string, number[]>} places @returns {Layered & {title: string, note: string}} */
  put(places) {
    const moved = new Map([...places].map(([id, [x, y]]) => [id, { x, y }]));
    this.layout = { ...layered(this.made.units, this.made.arcs, this.layout, moved), title: this.made.title, note: this.made.note };
    this.ground = { boxes: this.layout.boxes, reps: this.made.reps, curves: new Curves(this.layout.boxes.values()), paths: new Map(), hosts: this.made.hosts };
    return this.layout;
  }

  /** @param {string} ref @returns {string} the card that stands for it, or itself */
  shownAs(ref) {
    return this.made?.reps(ref) || ref;
  }

  /** @param {any} route */
  way(route) {
    return this.ground ? cardWay(route, this.ground) : null;
  }

  /** @param {Iterable<import("../model/lines.js").Way>} ways */
  lines(ways) {
    if (!this.ground) return new Map();
    const lines = callLines(ways, this.made.arcs, this.ground);
    weigh(lines, this.routes, this.rates);
    return new Map([...lines].sort(([, a], [, b]) => Number(b.dress.trouble !== "") - Number(a.dress.trouble !== "") || b.dress.weight - a.dress.weight));
  }

  /** @param {Map<string, import("../model/viewlines.js").CallLine>} lines @returns {boolean} whether one of them looks different now */
  reweigh(lines) {
    const look = () => [...lines.values()].map(({ dress }) => `${dress.weight}${dress.label}${dress.trouble}`).join();
    const before = look();
    weigh(lines, this.routes, this.rates);
    return look() !== before;
  }

  /** What never leaves a namespace is a number in its panel. */
  within() {
    const { panels, hosts, reps } = this.made ?? {};
    if (!panels) return;
    for (const panel of panels.values()) panel.inside = 0;
    for (const route of this.routes.values()) {
      const met = new Set(route.waypoints.map((/** @type {string} */ ref) => reps(ref)).filter(Boolean).map((/** @type {string} */ card) => hosts.get(card) ?? card));
      const panel = met.size === 1 ? panels.get([...met][0]) : null;
      if (panel) panel.inside += this.rates.get(route.id)?.rps ?? 0;
    }
  }

  /** Numbers on lines stay readable from far away. @param {any} cy @param {number} zoom */
  look(cy, zoom) {
    cy.edges().toggleClass("far", zoom < FAR);
  }

  doors() {
    return [];
  }

  /** What is measured now: rates and shares of errors. @param {Map<string, any>} routes @param {Map<string, import("../model/shares.js").Share>} rates by route */
  measure(routes, rates) {
    [this.routes, this.rates] = [routes, rates];
    this.within();
  }
}
