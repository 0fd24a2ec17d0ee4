/** Tracing: the question, the answer's panel, and the light it throws on the picture. Loaded with the first question. */
import { TracePanel } from "../panels/trace.js";
import { askTrace } from "../panels/traceform.js";
import { spotAt, waysOf } from "./light.js";

/** @typedef {import("../model/walk.js").Beat} Beat */
/**
 * @typedef {object} Desk what tracing needs of the page
 * @property {any} picture
 * @property {import("../net/http.js").Api} api
 * @property {import("../model/store.js").Store} store
 * @property {(id: string) => void} select
 * @property {(question: Record<string, string>) => void} follow
 * @property {() => string} selected
 * @property {(() => number)|null} now the moment that is looked at, seconds since 1970; null where no past is kept
 * @property {() => void} remember
 * @property {() => void} copyLink
 */

export class Tracing {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.panel = new TracePanel({ light: (trace, beat, index, all) => this.light(trace, beat, index, all), select: desk.select, again: desk.follow,
      captures: (asked) => desk.api.captures(asked), copyLink: desk.copyLink, closed: () => desk.select(desk.selected()) });
    /** @type {import("./light.js").Lit|null} */
    this.lit = null;
  }

  /** @param {{from?: string, to?: string}} ends */
  ask(ends) {
    const { store, api } = this.desk;
    askTrace(ends, { now: this.desk.now, entities: store.entities.values(), trace: (question) => api.trace(question), show: (trace, question) => this.show(trace, question) });
  }

  /** @param {any} trace @param {Record<string, string>} question */
  show(trace, question) {
    this.panel.show(trace, question);
    this.desk.remember();
  }

  /** @param {any} trace @param {Beat|null} beat @param {number} index @param {Beat[]} all */
  light(trace, beat, index, all) {
    const { picture } = this.desk;
    if (!trace || !beat || !picture.layout) {
      this.lit = null;
      return picture.setSpot(null);
    }
    this.lit = waysOf(picture, trace, all, this.lit);
    return picture.setSpot(spotAt(picture, this.lit, all, index));
  }
}
