/** Which events of the cluster somebody wants to see. */

/** @typedef {{id: string, time: number, wall: number, type: string, reason: string, message: string, ref: string}} Event */
/** @typedef {{type: string, kind: string, text: string}} Wanted */

/** @type {Wanted} */
export const EVERYTHING = { type: "", kind: "", text: "" };

/** @param {Event} event @returns {string} `pod`, `node` */
export function kindOf(event) {
  return event.ref.split(":", 1)[0];
}

/** @param {Event[]} events @returns {string[]} the kinds of objects something happened to */
export function kindsOf(events) {
  return [...new Set(events.map(kindOf))].filter(Boolean).sort();
}

/** @param {Event[]} events oldest first @param {Wanted} wanted every word of its text must occur @returns {Event[]} newest first */
export function pick(events, { type, kind, text }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return events.filter((event) => {
    if ((type && event.type !== type) || (kind && kindOf(event) !== kind)) return false;
    const told = `${event.reason} ${event.message} ${event.ref}`.toLowerCase();
    return words.every((word) => told.includes(word));
  }).reverse();
}
