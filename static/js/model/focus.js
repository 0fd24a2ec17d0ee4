/** One object and what it touches: what is left of the picture when everything else goes. */

/** @typedef {{ids: Set<string>, route: (route: any) => boolean}} Lens what stays, and which routes */

/** What the object itself stands for. @param {any} entity @param {any[]} all @returns {string[]} */
function members(entity, all) {
  const of = (/** @type {(e: any) => boolean} */ test) => all.filter(test).map((e) => e.id);
  switch (entity.kind) {
    case "workload": return of((e) => e.workload === entity.id);
    case "node": return of((e) => e.node === entity.id);
    case "namespace": return of((e) => e.namespace === entity.name && e.kind !== "flow");
    case "policy": return entity.selects;
    case "service": return entity.endpoints.map((/** @type {any} */ x) => x.pod).filter(Boolean);
    case "ingress": case "gateway": return [entity.controller, ...entity.rules.map((/** @type {any} */ rule) => rule.service)].filter(Boolean);
    case "loadbalancer": return [entity.service];
    case "flow": return [entity.from, entity.to];
    default: return [];
  }
}

/**
 * The object, its members, whoever a route of theirs passes, and who may call or be called by the manifests.
 * @param {string} id @param {Map<string, any>} entities @param {Iterable<any>} routes @returns {Lens|null} null when there is no such object
 */
export function focusOn(id, entities, routes) {
  const entity = entities.get(id);
  if (!entity) return null;
  const all = [...entities.values()];
  const core = new Set([id, ...members(entity, all)]);
  // Pods stand behind a Service and run on a node; both would pull in everything else that passes there.
  const heart = entity.kind === "service" ? new Set([id]) : entity.kind === "pod" && entity.workload ? new Set([id]) : core;
  const passes = (/** @type {any} */ route) => route.waypoints.some((/** @type {string} */ ref) => heart.has(ref)) || (entity.kind === "flow" && route.flow === id);
  const ids = new Set(core);
  for (const route of routes) if (passes(route)) for (const ref of route.waypoints) ids.add(ref);
  const self = new Set([...heart, ...[...heart].map((one) => entities.get(one)?.workload)].filter(Boolean));
  for (const flow of all) if (flow.kind === "flow" && (self.has(flow.from) || self.has(flow.to))) for (const end of [flow.from, flow.to]) ids.add(end);
  surroundings(ids, entities, all, entity);
  return { ids, route: passes };
}

/** Pods of the workloads that stay, their nodes and owners, the Services in front of the object. */
function surroundings(/** @type {Set<string>} */ ids, /** @type {Map<string, any>} */ entities, /** @type {any[]} */ all, /** @type {any} */ entity) {
  if (entity.kind === "pod" || entity.kind === "workload") {
    const mine = new Set(all.filter((e) => e.id === entity.id || e.workload === entity.id).map((e) => e.id));
    for (const e of all) if (e.kind === "service" && e.endpoints.some((/** @type {any} */ x) => mine.has(x.pod))) ids.add(e.id);
  }
  const seen = new Set([...ids].map((one) => entities.get(one)?.workload).filter(Boolean));
  for (const e of all) {
    // Of a neighbour that no route tells by pods, all its pods are shown.
    if (e.kind === "pod" && ids.has(e.workload) && !seen.has(e.workload)) ids.add(e.id);
    if (e.kind === "pod" && entity.kind === "workload" && e.workload === entity.id) ids.add(e.id);
  }
  for (const one of [...ids]) {
    const e = entities.get(one);
    if (e?.kind === "pod") for (const owner of [e.node, e.workload]) if (owner) ids.add(owner);
  }
}

/** @param {Map<string, any>} entities @param {Lens} lens @returns {Map<string, any>} only what stays; flows too, as far as both their ends do */
export function through(entities, lens) {
  const kept = new Map();
  for (const [id, entity] of entities) {
    const stays = entity.kind === "flow" ? lens.ids.has(entity.from) && (lens.ids.has(entity.to) || !entities.has(entity.to)) : lens.ids.has(id);
    if (stays) kept.set(id, entity);
  }
  return kept;
}
