/** A trace as Markdown, to paste into a report or a ticket. */
import { innermost } from "./walk.js";

/** @typedef {{question: string, cluster: string, time: string, address: string}} About */

/** @param {unknown} text @returns {string} words that Markdown leaves alone, on one line */
export function words(text) {
  return String(text ?? "").replace(/\s+/g, " ").replace(/[\\`*_[\]<|#~]/g, "\\$&");
}

/** @param {unknown} text @returns {string} as code, whatever is in it */
export function code(text) {
  const line = String(text ?? "").replace(/\s+/g, " ");
  const ticks = "`".repeat(Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return line ? `${ticks}${line.startsWith("`") || line.endsWith("`") ? ` ${line} ` : line}${ticks}` : "";
}

/** @param {any} trace `Trace.to_dict()` @param {About} about @returns {string} */
export function markdown(trace, { question, cluster, time, address }) {
  const parts = [
    [`# ${words(question)}`, `Cluster ${code(cluster)}, ${time}${address ? `, [open this trace](<${address}>)` : ""}`],
    [`**Verdict: ${words(String(trace.verdict).replaceAll("_", " "))}.** The client sees: ${words(trace.symptom)}.`, words(trace.summary)],
    list("What stops it", trace.blockers, (b) => `${words(b.why || b.rule)} (${code(b.rule)})`),
    list("What would help", trace.fixes, (f) => `${words(f.title)}${f.command ? `: ${code(f.command)}` : ""}`),
    leg("There", trace.forward),
    leg("Back", trace.reverse),
    trace.reverse.length || !trace.reverse_reason ? [] : [words(trace.reverse_reason)],
    list("Who could be picked", trace.branches.length > 1 ? trace.branches : [], (b) => `${words(b.label)} ${code(b.address)} ${percent(b.probability)}${b.chosen ? " (picked)" : ""}`),
    list("Sessions the kernel remembers", trace.sessions, (s) => `${words(s.node)}: ${code(s.orig)}, reply ${code(s.reply)}${s.nat ? `, ${words(s.nat)}` : ""}`),
    list("Settings that matter", trace.settings, (s) => `${code(`${s.name}: ${s.value}`)} ${words(s.why)}`),
    list("Taken for granted", trace.assumptions, (a) => words(a.text)),
    list("Rules of a real cluster", Object.entries(trace.rules ?? {}), ([id, text]) => `${code(id)} ${words(text)}`),
  ];
  return `${parts.flat().filter(Boolean).join("\n\n")}\n`;
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(share * 1000) / 10} %`;
}

/** @param {string} title @param {any[]|undefined} items @param {(item: any) => string} line */
function list(title, items, line) {
  return items?.length ? [`## ${title}`, items.map((item) => `- ${line(item)}`).join("\n")] : [];
}

/** @param {string} title @param {any[]} hops */
function leg(title, hops) {
  return hops.length ? [`## ${title}`, hops.map(hop).join("\n")] : [];
}

/** One hop: where, what was decided there, and who talks to whom afterwards. */
function hop(/** @type {any} */ one, /** @type {number} */ index) {
  const devices = [one.in_iface, one.out_iface].filter(Boolean).join(" → ");
  const packet = ends(one.headers_out.length ? one.headers_out : one.headers_in);
  const steps = one.steps.map((/** @type {any} */ step) => `   - **${words(step.action.replaceAll("_", " "))}** ${words(step.explain?.operator)}${step.rule ? ` (${code(step.rule.text || step.rule.name)})` : ""}`);
  return [`${index + 1}. ${words(one.place.kind)} **${words(one.place.label)}**${devices ? ` ${code(devices)}` : ""}`, ...steps, packet ? `   - packet: ${code(packet)}` : ""].filter(Boolean).join("\n");
}

/** @param {any[]} stack */
function ends(stack) {
  const [ip, l4] = [innermost(stack, "ip"), innermost(stack, "l4")];
  if (!ip) return "";
  const at = (/** @type {string} */ host, /** @type {any} */ port) => (port === undefined ? host : host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
  const tunnel = stack.some((header) => header.layer === "vxlan") ? " in VXLAN" : "";
  return `${at(ip.src, l4?.sport)} → ${at(ip.dst, l4?.dport)} ${l4?.proto ?? ip.proto}, TTL ${ip.ttl}${tunnel}`;
}
