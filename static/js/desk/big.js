/** A big cluster at the desk: its columns, its picture and its legend, fed with every message. Loaded when a cluster is big. */
import { MassPicture } from "../graph/mass/picture.js";
import { Picture } from "../graph/picture.js";
import { SumPicture } from "../graph/sumpicture.js";
import { Mass } from "../model/mass.js";
import { isBig } from "../model/size.js";
import { MassLegend } from "../panels/masslegend.js";

/** What is looked at closely: at most so many things at once. */
const MOST_WATCHED = 200;
/** ms between two messages about it. */
const PACE = 1000;

export class Big {
  /**
   * @param {any} desk @param {import("../graph/picture.js").Surfaces} surfaces @param {import("../graph/picture.js").Handlers} handlers
   * @param {(picture: any) => void} swap another picture takes over
   */
  constructor(desk, surfaces, handlers, swap) {
    this.desk = desk;
    this.surfaces = surfaces;
    this.handlers = handlers;
    this.swap = swap;
    /** @type {any} */
    this.picture = null;
    this.active = false;
    /** @type {Mass|null} form full: made here */
    this.mass = null;
    /** @type {Map<string, any>|null} the entities it was made of */
    this.made = null;
    /** @type {MassLegend|null} */
    this.legend = null;
    this.heard = 0;
    /** @type {string[]} what is near, in the middle first */
    this.near = [];
    this.told = "";
    this.toldAt = 0;
    this.telling = 0;
    desk.signals.on("state", (/** @type {any} */ message) => this.hear(message));
    desk.signals.on("traffic", (/** @type {any} */ message) => this.hear(message));
    desk.signals.on("select", (/** @type {string} */ id) => this.chosen(id));
  }

  /** Gives the cluster the picture its size wants. */
  turn() {
    const wanted = isBig(this.desk.store, this.active);
    if (wanted !== this.active) this.set(wanted ? this.open() : new Picture(this.surfaces, this.handlers), wanted);
  }

  /** @param {any} next @param {boolean} active whether it is that of big clusters */
  set(next, active) {
    const old = this.desk.picture;
    const { paused, speed, still, filter, routes, selected } = old;
    old.destroy();
    Object.assign(next, { paused, speed, still, filter, routes, selected });
    this.active = active;
    this.picture = active ? next : null;
    this.legend?.remove();
    this.legend = active ? new MassLegend(this.columns().heatScale) : null;
    this.legend?.show(true);
    this.swap(next);
    this.desk.signals.tell("picture", next);
  }

  open() {
    const picture = new MassPicture(this.surfaces, this.handlers, (node) => this.pods(node));
    picture.source = () => this.columns();
    picture.learned = (pods) => { if (this.desk.store.mass) this.desk.store.learn(pods); };
    picture.unknown = (id) => { if (this.desk.store.mass) this.desk.store.want(id); };
    picture.looked = (near) => this.look(near);
    picture.other = (view, places) => this.another(view, places);
    return picture;
  }

  /** Another view of the same cluster is drawn by the small picture, until the view by node comes back. @param {any} view @param {any} places */
  another(view, places) {
    const { store } = this.desk;
    const small = view.sums ? new SumPicture(this.surfaces, this.handlers, view.sums) : new Picture(this.surfaces, this.handlers);
    small.setView = (next, where) => {
      if (next.name !== "mass" && Boolean(next.sums) === small instanceof SumPicture) return Picture.prototype.setView.call(small, next, where);
      if (next.name !== "mass") return this.another(next, where);
      this.set(this.open(), true);
      this.picture.setScene(store.entities, store.settings, true);
      return this.picture.select(this.desk.selected());
    };
    this.set(small, false);
    this.active = true;
    small.entities = store.entities;
    small.settings = store.settings;
    small.setView(view, places);
  }

  /** @returns {Mass} the columns of the cluster as it is now */
  columns() {
    const { store } = this.desk;
    if (store.mass) return store.mass;
    if (!this.mass || this.made !== store.entities) {
      this.mass = Mass.fromEntities(store.entities.values(), { routes: store.routes.values(), before: this.mass });
      this.made = store.entities;
    }
    return this.mass;
  }

  /** @param {any} message */
  hear(message) {
    if (!this.active) return;
    const { store } = this.desk;
    if (!store.mass && this.made !== store.entities) return;
    const changes = store.mass ? store.massChanges : this.mass?.apply(message);
    if (!this.picture) {
      if (message.type === "traffic") this.desk.picture.pulse?.(this.passed());
      return;
    }
    if (changes) this.picture.change(changes, message.type !== "traffic");
    if (message.type !== "traffic") return;
    this.picture.feedTrunks(this.passed());
  }

  /** @returns {number} ms since the last traffic, as far as it is shown */
  passed() {
    const now = performance.now();
    const passed = Math.min(1500, now - this.heard);
    this.heard = now;
    return passed;
  }

  /** @param {string} node @returns {Promise<any[]>} */
  async pods(node) {
    const { store, api } = this.desk;
    if (!store.mass) return [...store.entities.values()].filter((e) => e.kind === "pod" && e.node === node);
    const answer = await api.entities({ node });
    if (!answer.ok) throw new Error(answer.body?.error ?? "no answer");
    return answer.body.entities;
  }

  /** What was found by name alone stands somewhere: it is asked for, then shown. @param {string} id */
  async chosen(id) {
    const { store } = this.desk;
    this.look();
    if (!store.mass || !this.picture || !id || this.picture.layout?.boxes.has(id)) return;
    const found = await store.entity(id);
    if (!found || !this.picture || this.desk.selected() !== id) return;
    this.picture.select(id);
    this.picture.camera.reveal(this.picture.layout?.boxes.get(id), true);
  }

  /** Tells the server what is looked at closely, so that it traces what passes there. @param {string[]} [near] nodes in view */
  look(near = this.near) {
    const { store, selected } = this.desk;
    this.near = near;
    if (!store.mass) return;
    const ids = [...new Set([selected(), ...this.near])].filter(Boolean).slice(0, MOST_WATCHED);
    const words = ids.join();
    if (words === this.told) return;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.told = words;
      this.toldAt = performance.now();
      this.desk.watch(ids);
    }, Math.max(0, PACE - (performance.now() - this.toldAt)));
  }
}
