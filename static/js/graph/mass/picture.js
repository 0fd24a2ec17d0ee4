/** The picture of a big cluster: tiles for everybody, words and cards for those near, Cytoscape for what is pointed at. The same face as `Picture`. */
import { LEVELS, levelAt } from "../../model/lod.js";
import { POD } from "../../model/masslayout.js";
import { trunkLines } from "../../model/masstrunks.js";
import { BUDGET, Packets } from "../../model/packets.js";
import { PodNames } from "../../model/podnames.js";
import { syncEdges } from "../elements.js";
import { Picture } from "../picture.js";
import { fitCanvas } from "../scene.js";
import { Detail } from "./detail.js";
import { drawGround } from "./ground.js";
import { ADDRESSED, drawNodeDetail } from "./nodecard.js";
import { drawOver } from "./over.js";
import { paletteOf } from "./palette.js";
import { Shown } from "./shown.js";
import { Tiles } from "./tiles.js";
import { MassView } from "./view.js";
import { World } from "./world.js";

/** @typedef {import("../../model/mass.js").Mass} Mass */
/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {{x: number, y: number, zoom: number}} Camera */
/** @typedef {(node: string) => Promise<any[]>} Pods asks for the pods of a node */

const SIDE = Math.sqrt(POD.w * POD.h);
/** px of a node's panel from which words are drawn on it. */
const WORDS = 40;
/** Nodes whose words fit in a frame's time; further off they are dots. */
const MOST_NAMED = 500;
/** px a second of a dot on a trunk, in the units of the screen. */
const TRUNK_SPEED = 0.5;
/** Nodes in view whose pods are asked for by name. */
const MOST_ASKED = 60;

export class MassPicture extends Picture {
  /** @param {import("../picture.js").Surfaces} surfaces @param {import("../picture.js").Handlers} handlers @param {Pods} pods */
  constructor(surfaces, handlers, pods) {
    super(surfaces, handlers);
    this.cy.minZoom(0.004);
    this.cy.maxZoom(6);
    this.view = new MassView();
    this.over = /** @type {any} */ (drawOver);
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
    /** The picture rests: these nodes are near. @type {(nodes: string[]) => void} */
    this.looked = () => {};
    /** Another view is wanted. @type {(view: any, places: any) => void} */
    this.other = () => {};
  }

  listen() {
    super.listen();
    this.cy.on("mouseout", (/** @type {any} */ event) => event.target === this.cy && this.point(""));
    this.surfaces.graph.addEventListener("pointerleave", this.leave);
  }

  leave = () => this.point("");

  /** Lets go of everything, for another picture on the same surfaces. */
  destroy() {
    this.loop.stop();
    this.tiles.destroy();
    this.detail.clear();
    this.surfaces.graph.removeEventListener("pointerleave", this.leave);
    super.destroy();
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
    if (this.world?.sidesChanged(entities)) {
      this.world = new World(this.world.mass, entities, this.world);
      this.settle(false);
    } else this.redraw();
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

  /** Connections between zones since the last call. @param {number} passed ms */
  feedTrunks(passed) {
    if (this.level >= LEVELS.pods || this.still || this.spot || this.gesture || this.paused || document.hidden) return;
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

  /** @param {number} passed @returns {boolean} */
  frame(passed) {
    const camera = this.camera.get();
    const level = levelAt(camera.zoom * SIDE, this.level);
    if (level !== this.level) this.cross(level);
    const gliding = this.glide(passed);
    const running = !(this.still || this.spot || this.gesture);
    const moving = running && (this.level >= LEVELS.pods ? this.flow(passed) : this.flowTrunks(passed, camera.zoom));
    if (!this.gesture) this.rest();
    const more = this.dirty && this.world ? this.drawScene(camera) : false;
    this.dirty = more || this.tiles.behind;
    const adding = !this.gesture && this.shown.step(this.entities);
    this.over?.(this.surfaces.packets, /** @type {any} */ (this), camera);
    return moving || gliding || more || adding || this.tiles.behind || this.names.asked.size > 0;
  }

  /** @param {number} passed @param {number} zoom */
  flowTrunks(passed, zoom) {
    this.flows.budget = BUDGET * this.loop.pace.step.share;
    return this.flows.step(passed, (this.speed * TRUNK_SPEED) / zoom, this.paused);
  }

  /** @param {number} level */
  cross(level) {
    const near = level >= LEVELS.pods;
    if (near !== this.level >= LEVELS.pods) {
      this.flows.clear();
      this.packets.clear();
    }
    this.level = level;
    this.detail.soil(null);
    this.redraw();
  }

  /** @param {Camera} camera @returns {boolean} whether there is more to draw */
  drawScene(camera) {
    const world = /** @type {World} */ (this.world);
    const canvas = this.surfaces.scene;
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const ratio = fitCanvas(canvas);
    const moving = this.gesture !== 0;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalAlpha = 1;
    ctx.fillStyle = this.tokens.page;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    const size = { w: canvas.width, h: canvas.height };
    this.tiles.draw(ctx, { x: camera.x * ratio, y: camera.y * ratio, zoom: camera.zoom * ratio }, size.w, size.h, moving);
    const more = this.detail.draw(ctx, camera, ratio, size, moving);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const view = { w: size.w / ratio, h: size.h / ratio };
    if (this.spot) this.shade(ctx, view);
    const ground = { layout: world.layout, sums: world.sums, entities: this.entities, settings: this.settings, counts: world.counts, trunks: this.trunks, level: this.level, dimmed: this.scene().dimmed };
    this.docked = drawGround(ctx, ground, camera, view, this.tokens);
    return more;
  }

  /** While a packet is traced everything else steps back. @param {CanvasRenderingContext2D} ctx @param {{w: number, h: number}} view */
  shade(ctx, view) {
    ctx.globalAlpha = 0.55;
    ctx.fillStyle = this.tokens.page;
    ctx.fillRect(0, 0, view.w, view.h);
    ctx.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Rect} rect @param {number} zoom */
  paintDetail(ctx, rect, zoom) {
    const world = /** @type {World} */ (this.world);
    const level = levelAt(zoom * SIDE, this.level);
    for (const index of world.nodesIn(rect)) {
      const node = world.mass.nodes[index];
      if (!node) continue;
      const look = { index, node, entity: this.entities.get(node.id), names: this.names.of(node.id), world, tokens: this.tokens, settings: this.settings, level, zoom, rect };
      drawNodeDetail(ctx, look);
    }
  }

  drawEdges() {
    if (!this.world) return;
    const touched = [...this.lines.values()].filter((line) => this.touches(line, this.selected));
    const mine = new Set(touched.map((line) => line.id));
    this.focus = new Set(touched.flatMap((line) => line.routes));
    this.backs.clear();
    this.cy.batch(() => {
      this.shown.need(/** @type {World} */ (this.world), touched.flatMap((line) => [line.from, line.to]));
      syncEdges(this.cy, this.lines, /** @type {any} */ (this.shown.held), mine, this.view.most);
      this.cy.edges().toggleClass("near", !this.spot).toggleClass("faded", Boolean(this.spot)).toggleClass("still", this.still);
    });
  }

  /** @param {string} id */
  select(id) {
    this.selected = id;
    const entity = this.entities.get(id);
    const owned = entity?.kind === "workload" ? [...this.entities.values()].filter((e) => e.workload === id).map((e) => e.id) : [];
    this.marked = new Set([...(entity?.selects ?? []), ...owned].slice(0, 400));
    if (id && this.world?.box(id)) this.shown.need(this.world, [id]);
    this.cy.elements(":selected").unselect();
    this.cy.getElementById(id).select();
    if (this.layout) this.drawEdges();
    this.aimShown();
    this.redraw();
  }

  /** @param {any} event */
  tap(event) {
    const dot = this.spot || this.level < LEVELS.pods ? null : this.dotAt(event.renderedPosition);
    if (dot) return this.handlers.packet(dot.connection, dot.route);
    const id = event.target === this.cy ? this.pick(event.renderedPosition) : event.target.id();
    return this.handlers.select(id === this.selected || id.startsWith("zone:") ? "" : id);
  }

  /** @param {{x: number, y: number}} point on the screen @returns {string} */
  pick(point) {
    const { x, y, zoom } = this.camera.get();
    const found = this.world?.at((point.x - x) / zoom, (point.y - y) / zoom);
    if (!found) return "";
    if (found.pod < 0 || (found.id && this.level >= LEVELS.nodes)) return found.id;
    return found.node >= 0 ? this.world?.mass.nodes[found.node]?.id ?? "" : "";
  }

  /** @param {{x: number, y: number}} point */
  hover(point) {
    const id = this.pick(point);
    this.point(id);
    this.surfaces.graph.style.cursor = id && !id.startsWith("zone:") ? "pointer" : "";
  }

  /** @param {string} id what the pointer is on now */
  point(id) {
    if (id === this.under) return;
    this.under = id;
    this.handlers.rest(id.startsWith("zone:") ? "" : id);
    this.loop.wake();
  }

  /** @param {number} rps */
  legend(rps) {
    if (this.level >= LEVELS.pods || this.still) return super.legend(rps);
    const { worth } = this.flows;
    return `1 dot = ${worth.toLocaleString("en")} connection${worth === 1 ? "" : "s"} between zones`;
  }

  retheme() {
    super.retheme();
    this.tellTiles(false);
    this.detail.soil(null);
  }
}
