/** Filters dim, they never remove: the picture stays where it is. */

/** @typedef {{namespace: string, kind: string, label: string, verdict: string}} Filter */

/** @type {Filter} */
export const NOTHING = { namespace: "", kind: "", label: "", verdict: "" };

/** @param {Filter} filter */
export function isActive(filter) {
  return Object.values(filter).some(Boolean);
}

/**
 * Labels as kubectl takes them: `app=web,tier!=db,critical,!old`.
 * @param {string} text @returns {(labels: Record<string, string>) => boolean}
 */
export function selector(text) {
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  const tests = parts.map((part) => {
    const [, name, sign, value] = /^(!?[^!=]+?)\s*(?:(!=|==?)\s*(.*))?$/.exec(part) ?? [part, part];
    if (sign === "!=") return (/** @type {any} */ labels) => labels[name] !== value;
    if (sign) return (/** @type {any} */ labels) => labels[name] === value;
    return name.startsWith("!") ? (/** @type {any} */ labels) => !(name.slice(1) in labels) : (/** @type {any} */ labels) => name in labels;
  });
  return (labels) => tests.every((test) => test(labels ?? {}));
}

/** @param {Filter} filter @returns {(entity: any) => boolean} whether an entity stays bright */
export function matches(filter) {
  const fits = selector(filter.label);
  return (entity) => {
    if (!entity) return true;
    if (filter.namespace && entity.namespace !== filter.namespace) return false;
    if (filter.kind && entity.kind !== filter.kind) return false;
    return !filter.label || fits(entity.labels);
  };
}

/** @param {Filter} filter @param {Map<string, any>} entities @returns {(route: any) => boolean} whether a route's packets are shown */
export function shows(filter, entities) {
  const bright = matches({ ...filter, kind: "" });
  return (route) => {
    if (!route) return false;
    if (filter.verdict && route.effect !== filter.verdict) return false;
    if (!filter.namespace && !filter.label) return true;
    return route.waypoints.some((/** @type {string} */ id) => entities.has(id) && /^(pod|service):/.test(id) && bright(entities.get(id)));
  };
}
