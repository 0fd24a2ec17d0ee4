/** The picture in words: what is where, who calls whom, and what is wrong. For those who do not see the picture, and for everybody. */
import { gist, stateOf } from "./gist.js";

/** @typedef {{id: string, text: string, bad?: boolean, items?: Item[], more?: number}} Item */
/** @typedef {{title: string, items: Item[], more: number}} Part `more` of them are left out */
/** @typedef {{summary: string, parts: Part[]}} Outline */
/** @typedef {import("./store.js").Store} Store */

/** @param {Store} store @param {string} cluster @param {number} [most] of each list @returns {Outline} */
export function outline(store, cluster, most = 30) {
  const { of, podsOf } = sorted(store);
  const plain = (/** @type {any} */ e) => line(e, store);
  const nodes = (/** @type {any} */ e) => ({ ...plain(e), ...short(podsOf(e.id), most, plain) });
  const services = (/** @type {any} */ e) => ({ ...plain(e), ...short(e.endpoints, most, endpoint) });
  const policies = (/** @type {any} */ e) => ({ id: e.id, text: `${e.namespace}/${e.name} isolates ${count(e.selects.length, "pod")} for ${e.directions.join(" and ")}` });
  const calls = callsOf(of("flow"), store);
  const ill = [...of("node"), ...of("service"), ...of("pod")].filter((e) => !stateOf(e).well);
  const parts = [
    part("What is wrong", [...ill.map((e) => () => plain(e)), ...calls.filter((one) => one.bad).map((one) => () => one)], most, (make) => make()),
    part("Ways in", [...of("loadbalancer"), ...of("ingress"), ...of("gateway")], most, plain),
    part("Services", of("service"), most, services),
    part("Nodes and their pods", of("node"), most, nodes),
    part("Pods on no node", podsOf(""), most, plain),
    part("Calls", calls, most, (one) => one),
    part("Network policies", of("policy"), most, policies),
  ];
  return { summary: summary(cluster, of, store), parts: parts.filter((one) => one.items.length) };
}

/** Everything by kind, and pods by node, in one pass. @param {Store} store */
function sorted(store) {
  /** @type {Map<string, any[]>} */
  const lists = new Map();
  const into = (/** @type {string} */ key, /** @type {any} */ e) => { (lists.get(key) ?? lists.set(key, []).get(key))?.push(e); };
  for (const e of store.entities.values()) {
    into(e.kind, e);
    if (e.kind === "pod") into(`on ${e.node}`, e);
  }
  return { of: (/** @type {string} */ kind) => lists.get(kind) ?? [], podsOf: (/** @type {string} */ node) => lists.get(`on ${node}`) ?? [] };
}

/** Of a large cluster the numbers are those of its columns: the browser holds only a part of its objects. @param {string} cluster @param {(kind: string) => any[]} of @param {Store} store */
function summary(cluster, of, store) {
  const known = /** @type {any} */ (store).mass?.counts;
  const pods = known ? known.pods : of("pod").length;
  const ready = known ? known.ready : of("pod").filter((p) => p.ready).length;
  const failing = Object.values(store.totals.flows).reduce((sum, one) => sum + one.refused + one.dropped, 0);
  return `Cluster ${cluster}: ${count(known?.nodes ?? of("node").length, "node")}, ${count(pods, "pod")}, ${ready.toLocaleString("en")} of them ready${known?.failing ? `, ${known.failing.toLocaleString("en")} failing` : ""}, `
    + `${count(known?.services ?? of("service").length, "Service")}. ${store.totals.rps.toFixed(1)} connections a second${failing ? `, ${failing.toFixed(1)} of them fail` : ", none fails"}.`
    + (known ? " Below is what was looked at closely so far; search finds everything." : "");
}

const KINDS = /** @type {Record<string, string>} */ ({ loadbalancer: "Load balancer", external: "Outside" });

/** @param {any} entity @param {Store} store @returns {Item} */
function line(entity, store) {
  const { title, address, state, well, traffic } = gist(entity, store);
  const kind = KINDS[entity.kind] ?? entity.kind[0].toUpperCase() + entity.kind.slice(1);
  const name = `${kind} ${title}${entity.namespace ? ` in ${entity.namespace}` : ""}`;
  return { id: entity.id, bad: !well, text: [name, address === title ? "" : address, state, entity.kind === "node" ? "" : traffic].filter(Boolean).join(", ") };
}

/** @param {any} one of a Service's @returns {Item} */
function endpoint(one) {
  const state = one.ready ? "" : one.terminating ? ", terminating" : ", not ready";
  return { id: one.pod || "", bad: !one.ready, text: `endpoint ${one.ip}:${one.port}${one.pod ? `, pod ${one.pod.split("/").pop()}` : ""}${state}` };
}

/** @param {any[]} flows @param {Store} store @returns {Item[]} the busiest first */
function callsOf(flows, store) {
  const total = (/** @type {any} */ flow) => store.totals.flows[flow.id] ?? { rps: 0, refused: 0, dropped: 0 };
  return flows.map((flow) => ({ flow, told: total(flow) })).sort((a, b) => b.told.rps - a.told.rps || a.flow.id.localeCompare(b.flow.id)).map(({ flow, told }) => {
    const failing = told.refused + told.dropped;
    const to = `${flow.host || nameOf(flow.to, store)}:${flow.port}${flow.path && flow.path !== "/" ? flow.path : ""}`;
    const lost = failing ? `, ${failing.toFixed(1)} a second are ${told.dropped ? "dropped" : "refused"}` : "";
    return { id: flow.id, bad: failing > 0, text: `${nameOf(flow.from, store)} calls ${to}, ${told.rps.toFixed(1)} a second${lost}` };
  });
}

/** @param {string} ref @param {Store} store */
function nameOf(ref, store) {
  const known = store.entities.get(ref);
  return known?.label || known?.name || ref.slice(ref.indexOf(":") + 1) || ref;
}

/** @template T @param {string} title @param {T[]} things @param {number} most @param {(thing: T) => Item} told @returns {Part} */
function part(title, things, most, told) {
  return { title, ...short(things, most, told) };
}

/** @template T @param {T[]} things @param {number} most @param {(thing: T) => Item} told */
function short(things, most, told) {
  return { items: things.slice(0, most).map(told), more: Math.max(0, things.length - most) };
}

/** @param {number} number @param {string} word */
export function count(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

/**
 * What is worth saying aloud of these events: at most two sentences, the worst first.
 * @param {{type: string, reason: string, message: string, ref: string}[]} events @returns {string}
 */
export function aloud(events) {
  const warnings = events.filter((event) => event.type === "Warning");
  const killed = events.filter((event) => event.reason === "Killing").length;
  const made = events.filter((event) => event.reason === "Started" || event.reason === "Scheduled").length;
  const said = warnings.slice(0, 1).map((event) => `${event.reason}: ${event.message}`);
  if (warnings.length > 1) said.push(`and ${count(warnings.length - 1, "more warning")}`);
  if (!warnings.length && (killed || made)) said.push([killed ? `${count(killed, "pod")} stopped` : "", made ? `${count(made, "pod")} started` : ""].filter(Boolean).join(", "));
  return said.join(", ");
}
