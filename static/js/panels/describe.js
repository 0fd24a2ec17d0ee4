/** Plain descriptions of objects, from what the picture already knows. */

/** @typedef {[string, string]} Fact */

/** @param {string} id @returns {string} a name people recognise */
export function shortName(id) {
  if (id === "internet") return "Internet";
  if (id === "wire") return "node network";
  const rest = id.slice(id.indexOf(":") + 1);
  return rest.split("/").pop() || rest;
}

/** @param {any} entity @returns {string} */
export function titleOf(entity) {
  if (entity.kind === "loadbalancer") return `Load balancer ${entity.ip}`;
  return entity.label || entity.name;
}

/** @param {any} entity @returns {Fact[]} */
export function factsOf(entity) {
  const make = FACTS[/** @type {keyof typeof FACTS} */ (entity.kind)];
  const labels = Object.entries(entity.labels ?? {}).map(([key, value]) => `${key}=${value}`).join(", ");
  return [...(make ? make(entity) : []), /** @type {Fact} */ (["Labels", labels])].filter(([, value]) => value !== "" && value !== undefined);
}

const yes = (/** @type {any} */ value) => (value ? "yes" : "no");

const FACTS = {
  pod: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Address", (e.ips ?? []).join(", ") || e.ip || "none yet"], ["Node", shortName(e.node || "none")], ["Phase", e.phase], ["Ready", yes(e.ready)],
    ["Why", e.reason], ["Containers", e.containers.map((/** @type {any} */ c) => c.name).join(", ")], ["Restarts", String(e.restarts)]]),
  node: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Address", (e.ips ?? [e.ip]).join(", ")], ["Pod range", e.podCIDR], ["Bridge", e.bridge], ["Overlay", e.overlay], ["Zone", e.zone],
    ["Ready", yes(e.ready)], ["Takes new pods", yes(e.schedulable)]]),
  service: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Type", e.type], ["Virtual IP", e.headless ? "none (headless)" : e.clusterIP], ["Stands for", e.externalName],
    ["Ports", e.ports.map((/** @type {any} */ p) => `${p.port} → ${p.targetPort}${p.nodePort ? ` (node port ${p.nodePort})` : ""}/${p.protocol}`).join(", ")],
    ["Load balancer", e.loadBalancerIP], ["Endpoints", `${e.endpoints.filter((/** @type {any} */ x) => x.ready).length} ready of ${e.endpoints.length}`]]),
  ingress: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Class", e.class], ["Address", e.address], ["Controller", e.controller ? shortName(e.controller) : "none"],
    ...e.rules.map((/** @type {any} */ r) => ["Rule", `${r.host || "any host"}${r.path} → ${shortName(r.service)}:${r.port}`])]),
  gateway: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Class", e.class], ["Address", e.address], ["Data plane", e.controller ? shortName(e.controller) : "not among the objects"],
    ...e.listeners.map((/** @type {any} */ l) => [`Listener ${l.name}`, `${l.port} ${l.protocol}, ${l.hostname || "any host"}`]),
    ...e.rules.map((/** @type {any} */ r) => ["Rule", `${r.host || "any host"}${r.path} → ${r.redirect || (r.service ? `${shortName(r.service)}:${r.port} (${Math.round(r.share * 100)} %)` : "no backend")}`])]),
  policy: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Directions", e.directions.join(", ")], ["Selects", `${e.selects.length} pods`]]),
  workload: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Type", e.type], ["Replicas", String(e.replicas)], ["Ready", String(e.ready)]]),
  flow: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["From", shortName(e.from)], ["To", `${e.host}:${e.port}/${e.protocol}`], ["Path", e.path], ["Rate", `${e.rps}/s`],
    ["Known from", e.inferred ? "inferred from the manifests" : "written by hand"]]),
  external: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Address", e.ip]]),
  loadbalancer: (/** @type {any} */ e) => /** @type {Fact[]} */ ([["Address", e.ip], ["Serves", shortName(e.service ?? "")]]),
  namespace: () => /** @type {Fact[]} */ ([]),
};

/** @param {any} entity @returns {string|null} what a probe calls this object when it sends */
export function asSource(entity) {
  if (entity.kind === "pod") return `${entity.namespace}/${entity.name}`;
  if (entity.kind === "workload") return `${entity.namespace}/${entity.name}`;
  if (entity.kind === "node") return `node/${entity.name}`;
  if (entity.kind === "external") return entity.id === "internet" ? "internet" : entity.ip;
  return null;
}

/** @param {any} entity @returns {string|null} what a probe calls this object when it is called */
export function asDestination(entity) {
  const port = entity.ports?.[0]?.port;
  if (entity.kind === "service") return `${entity.name}.${entity.namespace}:${port ?? 80}`;
  if (entity.kind === "pod") {
    const open = entity.containers?.flatMap((/** @type {any} */ c) => c.ports ?? [])[0]?.port ?? 80;
    return `pod:${entity.namespace}/${entity.name}:${open}`;
  }
  if (entity.kind === "ingress" || entity.kind === "gateway") return `http://${entity.rules?.[0]?.host || entity.address}${entity.rules?.[0]?.path || "/"}`;
  if (entity.kind === "loadbalancer") return `${entity.ip}:80`;
  if (entity.kind === "external") return entity.id === "internet" ? null : `${entity.ip}:443`;
  return null;
}
