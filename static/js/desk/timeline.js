/** Time: the strip, the player of the past behind it, bookmarks and recordings. Loaded right after the first picture. */
import { Density } from "../model/density.js";
import { ago, Bookmarks, wall } from "../model/moments.js";
import { Player } from "../model/player.js";
import { Past } from "../net/past.js";
import { shortName } from "../panels/describe.js";
import { byId } from "../panels/dom.js";
import { TimeStrip } from "../panels/timestrip.js";
import { notice, speedText, status } from "../panels/toolbar.js";

/**
 * @typedef {object} Source where the past comes from: the server, or a file
 * @property {{from: number, to: number}} [fixed] a recording: there is no present
 * @property {string} [text] its lines
 * @property {string} [sum] SHA-256 of them
 * @property {{time: number, question: Record<string, string>, trace: any}[]} [traces] those it holds
 * @property {() => Promise<import("../net/past.js").Summary|null>} summary
 * @property {(from: number, to: number) => Promise<import("../net/past.js").Piece|null>} piece
 * @property {(last: number, to: number) => Promise<import("../net/past.js").Piece|null>} after
 */
/**
 * @typedef {object} Desk what time needs of the page
 * @property {string} cluster
 * @property {import("../model/store.js").Store} store
 * @property {import("../net/http.js").Api} api
 * @property {import("../model/feed.js").Feed} feed
 * @property {import("../model/session.js").Session} session
 * @property {import("./signals.js").Signals} signals
 * @property {any} picture
 * @property {import("../model/series.js").Series} series
 * @property {ReturnType<typeof import("../panels/toolbar.js").toolbar>} bar
 * @property {(text: string, tone?: "good"|"bad") => void} toast
 * @property {(question: Record<string, string>) => void} follow
 * @property {() => void} remember
 * @property {() => string} link
 */

/** ms between two moments while playing, and between two looks at the strip. */
const PLAY = 100;
const LOOK = 1000;
/** ms between two drawings of the strip while playing. */
const REDRAW = 250;
/** ms: after a longer sleep time goes on where it was. */
const LONGEST = 2000;
/** ms a scrub waits for the pointer to rest before the server is asked. */
const SETTLE = 200;
/** Looks until the server's numbers are read again. */
const REREAD = 10;
const EFFECTS = /** @type {Record<string, string>} */ ({ allowed: "delivered", rewritten: "delivered, rewritten on the way" });
/** Seconds: nearer to the present than this is the present. */
const NEAR = 0.7;
/** s: the strip is as long as the first of these that holds what is kept. */
const LENGTHS = [60, 120, 300, 900];

/** @param {Desk} desk @param {Source|null} source null is the server @returns {TimeDesk} */
export function start(desk, source) {
  return new TimeDesk(desk, source ?? new Past(desk.cluster));
}

export class TimeDesk {
  /** @param {Desk} desk @param {Source} source */
  constructor(desk, source) {
    this.desk = desk;
    this.source = source;
    this.density = new Density();
    this.bookmarks = new Bookmarks(localStorage, source.fixed ? `${desk.cluster}@${source.fixed.from}` : desk.cluster);
    /** seconds the server's clock is before ours */
    this.offset = 0;
    this.oldest = 0;
    /** the moment of the newest message in the picture */
    this.shown = 0;
    this.reason = "";
    /** @type {"call"|"change"} */
    this.unit = "call";
    this.looks = 0;
    this.settling = 0;
    this.playing = 0;
    this.ticked = 0;
    this.drawn = 0;
    /** @type {string|null} the connection of the last step */
    this.stepped = null;
    /** @type {import("../panels/recordmenu.js").RecordMenu|null} */
    this.recorder = null;
    this.player = new Player({
      piece: (from, to) => source.piece(from, to), after: (last, to) => source.after(last, to), now: () => this.now(),
      stand: (moment, time) => this.stand(moment, time), apply: (message) => this.apply(message), single: (call) => this.single(call),
      changed: () => this.changed(), caughtUp: () => this.caughtUp(), near: source.fixed ? 0 : NEAR,
    });
    this.strip = new TimeStrip(byId("timestrip"), {
      view: () => this.view(), density: this.density, bookmarks: () => this.bookmarks.all, scrub: (time, settled) => this.scrub(time, settled),
      now: () => this.toNow(), resume: () => this.resume(), step: (way) => this.step(way), unit: (unit) => { this.unit = unit; },
      marks: (owner) => this.marks(owner, false), record: (owner) => this.record(owner),
      trace: () => { if (this.stepped) desk.follow({ connection: this.stepped }); },
    });
    desk.feed.passing = (message) => this.hear(message);
    desk.signals.on("loaded", () => this.density.learn(desk.store.routes.values()));
    this.density.learn(desk.store.routes.values());
    setInterval(() => this.look(), LOOK);
    this.read();
    if (source.fixed) this.player.go(source.fixed.from, true);
  }

  get away() {
    return this.player.away;
  }

  /** @returns {number|null} the moment that is shown, null is now */
  get at() {
    return this.away ? this.player.time : null;
  }

  /** @returns {number} the server's time, seconds since 1970 */
  now() {
    return this.source.fixed?.to ?? Date.now() / 1000 + this.offset;
  }

  /** @returns {import("../panels/timestrip.js").View} */
  view() {
    const to = this.now();
    const { fixed } = this.source;
    if (fixed) return { ...fixed, oldest: fixed.from, time: this.player.time, away: true, held: false, playing: this.player.playing, reason: "", recorded: this.desk.cluster };
    const whole = LENGTHS[LENGTHS.length - 1];
    const oldest = Math.max(this.oldest || to, to - whole);
    const held = !this.away && this.desk.feed.paused && this.shown > 0;
    return { from: to - (LENGTHS.find((length) => length >= to - oldest) ?? whole), to, oldest, time: this.away ? this.player.time : held ? this.shown : to, away: this.away, held, playing: this.player.playing, reason: this.reason, recorded: "" };
  }

  /** What the server has and counted. */
  async read() {
    const found = await this.source.summary();
    if (!found) return;
    this.offset = found.now - Date.now() / 1000;
    this.oldest = found.oldest ?? 0;
    this.density.load(found.buckets);
    const minutes = Math.floor((found.now - this.oldest) / 60);
    this.reason = found.capped ? `${minutes} min kept: ${Math.round(found.cap / 2 ** 20)} MB full` : "";
    this.strip.draw();
  }

  look() {
    this.looks += 1;
    if (document.hidden || this.source.fixed) return;
    if (this.away) this.changed();
    if (this.looks % REREAD === 0) this.read();
    else this.strip.draw();
  }

  /** Everything the server sends, also while the past is shown. @param {any} message */
  hear(message) {
    this.offset = message.time - Date.now() / 1000;
    this.density.hear(message);
    if (!this.away && !this.desk.feed.paused) this.shown = message.time;
  }

  /** @param {number} time @param {boolean} settled */
  scrub(time, settled) {
    clearTimeout(this.settling);
    const view = this.view();
    if (settled && view.to - time < 1 && !view.recorded) return void this.toNow();
    const go = () => this.go(time, settled);
    if (settled || this.player.kept(time)) return void go();
    this.settling = setTimeout(go, SETTLE);
  }

  /** Shows a moment, standing still. @param {number} time @param {boolean} [told] */
  async go(time, told = true) {
    this.forgetStep();
    notice("");
    if (!(await this.player.go(time, false))) return this.desk.toast(this.oldest ? `${wall(time)} is not kept: the history begins at ${wall(this.oldest)}.` : "No history is kept here.", "bad");
    if (told) this.arrived();
    return undefined;
  }

  arrived() {
    const { time } = this.player;
    this.strip.say(`You look at ${wall(time)}${this.source.fixed ? "" : `, ${ago(this.now() - time)}; live goes on`}`);
    this.desk.remember();
  }

  /** @param {import("../model/reel.js").Moment} moment @param {number} time */
  stand(moment, time) {
    const { store, session, feed, picture, api } = this.desk;
    if (!feed.away) feed.leave();
    session.away = true;
    api.at = time;
    store.load(moment.keyframe);
    for (const message of moment.states) store.state(message);
    for (const message of moment.traffic) {
      store.traffic(message);
      this.desk.series.add(message.time, message.totals?.flows ?? {});
    }
    session.ports.loaded(false);
    picture.paused = !this.player.playing;
    this.under(moment.recent, time);
  }

  /** Connections that were under way at that moment stand where they were. @param {any[]} recent @param {number} time */
  under(recent, time) {
    const { picture } = this.desk;
    recent.forEach((message, i) => {
      picture.addCalls(message.calls ?? [], 200);
      picture.packets.step(Math.max(0, (recent[i + 1]?.time ?? time) - message.time) * 1000, 1, false);
    });
    picture.redraw();
  }

  /** @param {any} message */
  apply(message) {
    this.desk.feed.sink.apply(message);
  }

  /** @param {[string, number, string]} call */
  single(call) {
    const { picture } = this.desk;
    picture.packets.clear();
    picture.single(call[0], call[2]);
  }

  changed() {
    const { player, strip, desk } = this;
    desk.api.at = this.at;
    if (player.away) status("past", player.playing ? `${wall(player.time)} · ${speedText(player.speed)}` : `paused ${wall(player.time)}`);
    desk.bar.show(player.away ? !player.playing : desk.feed.paused);
    desk.picture.paused = player.away ? !player.playing : desk.feed.paused;
    if (player.playing !== Boolean(this.playing)) {
      clearInterval(this.playing);
      this.ticked = performance.now();
      this.playing = player.playing ? setInterval(() => this.tick(), PLAY) : 0;
    }
    if (player.playing && performance.now() - this.drawn < REDRAW) return strip.label(this.view());
    this.drawn = performance.now();
    return strip.draw();
  }

  /** A slow machine or a hidden page shows fewer moments, not slower time. */
  tick() {
    const now = performance.now();
    this.player.tick(Math.min(LONGEST, now - this.ticked) / 1000);
    this.ticked = now;
  }

  /** Stop or go on from the moment that is shown. @param {boolean} on */
  play(on) {
    this.forgetStep();
    this.player.play(on);
    this.desk.picture.loop.wake();
    this.strip.say(on ? `playing on from ${wall(this.player.time)}` : `paused at ${wall(this.player.time)}`);
    if (!on) this.desk.remember();
  }

  /** On from the moment that is shown, behind the present: a pause loses nothing. */
  async resume() {
    if (!this.away && !await this.player.go(this.shown, true)) return void this.desk.toast("No history is kept here.", "bad");
    return this.play(true);
  }

  /** Slower than life is behind it: the past plays on from here. @param {number} factor */
  speed(factor) {
    this.player.speed = factor;
    if (!this.away && factor < 1 && !this.desk.feed.paused && this.shown) this.player.go(this.shown, true);
    else if (this.away) this.changed();
  }

  /** @param {1|-1} way */
  async step(way) {
    if (!this.away) {
      if (way > 0 && this.unit === "call" && this.desk.feed.paused) return void this.desk.bar.step();
      if (!(await this.player.go(this.shown || this.now(), false))) return void this.desk.toast("No history is kept here.", "bad");
    }
    const found = await this.player.step(this.unit, way);
    const words = found ? this.told(found) : `Nothing ${way > 0 ? "later" : "earlier"} is kept.`;
    notice(`${wall(this.player.time, 1)} · ${words}`);
    this.strip.say(words);
    this.desk.remember();
    return undefined;
  }

  /** @param {any} found a call, or a message @returns {string} */
  told(found) {
    this.forgetStep();
    if (Array.isArray(found)) {
      const route = this.desk.store.routes.get(found[0]);
      [this.stepped] = [found[2]];
      /** @type {HTMLElement} */ (this.strip.tracing).hidden = false;
      const ends = route ? `${shortName(route.waypoints[0])} → ${shortName(route.stop || route.waypoints[route.waypoints.length - 1])}: ${EFFECTS[route.effect] ?? route.effect}` : "a connection";
      return found[1] > 1 ? `${ends}, one of ${found[1]} alike` : ends;
    }
    const [event, ...more] = found.events ?? [];
    if (event) return `${event.reason} ${shortName(event.ref)}: ${event.message}${more.length ? `, and ${more.length} more` : ""}`;
    return found.set ? `${found.set.length} changed, ${found.unset.length} gone` : "the simulator started anew";
  }

  forgetStep() {
    this.stepped = null;
    /** @type {HTMLElement} */ (this.strip.tracing).hidden = true;
  }

  caughtUp() {
    if (this.source.fixed) {
      this.player.play(false);
      return notice("the recording ends here", 3000);
    }
    this.toNow();
    return notice("caught up with the present", 3000);
  }

  /** The live picture. */
  toNow() {
    clearTimeout(this.settling);
    if (this.source.fixed) return void this.go(this.source.fixed.to);
    if (!this.away && !this.desk.feed.away) return this.desk.feed.paused ? this.desk.bar.toggle() : undefined;
    const { feed, session, picture, api } = this.desk;
    this.forgetStep();
    feed.back();
    session.away = false;
    api.at = null;
    this.player.leave();
    picture.paused = false;
    notice("");
    session.resync("");
    picture.loop.wake();
    this.strip.say("live");
    this.desk.remember();
    return undefined;
  }

  /** @param {HTMLElement} owner @param {boolean} adding */
  async marks(owner, adding) {
    const { openMarks } = await import("../panels/bookmarks.js");
    openMarks(owner, {
      bookmarks: this.bookmarks, time: this.view().time, oldest: this.view().oldest, adding, changed: () => this.strip.draw(),
      go: (time) => this.go(time), link: (time) => `${location.origin}${location.pathname}#at=${time.toFixed(1)}`, toast: this.desk.toast,
    });
  }

  bookmark() {
    this.marks(/** @type {HTMLElement} */ (this.strip.flag), true);
  }

  /** @param {HTMLElement} owner */
  async record(owner) {
    const { RecordMenu } = await import("../panels/recordmenu.js");
    this.recorder ??= new RecordMenu({ cluster: this.desk.cluster, source: this.source, api: this.desk.api, toast: this.desk.toast, now: () => this.now(), oldest: () => this.view().oldest, root: this.strip.root,
      follow: async (asked) => { await this.go(asked.time); this.desk.follow(asked.question); } });
    this.recorder.open(owner);
  }
}
