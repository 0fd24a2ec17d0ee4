/** The parts of the teacher's desk. */
import { t } from "../model/words.js";
import { confirmed } from "./dialog.js";
import { byId, fill, h } from "./dom.js";
import { LETTERS } from "./lesson.js";
import { timeTo } from "./room.js";

/** @typedef {{number: number, name: string, here: boolean, around: boolean, lost: boolean, voted: boolean, changes: number|null}} Person */

export class Desk {
  /** @param {{say: (message: any) => void, url: string, list: string}} ports */
  constructor(ports) {
    this.ports = ports;
    this.box = byId("desk-body");
    this.began = Date.now();
    /** @type {any} */ this.script = null;
    /** @type {any} */ this.state = null;
    /** @type {any} */ this.tally = null;
    /** @type {Person[]} */ this.people = [];
    this.over = "";
    this.until = 0;
    setInterval(() => this.tick(), 1000);
  }

  /** @param {any} message */
  hear(message) {
    if (message.type === "script") this.script = message;
    else if (message.type === "state") {
      this.state = message;
      this.until = message.seconds === null ? 0 : performance.now() + message.seconds * 1000;
    }
    else if (message.type === "tally") this.tally = message;
    else if (message.type === "people") this.people = message.people;
    else if (message.type === "closed") this.over = message.message;
    if (this.over) this.word(this.over);
    else if (this.script && this.state) this.draw();
  }

  /** @param {string} text */
  word(text) {
    fill(this.box, h("p", { role: "status", testid: "desk-word" }, text), h("p", {}, h("a.button", { href: this.ports.list }, t("All lessons"))));
  }

  tick() {
    const seconds = Math.round((Date.now() - this.began) / 1000);
    const clock = this.box.querySelector(".clock");
    const time = this.until && this.box.querySelector(".room-time");
    if (time) time.textContent = timeTo(this.until);
    if (clock) clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  draw() {
    const focused = this.box.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.testid : "";
    const at = this.state.place.step - 1;
    fill(this.box, this.now(at), this.next(at), this.rules(), this.who());
    if (focused) /** @type {HTMLElement|null} */ (this.box.querySelector(`[data-testid="${focused}"]:not(:disabled)`))?.focus();
    this.tick();
  }

  /** @param {number} at */
  now(at) {
    const { steps, notes } = this.script;
    const step = steps[at];
    const { state, tally, ports } = this;
    const open = !state.place.done && step.question;
    return h("section.box.desk-now", { "aria-label": t("Now") },
      h("p.hint", {}, `${t("Step {n} of {all}", { n: at + 1, all: steps.length })} · `, h("span.clock", { testid: "clock" }, "0:00")), h("h2", { testid: "desk-title" }, step.title),
      h("p.notes", { testid: "desk-notes" }, step.notes || (at === 0 && notes) || t("No notes for this step.")),
      open ? [h("p", {}, h("strong", {}, step.question)), h("ol.plain-list", {}, step.choices.map((/** @type {string} */ one, /** @type {number} */ i) => h("li", {}, h("strong", {}, `${LETTERS[i]} `), one)))] : null,
      step.question && tally ? h("p", { testid: "desk-votes", role: "status" }, tally.counts ? t("Predicted: {counts}", { counts: tally.counts.map((/** @type {number} */ count, /** @type {number} */ i) => `${LETTERS[i]} ${count}`).join(", ") }) : t("{voted} of {all} predicted", { voted: tally.voted, all: tally.of })) : null,
      open ? this.limits() : null,
      h("p.actions", {}, h("button", { testid: "desk-back", onclick: () => ports.say({ type: "turn", turn: "back" }) }, t("Back")),
        h("button.strong", { testid: "desk-next", onclick: () => ports.say({ type: "turn", turn: "forward" }) }, open ? t("Reveal") : t("Next"))));
  }

  /** The time for a question; it can be given anew, and taken away. */
  limits() {
    const { ports, until } = this;
    const limit = (/** @type {number} */ seconds, /** @type {string} */ words) => h("button", { testid: `desk-limit-${seconds}`, onclick: () => ports.say({ type: "rule", seconds }) }, words);
    return h("p.actions", { role: "group", "aria-label": t("Time to predict") }, limit(30, t("{n} s to predict", { n: 30 })), limit(60, t("{n} s to predict", { n: 60 })),
      until ? [limit(0, t("No limit")), h("span.room-time", { role: "timer", testid: "desk-time" }, timeTo(until))] : null);
  }

  /** @param {number} at */
  next(at) {
    const step = this.script.steps[at + 1];
    return h("section.box", { "aria-label": t("Next") }, h("h2", {}, t("Next")),
      step ? [h("p", { testid: "desk-next-title" }, h("strong", {}, step.title)), step.question ? h("p", {}, t("Asks: {question}", { question: step.question })) : null, step.notes ? h("p.notes", {}, step.notes) : null] : h("p", {}, t("This is the last step.")));
  }

  rules() {
    const { state, ports } = this;
    const rule = (/** @type {string} */ name, /** @type {string} */ words, /** @type {boolean} */ on, /** @type {boolean} */ value) => (
      h("button", { testid: `desk-${name}`, "aria-pressed": String(on), onclick: () => ports.say({ type: "rule", [name]: value }) }, words));
    return h("section.box", { "aria-label": t("Room") }, h("h2", {}, t("Room")), h("p.actions", {},
      rule("locked", t("Lock the door"), state.locked, !state.locked),
      rule("free", t("Keep the class together"), !state.free, !state.free),
      rule("copies", t("Give each a copy to break"), state.copies, !state.copies),
      rule("dimmed", t("Pause the class"), state.dimmed, !state.dimmed),
      h("a.button", { href: ports.url, target: "wall" }, t("Open for the wall")),
      h("button.danger", { testid: "desk-close", onclick: async () => {
        if (await confirmed(t("Close the room?"), t("Everybody is sent out. Names and predictions are forgotten."), t("Close"))) ports.say({ type: "close" });
      } }, t("Close the room"))));
  }

  who() {
    const here = this.people.filter((one) => one.here).length;
    const lost = this.people.filter((one) => one.lost).length;
    return h("section.box.desk-people", { "aria-label": t("Students") }, h("h2", { testid: "desk-here" }, lost ? t("{count} here, {lost} lost", { count: here, lost }) : t("{count} here", { count: here })),
      this.people.length ? h("ul.people", {}, [...this.people].sort((a, b) => Number(b.lost) - Number(a.lost) || a.number - b.number).map((one) => this.person(one)))
        : h("p.hint", {}, t("Nobody yet. The code stands on the wall.")));
  }

  /** @param {Person} one */
  person(one) {
    const signs = [one.lost && t("lost"), !one.here && t("away"), one.around && t("looking around"), one.voted && t("predicted"), one.changes !== null && t("{count} changes in the copy", { count: one.changes })].filter(Boolean);
    return h("li", { testid: `person-${one.number}`, data: { lost: one.lost ? "yes" : "no" } }, h("span", {}, one.name), h("span.hint.grow", {}, signs.join(", ")),
      h("button", { testid: `rename-${one.number}`, "aria-label": t("Rename {name}", { name: one.name }), title: t("Guest {n}", { n: one.number }), onclick: () => this.ports.say({ type: "rename", number: one.number, name: t("Guest {n}", { n: one.number }) }) }, t("Rename")),
      h("button", { testid: `remove-${one.number}`, "aria-label": t("Remove {name}", { name: one.name }), onclick: () => this.ports.say({ type: "remove", number: one.number }) }, t("Remove")));
  }
}
