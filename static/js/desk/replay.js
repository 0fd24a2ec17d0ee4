/** A recording instead of a server: asks for the file, then answers for it. Loaded on the page /replay/ alone. */
import { Density } from "../model/density.js";
import { wall } from "../model/moments.js";
import { MOST, read, RecordingError } from "../model/recording.js";
import { hash, unpack } from "../net/gzip.js";
import { takeOver } from "../net/handoff.js";
import { byId, fill, h } from "../panels/dom.js";

/** @typedef {import("../net/past.js").Line} Line */
/** @typedef {import("../net/http.js").Answer} Answer */

const GZIP = [0x1f, 0x8b];
const ALONE = "This is a recording: there is no server to ask. It holds the picture, what happened in it, and the traces that were asked while it was made.";

/** @param {Blob} file @returns {Promise<Replay>} @throws {RecordingError} */
export async function open(file) {
  const magic = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const packed = GZIP.every((byte, i) => magic[i] === byte);
  if (!packed && file.size > MOST) throw new RecordingError(`It is larger than ${MOST / 2 ** 20} MB.`);
  const text = packed ? await unpack(file, MOST + 2 ** 20).catch(() => "") : await file.text();
  if (text === null) throw new RecordingError(`It unpacks to more than ${MOST / 2 ** 20} MB.`);
  if (!text) throw new RecordingError("It is empty, or its compression is damaged.");
  return new Replay(text, await hash(text));
}

export class Replay {
  /** @param {string} text @param {string} sum SHA-256 of the lines */
  constructor(text, sum) {
    const { head, lines, traces } = read(text);
    this.text = text;
    this.sum = sum;
    this.head = head;
    this.lines = lines;
    this.traces = traces;
    this.fixed = { from: head.from, to: head.to };
    this.api = new ReplayApi(this);
  }

  async summary() {
    const density = new Density();
    for (const line of this.lines) {
      if (line.type === "keyframe") density.learn(line.message.snapshot.routes ?? []);
      else if (line.type !== "trace") density.hear(line.message);
    }
    return { now: this.head.to, oldest: this.head.from, seconds: this.head.to - this.head.from, cap: MOST, capped: false, size: this.text.length, buckets: [...density.buckets.values()] };
  }

  async piece() {
    return { now: this.head.to, oldest: this.head.from, gap: false, more: false, last: 0, lines: this.lines };
  }

  async after() {
    return null;
  }

  /** The page is a cluster's; only a greeting is missing. @param {import("../model/session.js").Session} session */
  greet(session) {
    const name = document.querySelector(".topbar .name");
    if (name) name.textContent = `${this.head.cluster} · recording`;
    const { epoch, seq, time } = this.lines[0].message.snapshot;
    queueMicrotask(() => session.hear({ type: "hello", protocol: 1, cluster: this.head.cluster, epoch, seq, time, editor: false, resumed: false }));
    return { received: this.lines.length, socket: null };
  }
}

/** The answers of docs/protocol.md as far as a recording has them. */
class ReplayApi {
  /** @param {Replay} replay */
  constructor(replay) {
    this.replay = replay;
    this.base = "";
    /** @type {number|null} */
    this.at = null;
    this.traced = null;
  }

  /** @returns {Promise<Answer>} */
  async snapshot() {
    return { ok: true, status: 200, body: this.replay.lines[0].message.snapshot };
  }

  /** @param {Record<string, string>} question @returns {Promise<Answer>} */
  async trace(question) {
    const same = (/** @type {any} */ one) => (question.connection ? one.question.connection === question.connection
      : ["from", "to", "protocol", "seed", "opened"].every((name) => (one.question[name] || "0") === (question[name] || "0")));
    const found = this.replay.traces.find(same);
    return found ? { ok: true, status: 200, body: found.trace } : this.nothing();
  }

  async captures() {
    return [];
  }

  /** @returns {Promise<Answer>} */
  async nothing() {
    return { ok: false, status: 503, body: { error: ALONE } };
  }

  object() { return this.nothing(); }
  entities() { return this.nothing(); }
  sums() { return this.nothing(); }
  search() { return this.nothing(); }
  layouts() { return this.nothing(); }
  keepLayout() { return this.nothing(); }
  texts() { return this.nothing(); }
  settings() { return this.nothing(); }
  changeSettings() { return this.nothing(); }
  act() { return this.nothing(); }
  importManifests() { return this.nothing(); }
}

/** @returns {Promise<Replay>} what somebody chose, dropped, or brought from another page */
export async function opened() {
  const brought = await takeOver();
  return new Promise((resolve) => {
    const wrong = h("p.wrong", { role: "alert", testid: "replay-error" });
    const box = byId("welcome");
    const take = async (/** @type {Blob|undefined} */ file) => {
      if (!file) return;
      wrong.textContent = "";
      try {
        const replay = await open(file);
        removeEventListener("drop", drop, true);
        removeEventListener("dragover", over, true);
        resolve(replay);
      } catch (error) {
        if (!(error instanceof RecordingError)) throw error;
        wrong.textContent = `This file cannot be opened. ${error.message}`;
      }
    };
    const over = (/** @type {DragEvent} */ event) => event.preventDefault();
    const drop = (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      take(event.dataTransfer?.files[0]);
    };
    addEventListener("drop", drop, true);
    addEventListener("dragover", over, true);
    fill(box, h("h2", {}, "Replay a recording"), h("p", {}, "Drop a .clusterviz.gz file here, or choose one. It is played in this browser and sent nowhere."),
      h("p", {}, h("input", { type: "file", accept: ".gz,.jsonl", "aria-label": "Recording", testid: "replay-file", onchange: (/** @type {any} */ event) => take(event.target.files[0]) })), wrong);
    box.hidden = false;
    take(brought ?? undefined);
  });
}

/** @param {Replay} replay @returns {string} */
export function titleOf({ head, lines, sum }) {
  const day = new Date(head.from * 1000).toLocaleDateString("en-CA");
  return `${head.cluster}, ${day} ${wall(head.from)} to ${wall(head.to)}, ${lines.length} lines${sum ? `, SHA-256 ${sum}` : ""}`;
}
