/** What a room adds to a lesson: its code, who is here, how the class predicted, and a way to look around. */
import { openDialog } from "./dialog.js";
import { byId, fill, h } from "./dom.js";
import { LETTERS } from "./lesson.js";

/**
 * Asks for a nickname until one is accepted.
 * @param {string} code @param {string} wrong @param {(name: string) => void} join
 */
export function asksForName(code, wrong, join) {
  const name = /** @type {HTMLInputElement} */ (h("input", { id: "nickname", testid: "nickname", required: true, maxlength: 20, autocomplete: "off", autofocus: true, "aria-describedby": wrong ? "nickname-wrong" : false, "aria-invalid": wrong ? "true" : false }));
  const dialog = openDialog(`Join room ${code}`, [h("form", { method: "dialog", onsubmit: () => join(name.value) },
    h("p", {}, h("label", { for: "nickname" }, "A name for the teacher to see")), h("p", {}, name),
    wrong ? h("p.wrong", { id: "nickname-wrong", role: "alert", testid: "nickname-wrong" }, wrong) : null,
    h("p.hint", {}, "Other students do not see it, and it is forgotten when the room closes."),
    h("footer", {}, h("button.strong", { testid: "join" }, "Join")))], { testid: "join-dialog" });
  dialog.addEventListener("cancel", (event) => event.preventDefault());
}

export class RoomStrip {
  /** @param {{code: string, qr: string, desk: string, teacher: boolean, say: (message: any) => void, join: () => void}} ports */
  constructor(ports) {
    this.ports = ports;
    this.box = byId("room");
    this.over = false;
    /** @type {any} */ this.ruled = null;
    /** @type {any} */ this.person = null;
    /** @type {any} */ this.told = null;
    /** @type {any} */ this.question = null;
    this.word = "";
    this.draw();
  }

  lost() {
    this.word = "The connection is lost; your place is kept.";
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
      h("button.strong.room-code", { testid: "room-invite", title: "How to join", onclick: () => this.invite() }, ports.code),
      h("span.hint", { testid: "room-count" }, told ? `${told.of} here` : ""),
      h("span.grow"),
      h("button", { testid: "room-dim", "aria-pressed": String(Boolean(ruled?.dimmed)), onclick: () => ports.say({ type: "rule", dimmed: !ruled?.dimmed }) }, "Pause class"),
      h("a.button", { href: ports.desk, target: "desk", testid: "room-desk" }, "Desk"),
    ];
  }

  student() {
    const { person, ruled, ports } = this;
    if (!person) return [h("span.hint.grow", {}, `Room ${ports.code}`), h("button.strong", { testid: "room-join", onclick: ports.join }, "Join the class")];
    return [
      h("span.hint", { testid: "room-name" }, `${person.name} in room ${ports.code}`), h("span.grow"),
      h("button", { testid: "room-lost", "aria-pressed": String(person.lost), onclick: () => ports.say({ type: "lost", lost: !person.lost }) }, "I am lost"),
      person.around ? h("button.strong", { testid: "room-rejoin", onclick: () => ports.say({ type: "around", around: false }) }, "Rejoin class")
        : h("button", { testid: "room-around", disabled: !ruled?.free, onclick: () => ports.say({ type: "around", around: true }) }, "Look around"),
    ];
  }

  /** How the class predicted: a count until the reveal, then a bar for each choice. */
  histogram() {
    const { told, question } = this;
    if (!told || !question || this.over) return null;
    if (!told.counts) return h("p.room-votes", { role: "status", testid: "room-votes" }, `${told.voted} of ${told.of} predicted`);
    const most = Math.max(1, ...told.counts);
    return h("ol.bars", { testid: "room-bars", "aria-label": "How the class predicted" }, told.counts.map((/** @type {number} */ count, /** @type {number} */ i) => (
      h("li", { data: { right: question.right === i ? "yes" : "no" } },
        h("span.letter", { "aria-hidden": "true" }, question.right === i ? "✓" : LETTERS[i]),
        h("span.visually-hidden", {}, `${question.choices[i]}: `),
        h("meter", { min: 0, max: most, value: count, "aria-hidden": "true" }), h("span.mono", {}, String(count))))));
  }

  paused() {
    return this.ruled?.dimmed && !this.ports.teacher && !this.over ? h("p.room-paused", { role: "status", testid: "room-paused" }, "The class is paused. Look at your teacher.") : null;
  }

  invite() {
    const { code, qr } = this.ports;
    openDialog("Join this class", [h("div.invite", {}, h("img", { src: qr, alt: `QR code of ${location.href}`, width: 320, height: 320 }),
      h("div", {}, h("p.hint", {}, `${location.host}/room/`), h("p.invite-code", { testid: "invite-code" }, code)))], { testid: "invite", wide: true });
  }
}
