/** The parts of the teacher's desk. */
import { confirmed } from "./dialog.js";
import { byId, fill, h } from "./dom.js";
import { LETTERS } from "./lesson.js";

/** @typedef {{number: number, name: string, here: boolean, around: boolean, lost: boolean, voted: boolean}} Person */

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
    setInterval(() => this.tick(), 1000);
  }

  /** @param {any} message */
  hear(message) {
    if (message.type === "script") this.script = message;
    else if (message.type === "state") this.state = message;
    else if (message.type === "tally") this.tally = message;
    else if (message.type === "people") this.people = message.people;
    else if (message.type === "closed") this.over = message.message;
    if (this.over) this.word(this.over);
    else if (this.script && this.state) this.draw();
  }

  /** @param {string} text */
  word(text) {
    fill(this.box, h("p", { role: "status", testid: "desk-word" }, text), h("p", {}, h("a.button", { href: this.ports.list }, "All lessons")));
  }

  tick() {
    const seconds = Math.round((Date.now() - this.began) / 1000);
    const clock = this.box.querySelector(".clock");
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
    return h("section.box.desk-now", { "aria-label": "Now" },
      h("p.hint", {}, `Step ${at + 1} of ${steps.length} · `, h("span.clock", { testid: "clock" }, "0:00")), h("h2", { testid: "desk-title" }, step.title),
      h("p.notes", { testid: "desk-notes" }, step.notes || (at === 0 && notes) || "No notes for this step."),
      open ? [h("p", {}, h("strong", {}, step.question)), h("ol.plain-list", {}, step.choices.map((/** @type {string} */ one, /** @type {number} */ i) => h("li", {}, h("strong", {}, `${LETTERS[i]} `), one)))] : null,
      step.question && tally ? h("p", { testid: "desk-votes", role: "status" }, tally.counts ? `Predicted: ${tally.counts.map((/** @type {number} */ count, /** @type {number} */ i) => `${LETTERS[i]} ${count}`).join(", ")}` : `${tally.voted} of ${tally.of} predicted`) : null,
      h("p.actions", {}, h("button", { testid: "desk-back", onclick: () => ports.say({ type: "turn", turn: "back" }) }, "Back"),
        h("button.strong", { testid: "desk-next", onclick: () => ports.say({ type: "turn", turn: "forward" }) }, open ? "Reveal" : "Next")));
  }

  /** @param {number} at */
  next(at) {
    const step = this.script.steps[at + 1];
    return h("section.box", { "aria-label": "Next" }, h("h2", {}, "Next"),
      step ? [h("p", { testid: "desk-next-title" }, h("strong", {}, step.title)), step.question ? h("p", {}, `Asks: ${step.question}`) : null, step.notes ? h("p.notes", {}, step.notes) : null] : h("p", {}, "This is the last step."));
  }

  rules() {
    const { state, ports } = this;
    const rule = (/** @type {string} */ name, /** @type {string} */ words, /** @type {boolean} */ on, /** @type {boolean} */ value) => (
      h("button", { testid: `desk-${name}`, "aria-pressed": String(on), onclick: () => ports.say({ type: "rule", [name]: value }) }, words));
    return h("section.box", { "aria-label": "Room" }, h("h2", {}, "Room"), h("p.actions", {},
      rule("locked", "Lock the door", state.locked, !state.locked),
      rule("free", "Keep the class together", !state.free, !state.free),
      rule("dimmed", "Pause the class", state.dimmed, !state.dimmed),
      h("a.button", { href: ports.url, target: "wall" }, "Open for the wall"),
      h("button.danger", { testid: "desk-close", onclick: async () => {
        if (await confirmed("Close the room?", "Everybody is sent out. Names and predictions are forgotten.", "Close")) ports.say({ type: "close" });
      } }, "Close the room")));
  }

  who() {
    const here = this.people.filter((one) => one.here).length;
    const lost = this.people.filter((one) => one.lost).length;
    return h("section.box.desk-people", { "aria-label": "Students" }, h("h2", { testid: "desk-here" }, `${here} here${lost ? `, ${lost} lost` : ""}`),
      this.people.length ? h("ul.people", {}, [...this.people].sort((a, b) => Number(b.lost) - Number(a.lost) || a.number - b.number).map((one) => this.person(one)))
        : h("p.hint", {}, "Nobody yet. The code stands on the wall."));
  }

  /** @param {Person} one */
  person(one) {
    const signs = [one.lost && "lost", !one.here && "away", one.around && "looking around", one.voted && "predicted"].filter(Boolean);
    return h("li", { testid: `person-${one.number}`, data: { lost: one.lost ? "yes" : "no" } }, h("span", {}, one.name), h("span.hint.grow", {}, signs.join(", ")),
      h("button", { testid: `rename-${one.number}`, "aria-label": `Rename ${one.name}`, title: `Guest ${one.number}`, onclick: () => this.ports.say({ type: "rename", number: one.number, name: `Guest ${one.number}` }) }, "Rename"),
      h("button", { testid: `remove-${one.number}`, "aria-label": `Remove ${one.name}`, onclick: () => this.ports.say({ type: "remove", number: one.number }) }, "Remove"));
  }
}
