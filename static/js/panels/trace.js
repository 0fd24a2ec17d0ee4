/** The trace panel: hops as a timeline along the bottom, one decision in words, all details beside it. */
import { beats, flagOf } from "../model/walk.js";
import { shortName } from "./describe.js";
import { byId, fill, h, icon } from "./dom.js";
import { headerPanels } from "./headers.js";

/**
 * @typedef {object} Ports
 * @property {(trace: any, beat: import("../model/walk.js").Beat|null, index: number, all: import("../model/walk.js").Beat[]) => void} light
 * @property {(ref: string) => void} select
 * @property {(question: Record<string, string>) => void} again asks the same with another draw
 * @property {() => void} closed
 */

export class TracePanel {
  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    this.strip = byId("trace");
    this.side = byId("side");
    this.level = localStorage.getItem("clusterviz.level") === "operator" ? "operator" : "novice";
    /** @type {any[]} */
    this.stack = [];
    this.at = 0;
    /** @type {import("../model/walk.js").Beat[]} */
    this.all = [];
  }

  get open() {
    return this.stack.length > 0;
  }

  /** @param {any} trace @param {Record<string, string>|null} question */
  show(trace, question) {
    this.stack = [{ trace, cause: "" }];
    this.question = question;
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
    fill(this.side, this.details(beat));
    this.side.scrollTop = top;
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
    return [
      h("header", {}, h("div", {}, h("span.kind", {}, beat?.reply ? "reply" : "forward", beat?.hop.node ? ` on ${beat.hop.node}` : ""), h("h2", { testid: "trace-title" }, beat?.title ?? "no hop")),
        this.stack.length > 1 ? h("button", { testid: "trace-parent", onclick: () => { this.stack.pop(); this.start(); } }, "Back to the first packet") : null),
      h("p", { testid: "trace-summary" }, trace.summary),
      beat ? h("ol.steps", { testid: "trace-steps" }, beat.steps.map((step) => this.step(step, step === beat.step))) : null,
      beat ? headerPanels(beat.starts ? beat.hop.headers_in : [], beat.ends || beat.hop.headers_in.length === 0 ? beat.hop.headers_out : middle(beat), beat.hop.owners ?? {}) : null,
      this.list("What stops it", trace.blockers, (/** @type {any} */ b) => h("li", {}, h("strong", {}, b.rule || b.verdict.replaceAll("_", " ")), " ", b.why)),
      this.list("Needed first", trace.children, (/** @type {any} */ child) => h("li", {},
        h("button", { testid: "trace-child", onclick: () => { this.stack.push(child); this.start(); } }, child.cause, h("span.hint", {}, child.trace.verdict.replaceAll("_", " "))))),
      this.list("Sessions the kernel remembers", trace.sessions, (/** @type {any} */ s) => h("li.mono", {}, `${s.node}: ${s.orig} · reply ${s.reply}`)),
      trace.reverse.length ? null : h("p.hint", {}, trace.reverse_reason || "There is no reply."),
      this.list("Taken for granted", trace.assumptions, (/** @type {any} */ a) => h("li", {}, a.text)),
      this.question && this.stack.length === 1 ? h("button", { testid: "trace-again", onclick: () => this.redraw() }, "Draw again (another connection)") : null,
    ];
  }

  redraw() {
    const question = { .../** @type {Record<string, string>} */ (this.question) };
    question.seed = String(Number(question.seed ?? 0) + 1);
    this.ports.again(question);
  }

  /** @param {string} title @param {any[]} items @param {(item: any) => Node} make */
  list(title, items, make) {
    return items?.length ? h("section", {}, h("h3", {}, title), h("ul.plain-list", {}, items.map(make))) : null;
  }

  /** @param {any} step @param {boolean} main */
  step(step, main) {
    const { rule } = step;
    return h("li", { class: main ? "main" : "", data: { action: step.action } }, h("div", {}, h("strong", {}, step.action.replaceAll("_", " ")), h("span.hint", {}, [step.hook, step.component].filter(Boolean).join(" · "))),
      h("p", {}, step.explain[this.level]),
      rule ? h("p.rule", { testid: "trace-rule" }, h("code", {}, rule.text || rule.name), h("span.hint", {}, [rule.made_by && `written by ${rule.made_by}`, rule.path].filter(Boolean).join(" · ")),
        rule.ref ? h("button.chip", { title: rule.ref, onclick: () => this.ports.select(rule.ref) }, h("span.cut", {}, shortName(rule.ref))) : null) : null,
      rule?.rules.length ? rulebook(rule.rules, this.trace.rules) : null,
      step.candidates.length ? candidates(step.candidates) : null,
      step.considered.map((/** @type {any} */ c) => h("p.hint", {}, `${c.rule}: ${c.why}`)),
      step.command && this.level === "operator" ? h("pre.command", {}, step.command) : null);
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

/** The numbered rules of a real cluster that a step follows. @param {string[]} ids @param {Record<string, string>} texts */
function rulebook(ids, texts) {
  return h("details.rulebook", { testid: "trace-rules" }, h("summary.hint", {}, `as a real cluster does: ${ids.join(", ")}`),
    h("ul.plain-list", {}, ids.map((id) => h("li", {}, h("span.mono", {}, id), " ", texts[id] ?? ""))));
}

/** @param {any[]} all */
function candidates(all) {
  return h("table.candidates", { testid: "trace-candidates" }, h("tbody", {}, all.map((one) => h("tr", { class: one.picked ? "picked" : "" },
    h("td", {}, one.picked ? "●" : ""), h("td", {}, one.pod ? shortName(one.pod) : one.address), h("td.mono", {}, `${one.address}:${one.port}`),
    h("td.number", {}, one.probability ? `${Math.round(one.probability * 1000) / 10} %` : one.why || "0 %")))));
}
