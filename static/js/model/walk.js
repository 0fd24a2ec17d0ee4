/** A trace as a walk: one beat for every place where something is decided, forward and then the reply. */

/**
 * @typedef {object} Beat
 * @property {boolean} reply
 * @property {string} ref what lights up
 * @property {string} title
 * @property {string} address
 * @property {any[]} steps
 * @property {any} step the step that matters most
 * @property {any} hop
 * @property {boolean} failed the packet ends here
 * @property {boolean} starts first beat of its hop: shows what came in
 * @property {boolean} ends last beat of its hop: shows what went out
 */

const VIP = new Set(["load_balanced", "dnat", "rejected", "dropped"]);
const LOUD = ["dropped", "rejected", "expired", "dnat", "un_nat", "masqueraded", "load_balanced", "proxied", "resolved", "answered_locally", "encapsulated", "decapsulated", "delivered", "exited", "switched", "routed"];

/** @param {any} trace @returns {Beat[]} */
export function beats(trace) {
  const failing = trace.first_failing_step;
  const forward = trace.forward.flatMap((/** @type {any} */ hop, /** @type {number} */ i) => split(hop, false, failing?.[0] === i ? failing[1] : -1, guarded(trace, i)));
  const reverse = trace.reverse.flatMap((/** @type {any} */ hop) => split(hop, true, -1, ""));
  return [...forward, ...reverse];
}

/** The pod whose policy stops the packet at this hop: it is filtered on the node, but ends at the pod. */
function guarded(/** @type {any} */ trace, /** @type {number} */ i) {
  const end = trace.waypoints[trace.waypoints.length - 1]?.ref ?? "";
  const here = trace.verdict === "denied_ingress" && trace.first_failing_step?.[0] === i && i === trace.forward.length - 1;
  return here && end.startsWith("pod:") && end !== trace.forward[i].place.ref ? end : "";
}

/**
 * A hop that goes through a Service has two beats: the virtual address, and the node that acts on it.
 * A packet that a pod's policy stops has its last beat at that pod.
 */
function split(/** @type {any} */ hop, /** @type {boolean} */ reply, /** @type {number} */ failing, /** @type {string} */ guard) {
  const vip = reply ? -1 : hop.steps.findLastIndex(atService);
  const cuts = [0, vip + 1, guard ? failing : hop.steps.length, hop.steps.length];
  const groups = [0, 1, 2].map((part) => ({ part, from: cuts[part], steps: hop.steps.slice(cuts[part], cuts[part + 1]) }));
  const filled = groups.filter((group) => group.steps.length);
  return (filled.length ? filled : groups.slice(1, 2)).map(({ part, from, steps }, i, all) => {
    const beat = { reply, hop, steps, step: loudest(steps), starts: i === 0, ends: i === all.length - 1,
      failed: failing >= from && failing < from + steps.length };
    if (part === 0) return { ...beat, ref: hop.steps[vip].rule.ref, title: nameOf(hop.steps[vip].rule.ref), address: addressAt(hop, true) };
    if (part === 2) return { ...beat, ref: guard, title: nameOf(guard), address: innermost(hop.headers_out, "ip")?.dst ?? "" };
    return { ...beat, ref: hop.place.ref, title: labelOf(hop.place), address: addressAt(hop, false) };
  });
}

/** @param {any} step whether it happens at a Service's virtual address */
function atService(step) {
  return VIP.has(step.action) && (step.rule?.ref ?? "").startsWith("service:");
}

/** @param {any[]} steps */
function loudest(steps) {
  const loud = LOUD.map((action) => steps.find((step) => step.action === action)).find(Boolean);
  return loud ?? steps[steps.length - 1] ?? null;
}

/** @param {string} ref */
function nameOf(ref) {
  return ref.split("/").pop() ?? ref;
}

/** @param {any} place */
function labelOf(place) {
  if (place.kind === "wire") return "node network";
  return nameOf(place.label || place.ref);
}

/** @param {any} hop @param {boolean} vip the virtual address, else the address of the place */
function addressAt(hop, vip) {
  const ip = innermost(vip ? hop.headers_in : hop.headers_out.length ? hop.headers_out : hop.headers_in, "ip");
  if (!ip) return "";
  if (vip) return ip.dst;
  const names = Object.entries(hop.owners ?? {}).find(([, owner]) => owner && String(owner).includes(nameOf(hop.place.label ?? "")));
  return names?.[0] ?? "";
}

/** @param {any[]} stack @param {string} layer @returns {any} */
export function innermost(stack, layer) {
  return [...stack].reverse().find((header) => header.layer === layer);
}

/** @param {any} trace @returns {{forward: any, reverse: any}} both legs as routes the picture can draw */
export function routesOf(trace) {
  const refs = trace.reverse.map((/** @type {any} */ hop) => hop.place.ref);
  const tunnelled = trace.reverse.map((/** @type {any} */ hop) => hop.headers_out.some((/** @type {any} */ x) => x.layer === "vxlan"));
  const base = { flow: "", effect: trace.success ? "allowed" : "dropped" };
  return {
    forward: { ...base, id: "trace", waypoints: trace.waypoints.map((/** @type {any} */ w) => w.ref), segments: trace.waypoints },
    reverse: { ...base, id: "reply", waypoints: refs, segments: tunnelled.map((/** @type {boolean} */ t) => ({ kind: "pod", nat: "", encapsulated: t })) },
  };
}

/**
 * How far along its way the packet is at each beat.
 * @param {Beat[]} all @param {{ref: string, at: number}[]|undefined} forward @param {{ref: string, at: number}[]|undefined} back
 * @returns {number[]}
 */
export function reaches(all, forward, back) {
  const cursors = { forward: 0, back: 0 };
  return all.map((beat) => {
    const stops = beat.reply ? back : forward;
    const name = beat.reply ? "back" : "forward";
    if (!stops?.length) return 0;
    const found = stops.findIndex((stop, i) => i >= cursors[name] && stop.ref === beat.ref);
    if (found >= 0) cursors[name] = found;
    const here = stops[cursors[name]];
    const next = stops[cursors[name] + 1];
    return beat.ref === "wire" && next ? (here.at + next.at) / 2 : here.at;
  });
}

/**
 * Two header stacks side by side, inner headers aligned: what was added, removed or changed.
 * @param {any[]} before @param {any[]} after
 * @returns {{before: any|null, after: any|null, changed: Set<string>}[]} outermost first
 */
export function compare(before, after) {
  const rows = [];
  const size = Math.max(before.length, after.length);
  for (let i = 1; i <= size; i += 1) {
    const [a, b] = [before[before.length - i] ?? null, after[after.length - i] ?? null];
    const same = a && b && a.layer === b.layer;
    if (a && b && !same) {
      rows.unshift({ before: a, after: null, changed: new Set() }, { before: null, after: b, changed: new Set() });
      continue;
    }
    const keys = same ? Object.keys(b).filter((key) => String(a[key]) !== String(b[key])) : [];
    rows.unshift({ before: a, after: b, changed: new Set(keys) });
  }
  return rows;
}

/** @param {Beat} beat @returns {{tag: string, tone: string, before: string, after: string}|null} the header flag */
export function flagOf(beat) {
  const [came, went] = [ends(beat.hop.headers_in), ends(beat.hop.headers_out)];
  const now = beat.starts ? came ?? went : went;
  if (!now) return null;
  const plain = { before: `${now.src} → ${now.dst}`, after: "" };
  const { action, facts } = beat.step ?? { action: "", facts: {} };
  if (beat.failed) return { tag: "STOP", tone: "kind-blocked", ...plain };
  if (action === "dnat") return { tag: "DNAT", tone: "kind-service", before: facts.old ?? now.dst, after: facts.new ?? went?.dst ?? "" };
  if (action === "un_nat") return { tag: "un-NAT", tone: "kind-service", ...(rewritten(came, went, ["src", "dst"]) ?? plain) };
  if (action === "masqueraded") return { tag: "SNAT", tone: "kind-egress", ...(rewritten(came, went, ["src"]) ?? plain) };
  if (action === "encapsulated") return { tag: "VXLAN", tone: "kind-pod", ...plain };
  return { tag: beat.reply ? "REPLY" : now.proto, tone: "kind-local", ...plain };
}

/** @param {any[]} stack @returns {{src: string, dst: string, proto: string}|null} who talks to whom, inside of any tunnel */
function ends(stack) {
  const [ip, l4] = [innermost(stack, "ip"), innermost(stack, "l4")];
  if (!ip) return null;
  return { src: l4 ? `${ip.src}:${l4.sport}` : ip.src, dst: l4 ? `${ip.dst}:${l4.dport}` : ip.dst, proto: l4?.proto ?? ip.proto };
}

/** The ends a hop changed, before and after; a reply through two rewrites has two. */
function rewritten(/** @type {any} */ came, /** @type {any} */ went, /** @type {("src"|"dst")[]} */ names) {
  const changed = came && went ? names.filter((name) => came[name] !== went[name]) : [];
  return changed.length ? { before: changed.map((name) => came[name]).join(", "), after: changed.map((name) => went[name]).join(", ") } : null;
}
