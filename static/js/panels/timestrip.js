/** The strip under the picture: what the last minutes held, where we are in them, and the slider that goes there. */
import { ago, wall } from "../model/moments.js";
import { byId, fill, h, icon } from "./dom.js";

/** @typedef {import("../model/density.js").Density} Density */
/** @typedef {{from: number, to: number, oldest: number, time: number, away: boolean, held: boolean, playing: boolean, reason: string, recorded: string}} View seconds since 1970; `held`: the live picture is paused; `reason` says why there is less than the whole; `recorded`: the cluster of a recording, which has no present */
/**
 * @typedef {object} Ports
 * @property {() => View} view
 * @property {Density} density
 * @property {() => import("../model/moments.js").Bookmark[]} bookmarks
 * @property {(time: number, settled: boolean) => void} scrub `settled`: the pointer was let go, or a key was pressed
 * @property {() => void} now
 * @property {() => void} resume
 * @property {(way: 1|-1) => void} step
 * @property {(unit: "call"|"change") => void} unit
 * @property {(owner: HTMLElement) => void} marks
 * @property {(owner: HTMLElement) => void} record
 * @property {() => void} trace the connection that was stepped to
 */

const SVG = "http://www.w3.org/2000/svg";
/** px: bars grow up from the base, failures hang below it. */
/** Height of the rail in units of its own, however many pixels that is. */
const TALLNESS = 48;
const BASE = 27;
const TALL = 22;
const DEEP = 6;
/** By the length of the strip in seconds: how long a bar is, a tick, and a labelled tick. */
const SCALES = [{ upTo: 120, bar: 1, tick: 10, label: 30 }, { upTo: 300, bar: 2, tick: 30, label: 60 }, { upTo: 900, bar: 5, tick: 60, label: 180 },
  { upTo: 3600, bar: 20, tick: 300, label: 600 }, { upTo: Infinity, bar: 120, tick: 1800, label: 3600 }];
const KEYS = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -30, PageUp: 30 });

export class TimeStrip {
  /** @param {HTMLElement} root @param {Ports} ports */
  constructor(root, ports) {
    this.root = root;
    this.ports = ports;
    this.width = 0;
    this.dragging = false;
    this.unit = "call";
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("aria-hidden", "true");
    this.tip = h("p.tip", { hidden: true, testid: "time-tip" });
    this.rail = h("div.rail", { role: "slider", tabindex: 0, testid: "time-slider", "aria-label": "Moment", "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0, "aria-valuetext": "now" }, this.svg, this.tip);
    this.clock = h("strong.mono", { testid: "time-clock" });
    this.words = h("span.hint", { testid: "time-words" });
    this.said = h("span.visually-hidden", { role: "status", testid: "time-said" });
    fill(root, this.steps(), this.rail, h("div.when", {}, this.clock, this.words, this.said), this.jumps());
    this.pill = this.told();
    byId("picture").append(this.pill);
    this.listen();
    root.hidden = false;
  }

  steps() {
    const button = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ testid, /** @type {() => void} */ onclick) =>
      h("button.square", { "aria-label": label, title: label, testid, onclick }, icon(name));
    this.toggle = h("button", { testid: "time-unit", onclick: () => this.setUnit(this.unit === "call" ? "change" : "call") });
    this.setUnit("call");
    return h("div.group", { role: "group", "aria-label": "Steps" }, button("back", "Step back (,)", "time-back", () => this.ports.step(-1)),
      button("next", "Step forward (.)", "time-forward", () => this.ports.step(1)), this.toggle);
  }

  /** @param {"call"|"change"} unit */
  setUnit(unit) {
    this.unit = unit;
    const words = unit === "call" ? "connection" : "event";
    const toggle = /** @type {HTMLElement} */ (this.toggle);
    toggle.textContent = `by ${words}`;
    toggle.title = unit === "call" ? "A step is one connection; press for changes of the cluster" : "A step is one change of the cluster; press for connections";
    this.ports.unit(unit);
  }

  jumps() {
    this.present = /** @type {HTMLButtonElement} */ (h("button", { testid: "time-now", title: "Jump to now (l)", onclick: () => this.ports.now() }, "Jump to now"));
    this.flag = h("button.square", { testid: "bookmarks", "aria-label": "Bookmarks", title: "Bookmarks (b adds one)", "aria-haspopup": "dialog", onclick: () => this.ports.marks(/** @type {HTMLElement} */ (this.flag)) }, icon("flag"));
    this.recorder = h("button.square", { testid: "record", "aria-label": "Recording", title: "Recording", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => this.ports.record(/** @type {HTMLElement} */ (this.recorder)) }, icon("record"));
    return h("div.group", {}, this.present, this.flag, this.recorder);
  }

  /** What the picture shows instead of the present, and how to go on from there. */
  told() {
    this.sentence = h("span", { testid: "time-told" });
    this.tracing = h("button", { testid: "time-trace", hidden: true, title: "Follow the connection that was stepped to", onclick: () => this.ports.trace() }, icon("trace"), "Trace it");
    this.resume = h("button", { testid: "time-resume", hidden: true, title: "Play on from this moment, behind the present", onclick: () => this.ports.resume() }, icon("play"), "Resume here");
    return h("div.past", { hidden: true, testid: "past", role: "group", "aria-label": "The past" }, this.sentence, this.tracing, this.resume);
  }

  listen() {
    const { rail } = this;
    new ResizeObserver(() => { this.width = (rail.clientWidth * TALLNESS) / rail.clientHeight; this.draw(); }).observe(rail);
    rail.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.dragging = true;
      rail.setPointerCapture(event.pointerId);
      this.ports.scrub(this.timeAt(event), false);
    });
    rail.addEventListener("pointermove", (event) => {
      this.point(event);
      if (this.dragging) this.ports.scrub(this.timeAt(event), false);
    });
    const drop = (/** @type {PointerEvent} */ event) => {
      if (!this.dragging) return;
      this.dragging = false;
      this.ports.scrub(this.timeAt(event), true);
    };
    rail.addEventListener("pointerup", drop);
    rail.addEventListener("pointercancel", drop);
    rail.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    rail.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { time, oldest, to } = this.ports.view();
    if (event.key === "Escape" && !this.tip.hidden) this.tip.hidden = true;
    else if (event.key === "Home") this.ports.scrub(oldest, true);
    else if (event.key === "End") this.ports.now();
    else if (event.key in KEYS) this.ports.scrub(Math.max(oldest, Math.min(to, time + KEYS[event.key])), true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {PointerEvent} event @returns {number} */
  timeAt(event) {
    const { from, to, oldest } = this.ports.view();
    const box = this.rail.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    return Math.max(oldest, from + share * (to - from));
  }

  /** The numbers behind the bar under the pointer. @param {PointerEvent} event */
  point(event) {
    const { from, to, oldest } = this.ports.view();
    const box = this.rail.getBoundingClientRect();
    const x = event.clientX - box.left;
    const time = from + (x / box.width) * (to - from);
    const { bar } = scaleOf(to - from);
    const start = Math.floor(time / bar) * bar;
    this.tip.textContent = time < oldest ? `before ${wall(oldest)}: not kept` : `${wall(start)}${bar > 1 ? ` to ${wall(start + bar)}` : ""} · ${numbers(this.ports.density.sum(start, start + bar))}`;
    this.tip.hidden = x < 0 || x > box.width;
    this.tip.style.left = `${Math.max(0, Math.min(box.width - this.tip.offsetWidth, x - this.tip.offsetWidth / 2))}px`;
  }

  /** @param {string} words read out once */
  say(words) {
    this.said.textContent = words;
  }

  /** Everything that time changes. */
  draw() {
    const view = this.ports.view();
    this.label(view);
    if (!this.width || document.hidden) return;
    const scale = this.width / (view.to - view.from);
    const x = (/** @type {number} */ time) => (time - view.from) * scale;
    const { bar: long } = scaleOf(view.to - view.from);
    const bars = this.ports.density.bars(Math.max(view.from, view.oldest), view.to, long);
    const most = Math.max(4 * long, ...bars.map((bar) => bar.ok + bar.refused + bar.dropped));
    const up = (/** @type {number} */ count) => (count ? Math.max(2, TALL * Math.sqrt(count / most)) : 0);
    const down = (/** @type {number} */ count) => (count ? Math.max(3, DEEP * Math.sqrt(count / most)) : 0);
    const shape = (/** @type {(bar: any) => string} */ of) => bars.map(of).join("");
    const rect = (/** @type {any} */ bar, /** @type {number} */ y, /** @type {number} */ tall) => {
      const left = Math.max(0, x(bar.from));
      const right = Math.min(this.width, x(bar.to) - 1.5);
      return tall && right > left ? `M${left.toFixed(1)} ${y.toFixed(1)}H${right.toFixed(1)}v${tall.toFixed(1)}H${left.toFixed(1)}z` : "";
    };
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${TALLNESS}`);
    this.svg.replaceChildren(...this.ground(view, x),
      path("unwatched", bars.filter((bar) => !bar.watched).map((bar) => `M${Math.max(0, x(bar.from)).toFixed(1)} ${BASE}H${x(bar.to).toFixed(1)}`).join("")),
      path("calls", shape((bar) => rect(bar, BASE - up(bar.ok), up(bar.ok)))),
      path("failed", shape((bar) => rect(bar, BASE + 1.5, down(bar.refused + bar.dropped)))),
      path("warned", shape((bar) => (bar.warnings ? `M${x((bar.from + bar.to) / 2).toFixed(1)} 0l4 6.5h-8z` : ""))),
      ...this.ports.bookmarks().filter((mark) => mark.time >= view.from && mark.time <= view.to).map((mark) => path("mark", `M${x(mark.time).toFixed(1)} 0v${BASE}M${x(mark.time).toFixed(1)} 0h8l-2.5 3.5 2.5 3.5h-8`)),
      path("head", `M${x(view.time).toFixed(1)} 0v36`), circle(x(view.time), BASE));
  }

  /** What is not kept, the minutes, and the time of day. @param {View} view @param {(time: number) => number} x */
  ground(view, x) {
    const parts = [];
    if (view.oldest > view.from + 1) parts.push(path("missing", `M0 4h${Math.max(0, x(view.oldest)).toFixed(1)}v${BASE - 2}H0z`));
    const { tick, label } = scaleOf(view.to - view.from);
    let ticks = "";
    for (let at = Math.ceil(view.from / tick) * tick; at < view.to; at += tick) ticks += `M${x(at).toFixed(1)} ${BASE}v${at % label ? 4 : 8}`;
    parts.push(path("ticks", `M0 ${BASE + 0.5}H${this.width}${ticks}`));
    for (let at = Math.ceil(view.from / label) * label; at < view.to; at += label) {
      if (x(at) > 34 && x(at) < this.width - 34) parts.push(text(x(at), wall(at).slice(0, label % 60 ? 8 : 5)));
    }
    return parts;
  }

  /** @param {View} view */
  label(view) {
    const past = view.recorded ? `${clockOf(view.time - view.from)} of ${clockOf(view.to - view.from)}` : ago(view.to - view.time);
    const words = view.away ? past : view.held ? `paused, ${past}` : view.reason || "live";
    if (view.recorded) set(/** @type {HTMLElement} */ (this.present), "To the end");
    this.root.dataset.away = view.away ? "yes" : "no";
    this.pill.hidden = !view.away && !view.held;
    set(/** @type {HTMLElement} */ (this.sentence), view.recorded ? `Recording of ${view.recorded}, ${wall(view.time)}` : view.held ? `The picture stands at ${wall(view.time)}; space jumps to now` : `You look at ${wall(view.time)}, ${past}; live goes on`);
    set(this.clock, wall(view.time, view.held || (view.away && !view.playing) ? 1 : 0));
    set(this.words, words);
    this.words.title = words;
    /** @type {HTMLButtonElement} */ (this.present).disabled = !view.away && !view.held;
    /** @type {HTMLElement} */ (this.resume).hidden = view.playing;
    const { bar } = scaleOf(view.to - view.from);
    const second = Math.floor(view.time / bar) * bar;
    this.rail.setAttribute("aria-valuemin", String(Math.round(view.oldest - view.to)));
    this.rail.setAttribute("aria-valuemax", "0");
    this.rail.setAttribute("aria-valuenow", String(Math.round(view.time - view.to)));
    this.rail.setAttribute("aria-valuetext", `${wall(view.time)}, ${past}; ${numbers(this.ports.density.sum(second, second + bar))}`);
  }
}

/** @param {number} seconds the strip is long */
function scaleOf(seconds) {
  return SCALES.find((one) => seconds <= one.upTo) ?? SCALES[SCALES.length - 1];
}

/** @param {import("../model/density.js").Bar} bar @returns {string} */
export function numbers(bar) {
  const count = (/** @type {number} */ n, /** @type {string} */ one) => `${n} ${one}${n === 1 ? "" : "s"}`;
  const failed = [bar.refused ? `${bar.refused} refused` : "", bar.dropped ? `${bar.dropped} dropped` : "", bar.warnings ? count(bar.warnings, "warning") : ""].filter(Boolean);
  if (!bar.watched) return ["nobody watched, no connections were opened", ...failed].join(", ");
  return [count(bar.ok + bar.refused + bar.dropped, "connection"), ...failed].join(", ");
}

/** @param {number} seconds @returns {string} `2:05` */
function clockOf(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/** @param {HTMLElement} element @param {string} words */
function set(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** @param {string} name @param {string} d */
function path(name, d) {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("class", name);
  element.setAttribute("d", d);
  return element;
}

/** @param {number} x @param {number} y */
function circle(x, y) {
  const element = document.createElementNS(SVG, "circle");
  for (const [name, value] of Object.entries({ class: "knob", cx: x.toFixed(1), cy: y, r: 5.5 })) element.setAttribute(name, String(value));
  return element;
}

/** @param {number} x @param {string} words */
function text(x, words) {
  const element = document.createElementNS(SVG, "text");
  element.setAttribute("x", x.toFixed(1));
  element.setAttribute("y", "46");
  element.textContent = words;
  return element;
}
