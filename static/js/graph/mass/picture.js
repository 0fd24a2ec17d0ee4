/** The picture of a big cluster: tiles for everybody, words and cards for those near, Cytoscape for what is pointed at. The same face as `Picture`. */
import { LEVELS, levelAt } from "../../model/lod.js";
import { POD } from "../../model/masslayout.js";
import { BUDGET } from "../../model/packets.js";
import { syncEdges } from "../elements.js";
import { fitCanvas } from "../scene.js";
import { Field } from "./field.js";
import { drawGround } from "./ground.js";
import { drawNodeDetail } from "./nodecard.js";
import { drawOver } from "./over.js";
import { drawWhole } from "./whole.js";

/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {import("./world.js").World} World */
/** @typedef {{x: number, y: number, zoom: number}} Camera */

const SIDE = Math.sqrt(POD.w * POD.h);
/** px a second of a dot on a trunk, in the units of the screen. */
const TRUNK_SPEED = 0.5;

export class MassPicture extends Field {
  /** @param {import("../picture.js").Surfaces} surfaces @param {import("../picture.js").Handlers} handlers @param {import("./field.js").Pods} pods */
  constructor(surfaces, handlers, pods) {
    super(surfaces, handlers, pods);
    this.over = /** @type {any} */ (drawOver);
    this.view.paint = (ctx) => this.paintWhole(ctx);
    surfaces.graph.addEventListener("pointerleave", this.leave);
  }

  leave = () => this.point("");

  /** Lets go of everything, for another picture on the same surfaces. */
  destroy() {
    this.tiles.destroy();
    this.detail.clear();
    this.surfaces.graph.removeEventListener("pointerleave", this.leave);
    super.destroy();
  }

  /** @param {number} passed @returns {boolean} */
  frame(passed) {
    const camera = this.camera.get();
    const level = levelAt(camera.zoom * SIDE, this.level);
    if (level !== this.level) this.cross(level);
    const gliding = this.glide(passed);
    const running = !(this.still || this.spot || this.gesture);
    const moving = running && (this.trunked ? this.flowTrunks(passed, camera.zoom) : this.flow(passed));
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
    const larger = this.wordScale(view);
    ctx.setTransform(ratio * larger, 0, 0, ratio * larger, 0, 0);
    const { x, y, zoom } = camera;
    this.docked = larger * drawGround(ctx, this.ground(), { x: x / larger, y: y / larger, zoom: zoom / larger }, { w: view.w / larger, h: view.h / larger }, this.tokens);
    return more;
  }

  /** Words grow with the screen, and for a projector. @param {{w: number, h: number}} view @returns {number} */
  wordScale({ h }) {
    return Math.max(1, Math.min(1.9, h / 1080)) * (Number(this.tokens["picture-words"]) || 1);
  }

  /** @returns {import("./ground.js").Ground} */
  ground(level = this.level) {
    const world = /** @type {World} */ (this.world);
    return { layout: world.layout, sums: world.sums, entities: this.entities, settings: this.settings, counts: world.counts, trunks: this.trunks, level, dimmed: this.scene().dimmed };
  }

  /** The whole cluster, for a file. @param {CanvasRenderingContext2D} ctx */
  paintWhole(ctx) {
    if (this.world) drawWhole(ctx, this.ground(LEVELS.heat), this.world, this.tokens);
    return 0;
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
    const far = this.trunked;
    const { worth } = far ? this.flows : this.packets;
    const sampled = this.world?.mass.sampled ?? 1;
    const more = `${sampled > 1 ? ` · 1 of ${sampled} connections decided` : ""}${this.loop.pace.step.words && " · simplified"}`;
    if (this.still) return `${rps.toFixed(0)} connections a second${more}`;
    return `1 dot = ${worth.toLocaleString("en")} connection${worth === 1 ? "" : "s"}${far ? " between zones" : ""}${more}`;
  }

  /** Pods that were never told by name are asked for; the way is drawn anew when they came. @param {any} route */
  wayOf(route) {
    const mass = this.world?.mass;
    for (const ref of route.waypoints) if (mass && ref.startsWith("pod:") && mass.indexOf(ref) < 0) this.unknown(ref);
    return super.wayOf(route);
  }

  retheme() {
    super.retheme();
    this.tellTiles(false);
    this.detail.soil(null);
  }
}
