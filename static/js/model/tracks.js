/**
 * Orthogonal ways through the picture, like a metro map: every Service has its own horizontal track
 * in the channel, every panel has vertical lanes in its gutters, the node network has a lane a kind.
 */
import { SIZE } from "./layout.js";
import { simplify } from "./polyline.js";

/** @typedef {import("./polyline.js").Point} Point */
/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./itinerary.js").Leg} Leg */
/** @typedef {Map<string, Map<string, number>>} Lanes */
/** @typedef {{row: number, points: Point[]}} Access a way from an object to the x where it joins a track */

const LANES = 13;
const PITCH = 4;
const BUS_LANES = { service: 14, pod: 20, ingress: 26, egress: 32, local: 32 };
const OPEN_LANES = { service: 44, pod: 48, ingress: 52, egress: 56, local: 48 };

export class Tracks {
  /**
   * @param {Layout} layout
   * @param {Map<string, any>} entities
   * @param {Lanes} [lanes] lanes given out before; they are kept, so lines do not jump
   */
  constructor(layout, entities, lanes = new Map()) {
    this.layout = layout;
    this.entities = entities;
    this.lanes = lanes;
  }

  /** @param {string} ref @returns {string} */
  nodeOf = (ref) => {
    if (ref.startsWith("node:")) return ref;
    return ref.startsWith("pod:") ? this.entities.get(ref)?.node ?? "" : "";
  };

  /**
   * @param {Leg} leg
   * @param {Point|null} at where the packet is now; it tells through which door it came
   * @returns {Point[]}
   */
  leg(leg, at) {
    return simplify(this.way(leg, at));
  }

  /** @param {Leg} leg @param {Point|null} at @returns {Point[]} */
  way(leg, at) {
    const [from, to] = [this.kind(leg.from), this.kind(leg.to)];
    if (!from || !to) return [];
    if (leg.over) return this.overBus(leg, at);
    if (from === "lane" || to === "lane") return this.overTrack(leg, at);
    if (from === "side" && to === "side") return this.aside(leg.from, leg.to);
    if (from === "side" || to === "side") return this.overEntry(leg);
    return this.inside(leg, at);
  }

  /** @param {string} ref @returns {""|"lane"|"side"|"pod"|"node"} */
  kind(ref) {
    const box = this.layout.boxes.get(ref);
    if (!box) return "";
    if (["service", "ingress", "gateway"].includes(box.kind)) return "lane";
    return box.kind === "pod" || box.kind === "node" ? box.kind : "side";
  }

  /** @param {Leg} leg @param {Point|null} at @returns {Point[]} */
  overTrack(leg, at) {
    if (this.kind(leg.from) === "lane" && this.kind(leg.to) === "lane") {
      const y = this.trackY(leg.from, "out");
      return through(this.approach(leg.from, "out", y), this.approach(leg.to, "in", y), y);
    }
    const out = this.kind(leg.from) === "lane";
    const [service, other] = out ? [leg.from, leg.to] : [leg.to, leg.from];
    const y = this.trackY(service, out ? "out" : "in");
    const stem = this.approach(service, out ? "out" : "in", y);
    const access = this.up(other, `${service}|${out ? "out" : "in"}`, leg, out ? null : at);
    const climbed = this.climb(access, service, y);
    return out ? through(stem, climbed, y) : through(climbed, stem, y);
  }

  /** From a lower row of panels a way climbs on the left to the one channel under the Services. */
  climb(/** @type {Access} */ access, /** @type {string} */ service, /** @type {number} */ y) {
    if (!access.row) return access.points;
    const slot = this.layout.slots.lane.get(service) ?? 0;
    const shelf = this.layout.rows[access.row].tracks + (slot % 5) * 5;
    const x = access.points[access.points.length - 1][0];
    const riser = this.layout.riser.left - 6 + (slot % 5) * 3;
    return /** @type {Point[]} */ ([...access.points, [x, shelf], [riser, shelf], [riser, y]]);
  }

  /** @param {string} service @param {"in"|"out"} direction */
  trackY(service, direction) {
    const { trackTop, pitch } = this.layout.lane;
    const slot = this.layout.slots.lane.get(service) ?? 0;
    return trackTop + slot * pitch + (direction === "out" ? Math.floor(pitch / 2) : 0);
  }

  /** From a hexagon down to its track, past the rows of hexagons below it. */
  approach(/** @type {string} */ service, /** @type {"in"|"out"} */ direction, /** @type {number} */ y) {
    const box = /** @type {import("./layout.js").Box} */ (this.layout.boxes.get(service));
    const { rows, gap } = this.layout.lane;
    const row = Math.round((box.y - SIZE.title) / (SIZE.hex.h + SIZE.laneRow));
    const x = box.x + box.w / 2 + (direction === "out" ? 9 : -9);
    const bottom = box.y + box.h;
    if (row >= rows - 1) return /** @type {Point[]} */ ([[x, bottom], [x, y]]);
    const lane = row * 2 + (direction === "out" ? 1 : 0);
    const passage = Math.round(box.x + box.w + ((lane + 1) * gap) / (2 * (rows - 1) + 1));
    const between = bottom + (direction === "out" ? 8 : 14);
    return /** @type {Point[]} */ ([[x, bottom], [x, between], [passage, between], [passage, y]]);
  }

  /** @param {string} ref @param {string} key @param {Leg} leg @param {Point|null} at @returns {Access} */
  up(ref, key, leg, at) {
    const box = /** @type {import("./layout.js").Box} */ (this.layout.boxes.get(ref));
    if (box.kind === "pod") return this.podAccess(box, key, leg.from === ref ? 26 : 46);
    if (box.kind !== "node") return { row: 0, points: this.sideAccess(box, key) };
    const panel = /** @type {import("./layout.js").Panel} */ (this.layout.panels.get(ref));
    const x = this.gutterX(ref, 0, key);
    if (leg.inner) return { row: panel.row, points: at ? [at, [x, at[1]]] : [[x, middle(panel.bridge)]] };
    const door = panel.box.y - 6;
    if (at && at[1] < panel.box.y + 30) return { row: panel.row, points: [[at[0], panel.box.y], [at[0], door], [x, door]] };
    const socket = at ?? [cableX(panel, leg, leg.to === ref ? -1 : 1), middle(panel.socket)];
    return { row: panel.row, points: [/** @type {Point} */ (socket), ...this.run(panel, socket[0], x)] };
  }

  /** The short way under the bridge between a cable and a gutter lane. */
  run(/** @type {import("./layout.js").Panel} */ panel, /** @type {number} */ cable, /** @type {number} */ x) {
    const y = panel.bridge.y + panel.bridge.h + 6;
    return cable === x ? [] : /** @type {Point[]} */ ([[cable, y], [x, y]]);
  }

  /** @param {import("./layout.js").Box} box @param {string} key @param {number} offset @returns {Access} */
  podAccess(box, key, offset) {
    const panel = this.layout.panels.get(this.nodeOf(box.id));
    if (!panel) return { row: 0, points: [[box.x + box.w / 2, box.y]] };
    const gutter = this.gutterOf(panel, box);
    const left = panel.gutters[gutter] === box.x + box.w;
    const x = this.gutterX(panel.box.id, gutter, key);
    return { row: panel.row, points: [[left ? box.x + box.w : box.x, box.y + offset], [x, box.y + offset]] };
  }

  /** @param {import("./layout.js").Panel} panel @param {import("./layout.js").Box} box */
  gutterOf(panel, box) {
    return Math.max(0, panel.gutters.findIndex((x) => x === box.x + box.w || x + SIZE.gutter === box.x));
  }

  /** @param {string} node @param {number} gutter @param {string} key */
  gutterX(node, gutter, key) {
    const panel = /** @type {import("./layout.js").Panel} */ (this.layout.panels.get(node));
    return panel.gutters[gutter] + 8 + (this.lane(`${node}|${gutter}`, key) % LANES) * PITCH;
  }

  /** @param {string} where @param {string} key @returns {number} the lane of `key` there, given out on first use */
  lane(where, key) {
    const lanes = this.lanes.get(where) ?? new Map();
    this.lanes.set(where, lanes);
    if (!lanes.has(key)) lanes.set(key, lanes.size);
    return /** @type {number} */ (lanes.get(key));
  }

  /** @param {import("./layout.js").Box} box @param {string} key @returns {Point[]} */
  sideAccess(box, key) {
    const right = box.x > this.layout.frame.w;
    const edge = right ? box.x : box.x + box.w;
    const lane = 14 + (this.lane(right ? "gap|right" : "gap|left", key) % 9) * PITCH;
    const x = right ? this.layout.frame.w + lane : -SIZE.sideGap + lane;
    return [[edge, box.y + box.h / 2], [x, box.y + box.h / 2]];
  }

  /** @param {Leg} leg @param {Point|null} at @returns {Point[]} */
  overBus(leg, at) {
    const kind = /** @type {keyof typeof BUS_LANES} */ (leg.segment.kind in BUS_LANES ? leg.segment.kind : "pod");
    const lane = leg.segment.encapsulated ? BUS_LANES[kind] : OPEN_LANES[kind];
    const a = this.down(leg.from, leg, at);
    const b = this.down(leg.to, leg, null);
    if (this.kind(leg.from) === "side") a.row = b.row;
    if (this.kind(leg.to) === "side") b.row = a.row;
    const [ya, yb] = [a, b].map((end) => this.layout.rows[end.row].bus.y + lane);
    if (a.row === b.row) return through(a.points, b.points, ya);
    const riser = this.layout.riser.right - 4 + ((lane >> 1) % 6) * 2;
    return through([...a.points, [a.points[a.points.length - 1][0], ya], [riser, ya]], b.points, yb);
  }

  /** @param {string} ref @param {Leg} leg @param {Point|null} at @returns {Access} */
  down(ref, leg, at) {
    const panel = this.layout.panels.get(ref);
    if (!panel) {
      const box = /** @type {import("./layout.js").Box} */ (this.layout.boxes.get(ref));
      return { row: 0, points: this.sideAccess(box, ref) };
    }
    const socket = middle(panel.socket);
    const cable = cableX(panel, leg, ref === leg.from ? -1 : 1);
    if (!at || Math.abs(at[1] - socket) < 40) return { row: panel.row, points: [[cable, socket]] };
    const x = this.gutterX(ref, 0, "through");
    const door = panel.box.y - 6;
    return { row: panel.row, points: [at, [at[0], door], [x, door], ...this.run(panel, cable, x).reverse(), [cable, socket]] };
  }

  /** @param {string} from @param {string} to @returns {Point[]} */
  aside(from, to) {
    const [a, b] = [from, to].map((ref) => /** @type {import("./layout.js").Box} */ (this.layout.boxes.get(ref)));
    const [start, end] = [this.sideAccess(a, `${from}>${to}`), this.sideAccess(b, `${from}>${to}`)];
    end[0] = [end[0][0], end[0][1] - 16];
    return through(start, [end[0], [end[1][0], end[0][1]]], end[0][1]);
  }

  /** Between the outside and the top of a node (a node port), or a pod behind it. */
  overEntry(/** @type {Leg} */ leg) {
    const inward = this.kind(leg.from) === "side";
    const [side, other] = inward ? [leg.from, leg.to] : [leg.to, leg.from];
    const outer = this.sideAccess(/** @type {import("./layout.js").Box} */ (this.layout.boxes.get(side)), side);
    const panel = this.layout.panels.get(this.nodeOf(other));
    if (!panel) return [];
    const y = this.layout.rows[panel.row].entry;
    const box = /** @type {import("./layout.js").Box} */ (this.layout.boxes.get(other));
    const inner = box.kind === "pod" ? this.podAccess(box, "entry", 26).points
      : /** @type {Point[]} */ ([[this.gutterX(other, 0, "entry"), panel.box.y]]);
    return inward ? through(outer, inner, y) : through(inner, outer, y);
  }

  /** Inside one node: pod to pod over the bridge, or between a pod and the node itself. */
  inside(/** @type {Leg} */ leg, /** @type {Point|null} */ at) {
    const panel = this.layout.panels.get(this.nodeOf(leg.from) || this.nodeOf(leg.to));
    if (!panel) return [];
    const [from, to] = [leg.from, leg.to].map((ref) => /** @type {import("./layout.js").Box} */ (this.layout.boxes.get(ref)));
    if (from.kind === "pod" && to.kind === "pod") {
      const [a, b] = [this.podAccess(from, `pod|${from.id}`, 66), this.podAccess(to, `pod|${to.id}`, 66)];
      return through(a.points, b.points, panel.bridge.y + panel.bridge.h / 2);
    }
    if (from.kind === to.kind) return [];
    const out = from.kind === "pod";
    const pod = this.podAccess(out ? from : to, `pod|${out ? from.id : to.id}`, 66).points;
    const x = pod[pod.length - 1][0];
    if (leg.inner) {
      const turn = /** @type {Point} */ (!out && at ? [x, at[1]] : [x, middle(panel.bridge)]);
      const way = /** @type {Point[]} */ ([...pod, turn, ...(!out && at ? [at] : [])]);
      return out ? way : way.reverse();
    }
    const top = !out && at !== null && at[1] < panel.box.y + 30;
    if (top) return through([/** @type {Point} */ (at)], pod, panel.box.y - 6);
    const cable = !out && at ? at[0] : cableX(panel, leg, out ? -1 : 1);
    const down = /** @type {Point[]} */ ([...pod, ...this.run(panel, cable, x).reverse(), [cable, middle(panel.socket)]]);
    return out ? down : down.reverse();
  }
}

/** @param {import("./layout.js").Rect} rect */
function middle(rect) {
  return rect.y + rect.h / 2;
}

/** Two ways that meet on one horizontal. */
function through(/** @type {Point[]} */ a, /** @type {Point[]} */ b, /** @type {number} */ y) {
  const [from, to] = [a[a.length - 1][0], b[b.length - 1][0]];
  return /** @type {Point[]} */ ([...a, [from, y], [to, y], ...[...b].reverse()]);
}

/** The cable through the socket: leaving on the left, arriving on the right, a strand a kind. */
function cableX(/** @type {import("./layout.js").Panel} */ panel, /** @type {Leg} */ leg, /** @type {number} */ side) {
  const strand = Math.max(0, Object.keys(BUS_LANES).indexOf(leg.segment.kind));
  return panel.socket.x + panel.socket.w / 2 + side * (8 + strand * 6);
}

/**
 * Joins a way to where the packet is, with right angles only.
 * @param {Point} at @param {Point[]} points @returns {Point[]}
 */
export function join(at, points) {
  const [x, y] = points[0];
  if (at[0] === x || at[1] === y) return [at, ...points];
  return [at, [at[0], y], ...points];
}
