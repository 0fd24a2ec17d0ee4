/** The picture of a big cluster: tiles for everybody, words and cards for those near, Cytoscape for what is pointed at. The same face as `Picture`. */
import cytoscape from "cytoscape";
import { LEVELS, levelAt } from "../../model/lod.js";
import { POD } from "../../model/masslayout.js";
import { trunkLines } from "../../model/masstrunks.js";
import { Packets } from "../../model/packets.js";
import { Camera } from "../camera.js";
import { Loop } from "../loop.js";
import { fitCanvas } from "../scene.js";
import { stylesheet } from "../style.js";
import { forgetText } from "../text.js";
import { readTokens } from "../tokens.js";
import { drawGround } from "./ground.js";
import { paletteOf } from "./palette.js";
import { Tiles } from "./tiles.js";
import { World } from "./world.js";

/** @typedef {import("../picture.js").Surfaces} Surfaces */
/** @typedef {import("../picture.js").Handlers} Handlers */

/** ms without a movement after which the picture rests. */
const REST = 110;
const SIDE = Math.sqrt(POD.w * POD.h);

export class MassPicture {
  /** @param {Surfaces} surfaces @param {Handlers} handlers */
  constructor(surfaces, handlers) {
    this.surfaces = surfaces;
    this.handlers = handlers;
    this.tokens = readTokens();
    this.cy = cytoscape({ container: surfaces.graph, style: stylesheet(this.tokens), layout: { name: "preset", fit: false },
      minZoom: 0.004, maxZoom: 6, boxSelectionEnabled: false, autoungrabify: true, selectionType: "single", pixelRatio: "auto" });
    this.camera = new Camera(this.cy, surfaces.graph);
    this.packets = new Packets();
    this.entities = new Map();
    this.settings = {};
    /** @type {World|null} */
    this.world = null;
    this.level = 0;
    this.moved = -Infinity;
    this.trunks = /** @type {import("../../model/masstrunks.js").Trunk[]} */ ([]);
    this.filter = { dimmed: () => false, shown: () => true };
    this.paused = false;
    this.speed = 1;
    this.still = false;
    this.dirty = true;
    this.tiles = new Tiles(() => this.redraw());
    this.loop = new Loop((passed) => this.frame(passed));
    this.listen();
  }

  listen() {
    this.cy.on("viewport", () => {
      this.moved = performance.now();
      this.dirty = true;
      this.loop.wake(true);
    });
    this.resizes = new ResizeObserver(() => { this.camera.resized(); this.redraw(); });
    this.resizes.observe(this.surfaces.graph);
    document.fonts?.ready.then(() => { forgetText(); this.redraw(); });
  }

  redraw() {
    this.dirty = true;
    this.loop.wake(true);
  }

  /** @param {import("../../model/mass.js").Mass} mass @param {Map<string, any>} entities @param {any} settings */
  setMass(mass, entities, settings) {
    this.entities = entities;
    this.settings = settings;
    const other = this.world?.mass !== mass;
    this.world = new World(mass, entities, this.world);
    this.tellTiles(other);
    this.setTrunks();
    this.camera.follow(this.world.layout.bounds);
    this.redraw();
  }

  /** @param {boolean} other nothing of what is shown may stay */
  tellTiles(other) {
    if (!this.world) return;
    const { layout, cells, ready } = this.world;
    this.tiles.setWorld({ layout, look: cells.look, capacity: cells.capacity, trayAt: cells.trayAt, ready, palette: paletteOf(this.tokens) }, other);
  }

  setTrunks() {
    if (this.world) this.trunks = trunkLines(this.world.layout, this.world.mass.trunks);
  }

  get moving() {
    return performance.now() - this.moved < REST;
  }

  /** @param {number} passed @returns {boolean} */
  frame(passed) {
    const camera = this.camera.get();
    this.level = levelAt(camera.zoom * SIDE, this.level);
    if (this.dirty && this.world) this.drawScene(camera);
    this.dirty = false;
    return this.tiles.behind || this.moving;
  }

  /** @param {{x: number, y: number, zoom: number}} camera */
  drawScene(camera) {
    const world = /** @type {World} */ (this.world);
    const canvas = this.surfaces.scene;
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const ratio = fitCanvas(canvas);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalAlpha = 1;
    ctx.fillStyle = this.tokens.page;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    this.tiles.draw(ctx, { x: camera.x * ratio, y: camera.y * ratio, zoom: camera.zoom * ratio }, canvas.width, canvas.height, this.moving);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const counts = { ...world.mass.counts, waiting: world.cells.pod.subarray(world.cells.trayAt).reduce((sum, pod) => sum + (pod ? 1 : 0), 0) };
    const ground = { layout: world.layout, sums: world.sums, entities: this.entities, settings: this.settings, counts, trunks: this.trunks, level: this.level, dimmed: this.filter.dimmed };
    drawGround(ctx, ground, camera, { w: canvas.width / ratio, h: canvas.height / ratio }, this.tokens);
  }

  retheme() {
    this.tokens = readTokens();
    this.cy.style(stylesheet(this.tokens));
    this.tellTiles(false);
    this.redraw();
  }
}
export { LEVELS };
