/** Which calls concern an object, and how a table shows them. */

/** @typedef {import("./store.js").Store} Store */
/** @typedef {{flow: string, text: string, rps: number, failing: number}} Row */

/**
 * The flows that begin, end or pass at an object.
 * @param {any} entity @param {Store} store @param {string[]} told flows the server named @returns {string[]}
 */
export function flowsOf(entity, store, told) {
  if (entity.kind === "flow") return [entity.id];
  const flows = [...store.entities.values()].filter((e) => e.kind === "flow");
  const found = new Set(told);
  const passes = new Set([entity.id, ...(entity.selects ?? [])]);
  for (const route of store.routes.values()) if (route.waypoints.some((/** @type {string} */ ref) => passes.has(ref))) found.add(route.flow);
  const test = entity.kind === "namespace" ? (/** @type {string} */ ref) => namespaceOf(ref) === entity.name
    : entity.kind === "policy" ? standsFor(entity.selects, store) : () => false;
  for (const flow of flows) if (test(flow.from) || test(flow.to)) found.add(flow.id);
  return [...found];
}

/** @param {string} ref `service:shop/api`, `workload:Deployment/shop/api` @returns {string} */
function namespaceOf(ref) {
  const parts = ref.slice(ref.indexOf(":") + 1).split("/");
  return parts.length > 1 ? parts[parts.length - 2] : "";
}

/** What a flow may call these pods: their own names, their workloads, the Services before them. */
function standsFor(/** @type {string[]} */ pods, /** @type {Store} */ store) {
  const refs = new Set(pods);
  for (const id of pods) refs.add(store.entities.get(id)?.workload ?? "");
  for (const e of store.entities.values()) {
    if (e.kind === "service" && e.endpoints.some((/** @type {any} */ x) => pods.includes(x.pod))) refs.add(e.id);
  }
  refs.delete("");
  return (/** @type {string} */ ref) => refs.has(ref);
}

/**
 * Rows of the table; flows that read the same are one row.
 * @param {string[]} ids @param {Store} store @param {(flow: any) => string} words @returns {Row[]}
 */
export function rowsOf(ids, store, words) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const id of ids) {
    const flow = store.entities.get(id);
    const text = flow ? words(flow) : id;
    const row = rows.get(text) ?? { flow: id, text, rps: 0, failing: 0 };
    const total = store.totals.flows[id] ?? { rps: 0, refused: 0, dropped: 0 };
    rows.set(text, { ...row, rps: row.rps + total.rps, failing: row.failing + total.refused + total.dropped });
  }
  return [...rows.values()];
}
