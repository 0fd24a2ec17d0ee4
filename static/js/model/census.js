/** How many of what: pods by workload and by namespace, ready, pending and failing, and what else a namespace holds. */
import { podState } from "./podstate.js";

/** @typedef {{pods: number, ready: number, pending: number, failing: number, wanted: number}} Count */
/** @typedef {Count & {workloads: number, services: number, policies: number}} SpaceCount */
/** @typedef {{owners: Map<string, string>, workloads: Map<string, Count>, spaces: Map<string, SpaceCount>}} Census */

/** @returns {Count} */
const nobody = () => ({ pods: 0, ready: 0, pending: 0, failing: 0, wanted: 0 });

/** @param {any} pod @param {Count} count */
function add(pod, count) {
  const { tone } = podState(pod);
  if (pod.terminating || pod.phase === "Succeeded") return;
  count.pods += 1;
  if (tone === "text-blocked") count.failing += 1;
  else if (tone === "pending") count.pending += 1;
  else count.ready += 1;
}

/** The server has counted. @param {Count & Partial<SpaceCount>} count @param {any} counts */
function told(count, counts) {
  if (!counts) return;
  const { ready, pending, failing, workloads = 0, services = 0, policies = 0 } = counts;
  Object.assign(count, { pods: ready + pending + failing, ready, pending, failing, wanted: ready + pending + failing }, "workloads" in counts ? { workloads, services, policies } : {});
}

/**
 * Where the server sends counts with a workload or a namespace, those hold; else pods are counted.
 * @param {Iterable<any>} entities
 * @returns {Census} `owners`: of every pod the workload it belongs to, or the pod itself; `workloads` counts by such an owner
 */
export function census(entities) {
  /** @type {Census} */
  const found = { owners: new Map(), workloads: new Map(), spaces: new Map() };
  const all = [...entities];
  const counted = new Set(all.filter((e) => e.kind === "namespace" && e.counts).map((e) => e.name));
  const known = new Set(all.filter((e) => e.kind === "workload").map((e) => e.id));
  const of = (/** @type {string} */ id) => found.workloads.get(id) ?? /** @type {Count} */ (found.workloads.set(id, nobody()).get(id));
  const space = (/** @type {string} */ name) => found.spaces.get(name)
    ?? /** @type {SpaceCount} */ (found.spaces.set(name, { ...nobody(), workloads: 0, services: 0, policies: 0 }).get(name));
  for (const entity of all) {
    if (entity.kind === "namespace") told(space(entity.name), entity.counts);
    if (entity.kind === "workload") told(of(entity.id), entity.counts);
    if (!entity.namespace || entity.kind === "flow") continue;
    const here = counted.has(entity.namespace) ? /** @type {SpaceCount} */ ({ ...nobody() }) : space(entity.namespace);
    if (entity.kind === "pod") {
      const owner = known.has(entity.workload) ? entity.workload : entity.id;
      found.owners.set(entity.id, owner);
      add(entity, of(owner));
      add(entity, here);
      if (owner === entity.id) [of(owner).wanted, here.wanted] = [1, here.wanted + 1];
    } else if (entity.kind === "workload") {
      of(entity.id).wanted = entity.replicas;
      here.wanted += entity.replicas;
      here.workloads += 1;
    } else if (entity.kind === "service") here.services += 1;
    else if (entity.kind === "policy") here.policies += 1;
  }
  return found;
}
