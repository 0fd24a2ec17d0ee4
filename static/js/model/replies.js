/** The way back of a delivered packet. Nothing answers from a virtual address: the reply passes the machines only. */

const VIRTUAL = /^(service|ingress|gateway):/;

/**
 * @param {any} route of a delivered packet
 * @returns {any} the route of its reply: the same machines the other way round, tunnelled where the packet was
 */
export function replyOf(route) {
  const stops = route.waypoints.map((/** @type {string} */ ref, /** @type {number} */ at) => ({ ref, at })).filter((/** @type {any} */ stop) => !VIRTUAL.test(stop.ref))
    .filter((/** @type {any} */ stop, /** @type {number} */ i, /** @type {any[]} */ all) => stop.ref !== all[i - 1]?.ref).reverse();
  const tunnelled = (/** @type {number} */ from, /** @type {number} */ to) => route.segments.slice(from, to).some((/** @type {any} */ s) => s.encapsulated);
  return {
    ...route, id: `${route.id}|reply`, waypoints: stops.map((/** @type {any} */ stop) => stop.ref),
    segments: stops.slice(1).map((/** @type {any} */ stop, /** @type {number} */ i) => ({ kind: "pod", nat: "", encapsulated: tunnelled(stop.at, stops[i].at) })),
  };
}
