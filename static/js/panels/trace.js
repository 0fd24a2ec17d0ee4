/** The trace panel: hops as a timeline along the bottom, one decision in words; beside it this hop, or the whole answer. */
import { beats, flagOf } from "../model/walk.js";
import { byId, fill, h, icon } from "./dom.js";
import { headerPanels } from "./headers.js";
import { wholeAnswer } from "./traceanswer.js";
import { stepItem } from "./tracestep.js";
import { wear } from "./wear.js";

/**
 * @typedef {object} Ports
 * @property {(trace: any, beat: import("../model/walk.js").Beat|null, index: number, all: import("../model/walk.js").Beat[]) => void} light
 * @property {(ref: string) => void} select
 * @property {(question: Record<string, string>) => void} again asks the same with another draw
 * @property {(question: Record<string, string>) => Promise<{id: string, label: string, href: string}[]>} captures
 * @property {() => void} copyLink
 * @property {() => void} closed
 */

await wear("trace");

export class TracePanel {
  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    this.strip = byId("trace");
    this.side = byId("side");
    this.level = localStorage.getItem("clusterviz.level") === "operator" ? "operator" : "novice";
    /** @type {"hop"|"answer"} what the side shows */
    this.view = "hop";
    /** @type {any[]} */
    this.stack = [];
    this.at = 0;
    /** @type {import("../model/walk.js").Beat[]} */
    this.all = [];
  }

  get open() {
    return this.stack.length > 0;
  }

  /** @param {any} trace @param {Record<string, string>} question what was asked: two ends, or a connection */
  show(trace, question) {
    this.stack = [{ trace, cause: "" }];
    this.question = question;
    this.view = trace.success ? "hop" : "answer";
    this.start();
  }

  start() {
    this.all = beats(this.trace);
    this.strip.hidden = false;
    this.go(0);
    this.strip.querySelector("button")?.focus({ preventScroll: true });
  }

  get trace() {
    return this.stack[this.stack.length - 1].trace;
  }

  close() {
    if (!this.open) return;
    this.stack = [];
    fill(this.strip);
    this.strip.hidden = true;
    this.side.classList.remove("tracing");
    this.ports.light(null, null, 0, []);
    this.ports.closed();
  }

  /** @param {number} at */
  go(at) {
    this.at = Math.max(0, Math.min(this.all.length - 1, at));
    this.draw();
    this.shine();
  }

  /** Lights the hop up in the picture, which may have moved. */
  shine() {
    this.ports.light(this.trace, this.all[this.at] ?? null, this.at, this.all);
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the trace */
  key(event) {
    const moves = /** @type {Record<string, number>} */ ({ ArrowRight: 1, ArrowLeft: -1, PageDown: 1, PageUp: -1, " ": 1, Home: -1e6, End: 1e6 });
    if (event.key === " " && event.target instanceof Element && event.target.closest("summary")) return false;
    if (event.key === "Escape") this.close();
    else if (event.key in moves) this.go(this.at + moves[event.key]);
    else return false;
    return true;
  }

  draw() {
    const beat = this.all[this.at];
    fill(this.strip, this.verdict(), h("div.timeline", { testid: "timeline" }, h("ol", {}, this.all.map((one, i) => this.stop(one, i)))), this.caption(beat), this.controls());
    this.strip.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    this.side.hidden = false;
    this.side.classList.add("tracing");
    const top = this.side.scrollTop;
    const focused = this.side.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.testid : "";
    fill(this.side, this.details(beat));
    this.side.scrollTop = top;
    if (focused) /** @type {HTMLElement|null} */ (this.side.querySelector(`[data-testid="${focused}"]`))?.focus({ preventScroll: true });
  }

  /** @param {"hop"|"answer"} view */
  look(view) {
    this.view = view;
    this.side.scrollTop = 0;
    this.draw();
  }

  verdict() {
    const { verdict, symptom, success } = this.trace;
    return h("div.verdict", { data: { good: success ? "yes" : "no" }, testid: "trace-verdict", role: "status" },
      h("span.hint", {}, this.stack.length > 1 ? this.stack[this.stack.length - 1].cause : "verdict"),
      h("strong", {}, String(verdict).replaceAll("_", " ")), h("span.symptom", { title: symptom }, symptom));
  }

  /** @param {import("../model/walk.js").Beat} beat @param {number} i */
  stop(beat, i) {
    const here = i === this.at;
    return h("li", { data: { reply: beat.reply ? "yes" : "no", done: i <= this.at ? "yes" : "no", failed: beat.failed ? "yes" : "no" } },
      h("button", { testid: "trace-hop", "aria-current": here ? "step" : false, onclick: () => this.go(i), title: `${beat.title} ${beat.address}` },
        h("span.number", {}, String(i + 1)), h("span.what", {}, beat.title), h("span.mono", {}, beat.reply && !beat.address ? "reply" : beat.address)));
  }

  /** @param {import("../model/walk.js").Beat|undefined} beat */
  caption(beat) {
    const step = beat?.step;
    const flag = beat ? flagOf(beat) : null;
    return h("div.caption", { testid: "trace-caption", "aria-live": "polite" },
      h("p.sentence", {}, step ? step.explain[this.level] : "Nothing happened."),
      flag ? h("p.mono", {}, flag.after ? [h("del", {}, flag.before), " → ", h("ins", {}, flag.after)] : flag.before) : null,
      step?.rule ? h("p.mono.hint", {}, step.rule.name) : null);
  }

  controls() {
    const button = (/** @type {string} */ name, /** @type {string} */ label, /** @type {number} */ to, /** @type {string} */ testid) =>
      h("button.square", { "aria-label": label, title: label, testid, onclick: () => this.go(to) }, icon(name));
    const other = this.level === "novice" ? "operator" : "novice";
    return h("div.controls", {}, button("back", "One hop back (←)", this.at - 1, "trace-back"),
      h("span.mono", { testid: "trace-position" }, `${this.at + 1}/${this.all.length}`), button("next", "Next hop (→)", this.at + 1, "trace-next"),
      h("button", { testid: "trace-level", title: "Change the words", onclick: () => this.setLevel(other) }, `words: ${this.level}`),
      h("button.square", { "aria-label": "Close the trace (Esc)", title: "Close (Esc)", testid: "trace-close", onclick: () => this.close() }, icon("close")));
  }

  /** @param {string} level */
  setLevel(level) {
    this.level = level;
    localStorage.setItem("clusterviz.level", level);
    this.draw();
  }

  /** @param {import("../model/walk.js").Beat|undefined} beat */
  details(beat) {
    const { trace } = this;
    const inner = this.stack.length > 1;
    return [
      inner ? h("button", { testid: "trace-parent", onclick: () => { this.stack.pop(); this.start(); } }, "Back to the first packet") : null,
      h("div.views", { role: "group", "aria-label": "What is shown here" }, this.viewButton("hop", "This hop"), this.viewButton("answer", trace.success ? "Whole answer" : "What stops it")),
      this.view === "answer" && trace.blockers.length ? null : h("p", { testid: "trace-summary" }, trace.summary),
      this.view === "hop" ? this.hop(beat) : wholeAnswer(trace, this.does(inner)),
      this.canRedraw(inner) ? h("div.actions", {}, h("button", { testid: "trace-again", onclick: () => this.redraw() }, "Draw again (another connection)"),
        h("button", { testid: "trace-link", onclick: this.ports.copyLink }, "Copy link")) : null,
    ];
  }

  /** @param {"hop"|"answer"} view @param {string} label */
  viewButton(view, label) {
    return h("button", { testid: `trace-view-${view}`, "aria-pressed": String(this.view === view), onclick: () => this.look(view) }, label);
  }

  /** @param {import("../model/walk.js").Beat|undefined} beat */
  hop(beat) {
    if (!beat) return h("p.hint", {}, "No packet was sent.");
    const words = { level: this.level, rules: this.trace.rules, select: this.ports.select };
    return [
      h("header", {}, h("div", {}, h("span.kind", {}, beat.reply ? "reply" : "forward", beat.hop.node ? ` on ${beat.hop.node}` : ""), h("h2", { testid: "trace-title" }, beat.title))),
      h("ol.steps", { testid: "trace-steps" }, beat.steps.map((step) => stepItem(step, step === beat.step, words))),
      headerPanels(beat.starts ? beat.hop.headers_in : [], beat.ends || beat.hop.headers_in.length === 0 ? beat.hop.headers_out : middle(beat), beat.hop.owners ?? {}),
      this.trace.children.length ? h("section", {}, h("h3", {}, "Needed first"), h("ul.plain-list", {}, this.trace.children.map((/** @type {any} */ child) => h("li", {},
        h("button", { testid: "trace-child", onclick: () => this.enter(child) }, child.cause, h("span.hint", {}, child.trace.verdict.replaceAll("_", " "))))))) : null,
    ];
  }

  /** @param {boolean} inner @returns {import("./traceanswer.js").Does} */
  does(inner) {
    const question = /** @type {Record<string, string>} */ (this.question);
    return {
      select: this.ports.select,
      enter: (child) => this.enter(child),
      call: this.canRedraw(inner) ? (fix) => this.ports.again({ ...question, to: fix.value, protocol: fix.protocol }) : null,
      captures: inner ? null : () => this.ports.captures(question),
    };
  }

  /** @param {any} child */
  enter(child) {
    this.stack.push(child);
    this.start();
  }

  /** @param {boolean} inner */
  canRedraw(inner) {
    return !inner && "from" in /** @type {Record<string, string>} */ (this.question);
  }

  redraw() {
    const question = { .../** @type {Record<string, string>} */ (this.question) };
    question.seed = String(Number(question.seed ?? 0) + 1);
    this.ports.again(question);
  }
}

/** The stack between two beats of one hop: what came in, with what the first beat rewrote. */
function middle(/** @type {import("../model/walk.js").Beat} */ beat) {
  const diffs = beat.steps.flatMap((step) => step.diffs);
  return beat.hop.headers_in.map((/** @type {any} */ header) => {
    const changed = { ...header };
    for (const diff of diffs) if (diff.layer === header.layer && String(header[diff.field]) === diff.old) changed[diff.field] = diff.new;
    return changed;
  });
}
