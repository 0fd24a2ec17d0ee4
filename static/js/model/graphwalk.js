/** Walking the picture by keyboard: the nearest object in a direction, and the edges of an object one by one. */

/** @typedef {{x: number, y: number, w: number, h: number}} Rect */
/** @typedef {{to: string, out: boolean, what: "calls"|"runs"|"stands"|"backs", rps: number, failing: number}} Edge one thing that joins an object to another; `out` leads away from it */
/** @typedef {"left"|"right"|"up"|"down"} Direction */

/**
 * The nearest box in a direction: straight ahead counts more than sideways.
 * @param {Map<string, Rect>} boxes @param {string} from @param {Direction} direction @param {(id: string) => boolean} fits @returns {string} "" when there is none
 */
export function nearest(boxes, from, direction, fits) {
  const start = boxes.get(from);
  if (!start) return "";
  const [x, y] = [start.x + start.w / 2, start.y + start.h / 2];
  let [best, least] = ["", Infinity];
  for (const [id, box] of boxes) {
    if (id === from || !fits(id) || holds(box, start) || holds(start, box)) continue;
    const [dx, dy] = [box.x + box.w / 2 - x, box.y + box.h / 2 - y];
    const [ahead, aside] = direction === "left" ? [-dx, dy] : direction === "right" ? [dx, dy] : direction === "up" ? [-dy, dx] : [dy, dx];
    if (ahead <= 1) continue;
    const cost = ahead + Math.abs(aside) * 2.2;
    if (cost < least || (cost === least && id < best)) [best, least] = [id, cost];
  }
  return best;
}

/** @param {Rect} outer @param {Rect} inner */
function holds(outer, inner) {
  return outer.x <= inner.x && outer.y <= inner.y && outer.x + outer.w >= inner.x + inner.w && outer.y + outer.h >= inner.y + inner.h;
}

/**
 * What joins an object to others: packets that pass it now, then where it runs and what stands behind it.
 * @param {string} id @param {import("./store.js").Store} store @returns {Edge[]} in a fixed order
 */
export function edgesOf(id, store) {
  const entity = store.entities.get(id);
  if (!entity) return [];
  const found = [...passing(id, store), ...standing(entity, store)];
  const order = ["calls", "backs", "runs", "stands"];
  return found.sort((a, b) => order.indexOf(a.what) - order.indexOf(b.what) || Number(b.out) - Number(a.out) || a.to.localeCompare(b.to));
}

/** @param {string} id @param {import("./store.js").Store} store @returns {Edge[]} one for each neighbour and direction */
function passing(id, store) {
  /** @type {Map<string, Edge & {flows: Set<string>}>} */
  const edges = new Map();
  for (const route of store.routes.values()) {
    const seen = route.waypoints.filter((/** @type {string} */ ref) => ref !== "wire" && store.entities.has(ref));
    const ends = seen.flatMap((/** @type {string} */ ref, /** @type {number} */ at) => (ref === id ? [[seen[at + 1], true], [seen[at - 1], false]] : []));
    for (const [to, out] of ends) {
      if (!to || to === id) continue;
      const edge = edges.get(`${to} ${out}`) ?? { to, out, what: /** @type {const} */ ("calls"), rps: 0, failing: 0, flows: new Set() };
      edge.flows.add(route.flow);
      edges.set(`${to} ${out}`, edge);
    }
  }
  return [...edges.values()].map(({ flows, ...edge }) => {
    const totals = [...flows].map((flow) => store.totals.flows[flow] ?? { rps: 0, refused: 0, dropped: 0 });
    return { ...edge, rps: totals.reduce((sum, one) => sum + one.rps, 0), failing: totals.reduce((sum, one) => sum + one.refused + one.dropped, 0) };
  });
}

/** @param {any} entity @param {import("./store.js").Store} store @returns {Edge[]} */
function standing(entity, store) {
  const edge = (/** @type {string} */ to, /** @type {boolean} */ out, /** @type {Edge["what"]} */ what) => ({ to, out, what, rps: 0, failing: 0 });
  const all = [...store.entities.values()];
  if (entity.kind === "pod") {
    const before = all.filter((e) => e.kind === "service" && e.endpoints.some((/** @type {any} */ one) => one.pod === entity.id));
    return [entity.node ? edge(entity.node, true, "runs") : null, ...before.map((e) => edge(e.id, false, "backs"))].filter((one) => one !== null);
  }
  if (entity.kind === "node") return all.filter((e) => e.kind === "pod" && e.node === entity.id).map((e) => edge(e.id, false, "runs"));
  if (entity.kind === "service") {
    const ways = all.filter((e) => e.service === entity.id || e.rules?.some((/** @type {any} */ rule) => rule.service === entity.id));
    return [...new Set(entity.endpoints.map((/** @type {any} */ one) => one.pod).filter(Boolean))].map((to) => edge(String(to), true, "backs")).concat(ways.map((e) => edge(e.id, false, "stands")));
  }
  const behind = [...new Set((entity.rules ?? []).map((/** @type {any} */ rule) => rule.service).concat(entity.service ?? []).filter(Boolean))];
  return behind.filter((to) => store.entities.has(String(to))).map((to) => edge(String(to), true, "stands"));
}

/** @param {Edge} edge @param {string} name of the other end @returns {string} */
export function spoken(edge, name) {
  const rate = `${edge.rps.toFixed(1)} a second${edge.failing ? `, ${edge.failing.toFixed(1)} fail` : ""}`;
  if (edge.what === "calls") return edge.out ? `packets go on to ${name}, ${rate}` : `packets come from ${name}, ${rate}`;
  if (edge.what === "runs") return edge.out ? `runs on ${name}` : `${name} runs here`;
  if (edge.what === "backs") return edge.out ? `endpoint ${name}` : `is an endpoint of ${name}`;
  return edge.out ? `leads to ${name}` : `${name} leads here`;
}
