/** The picture: layout, Cytoscape, canvases and packets behind one face. */
import cytoscape from "cytoscape";
import { Marks, rulesOf } from "../model/marks.js";
import { Packets, place, stops } from "../model/packets.js";
import { at } from "../model/polyline.js";
import { ByNode } from "./bynode.js";
import { Camera } from "./camera.js";
import { syncEdges, syncNodes } from "./elements.js";
import { Loop } from "./loop.js";
import { Nearness } from "./nearness.js";
import { drawScene } from "./scene.js";
import { stylesheet } from "./style.js";
import { forgetText } from "./text.js";
import { readTokens } from "./tokens.js";

/** @typedef {import("./spotlight.js").Spot & {draw: typeof import("./spotlight.js").drawSpotlight, follow: typeof import("./follow.js").follow}} Spot */
/** @typedef {{scene: HTMLCanvasElement, graph: HTMLElement, packets: HTMLCanvasElement}} Surfaces */
/** @typedef {{select: (id: string) => void, packet: (connection: string, route: any) => void, rest: (id: string) => void, machines: import("./inside.js").Source}} Handlers
 * `rest`: where the pointer rests, "" nowhere; `machines` are asked what is inside them */

/** Dots on their way at once: more of them hide what they pass. */
const CALM = 120;
const GLIDE = 450;
/** ms after the last movement of the camera until packets go on. */
const REST = 150;

export class Picture {
  /** @param {Surfaces} surfaces @param {Handlers} handlers */
  constructor(surfaces, handlers) {
    this.surfaces = surfaces;
    this.handlers = handlers;
    this.tokens = readTokens();
    this.cy = cytoscape({ container: surfaces.graph, style: stylesheet(this.tokens), layout: { name: "preset", fit: false },
      minZoom: 0.08, maxZoom: 4, boxSelectionEnabled: false, autoungrabify: true, selectionType: "single", pixelRatio: "auto" });
    this.camera = new Camera(this.cy, surfaces.graph);
    this.packets = new Packets({ stopped: (dot) => this.marks.add(dot.route, dot.worth, dot.connection), back: (dot) => this.backOf(dot.route) });
    this.marks = new Marks();
    this.counts = /** @type {import("../model/counts.js").Counts|null} */ (null);
    /** @type {Map<string, import("../model/lines.js").Way|null>} the ways of replies that are shown */
    this.backs = new Map();
    /** Draws what moves; loaded when there is a picture. @type {typeof import("./overlay.js").drawOver|null} */
    this.over = null;
    /** @type {typeof import("../model/replies.js").replyOf|null} */
    this.replyOf = null;
    /** The camera moves: packets stand, and do not catch up afterwards. */
    this.gesture = 0;
    this.nearness = new Nearness(handlers.machines, () => this.redraw());
    this.uncounted = 0; // numbers for which there was no room
    this.entities = new Map();
    this.settings = {};
    /** @type {import("../model/layout.js").Layout|null} */
    this.layout = null;
    /** @type {Map<string, import("../model/lines.js").Way>} */
    this.ways = new Map();
    /** How the cluster is shown: by node, or a view that was loaded later. @type {any} */
    this.view = new ByNode();
    /** Where a person put things, by id; what the numbers mean is the view's. @type {Map<string, number[]>} */
    this.places = new Map();
    this.routes = new Map();
    this.lines = new Map();
    /** @type {(import("../model/lines.js").Door & {width: number})[]} */
    this.doors = [];
    this.paused = false;
    this.speed = 1;
    this.still = false;
    /** @type {{dimmed: (id: string) => boolean, shown: (route: any) => boolean}} */
    this.filter = { dimmed: () => false, shown: () => true };
    this.selected = "";
    /** @type {Set<string>} routes of the selection */
    this.focus = new Set();
    /** @type {Spot|null} */
    this.spot = null;
    this.reached = 0;
    /** where the title of the frame ends */
    this.title = 0;
    this.dirty = true;
    this.loop = new Loop((passed) => this.frame(passed));
    this.listen();
  }

  listen() {
    this.cy.on("viewport", () => this.moved());
    this.cy.on("tap", (/** @type {any} */ event) => this.tap(event));
    this.cy.on("mouseover", "node", (/** @type {any} */ e) => { e.target.addClass("hover"); this.handlers.rest(e.target.id()); });
    this.cy.on("mouseout", "node", (/** @type {any} */ e) => { e.target.removeClass("hover"); this.handlers.rest(""); });
    this.cy.on("viewport tap", () => this.handlers.rest(""));
    this.cy.on("mousemove", (/** @type {any} */ e) => this.hover(e.renderedPosition));
    this.resizes = new ResizeObserver(() => { this.camera.resized(); this.spot?.follow(this); this.redraw(); });
    this.resizes.observe(this.surfaces.graph);
    document.fonts?.ready.then(() => { forgetText(); this.redraw(); });
  }

  /** Lets go of everything, for another picture on the same surfaces. */
  destroy() {
    clearTimeout(this.gesture);
    this.loop.stop();
    this.loop.draw = () => false;
    this.resizes?.disconnect();
    this.cy.destroy();
  }

  redraw(urgent = false) {
    this.dirty = true;
    this.loop.wake(urgent);
  }

  moved() {
    clearTimeout(this.gesture);
    this.gesture = setTimeout(() => { this.gesture = 0; this.view.look?.(this.cy, this.camera.get().zoom); this.redraw(); }, REST);
    this.redraw(true);
  }

  /** @param {Map<string, any>} entities @param {any} settings @param {boolean} [fresh] forget where things were */
  setScene(entities, settings, fresh = false) {
    this.entities = entities;
    this.settings = settings;
    if (!this.layout) import("./overlay.js").then((over) => { Object.assign(this, { over: over.drawOver, replyOf: over.replyOf, counts: new over.Counts() }); this.redraw(); });
    this.layout = this.view.arrange(this.view.lens?.entities(entities) ?? entities, this.places, fresh);
    this.cy.batch(() => syncNodes(this.cy, /** @type {any} */ (this.layout).boxes, entities));
    this.setRoutes(this.routes);
    this.camera.follow(this.layout.bounds);
    this.redraw();
  }

  /** The same cluster shown another way. @param {any} view @param {Map<string, number[]>} places where a person put things in it */
  setView(view, places) {
    [this.view, this.places] = [view, places];
    this.packets.clear();
    this.cy.batch(() => this.cy.elements().remove());
    this.setScene(this.entities, this.settings);
    this.select(this.selected);
    this.camera.fit();
  }

  /** Things stand elsewhere because a person says so; nothing else has changed. @param {Map<string, number[]>} places */
  put(places) {
    this.places = places;
    this.layout = this.view.put(places);
    this.cy.batch(() => syncNodes(this.cy, /** @type {any} */ (this.layout).boxes, this.entities));
    this.setRoutes(this.routes);
    this.redraw();
  }

  /** @param {any} route @returns {import("../model/lines.js").Way|null} its way through the picture as it is now */
  wayOf(route) {
    return this.layout && this.view.way(route);
  }

  /** @param {Map<string, any>} routes */
  setRoutes(routes) {
    this.routes = routes;
    if (!this.layout) return;
    this.ways.clear();
    for (const route of routes.values()) {
      const found = this.view.lens?.route(route) === false ? null : this.view.way(route);
      if (found) this.ways.set(route.id, found);
    }
    this.lines = this.view.lines(this.ways.values());
    this.doors = this.view.doors(this.ways.values()).map((/** @type {any} */ door) => ({ ...door, width: 0 }));
    this.backs.clear();
    this.packets.reroute((route) => this.ways.get(route.id) ?? null);
    this.marks.keep((ref) => Boolean(this.layout?.boxes.has(this.view.shownAs(ref))));
    this.drawEdges();
  }

  drawEdges() {
    const selected = this.view.shownAs(this.selected);
    const touched = [...this.lines.values()].filter((line) => this.touches(line, selected) || this.touches(line, this.selected));
    const mine = new Set(touched.map((line) => line.id));
    this.focus = this.focusOf(touched, selected);
    this.backs.clear();
    this.cy.batch(() => {
      syncEdges(this.cy, this.lines, /** @type {any} */ (this.layout).boxes, mine, this.view.most);
      this.cy.edges().forEach((/** @type {any} */ edge) => {
        const line = this.lines.get(edge.id());
        const visible = !line.routes.length || line.routes.some((/** @type {string} */ id) => this.filter.shown(this.routes.get(id)));
        edge.toggleClass("faded", Boolean(this.spot) || !visible || (mine.size > 0 && !mine.has(line.id)));
        edge.toggleClass("near", !this.spot && visible && mine.has(line.id));
        edge.toggleClass("still", this.still);
      });
      this.view.look?.(this.cy, this.camera.get().zoom);
    });
  }

  /** All routes of a line or a node; of anything else those that begin, end or pass there. @param {any[]} lines @param {string} shown what stands for the selection */
  focusOf(lines, shown) {
    const all = lines.flatMap((line) => line.routes);
    if (this.lines.has(this.selected) || this.selected.startsWith("node:")) return new Set(all);
    const passes = (/** @type {string} */ ref) => ref === this.selected || this.view.shownAs(ref) === shown;
    return new Set(all.filter((id) => this.routes.get(id)?.flow === this.selected || this.routes.get(id)?.waypoints.some(passes)));
  }

  /** @param {any} line @param {string} id whether the line carries something of the selected object */
  touches(line, id) {
    if (!id) return false;
    if (line.id === id || line.from === id || line.to === id || line.flows.includes(id)) return true;
    return line.routes.some((/** @type {string} */ r) => this.routes.get(r)?.waypoints.includes(id)) && !id.startsWith("node:");
  }

  /** @param {[string, number, string][]} calls @param {number} spread ms */
  addCalls(calls, spread) {
    this.counts?.add(calls, performance.now());
    if (document.hidden) return;
    const held = this.still || this.spot || this.gesture;
    for (const [id, count, connection] of calls) {
      const [route, found] = [this.routes.get(id), this.ways.get(id)];
      if (!route || !found) continue;
      if (!held) this.packets.add(route, found, count, connection, spread);
      else if (stops(route)) this.marks.add(route, count, connection);
    }
    if (this.still) this.marks.step(spread);
    this.loop.wake();
  }

  /** Replies are shown of what is selected. @param {any} route */
  backOf(route) {
    if (this.spot || !this.replyOf || !this.focus.has(route.id)) return null;
    if (!this.backs.has(route.id)) this.backs.set(route.id, this.view.way(this.replyOf(route)));
    return this.backs.get(route.id) ?? null;
  }

  /** The lines in use with their connections a second. */
  countedLines() {
    const shown = (/** @type {string} */ id) => this.filter.shown(this.routes.get(id)) && (!this.focus.size || this.focus.has(id));
    return [...this.lines.values()].map((line) => ({ line, rate: this.counts?.of(line.routes.filter(shown)) ?? 0 })).filter(({ rate }) => rate > 0);
  }

  /** One call while everything else stands. */
  single(/** @type {string} */ id, /** @type {string} */ connection) {
    const [route, found] = [this.routes.get(id), this.ways.get(id)];
    if (!route || !found) return false;
    this.packets.push(route, found, connection, 0, true);
    this.loop.wake();
    return true;
  }

  /** @param {number} passed @returns {boolean} */
  frame(passed) {
    const gliding = this.glide(passed);
    const moving = !(this.still || this.spot || this.gesture) && this.flow(passed);
    const camera = this.camera.get();
    this.nearness.at(camera.zoom, this.camera.reach);
    if (this.dirty && this.layout) this.title = drawScene(this.surfaces.scene, camera, this.scene(), this.tokens);
    this.dirty = false;
    this.over?.(this.surfaces.packets, this, camera);
    return moving || gliding;
  }

  /** @param {number} passed @returns {boolean} whether packets or what they left still change */
  flow(passed) {
    this.packets.budget = CALM * this.loop.pace.step.share;
    const moving = this.packets.step(passed, this.speed, this.paused);
    return (!this.paused && this.marks.step(passed)) || moving;
  }

  scene() {
    const spot = this.spot;
    const lit = new Set([...(spot?.refs ?? [])].map((ref) => this.view.shownAs(ref)));
    const dimmed = spot ? (/** @type {string} */ id) => !lit.has(id) : this.filter.dimmed;
    return { layout: /** @type {any} */ (this.layout), entities: this.entities, settings: this.settings, dimmed, paint: this.view.paint, near: this.nearness };
  }

  /** @param {import("../model/packets.js").Dot} dot */
  visible(dot) {
    if (dot.alone) return true;
    if (!this.filter.shown(dot.route)) return false;
    return !this.focus.size || this.focus.has(dot.route.id);
  }

  /** Moves the traced packet towards its hop. */
  glide(/** @type {number} */ passed) {
    const goal = this.spot?.reached ?? 0;
    if (!this.spot || this.reached === goal) return false;
    const gap = goal - this.reached;
    this.reached = this.still || Math.abs(gap) < 2 ? goal : this.reached + gap * Math.min(1, (passed || 16) / (GLIDE / 3));
    return this.reached !== goal;
  }

  /** @param {Spot|null} spot */
  setSpot(spot) {
    if (spot && (!this.spot || this.spot.reply !== spot.reply)) this.reached = spot.reply ? 0 : Math.min(this.reached, spot.reached);
    if (!spot) this.reached = 0;
    const changed = Boolean(spot) !== Boolean(this.spot);
    const before = this.spot;
    this.spot = spot && { ...spot, ref: this.view.shownAs(spot.ref) };
    (spot ?? before)?.follow(this);
    if (changed) this.cy.elements(":selected, .marked").unselect().removeClass("marked");
    if (changed && this.layout) this.drawEdges();
    this.redraw();
  }

  /** @param {string} id */
  select(id) {
    this.selected = id;
    this.cy.batch(() => {
      this.cy.elements(":selected").unselect();
      this.cy.nodes().removeClass("marked");
      const element = this.cy.getElementById(this.view.shownAs(id));
      if (element.nonempty()) element.select();
      const entity = this.entities.get(id);
      for (const pod of entity?.selects ?? []) this.cy.getElementById(pod).addClass("marked");
      if (entity?.kind === "workload") for (const e of this.entities.values()) if (e.workload === id) this.cy.getElementById(e.id).addClass("marked");
    });
    if (this.layout) this.drawEdges();
    this.redraw();
  }

  /** @param {any} event */
  tap(event) {
    const dot = this.spot ? null : this.dotAt(event.renderedPosition);
    if (dot) return this.handlers.packet(dot.connection, dot.route);
    const mark = this.markAt(event.renderedPosition);
    if (mark) return this.handlers.packet(mark.connection, null);
    const id = event.target === this.cy ? "" : event.target.id();
    if (this.view.tap?.(id, event.position)) return undefined;
    return this.handlers.select(id === this.selected ? "" : id);
  }

  /** @param {{x: number, y: number}} point @returns {import("../model/packets.js").Dot|null} the packet under the pointer */
  dotAt(point) {
    const { x, y, zoom } = this.camera.get();
    let [best, least] = [/** @type {any} */ (null), 14];
    for (const dot of this.packets.dots) {
      if (dot.wait > 0 || !this.visible(dot)) continue;
      const spot = at(dot.way.path, place(dot));
      const away = Math.hypot(spot.x * zoom + x - point.x, spot.y * zoom + y - point.y);
      if (away < least) [best, least] = [dot, away];
    }
    return best;
  }

  /** @returns {{x: number, y: number, route: string, connection: string}[]} every packet on the screen */
  screenDots() {
    const { x, y, zoom } = this.camera.get();
    return this.packets.dots.filter((dot) => dot.wait <= 0 && this.visible(dot)).map((dot) => {
      const spot = at(dot.way.path, place(dot));
      return { x: spot.x * zoom + x, y: spot.y * zoom + y, route: dot.route.id, connection: dot.connection };
    });
  }

  /** @param {string} id @returns {import("../model/layout.js").Rect|null} where it is on the screen */
  screenBox(id) {
    const box = this.layout?.boxes.get(this.view.shownAs(id));
    if (!box) return null;
    const { x, y, zoom } = this.camera.get();
    return { x: box.x * zoom + x, y: box.y * zoom + y, w: box.w * zoom, h: box.h * zoom };
  }

  /** @param {{x: number, y: number}} point @returns {import("../model/marks.js").Mark|null} the mark of denied packets under the pointer */
  markAt(point) {
    const { x, y, zoom } = this.camera.get();
    const [left, top] = [(point.x - x) / zoom, (point.y - y) / zoom];
    const on = (/** @type {import("../model/layout.js").Rect|undefined} */ box) => box && left > box.x && left < box.x + box.w && top > box.y && top < box.y + box.h;
    return this.spot ? null : [...this.marks.all.values()].find((mark) => on(mark.box)) ?? null;
  }

  /** @param {{x: number, y: number}} point */
  hover(point) {
    const mark = this.markAt(point);
    this.surfaces.graph.style.cursor = mark || (!this.spot && this.dotAt(point)) ? "pointer" : "";
    const { x, y, zoom } = this.camera.get();
    const [left, top] = [(point.x - x) / zoom, (point.y - y) / zoom];
    const door = this.spot ? null : this.doors.find((d) => left > d.x - d.width - 16 && left < d.x - 16 && Math.abs(top - d.y) < 12);
    this.surfaces.graph.title = mark ? rulesOf(mark) : door && door.all !== door.text ? door.all : "";
  }

  /** What one dot is worth now, and what is left out. @param {number} rps @returns {string} */
  legend(rps) {
    const { worth } = this.packets;
    const more = this.missing();
    const missing = more ? ` · ${more} lines not drawn` : "";
    if (this.still) return `${rps.toFixed(0)} connections a second${missing}`;
    return `1 dot = ${worth.toLocaleString("en")} connection${worth === 1 ? "" : "s"}${this.loop.pace.step.words && " · simplified"}${missing}`;
  }

  /** Lines for which there was no room; those of a selection always have some. */
  missing() {
    return [...this.lines.keys()].slice(this.view.most).filter((id) => this.cy.getElementById(id).empty()).length;
  }

  /** The same at length. @returns {string} */
  told() {
    const { words } = this.loop.pace.step;
    if (this.still) return `On the lines: connections a second, counted over 10 s.${this.uncounted ? ` There was no room for ${this.uncounted} more numbers: select an object to see its own.` : ""}`;
    return `Every line in use shows a dot in 6 s at least, however little passes there.${words && ` The machine is busy, so there are ${words}.`}`;
  }

  retheme() {
    this.tokens = readTokens();
    this.cy.style(stylesheet(this.tokens));
    this.redraw();
  }
}
