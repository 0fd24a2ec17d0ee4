/**
 * Ways through a big cluster: down from a pod between the columns to the foot of its node, and from there
 * through the gaps between nodes and the lanes between zones. The same face as `Tracks`.
 */
import { NODE } from "./masslayout.js";
import { simplify } from "./polyline.js";

/** @typedef {import("./polyline.js").Point} Point */
/** @typedef {import("./itinerary.js").Leg} Leg */
/** @typedef {import("./masslayout.js").Rect} Rect */
/**
 * @typedef {object} Place what the tracks ask of the cluster
 * @property {import("./masslayout.js").MassLayout} layout
 * @property {(id: string) => import("./masslayout.js").Box|undefined} box
 * @property {(node: number) => Rect} foot
 * @property {any} mass
 * @property {Map<string, any>} entities
 */

/** Where in the foot of a node the rules and the network card are. */
const RULES = 0.53;
const CARD = 0.92;

export class MassTracks {
  /** @param {Place} place */
  constructor(place) {
    this.place = place;
    this.entities = place.entities;
    this.layout = { boxes: { get: place.box }, panels: new Map(), rows: [] };
  }

  /** @param {string} ref @returns {string} */
  nodeOf = (ref) => {
    if (ref.startsWith("node:")) return ref;
    const pod = ref.startsWith("pod:") ? this.place.mass.indexOf(ref) : -1;
    return pod < 0 ? "" : this.place.mass.nodes[this.place.mass.node[pod]]?.id ?? "";
  };

  /** @param {string} ref @returns {""|"rules"|"side"|"pod"|"node"} a Service is nowhere: it is the rules of the node the packet is on */
  kind(ref) {
    if (ref.startsWith("service:") && !this.place.layout.sides.has(ref)) return "rules";
    if (!this.place.box(ref)) return "";
    return this.place.layout.sides.has(ref) ? "side" : ref.startsWith("node:") ? "node" : "pod";
  }

  /** @param {Leg} leg @returns {Point[]} */
  leg(leg) {
    const [from, to] = [this.kind(leg.from), this.kind(leg.to)];
    if (!from || !to) return [];
    const [start, end] = [this.access(leg.from, from, leg.node), this.access(leg.to, to, leg.node)];
    if (!start || !end) return [];
    const between = start.node >= 0 && start.node === end.node ? [] : this.between(start, end);
    return simplify([...start.points, ...between, ...[...end.points].reverse()]);
  }

  /**
   * From an object to where its node meets the network, or, inside one node, to the middle of its foot.
   * @param {string} ref @param {string} kind @param {string} on the node the packet is on
   * @returns {{points: Point[], node: number}|null}
   */
  access(ref, kind, on) {
    const { mass } = this.place;
    const box = /** @type {import("./masslayout.js").Box} */ (this.place.box(ref));
    if (kind === "side") return { points: [[box.x < 0 ? box.x + box.w : box.x, box.y + Math.round(box.h / 2)]], node: -1 };
    const node = mass.nodeOf(kind === "rules" ? on : this.nodeOf(ref));
    if (node < 0) return null;
    const foot = this.place.foot(node);
    const y = foot.y + foot.h / 2;
    if (kind === "rules") return { points: [[foot.x + foot.w * RULES, y]], node };
    if (kind === "node") return { points: [[foot.x + foot.w * CARD, y]], node };
    const [x, bottom, lane] = [box.x + box.w / 2, box.y + box.h, box.x + box.w + 4];
    return { points: [[x, bottom], [x, bottom + 4], [lane, bottom + 4], [lane, y]], node };
  }

  /** Out of one node, along the gap below it, through a lane, and up into the other. */
  between(/** @type {{points: Point[], node: number}} */ start, /** @type {{points: Point[], node: number}} */ end) {
    const [a, b] = [start, end].map((one) => this.exit(one));
    const x = this.riser(start, end, a, b);
    return [...a, /** @type {Point} */ ([x, a[a.length - 1][1]]), /** @type {Point} */ ([x, b[b.length - 1][1]]), ...b.reverse()];
  }

  /** @param {{points: Point[], node: number}} one @returns {Point[]} */
  exit({ points, node }) {
    const last = points[points.length - 1];
    if (node < 0) return [last];
    const gap = this.place.layout.y[node] + this.place.layout.step.h + NODE.gap / 2;
    return [last, [last[0], gap]];
  }

  /** Where the way changes its height: between two columns of nodes, or beside the cluster. */
  riser(/** @type {{node: number}} */ start, /** @type {{node: number}} */ end, /** @type {Point[]} */ a, /** @type {Point[]} */ b) {
    const { layout } = this.place;
    const outside = start.node < 0 ? a[0] : end.node < 0 ? b[0] : null;
    const target = end.node >= 0 ? end.node : start.node;
    if (outside) return outside[0] < layout.frame.w / 2 ? Math.round(layout.lane.x * 0.1) : Math.round(layout.frame.w - layout.lane.x * 0.1);
    return target < 0 ? Math.round((a[0][0] + b[0][0]) / 2) : layout.x[target] + layout.step.w + NODE.gap / 2;
  }
}
