/** What a packet's beat lights up in the picture. */
import { follow } from "../graph/follow.js";
import { drawSpotlight } from "../graph/spotlight.js";
import { flagOf, reaches, routesOf } from "../model/walk.js";

/** @typedef {import("../model/walk.js").Beat} Beat */
/** @typedef {{trace: any, layout: any, ways: {forward: any, back: any}, reached: number[]}} Lit the ways of a trace through a layout */

/** @param {any} picture @param {any} trace @param {Beat[]} all its beats @param {Lit|null} lit what was found before @returns {Lit} */
export function waysOf(picture, trace, all, lit) {
  if (lit?.trace === trace && lit?.layout === picture.layout) return lit;
  const { forward, reverse } = routesOf(trace);
  const ways = { forward: picture.wayOf(forward), back: picture.wayOf(reverse) };
  return { trace, layout: picture.layout, ways, reached: reaches(all, ways.forward?.stops, ways.back?.stops) };
}

/** @param {any} picture @param {Lit} lit @param {Beat[]} all @param {number} index of the beat */
export function spotAt(picture, lit, all, index) {
  const beat = all[index];
  const refs = new Set(all.flatMap((one) => [one.ref, one.hop.place.ref]).concat(lit.trace.waypoints.map((/** @type {any} */ w) => w.ref)));
  for (const id of [...refs]) if (picture.entities.get(id)?.node) refs.add(picture.entities.get(id).node);
  return { way: lit.ways.forward, back: lit.ways.back, reply: beat.reply, reached: lit.reached[index], refs, ref: beat.ref,
    flag: flagOf(beat), failed: beat.failed, draw: drawSpotlight, follow };
}
