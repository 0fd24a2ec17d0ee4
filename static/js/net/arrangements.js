/** Keeps where a person put things: on the server for who is signed in, in this browser for everybody else. */

/** @typedef {Map<string, number[]>} Places */

const SAVED = "clusterviz.places.";
/** ms after the last change until it is kept. */
const PATIENCE = 600;

export class Arrangements {
  /** @param {string} cluster @param {import("./http.js").Api} api @param {(words: string) => void} complain */
  constructor(cluster, api, complain) {
    this.name = SAVED + cluster;
    this.api = api;
    this.complain = complain;
    this.person = "";
    /** @type {Map<string, Places>} by view */
    this.all = new Map();
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this.waiting = new Map();
  }

  async load() {
    const answer = await this.api.layouts();
    this.person = answer.ok ? answer.body.person : "";
    const kept = this.person ? answer.body.layouts : this.local();
    this.all = new Map(Object.entries(kept).map(([view, places]) => [view, new Map(Object.entries(/** @type {Record<string, number[]>} */ (places)))]));
  }

  /** @returns {Record<string, Record<string, number[]>>} */
  local() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.name) ?? "{}");
      return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
    } catch {
      return {};
    }
  }

  /** @param {string} view @returns {Places} */
  of(view) {
    return this.all.get(view) ?? new Map();
  }

  /** @param {string} view @param {Places} places */
  keep(view, places) {
    this.all.set(view, places);
    clearTimeout(this.waiting.get(view));
    this.waiting.set(view, setTimeout(() => this.send(view), PATIENCE));
  }

  /** @param {string} view */
  async send(view) {
    const places = Object.fromEntries(this.of(view));
    if (this.person) {
      const answer = await this.api.keepLayout(view, places);
      if (!answer.ok) this.complain(`This arrangement was not kept: ${answer.body.error}`);
      return;
    }
    const all = Object.fromEntries([...this.all].filter(([, one]) => one.size).map(([name, one]) => [name, Object.fromEntries(one)]));
    if (Object.keys(all).length) localStorage.setItem(this.name, JSON.stringify(all));
    else localStorage.removeItem(this.name);
  }
}
