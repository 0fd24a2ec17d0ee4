/** Recording: start and stop, or what happened just now, as one file. Loaded when it is wanted. */
import { span, wall } from "../model/moments.js";
import { MOST, traceLine, write } from "../model/recording.js";
import { hash, pack } from "../net/gzip.js";
import { copy } from "./copy.js";
import { shortName } from "./describe.js";
import { fileName, save } from "./download.js";
import { openMenu } from "./menu.js";

/** @typedef {import("../net/past.js").Line} Line */
/**
 * @typedef {object} Ports
 * @property {string} cluster
 * @property {import("../desk/timeline.js").Source} source
 * @property {import("../net/http.js").Api} api
 * @property {(text: string, tone?: "good"|"bad") => void} toast
 * @property {() => number} now
 * @property {() => number} oldest
 * @property {(asked: {time: number, question: Record<string, string>}) => void} follow shows a recorded trace at its moment
 * @property {HTMLElement} root shows that it records
 */

const MINUTES = [1, 5];
const WHOLE = 15;
const TRACES = 12;
const NAME = 11;
const ENDING = ".clusterviz.gz";
const OPEN = { label: "Open a recording", testid: "record-open", run: () => { location.href = "/replay/"; } };
/** ms between two looks for more while recording. */
const PACE = 10000;

export class RecordMenu {
  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    /** @type {Take|null} */
    this.take = null;
    this.timer = 0;
  }

  /** @param {HTMLElement} owner */
  open(owner) {
    const box = owner.getBoundingClientRect();
    const at = { x: box.right - 270, y: box.top };
    if (this.ports.source.fixed) return void openMenu([this.again(), this.asked(), [OPEN]], { label: "Recording", testid: "record-menu", owner, at });
    const kept = this.ports.now() - this.ports.oldest();
    const running = this.take;
    openMenu([
      [running ? { label: `Stop and download (${Math.round(this.ports.now() - running.from)} s)`, testid: "record-stop", run: () => this.stop() }
        : { label: "Start recording", testid: "record-start", run: () => this.start() }],
      [...MINUTES.filter((minutes) => minutes * 60 < kept).map((minutes) => ({ label: `Download the last ${minutes} min`, testid: `record-last-${minutes}`, run: () => this.last(minutes) })),
        { label: `Download all that is kept (${span(kept)})`, testid: "record-all", run: () => this.last(WHOLE) }],
      [OPEN],
    ], { label: "Recording", testid: "record-menu", owner, at });
    return undefined;
  }

  /** What can be done with a recording that is played. @returns {import("./menu.js").Item[]} */
  again() {
    const { text = "", sum = "", fixed } = this.ports.source;
    const name = fileName(this.ports.cluster, ENDING, new Date((fixed?.from ?? 0) * 1000));
    return [{ label: "Download it again", testid: "record-again", run: async () => save(name, await pack(text)) },
      { label: sum ? `SHA-256 ${sum.slice(0, 12)}… copy` : "SHA-256 needs https", testid: "record-hash", run: sum ? () => copy(sum, "SHA-256 of the lines") : undefined, why: "This browser hashes only on secure pages" }];
  }

  /** The traces a recording holds. @returns {import("./menu.js").Item[]} */
  asked() {
    const ends = (/** @type {any} */ trace) => [trace.waypoints[0], trace.waypoints[trace.waypoints.length - 1]].map((point) => cut(shortName(point?.ref ?? ""))).join(" → ");
    return (this.ports.source.traces ?? []).slice(0, TRACES).map((one) => ({ label: `${wall(one.time)} ${ends(one.trace)}`, testid: "record-trace", run: () => this.ports.follow(one) }));
  }

  async start() {
    const { ports } = this;
    const take = new Take(ports.source, ports.now());
    this.take = take;
    ports.root.dataset.recording = "yes";
    ports.api.traced = (question, trace) => take.traces.push(traceLine(ports.api.at ?? ports.now(), question, trace));
    await take.more(ports.now());
    this.timer = setInterval(async () => {
      await take.more(ports.now());
      if (take.full) this.stop();
    }, PACE);
  }

  async stop() {
    const { take, ports } = this;
    if (!take) return;
    this.take = null;
    clearInterval(this.timer);
    ports.api.traced = null;
    delete ports.root.dataset.recording;
    await this.give(take);
  }

  /** @param {number} minutes */
  last(minutes) {
    const now = this.ports.now();
    return this.give(new Take(this.ports.source, Math.max(this.ports.oldest(), now - minutes * 60)));
  }

  /** @param {Take} take */
  async give(take) {
    const { cluster, now, toast } = this.ports;
    const to = now();
    await take.more(to);
    if (!take.lines.length) return toast("There is nothing to record: no history is kept here.", "bad");
    const text = write({ cluster, from: take.from, to: Math.min(to, take.reaches) }, take.lines, take.traces);
    const name = fileName(cluster, ENDING);
    save(name, await pack(text));
    const sum = await hash(text);
    return toast(`${name}${take.full ? `, cut at ${MOST / 2 ** 20} MB` : ""}${take.gap ? ", with a gap: part of it was forgotten before it was fetched" : ""}. ${sum ? `SHA-256 of its lines: ${sum.slice(0, 16)}…` : ""}`);
  }
}

/** @param {string} name @returns {string} */
function cut(name) {
  return name.length > NAME ? `${name.slice(0, NAME - 1)}…` : name;
}

/** What is recorded so far. */
class Take {
  /** @param {import("../desk/timeline.js").Source} source @param {number} from */
  constructor(source, from) {
    this.source = source;
    this.from = from;
    this.reaches = from;
    this.size = 0;
    this.full = false;
    this.gap = false;
    /** @type {number|null} */
    this.last = null;
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Line[]} */
    this.traces = [];
    /** @type {Promise<void>} one look after the other */
    this.looking = Promise.resolve();
  }

  /** Everything up to a moment. @param {number} to */
  more(to) {
    this.looking = this.looking.then(() => this.fetch(to));
    return this.looking;
  }

  /** @param {number} to */
  async fetch(to) {
    for (let more = true; more && !this.full;) {
      const piece = this.last === null ? await this.source.piece(this.from, to) : await this.source.after(this.last, to);
      if (piece?.gap) this.gap = true;
      if (!piece || piece.gap) return;
      for (const line of piece.lines) this.add(line);
      this.last = piece.last;
      more = piece.more;
      if (!more) this.reaches = Math.max(this.reaches, to);
    }
  }

  /** @param {Line} line */
  add(line) {
    if (this.size + line.text.length > MOST) this.full = true;
    if (this.full) return;
    this.size += line.text.length;
    this.reaches = Math.max(this.reaches, line.time);
    this.lines.push(line);
  }
}
