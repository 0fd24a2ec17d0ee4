/** A lesson in a room: the teacher's turns move the class, a student's predictions are votes. */
import { t } from "../model/words.js";
import { RoomSocket, places } from "../net/room.js";
import { RoomStrip, asksForName } from "../panels/room.js";
import { toast } from "../panels/toasts.js";

/** ms between two looks at what the teacher looks at */
const LOOK = 250;

/** @typedef {{select: string, trace: number, camera: number[]|null, pen?: number[][], spot?: number[]|null}} Scene what a teacher looks at and points at */

/**
 * @typedef {object} Page what the page of the lesson lends
 * @property {string} code
 * @property {string} qr
 * @property {string} desk
 * @property {import("../net/lessons.js").LessonApi} api
 * @property {(turn: string, number?: number, from?: () => import("../model/lessonplace.js").Run) => Promise<void>} turn asks the lesson itself
 * @property {() => {view: any}|null} told
 * @property {() => Scene} looking
 * @property {(scene: Scene) => void} look
 */

export class Attendance {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    const kept = places.of(page.code);
    this.key = kept.key ?? "";
    this.token = kept.token ?? "";
    /** @type {any} */ this.you = null;
    /** @type {any} */ this.state = null;
    /** @type {any} */ this.scene = null;
    this.teacher = Boolean(this.key);
    this.seen = "";
    /** How many places the page is still on its way to. */
    this.behind = 0;
    /** The words the class had when this person last followed it: who then chose others keeps them. */
    this.depth = "";
    this.left = false;
    this.strip = new RoomStrip({ code: page.code, qr: page.qr, desk: page.desk, teacher: this.teacher, say: (message) => this.say(message), join: () => this.join(), copy: () => this.break() });
    this.socket = new RoomSocket(page.code, { hello: () => this.hello(), hear: (message) => this.hear(message), lost: () => this.strip.lost(), over: () => this.over() });
    if (this.teacher) setInterval(() => this.share(), LOOK);
    else if (!this.token) this.join();
  }

  hello() {
    if (this.teacher) return { type: "teach", key: this.key };
    return this.token ? { type: "back", token: this.token } : null;
  }

  /** @param {string} [wrong] why the last name could not be had */
  join(wrong = "") {
    asksForName(this.page.code, wrong, (name) => this.say({ type: "join", name }));
  }

  /** @param {import("../net/room.js").Message} message */
  say(message) {
    if (!this.socket.say(message)) toast("The room does not answer; this is tried again.", "bad");
  }

  /** @param {any} message */
  hear(message) {
    if (message.type === "you") this.known(message);
    else if (message.type === "state") this.moved(message);
    else if (message.type === "tally") this.strip.tally(message, this.page.told()?.view.question ?? null, this.state?.place.step);
    else if (message.type === "scene") this.shown(message);
    else if (message.type === "error") this.refused(message);
    else if (message.type === "out" || message.type === "closed") this.ended(t(message.message));
  }

  /** @param {any} you */
  known(you) {
    const back = this.you?.around && !you.around;
    const other = JSON.stringify(this.you?.votes) !== JSON.stringify(you.votes);
    this.you = you;
    this.token = you.token;
    places.keep(this.page.code, { token: you.token });
    this.strip.you(you);
    if (back || (other && this.state)) this.follow();
  }

  /** @param {any} state */
  moved(state) {
    const moved = JSON.stringify(state.place) !== JSON.stringify(this.state?.place);
    const given = state.copies && !this.state?.copies && !this.teacher && this.you && !this.page.api.run.copy;
    this.state = state;
    if (moved) this.scene = null;
    this.strip.state(state, this.you);
    if (given) this.break();
    else if (moved && !this.you?.around) this.follow();
  }

  /** Into a copy of one's own of the cluster that the class looks at. */
  async break() {
    this.say({ type: "around", around: true });
    await this.page.turn("copy", 0, () => this.place());
  }

  /** The teacher sees who does something with their copy. @param {string[]|null} copy what was done to it */
  changed(copy) {
    if (!this.teacher && this.you && this.state?.copies && copy && !this.left) this.say({ type: "copied", changes: copy.length });
  }

  /** To where the class is when its turn comes, with what this person predicted. */
  async follow() {
    this.behind += 1;
    await this.page.turn("", 0, () => this.place()).finally(() => { this.behind -= 1; });
    // The class then sees what this teacher's page shows of the new place.
    this.seen = "";
    if (this.scene) this.shown(this.scene);
    this.strip.redraw(this.page.told()?.view.question ?? null);
  }

  place() {
    const { depth: mine } = this.page.api.run;
    const depth = this.depth && !this.teacher && mine !== this.depth ? mine : this.state.place.depth;
    if (depth === this.state.place.depth) this.depth = depth;
    return { ...this.state.place, depth, answers: this.you?.votes ?? {}, copy: null };
  }

  /** @param {any} scene */
  shown(scene) {
    this.scene = scene;
    if (!this.teacher && !this.you?.around && !this.behind) this.page.look(scene);
  }

  /** The class sees what the teacher looks at. */
  share() {
    const now = this.page.looking();
    const text = JSON.stringify(now);
    if (text === this.seen || !this.state || this.behind) return;
    this.seen = text;
    this.socket.say({ type: "scene", ...now });
  }

  /** @param {{code: string, message: string}} error */
  refused(error) {
    if (["name", "taken", "locked", "full"].includes(error.code)) return this.join(error.message);
    if (error.code === "gone") {
      places.forget(this.page.code);
      this.token = "";
      return this.join();
    }
    return toast(error.message, "bad");
  }

  /** @param {string} why */
  ended(why) {
    this.left = true;
    places.forget(this.page.code);
    this.strip.ended(why);
  }

  over() {
    this.ended(t("This room is closed. The lesson goes on alone."));
  }

  /** Whether a turn is the person's own business. @param {string} turn */
  alone(turn) {
    return Boolean(this.left || turn === "" || (!this.teacher && this.you?.around && turn !== "predict") || ["copy", "undo"].includes(turn) || (turn === "leave" && this.page.api.run.copy) || ["novice", "operator", "kernel"].includes(turn) && !this.teacher);
  }

  /** @param {string} turn @param {number} [number] */
  turn(turn, number = 0) {
    if (this.teacher) {
      if (turn !== "predict") this.say({ type: "turn", turn, number });
    } else if (turn === "predict") this.say({ type: "vote", step: this.page.api.run.step - 1, choice: number });
    else toast(this.state?.free ? t("The teacher leads. Look around to go on alone.") : t("The teacher leads the class."));
  }
}
