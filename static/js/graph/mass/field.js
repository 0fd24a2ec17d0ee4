/** What the mass picture knows and how it learns of changes: layout and places, tiles, trunks, names. Drawing and pointing are in picture.js. */
import { LEVELS } from "../../model/lod.js";
import { trunkLines } from "../../model/masstrunks.js";
import { Packets } from "../../model/packets.js";
import { PodNames } from "../../model/podnames.js";
import { Picture } from "../picture.js";
import { Detail } from "./detail.js";
import { ADDRESSED } from "./nodecard.js";
import { paletteOf } from "./palette.js";
import { Shown } from "./shown.js";
import { Tiles } from "./tiles.js";
import { MassView } from "./view.js";
import { World } from "./world.js";

/** @typedef {import("../../model/mass.js").Mass} Mass */
/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {(node: string) => Promise<any[]>} Pods asks for the pods of a node */

/** px of a node's panel from which words are drawn on it. */
const WORDS = 40;
/** Nodes whose words fit in a frame's time; further off they are dots. */
const MOST_NAMED = 500;
/** Nodes in view whose pods are asked for by name. */
const MOST_ASKED = 60;

export class Field extends Picture {
  /** @param {import("../picture.js").Surfaces} surfaces @param {import("../picture.js").Handlers} handlers @param {Pods} pods */
  constructor(surfaces, handlers, pods) {
    super(surfaces, handlers);
    this.cy.minZoom(0.004);
    this.cy.maxZoom(6);
    this.view = new MassView();
    /** @type {World|null} */
    this.world = null;
    this.level = 0;
    /** @type {import("../../model/masstrunks.js").Trunk[]} */
    this.trunks = [];
    this.flows = new Packets();
    this.under = "";
    /** @type {Set<string>} what belongs to the selection */
    this.marked = new Set();
    this.docked = 0;
    this.shown = new Shown(this.cy);
    this.tiles = new Tiles(() => this.redraw(true));
    this.detail = new Detail((ctx, rect, zoom) => this.paintDetail(ctx, rect, zoom));
    this.names = new PodNames(pods, (node, all) => this.learn(node, all), () => performance.now());
    /** The camera is where it was not before, or the cluster is another. */
    this.fresh = true;
    /** @type {string[]} nodes near enough for the names of their pods */
    this.close = [];
    /** Which routes pass there. @type {Map<string, boolean>} */
    this.passes = new Map();
    /** Where the columns come from. @type {() => Mass|null} */
    this.source = () => this.world?.mass ?? null;
    /** Names came. @type {(pods: any[]) => void} */
    this.learned = () => {};
    /** A pod is needed by name. @type {(id: string) => void} */
    this.unknown = () => {};
    /** How many were known by name when ways were last looked for. */
    this.named = 0;
    /** The picture rests: these nodes are near. @type {(nodes: string[]) => void} */
    this.looked = () => {};
    /** What is shown bright. @type {import("../../model/filter.js").Filter|null} */
    this.narrowed = null;
    /** Another view is wanted. @type {(view: any, places: any) => void} */
    this.other = () => {};
  }

  moved() {
    this.fresh = true;
    super.moved();
  }

  /** @param {Mass} mass everybody, anew @param {Map<string, any>} entities @param {any} settings @param {boolean} [fresh] forget where things were */
  setMass(mass, entities, settings, fresh = false) {
    this.entities = entities;
    this.settings = settings;
    const other = fresh || !this.world;
    if (fresh) this.names.clear();
    this.world = new World(mass, entities, fresh ? null : this.world);
    this.settle(other);
  }

  /** @param {boolean} other another picture: nothing of the old one is shown meanwhile */
  settle(other) {
    const world = /** @type {World} */ (this.world);
    world.cells.setAside(world.mass, this.asideOf());
    this.view.settle(world);
    this.layout = /** @type {any} */ ({ ...world.layout, boxes: world.boxesOver(this.shown.held), panels: new Map() });
    this.tellTiles(other);
    this.setTrunks();
    this.setRoutes(this.routes);
    this.detail.soil(null);
    this.camera.follow(world.layout.bounds);
    this.fresh = true;
    this.redraw();
  }

  /** A filter sets pods aside by what is known of each without its name: its workload; labels only of those that are known. @returns {((pod: number) => boolean)|null} */
  asideOf() {
    const { mass } = /** @type {World} */ (this.world);
    const { namespace, kind, label } = this.narrowed ?? {};
    if (!namespace && !kind && !label) return null;
    if (kind && kind !== "pod") return () => true;
    const others = Uint8Array.from(mass.workloads, (owner) => Number(Boolean(namespace && owner && owner.namespace !== namespace)));
    return (pod) => {
      if (others[mass.workload[pod]]) return true;
      const id = mass.idOf(pod);
      return this.entities.has(id) && this.filter.dimmed(id);
    };
  }

  /** @param {import("../../model/filter.js").Filter|null} filter */
  setFilter(filter) {
    this.narrowed = filter;
    if (!this.world) return;
    this.world.cells.setAside(this.world.mass, this.asideOf());
    this.tellTiles(false);
    this.detail.soil(null);
  }

  /** @param {any} view @param {any} places */
  setView(view, places) {
    if (view.name !== this.view.name) this.other(view, places);
  }

  /** The entities besides pods and nodes changed, or everything. @param {Map<string, any>} entities @param {any} settings @param {boolean} [fresh] */
  setScene(entities, settings, fresh = false) {
    const mass = this.source();
    if (mass && (fresh || mass !== this.world?.mass)) return void this.setMass(mass, entities, settings, fresh);
    this.entities = entities;
    this.settings = settings;
    if (this.world && mass && this.named !== mass.ids.size) this.rename(mass.ids.size);
    if (this.world?.sidesChanged(entities)) {
      this.world = new World(this.world.mass, entities, this.world);
      this.settle(false);
    } else this.redraw();
  }

  /** Pods are known that were not: their ways can be drawn. @param {number} count */
  rename(count) {
    this.named = count;
    this.layout = /** @type {any} */ ({ ...this.layout });
    this.setRoutes(this.routes);
  }

  /** @param {import("../../model/mass.js").Changes} changes what `Mass.apply` told @param {boolean} [states] states, not heat alone */
  change(changes, states = true) {
    const { world } = this;
    if (!world) return;
    if (changes.trunks) this.setTrunks();
    if (!changes.pods.length && !changes.nodes.length) return void this.loop.wake();
    const told = world.change(changes);
    if (!told) {
      this.world = new World(world.mass, this.entities, world);
      return void this.settle(false);
    }
    if (told.places.length) this.tiles.patch(told.places, told.looks, told.nodes);
    if (told.readiness) this.tiles.setReady(world.ready, told.nodes);
    for (const node of told.nodes) this.soilNode(node);
    for (const node of states ? told.nodes : told.moved) this.names.soil(world.mass.nodes[node]?.id ?? "");
    this.redraw();
  }

  /** @param {number} node */
  soilNode(node) {
    const box = this.world?.nodeBox(node);
    if (box && this.detail.age) this.detail.soil(box);
  }

  /** @param {boolean} other */
  tellTiles(other) {
    if (!this.world) return;
    const { layout, cells, ready } = this.world;
    this.tiles.setWorld({ layout, look: cells.look, capacity: cells.capacity, trayAt: cells.trayAt, ready, palette: paletteOf(this.tokens) }, other);
  }

  setTrunks() {
    if (!this.world) return;
    this.trunks = trunkLines(this.world.layout, this.world.mass.trunks);
    const ways = new Map(this.trunks.flatMap((trunk) => [[`${trunk.id}>`, trunk.there], [`${trunk.id}<`, trunk.back]]));
    this.flows.reroute((route) => ways.get(route.line) ?? null);
    this.redraw();
  }

  /** Whether traffic is told between zones; of what is selected, and inside a node, packets are. */
  get trunked() {
    return this.level < LEVELS.pods || (this.level === LEVELS.pods && !this.focus.size);
  }

  /** Connections between zones since the last call. @param {number} passed ms */
  feedTrunks(passed) {
    if (!this.trunked || this.still || this.spot || this.gesture || this.paused || document.hidden) return;
    for (const trunk of this.trunks) {
      [trunk.there, trunk.back].forEach((way, i) => {
        const bad = trunk.failing[i];
        const line = `${trunk.id}${"><"[i]}`;
        const good = Math.max(0, trunk.rates[i] - bad);
        if (good) this.flows.add({ id: `${line}ok`, line, effect: "allowed" }, way, (good * passed) / 1000, "", passed);
        if (bad) this.flows.add({ id: `${line}bad`, line, effect: "dropped" }, way, (bad * passed) / 1000, "", passed);
      });
    }
    this.loop.wake();
  }

  /** Single packets are shown of what is chosen, and inside the nodes that are near; elsewhere heat and trunks tell. @param {[string, number, string][]} calls @param {number} spread ms */
  addCalls(calls, spread) {
    super.addCalls(calls.filter(([id]) => this.concerns(id)), spread);
  }

  /** @param {string} id of a route */
  concerns(id) {
    if (this.focus.size) return this.focus.has(id);
    if (this.level < LEVELS.inside) return false;
    const known = this.passes.get(id);
    if (known !== undefined) return known;
    const near = new Set(this.close);
    const tracks = this.view.tracks;
    const passes = Boolean(this.routes.get(id)?.waypoints.some((/** @type {string} */ ref) => near.has(tracks?.nodeOf(ref) ?? "")));
    this.passes.set(id, passes);
    return passes;
  }

  /** @param {import("../../model/packets.js").Dot} dot */
  visible(dot) {
    return dot.alone || (this.concerns(dot.route.id) && super.visible(dot));
  }

  /** @param {string} node @param {any[]} pods @returns {Map<number, any>} by index */
  learn(node, pods) {
    const { mass } = /** @type {World} */ (this.world);
    const found = new Map();
    for (const pod of pods) {
      const index = pod.index === undefined ? mass.indexOf(pod.id) : mass.learn(pod);
      if (index >= 0) found.set(index, pod);
    }
    this.soilNode(mass.nodeOf(node));
    this.learned(pods);
    this.fresh = true;
    this.redraw();
    return found;
  }

  get seen() {
    const { x, y, zoom } = this.camera.get();
    const { clientWidth, clientHeight } = this.surfaces.graph;
    return { x: -x / zoom, y: -y / zoom, w: clientWidth / zoom, h: clientHeight / zoom };
  }

  /** The picture rests: what is near may be asked for by name and handed to Cytoscape. Once for every place it rests at. */
  rest() {
    if (!this.world) return;
    if (!this.fresh) {
      if (this.close.length) this.names.want(this.close);
      return;
    }
    this.fresh = false;
    const { zoom } = this.camera.get();
    const near = this.world.nodesIn(this.seen);
    const wordy = this.world.layout.step.w * zoom >= WORDS && near.length <= MOST_NAMED;
    if (wordy) this.detail.settle(zoom);
    else this.detail.clear();
    const asked = this.level >= LEVELS.pods && zoom >= ADDRESSED && near.length <= MOST_ASKED * 3;
    this.close = asked ? near.slice(0, MOST_ASKED).map((i) => this.world?.mass.nodes[i]?.id ?? "") : [];
    this.passes.clear();
    this.names.want(this.close);
    this.looked(this.close);
    this.dirty = true;
    this.aimShown();
  }

  aimShown() {
    if (!this.world) return;
    this.shown.aim(this.world, this.level, this.seen, [this.selected, ...this.marked, ...this.ends()]);
    this.loop.wake();
  }

  /** @returns {string[]} both ends of every line that is drawn */
  ends() {
    return this.cy.edges().toArray().flatMap((/** @type {any} */ edge) => [edge.source().id(), edge.target().id()]);
  }

  /** Words and cards. @param {CanvasRenderingContext2D} _ctx @param {Rect} _rect @param {number} _zoom */
  paintDetail(_ctx, _rect, _zoom) {}
}
