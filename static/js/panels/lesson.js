/** The panel of a lesson: where we are, the question, the answer with its reason, the facts, what-ifs, the end. */
import { t } from "../model/words.js";
import { byId, fill, h } from "./dom.js";

/** @typedef {{text: string, ask: string, wrong: string[], question: Record<string, string>}} FactSeen */
/**
 * @typedef {object} Ports
 * @property {(turn: string, number?: number) => void} turn
 * @property {(step: number) => void} goTo a step, from 1
 * @property {(question: Record<string, string>) => void} follow a packet
 * @property {(ref: string) => void} look at an object
 * @property {(deed: string) => void} deed done to the copy
 */

export const LETTERS = "ABCDEFGH";

export class LessonPanel {
  /** @param {Ports} ports @param {{title: string, goal: string, after: string, afterTitle: string, list: string, beliefs: string[]}} page */
  constructor(ports, page) {
    this.ports = ports;
    this.page = page;
    this.box = byId("lesson");
  }

  /** @param {any} told an answer of `at` */
  draw(told) {
    const { view } = told;
    const focused = this.box.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.testid : "";
    fill(this.box, this.head(told), h("div.lesson-body", { testid: "lesson-body", tabindex: "0", role: "region", "aria-label": t("Text of the step") }, this.body(told)), this.foot(view));
    const again = focused && /** @type {HTMLButtonElement|null} */ (this.box.querySelector(`[data-testid="${focused}"]:not(:disabled)`));
    if (again) again.focus({ preventScroll: true });
    else if (focused) /** @type {HTMLElement|null} */ (this.box.querySelector('[data-testid="next"]:not(:disabled), [data-testid="back"]'))?.focus({ preventScroll: true });
  }

  /** @param {any} told */
  head({ view, titles }) {
    return h("header.lesson-head", {},
      h("ol.dots", { "aria-label": t("Steps") }, titles.map((/** @type {string} */ title, /** @type {number} */ i) => h("li", {},
        h("button.dot", { testid: `step-${i + 1}`, "aria-label": t("Step {n}: {title}", { n: i + 1, title }), title, "aria-current": i === view.step ? "step" : false, onclick: () => this.ports.goTo(i + 1) }, String(i + 1))))),
      h("h2", { testid: "step-title" }, view.title));
  }

  /** @param {any} told */
  body(told) {
    const { view, rulebook, score } = told;
    const open = view.phase === "asked" || view.phase === "answered";
    return [
      view.copy ? this.copied(view.copy) : view.fork === null ? this.question(view) : this.forked(view),
      open || view.fork !== null || view.copy ? null : h("p.say", { testid: "say", role: "status" }, view.say),
      told.other ? h("p", {}, h("button", { testid: "follow-other", onclick: () => this.ports.follow(told.other) }, t("Follow {from} → {to}", { from: told.other.from, to: told.other.to }))) : null,
      this.facts(view.fork === null ? t("What holds now") : t("Then"), view.facts),
      rules(rulebook),
      view.fork === null && !view.copy ? this.whatIfs(view) : null,
      open || view.copy ? null : h("section", {}, h("h3", {}, t("Try it yourself")), h("p.hint", {}, t("A copy of this cluster, for you alone: break it and see which of these facts still hold.")),
        h("p", {}, h("button", { testid: "copy", onclick: () => this.ports.turn("copy") }, t("A copy to break")))),
      view.last && view.fork === null && !view.copy ? this.end(view, score) : null,
    ];
  }

  /** @param {any} view */
  question(view) {
    const { question } = view;
    if (!question) return null;
    const done = view.phase === "revealed";
    return h("section.question", { testid: "question" },
      h("h3", { id: "asked" }, question.question),
      h("ol.choices", { "aria-labelledby": "asked" }, question.choices.map((/** @type {string} */ text, /** @type {number} */ i) => (
        done && i !== question.right && i !== question.chosen ? null : h("li", {}, this.choice(question, text, i, done))))),
      done ? this.verdict(question) : h("p.hint", {}, question.refs.some(Boolean) ? t("Choose here, with a number key, or in the picture.") : t("Choose here, or with a number key.")));
  }

  /** @param {any} question @param {string} text @param {number} i @param {boolean} done */
  choice(question, text, i, done) {
    const mark = !done ? LETTERS[i] : i === question.right ? "✓" : i === question.chosen ? "✗" : LETTERS[i];
    return h("button.choice", { testid: `choice-${i}`, disabled: done, "aria-pressed": String(question.chosen === i),
      data: { state: !done ? "" : i === question.right ? "right" : i === question.chosen ? "wrong" : "" }, onclick: () => this.ports.turn("predict", i) },
      h("span.letter", { "aria-hidden": "true" }, mark), h("span", {}, text),
      done && i === question.right ? h("span.visually-hidden", {}, ` (${t("this is so")})`) : null);
  }

  /** @param {any} question */
  verdict(question) {
    const [tone, word] = question.chosen === null ? ["none", t("This is so")] : question.chosen === question.right ? ["right", t("Right")] : ["wrong", t("Not so")];
    return h("div.reveal", { data: { tone }, testid: "reveal", role: "status" },
      h("p", {}, h("strong", { testid: "reveal-word" }, word), h("span.visually-hidden", {}, `: ${question.choices[question.right]}`)),
      h("p", { testid: "why" }, question.why));
  }

  /** @param {any} view */
  forked(view) {
    return h("section.fork", { testid: "fork" }, h("p.kind", {}, t("what if")), h("h3", {}, view.whatif[view.fork]),
      h("p.say", { testid: "fork-why", role: "status" }, view.fork_why),
      h("button", { testid: "leave", onclick: () => this.ports.turn("leave") }, t("Back to the lesson")));
  }

  /** @param {{deeds: string[], full: boolean}} copy */
  copied({ deeds, full }) {
    return h("section.fork", { testid: "in-copy" }, h("p.kind", {}, t("your own copy")), h("h3", {}, deeds.length ? t("What you did") : t("Break it")),
      deeds.length ? h("ol.deeds", { testid: "deeds" }, deeds.map((deed) => h("li.mono", {}, deed))) : null,
      h("p.hint", { role: "status" }, full ? t("That is all a copy takes; undo something, or begin anew.") : t("Select a pod, a node, a Service or a policy in the picture: what can be done to it stands beside it.")),
      h("p.actions", {}, h("button", { testid: "copy-wait", disabled: full, onclick: () => this.ports.deed("wait") }, t("Let 10 seconds pass")),
        h("button", { testid: "copy-undo", disabled: !deeds.length, onclick: () => this.ports.turn("undo") }, t("Undo")),
        h("button", { testid: "copy-anew", disabled: !deeds.length, onclick: () => this.ports.turn("copy") }, t("Begin anew"))),
      h("button", { testid: "leave", onclick: () => this.ports.turn("leave") }, t("Back to the lesson")));
  }

  /** @param {string} title @param {FactSeen[]} facts */
  facts(title, facts) {
    return facts.length ? h("section", {}, h("h3", {}, title), h("ul.held", { testid: "facts-held" }, facts.map((fact) => h("li", { data: { holds: fact.wrong.length ? "no" : "yes" } },
      h("span.mark", { "aria-hidden": "true" }, fact.wrong.length ? "✗" : "✓"), h("span", {}, fact.text || fact.ask || t("This holds"), fact.wrong.length ? h("span.wrong", {}, fact.wrong.join("; ")) : null),
      fact.question?.from ? h("button.chip", { testid: "follow", "aria-label": t("Follow the packet: {fact}", { fact: fact.text || fact.ask }), title: fact.ask, onclick: () => this.ports.follow(fact.question) }, t("Follow")) : null)))) : null;
  }

  /** @param {any} view */
  whatIfs(view) {
    return view.whatif.length ? h("section", {}, h("h3", {}, t("What if …")), h("ul.whatifs", {}, view.whatif.map((/** @type {string} */ text, /** @type {number} */ i) => h("li", {},
      h("button.whatif", { testid: `whatif-${i}`, onclick: () => this.ports.turn("fork", i) }, text))))) : null;
  }

  /** @param {any} view @param {{asked: number, answered: number, right: number}|null} score */
  end(view, score) {
    const { beliefs, after, afterTitle, list } = this.page;
    return h("section.end", { testid: "end" }, h("h3", {}, t("The end")),
      h("p.say", {}, this.page.goal),
      score?.asked ? h("p", { testid: "score" }, t("You predicted {right} of {asked} right.", { right: score.right, asked: score.asked })) : null,
      this.facts(t("The cluster now"), view.end),
      beliefs.length ? [h("h3", {}, t("You have seen that these are wrong")), h("ul.beliefs", {}, beliefs.map((one) => h("li", {}, h("del", {}, one))))] : null,
      h("p.actions", {}, after ? h("a.button.strong", { href: after, testid: "next-lesson" }, t("Next: {title}", { title: afterTitle })) : null,
        list ? h("a.button", { href: list }, t("All lessons")) : null, h("button", { testid: "reset", onclick: () => this.ports.turn("reset") }, t("From the beginning"))));
  }

  /** @param {any} view */
  foot(view) {
    const asked = view.phase === "asked" || view.phase === "answered";
    const label = view.phase === "answered" ? t("Reveal") : asked ? t("Show the answer") : t("Next");
    return h("footer.lesson-foot", {},
      h("button", { testid: "back", disabled: view.first, onclick: () => this.ports.turn("back"), title: t("Page Up") }, t("Back")),
      h("button.strong", { testid: "next", disabled: view.last, onclick: () => this.ports.turn("forward"), title: t("Page Down") }, view.last ? t("The end") : label));
  }
}

/** @param {Record<string, string>} rulebook */
function rules(rulebook) {
  const ids = Object.keys(rulebook);
  return ids.length ? h("details.rulebook", { testid: "lesson-rules" }, h("summary.hint", {}, t("rests on {rules}", { rules: ids.join(", ") })),
    h("ul.plain-list", {}, ids.map((id) => h("li", {}, h("span.mono", {}, id), " ", rulebook[id])))) : null;
}
