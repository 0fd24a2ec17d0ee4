/** What a room adds to a lesson: its code, who is here, how the class predicted, and a way to look around. */
import { t } from "../model/words.js";
import { openDialog } from "./dialog.js";
import { byId, fill, h } from "./dom.js";
import { LETTERS } from "./lesson.js";

/**
 * Asks for a nickname until one is accepted.
 * @param {string} code @param {string} wrong @param {(name: string) => void} join
 */
export function asksForName(code, wrong, join) {
  const name = /** @type {HTMLInputElement} */ (h("input", { id: "nickname", testid: "nickname", required: true, maxlength: 20, autocomplete: "off", autofocus: true, "aria-describedby": wrong ? "nickname-wrong" : false, "aria-invalid": wrong ? "true" : false }));
  const dialog = openDialog(t("Join room {code}", { code }), [h("form", { method: "dialog", onsubmit: () => join(name.value) },
    h("p", {}, h("label", { for: "nickname" }, t("A name for the teacher to see"))), h("p", {}, name),
    wrong ? h("p.wrong", { id: "nickname-wrong", role: "alert", testid: "nickname-wrong" }, wrong) : null,
    h("p.hint", {}, t("Other students do not see it, and it is forgotten when the room closes.")),
    h("footer", {}, h("button.strong", { testid: "join" }, t("Join"))))], { testid: "join-dialog" });
  dialog.addEventListener("cancel", (event) => event.preventDefault());
}

/** @param {number} until by this page's clock @returns {string} */
export function timeTo(until) {
  const seconds = Math.ceil((until - performance.now()) / 1000);
  return seconds > 0 ? t("{time} to predict", { time: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` }) : t("Time is up");
}

export class RoomStrip {
  /** @param {{code: string, qr: string, desk: string, teacher: boolean, say: (message: any) => void, join: () => void, copy: () => void}} ports `copy` leads into a copy of one's own */
  constructor(ports) {
    this.ports = ports;
    this.box = byId("room");
    this.over = false;
    /** @type {any} */ this.ruled = null;
    /** @type {any} */ this.person = null;
    /** @type {any} */ this.told = null;
    /** @type {any} */ this.question = null;
    this.word = "";
    /** When the time to predict is over, by this page's clock; 0 is never. */
    this.until = 0;
    setInterval(() => this.tick(), 500);
    this.draw();
  }

  lost() {
    this.word = t("The connection is lost; your place is kept.");
    this.draw();
  }

  /** @param {any} you */
  you(you) {
    this.word = "";
    this.person = you;
    this.draw();
  }

  /** @param {any} state @param {any} you */
  state(state, you) {
    this.word = "";
    this.ruled = state;
    this.until = state.seconds === null ? 0 : performance.now() + state.seconds * 1000;
    this.person = you;
    this.draw();
  }

  /** @param {any} tally @param {any} question of the place that is shown @param {number} step */
  tally(tally, question, step) {
    this.told = tally.step + 1 === step ? tally : null;
    this.redraw(question);
  }

  /** @param {any} question */
  redraw(question) {
    this.question = question;
    this.draw();
  }

  /** @param {string} why */
  ended(why) {
    if (!this.over) this.word = why;
    this.over = true;
    this.draw();
  }

  draw() {
    const focused = this.box.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.testid : "";
    byId("column").dataset.led = this.person && !this.person.around && !this.over ? "yes" : "no";
    fill(this.box, this.histogram(), h("div.room-line", {}, this.word ? h("p", { role: "status", testid: "room-word" }, this.word) : this.ports.teacher ? this.teacher() : this.student()), this.paused());
    if (focused) /** @type {HTMLElement|null} */ (this.box.querySelector(`[data-testid="${focused}"]`))?.focus();
  }

  teacher() {
    const { told, ruled, ports } = this;
    return [
      h("button.strong.room-code", { testid: "room-invite", title: t("How to join"), onclick: () => this.invite() }, ports.code),
      h("span.hint", { testid: "room-count" }, told ? t("{count} here", { count: told.of }) : ""),
      h("span.grow"),
      h("button", { testid: "room-dim", "aria-pressed": String(Boolean(ruled?.dimmed)), onclick: () => ports.say({ type: "rule", dimmed: !ruled?.dimmed }) }, t("Pause class")),
      h("a.button", { href: ports.desk, target: "desk", testid: "room-desk" }, t("Desk")),
    ];
  }

  student() {
    const { person, ruled, ports } = this;
    if (!person) return [h("span.hint.grow", {}, t("Room {code}", { code: ports.code })), h("button.strong", { testid: "room-join", onclick: ports.join }, t("Join the class"))];
    return [
      h("span.hint", { testid: "room-name" }, t("{name} in room {code}", { name: person.name, code: ports.code })), h("span.grow"),
      h("button", { testid: "room-lost", "aria-pressed": String(person.lost), onclick: () => ports.say({ type: "lost", lost: !person.lost }) }, t("I am lost")),
      ruled?.copies && !person.around ? h("button.strong", { testid: "room-copy", onclick: ports.copy }, t("My copy")) : null,
      person.around ? h("button.strong", { testid: "room-rejoin", onclick: () => ports.say({ type: "around", around: false }) }, t("Rejoin class"))
        : h("button", { testid: "room-around", disabled: !ruled?.free, onclick: () => ports.say({ type: "around", around: true }) }, t("Look around")),
    ];
  }

  /** How the class predicted: a count until the reveal, then a bar for each choice. */
  histogram() {
    const { told, question } = this;
    if (!told || !question || this.over) return null;
    if (!told.counts) {
      return h("p.room-votes", {}, h("span", { role: "status", testid: "room-votes" }, t("{voted} of {all} predicted", { voted: told.voted, all: told.of })),
        this.until ? h("span.room-time", { role: "timer", testid: "room-time" }, timeTo(this.until)) : null);
    }
    const most = Math.max(1, ...told.counts);
    return h("ol.bars", { testid: "room-bars", "aria-label": t("How the class predicted") }, told.counts.map((/** @type {number} */ count, /** @type {number} */ i) => (
      h("li", { data: { right: question.right === i ? "yes" : "no" } },
        h("span.letter", { "aria-hidden": "true" }, question.right === i ? "✓" : LETTERS[i]),
        h("span.visually-hidden", {}, `${question.choices[i]}: `),
        h("meter", { min: 0, max: most, value: count, "aria-hidden": "true" }), h("span.mono", {}, String(count))))));
  }

  tick() {
    const time = this.until && this.box.querySelector(".room-time");
    if (time) time.textContent = timeTo(this.until);
  }

  paused() {
    return this.ruled?.dimmed && !this.ports.teacher && !this.over ? h("p.room-paused", { role: "status", testid: "room-paused" }, t("The class is paused. Look at your teacher.")) : null;
  }

  invite() {
    const { code, qr } = this.ports;
    openDialog(t("Join this class"), [h("div.invite", {}, h("img", { src: qr, alt: t("QR code of {address}", { address: location.href }), width: 320, height: 320 }),
      h("div", {}, h("p.hint", {}, `${location.host}/room/`), h("p.invite-code", { testid: "invite-code" }, code)))], { testid: "invite", wide: true });
  }
}
