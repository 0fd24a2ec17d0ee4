/** Tracing: the question, the answer's panel, and the light it throws on the picture. Loaded with the first question. */
import { follow } from "../graph/follow.js";
import { drawSpotlight } from "../graph/spotlight.js";
import { flagOf, reaches, routesOf } from "../model/walk.js";
import { TracePanel } from "../panels/trace.js";
import { askTrace } from "../panels/traceform.js";

/** @typedef {import("../model/walk.js").Beat} Beat */
/**
 * @typedef {object} Desk what tracing needs of the page
 * @property {any} picture
 * @property {import("../net/http.js").Api} api
 * @property {import("../model/store.js").Store} store
 * @property {(id: string) => void} select
 * @property {(question: Record<string, string>) => void} follow
 * @property {() => string} selected
 * @property {() => void} remember
 * @property {() => void} copyLink
 */

export class Tracing {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.panel = new TracePanel({ light: (trace, beat, index, all) => this.light(trace, beat, index, all), select: desk.select, again: desk.follow,
      captures: (asked) => desk.api.captures(asked), copyLink: desk.copyLink, closed: () => desk.select(desk.selected()) });
    /** @type {{trace: any, layout: any, ways: {forward: any, back: any}, reached: number[]}|null} */
    this.lit = null;
  }

  /** @param {{from?: string, to?: string}} ends */
  ask(ends) {
    const { store, api } = this.desk;
    askTrace(ends, { entities: store.entities.values(), trace: (question) => api.trace(question), show: (trace, question) => this.show(trace, question) });
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
    if (this.lit?.trace !== trace || this.lit?.layout !== picture.layout) {
      const { forward, reverse } = routesOf(trace);
      const ways = { forward: picture.wayOf(forward), back: picture.wayOf(reverse) };
      this.lit = { trace, layout: picture.layout, ways, reached: reaches(all, ways.forward?.stops, ways.back?.stops) };
    }
    const refs = new Set(all.flatMap((one) => [one.ref, one.hop.place.ref]).concat(trace.waypoints.map((/** @type {any} */ w) => w.ref)));
    for (const id of [...refs]) if (picture.entities.get(id)?.node) refs.add(picture.entities.get(id).node);
    return picture.setSpot({ way: this.lit.ways.forward, back: this.lit.ways.back, reply: beat.reply, reached: this.lit.reached[index], refs, ref: beat.ref,
      flag: flagOf(beat), failed: beat.failed, draw: drawSpotlight, follow });
  }
}
