/** The whole picture in a corner while only a part of it is in view: a click or a drag there moves the part. Loaded after the picture. */

/** @typedef {{x: number, y: number, w: number, h: number}} Rect */
/** @typedef {{picture: any, signals: import("../desk/signals.js").Signals}} Desk */

const [WIDTH, HEIGHT] = [208, 128];
/** It comes when less than this share of the picture's length is in view, and goes when more than that is. */
const [COME, GO] = [0.72, 0.82];
/** ms between two drawings of the small picture itself. */
const PACE = 2000;

class Minimap {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "minimap";
    this.canvas.dataset.testid = "minimap";
    // Whoever uses the keyboard walks through the picture itself: nothing is here that is not there.
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.hidden = true;
    document.getElementById("picture")?.append(this.canvas);
    this.sheet = document.createElement("canvas");
    this.drawn = 0;
    this.waiting = 0;
    this.watch();
    desk.signals.on("picture", () => this.watch());
    for (const signal of /** @type {const} */ (["loaded", "drawn"])) desk.signals.on(signal, () => this.soon(true));
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); this.go(event); });
    this.canvas.addEventListener("pointermove", (event) => { if (event.buttons) this.go(event); });
    this.canvas.addEventListener("wheel", (event) => this.zoom(event), { passive: false });
  }

  watch() {
    this.drawn = 0;
    this.desk.picture.cy.on("viewport", () => this.soon(false));
    this.soon(true);
  }

  /** @param {boolean} changed the small picture itself is old */
  soon(changed) {
    if (changed && performance.now() - this.drawn > PACE) this.drawn = 0;
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.draw();
    });
  }

  /** @returns {{scale: number, x: number, y: number, bounds: Rect}|null} how the whole fits into the corner */
  fit() {
    const bounds = this.desk.picture.layout?.bounds ?? this.desk.picture.world?.layout.bounds;
    if (!bounds?.w || !bounds.h) return null;
    const scale = Math.min((WIDTH - 12) / bounds.w, (HEIGHT - 12) / bounds.h);
    return { scale, bounds, x: (WIDTH - bounds.w * scale) / 2 - bounds.x * scale, y: (HEIGHT - bounds.h * scale) / 2 - bounds.y * scale };
  }

  /** @returns {Rect} what is in view */
  view() {
    const { picture } = this.desk;
    const { x, y, zoom } = picture.camera.get();
    const { clientWidth, clientHeight } = picture.surfaces.graph;
    return { x: -x / zoom, y: -y / zoom, w: clientWidth / zoom, h: clientHeight / zoom };
  }

  draw() {
    const fit = this.fit();
    const view = this.view();
    const share = fit ? Math.max(view.w / fit.bounds.w, view.h / fit.bounds.h) : 1;
    this.canvas.hidden = share > (this.canvas.hidden ? COME : GO);
    if (!fit || this.canvas.hidden) return undefined;
    const ratio = Math.min(2, devicePixelRatio || 1);
    for (const one of [this.canvas, this.sheet]) if (one.width !== WIDTH * ratio) [one.width, one.height] = [WIDTH * ratio, HEIGHT * ratio];
    if (!this.drawn) this.paint(fit, ratio);
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const { tokens } = this.desk.picture;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    ctx.drawImage(this.sheet, 0, 0);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const frame = { x: view.x * fit.scale + fit.x, y: view.y * fit.scale + fit.y, w: Math.max(6, view.w * fit.scale), h: Math.max(5, view.h * fit.scale) };
    ctx.fillStyle = tokens["kind-pod"];
    ctx.globalAlpha = 0.16;
    ctx.fillRect(frame.x, frame.y, frame.w, frame.h);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = tokens.focus || tokens["kind-pod"];
    ctx.lineWidth = 1.6;
    return ctx.strokeRect(frame.x, frame.y, frame.w, frame.h);
  }

  /** @param {{scale: number, x: number, y: number}} fit @param {number} ratio */
  paint(fit, ratio) {
    this.drawn = performance.now();
    const { picture } = this.desk;
    const { tokens } = picture;
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.sheet.getContext("2d"));
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, WIDTH, HEIGHT);
    const box = (/** @type {Rect} */ { x, y, w, h }, /** @type {string} */ colour) => {
      ctx.fillStyle = colour;
      ctx.fillRect(x * fit.scale + fit.x, y * fit.scale + fit.y, Math.max(1, w * fit.scale), Math.max(1, h * fit.scale));
    };
    if (picture.world) return paintMass(picture.world, box, tokens);
    for (const [id, one] of picture.layout.boxes) box(one, colourOf(picture.entities.get(id), tokens));
    return undefined;
  }

  /** @param {PointerEvent} event the middle of the view goes there */
  go(event) {
    const fit = this.fit();
    if (!fit) return;
    const { camera, cy, surfaces } = this.desk.picture;
    const { zoom } = camera.get();
    const [x, y] = [(event.offsetX - fit.x) / fit.scale, (event.offsetY - fit.y) / fit.scale];
    camera.moved = true;
    cy.pan({ x: surfaces.graph.clientWidth / 2 - x * zoom, y: surfaces.graph.clientHeight / 2 - y * zoom });
  }

  /** @param {WheelEvent} event */
  zoom(event) {
    event.preventDefault();
    const { cy, surfaces } = this.desk.picture;
    cy.zoom({ level: cy.zoom() * (event.deltaY < 0 ? 1.2 : 1 / 1.2), renderedPosition: { x: surfaces.graph.clientWidth / 2, y: surfaces.graph.clientHeight / 2 } });
  }
}

/** Zones, and in them the nodes where something is wrong. @param {any} world @param {(box: Rect, colour: string) => void} box @param {any} tokens */
function paintMass(world, box, tokens) {
  const { layout, cells, mass } = world;
  for (const zone of layout.zones) box(zone, tokens["panel-head"]);
  for (const side of layout.sides.values()) box(side, tokens["kind-ingress"]);
  for (let i = 0; i < mass.nodes.length; i += 1) {
    const node = mass.nodes[i];
    if (node && layout.zoneOf[i] >= 0) box({ x: layout.x[i], y: layout.y[i], w: layout.step.w, h: layout.step.h }, !node.ready || cells.failing[i] ? tokens["kind-blocked"] : tokens["stripe-quiet"]);
  }
}

/** @param {any} entity @param {any} tokens */
function colourOf(entity, tokens) {
  if (!entity) return tokens["panel-head"];
  if (entity.kind === "node") return entity.ready ? tokens["panel-head"] : tokens["kind-blocked"];
  if (entity.kind === "pod") return entity.ready || entity.phase === "Succeeded" ? tokens["stripe-quiet"] : tokens["kind-blocked"];
  return entity.kind === "service" ? tokens["kind-service"] : tokens["kind-ingress"];
}

/** @param {Desk} desk */
export function start(desk) {
  return new Minimap(desk);
}
