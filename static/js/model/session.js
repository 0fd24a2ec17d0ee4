/** The conversation with the server: snapshot, then diffs; resume after a loss, resync after a gap. */

/** @typedef {"connecting"|"live"|"reconnecting"} Status */
/**
 * @typedef {object} Ports
 * @property {() => Promise<{ok: boolean, body: any}>} snapshot
 * @property {(fresh: boolean) => void} loaded the store holds a whole new picture
 * @property {(message: any) => void} deliver a `state` or `traffic` message in order
 * @property {(status: Status, words: string) => void} status
 * @property {(editor: boolean) => void} editor
 * @property {(message: any) => void} [say] to the server
 */

export class Session {
  /** @param {import("./store.js").Store} store @param {Ports} ports */
  constructor(store, ports) {
    this.store = store;
    this.ports = ports;
    this.fetching = false;
    /** @type {any[]} messages that came while the snapshot was on its way */
    this.held = [];
    this.head = { epoch: 0, seq: 0 };
    this.wasLost = false;
    /** whether the page shows the past: the store is not ours then, and whoever comes back asks `resync` */
    this.away = false;
    /** @type {string[]} */
    this.watched = [];
  }

  /** @returns {{epoch: number, seq: number}|null} where to resume */
  position() {
    return this.head.epoch ? { ...this.head } : null;
  }

  lost() {
    this.wasLost = true;
    this.ports.status(this.head.epoch ? "reconnecting" : "connecting", this.head.epoch ? "reconnecting…" : "connecting…");
  }

  /** @param {any} message */
  hear(message) {
    if (message.type === "hello") return this.hello(message);
    if (message.type === "resync") return this.resync(message.reason);
    if (message.type !== "state" && message.type !== "traffic") return undefined;
    if (this.fetching) return this.hold(message);
    return this.follow(message);
  }

  /** Who is not resumed knows nothing of what came meanwhile, also where we asked too late. @param {any} hello */
  hello(hello) {
    this.ports.editor(hello.editor);
    if (this.watched.length) this.ports.say?.({ type: "watch", ids: this.watched });
    if (hello.resumed) return this.back(hello.seq - this.head.seq);
    return this.resync(this.head.epoch ? "the connection was lost" : "");
  }

  /** @param {number} missed */
  back(missed) {
    this.wasLost = false;
    this.ports.status("live", missed > 0 ? `back, ${missed} ${missed === 1 ? "change" : "changes"} missed` : "back");
  }

  /** While the snapshot is on its way: of traffic only new routes are kept, for they are told once. @param {any} message */
  hold(message) {
    if (message.type === "state") this.held.push(message);
    else if (message.routes.length) this.held.push({ ...message, calls: [], mass: null });
  }

  /** @param {any} message */
  follow(message) {
    if (message.type === "state") {
      if (message.epoch === this.head.epoch && message.seq <= this.head.seq) return;
      if (message.epoch !== this.head.epoch || message.base !== this.head.seq) return void this.resync("a change went missing", message);
      this.head.seq = message.seq;
    } else if (message.epoch !== this.head.epoch) return;
    this.ports.deliver(message);
  }

  /** Fetches the whole picture; what arrives meanwhile waits and is applied on top of it. */
  async resync(/** @type {string} */ reason, /** @type {any} */ first = null) {
    if (first) this.hold(first);
    if (this.fetching) return;
    this.fetching = true;
    const answer = await this.ports.snapshot();
    if (answer.ok && answer.body.form === "mass") await this.store.prepare(answer.body);
    this.fetching = false;
    if (!answer.ok) return void this.failed(answer.body.error);
    const fresh = answer.body.epoch !== this.head.epoch;
    const before = this.head.seq;
    this.head = { epoch: answer.body.epoch, seq: answer.body.seq };
    if (!this.away) {
      this.store.load(answer.body);
      this.ports.loaded(fresh && before === 0);
    }
    const held = this.held;
    this.held = [];
    for (const message of held) if (message.epoch === this.head.epoch && (message.type === "traffic" || message.seq > this.head.seq)) this.follow(message);
    if (this.wasLost && before) this.back(fresh ? 0 : Math.max(0, this.head.seq - before));
    else this.ports.status("live", reason && before ? "brought up to date" : "");
    this.wasLost = false;
  }

  /** What is looked at closely from now on; said again after a loss. @param {string[]} ids */
  watch(ids) {
    this.watched = ids;
    this.store.watch(ids);
    this.ports.say?.({ type: "watch", ids });
  }

  /** @param {string} error */
  failed(error) {
    this.ports.status("reconnecting", error);
    setTimeout(() => this.resync("the snapshot failed"), 2000);
  }
}
