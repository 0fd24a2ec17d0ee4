/** An object in four lines: what it is, where it is, how it is, what passes it. */
import { flowsOf } from "./flows.js";
import { podState } from "./podstate.js";
import { addressOf } from "./search.js";

/** @typedef {{kind: string, title: string, address: string, state: string, well: boolean, traffic: string}} Gist */

/** @param {any} entity @param {import("./store.js").Store} store @returns {Gist} */
export function gist(entity, store) {
  const { state, well } = stateOf(entity);
  return { kind: `${entity.kind}${entity.namespace ? ` in ${entity.namespace}` : ""}`, title: entity.label || entity.name, address: whereOf(entity), state, well, traffic: trafficOf(entity, store) };
}

/** @param {any} entity */
function whereOf(entity) {
  if (entity.kind === "pod") return [entity.ip || "no address yet", entity.node ? `on ${entity.node.slice("node:".length)}` : "on no node"].join(" ");
  if (entity.kind === "node") return [entity.ip, entity.podCIDR ? `pods ${entity.podCIDR}` : ""].filter(Boolean).join(", ");
  if (entity.kind !== "service") return addressOf(entity);
  const ports = entity.ports.map((/** @type {any} */ p) => p.port).join(", ");
  return `${entity.externalName || (entity.headless ? "headless" : entity.clusterIP) || "no address"}${ports ? `:${ports}` : ""}`;
}

/** How it is, without what passes it. @param {any} entity @returns {{state: string, well: boolean}} */
export function stateOf(entity) {
  if (entity.kind === "pod") {
    const { word, tone } = podState(entity);
    const again = entity.restarts ? `, restarted ${entity.restarts} time${entity.restarts === 1 ? "" : "s"}` : "";
    return { state: `${word || "ready"}${again}`, well: !word || tone === "text-third" };
  }
  if (entity.kind === "node") return { state: !entity.ready ? "not ready" : entity.schedulable ? "ready" : "ready, takes no new pods", well: Boolean(entity.ready) };
  if (entity.kind !== "service" || entity.type === "ExternalName") return { state: entity.type ?? "", well: true };
  const ready = entity.endpoints.filter((/** @type {any} */ x) => x.ready).length;
  return { state: `${entity.type}, ${ready} of ${entity.endpoints.length} endpoints ready`, well: ready > 0 || !Object.keys(entity.selector ?? {}).length };
}

/** A flow may take many ways, so its rate is that of the whole call. @param {any} entity @param {import("./store.js").Store} store */
function trafficOf(entity, store) {
  const flows = flowsOf(entity, store, []);
  if (!flows.length) return store.mass ? heatOf(entity, store.mass) : "no calls pass here";
  const totals = flows.map((id) => store.totals.flows[id] ?? { rps: 0, refused: 0, dropped: 0 });
  const [rps, failing] = [totals.reduce((sum, t) => sum + t.rps, 0), totals.reduce((sum, t) => sum + t.refused + t.dropped, 0)];
  return `${flows.length} call${flows.length === 1 ? "" : "s"}, ${rps.toFixed(1)}/s${failing ? `, ${failing.toFixed(1)}/s fail` : ""}`;
}

/** In a large cluster calls are told only of what is selected; how warm a pod is, is known of all. @param {any} entity @param {import("./mass.js").Mass} mass */
function heatOf(entity, mass) {
  const index = entity.kind === "pod" ? mass.indexOf(entity.id) : -1;
  if (index < 0) return "select it to see its calls";
  const [least, next] = [mass.heatScale[mass.heat[index]], mass.heatScale[mass.heat[index] + 1]];
  const rate = next === undefined ? `${least} or more` : least ? `${least} to ${next}` : `fewer than ${next}`;
  return `${rate} connections a second`;
}
