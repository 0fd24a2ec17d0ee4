/** The whole answer of a trace: what stops the packet, what would help, what mattered, what was taken for granted. */
import { copyButton } from "./copy.js";
import { fill, h } from "./dom.js";
import { candidates, chip } from "./tracestep.js";

/**
 * @typedef {object} Does
 * @property {(ref: string) => void} select
 * @property {(child: any) => void} enter looks at a packet this one needed first
 * @property {((fix: any) => void)|null} call asks for something else instead
 * @property {(() => Promise<{id: string, label: string, href: string}[]>)|null} captures
 */

/** @param {any} trace @param {Does} does @returns {any[]} */
export function wholeAnswer(trace, does) {
  const choices = trace.forward.flatMap((/** @type {any} */ hop) => hop.steps).filter((/** @type {any} */ step) => step.candidates.length);
  return [
    section("What stops it", "blockers", trace.blockers, (/** @type {any} */ b) => h("li.blocker", {}, h("strong", {}, b.why || b.rule), h("span.hint", {}, [b.verdict.replaceAll("_", " "), b.rule].join(" · ")), chip(b.ref, does.select)), "ol"),
    fixes(trace.fixes ?? [], does),
    section("Needed first", "children", trace.children, (/** @type {any} */ child) => h("li", {},
      h("button", { testid: "trace-child", onclick: () => does.enter(child) }, child.cause, h("span.hint", {}, child.trace.verdict.replaceAll("_", " "))))),
    ...choices.map((/** @type {any} */ step) => h("section", { testid: "trace-choice" }, h("h3", {}, `Who could be picked: ${step.facts.service ?? ""}`), candidates(step.candidates))),
    section("Settings that matter", "settings", trace.settings ?? [], (/** @type {any} */ s) => h("li", {}, h("code", {}, `${s.name}: ${said(s.value)}`), " ", h("span", {}, s.why))),
    section("Sessions the kernel remembers", "sessions", trace.sessions, (/** @type {any} */ s) => h("li.mono", {}, `${s.node}: ${s.orig} · reply ${s.reply}${s.nat ? ` · ${s.nat}` : ""}`)),
    trace.reverse.length ? null : h("p.hint", {}, trace.reverse_reason || "There is no reply."),
    section("Taken for granted", "assumptions", trace.assumptions.filter((/** @type {any} */ a) => !a.standing), (/** @type {any} */ a) => h("li", {}, a.text)),
    always(trace.assumptions.filter((/** @type {any} */ a) => a.standing)),
    does.captures ? downloads(does.captures) : null,
  ];
}

/** What every trace of this kind takes for granted. @param {any[]} all */
function always(all) {
  return all.length ? h("details", { testid: "trace-always" }, h("summary", {}, "Taken for granted as always"), h("ul.plain-list", {}, all.map((a) => h("li", {}, a.text)))) : null;
}

/** @param {any} value */
function said(value) {
  return value === true ? "on" : value === false ? "off" : String(value);
}

/** @param {string} title @param {string} name @param {any[]} items @param {(item: any) => Node} make @param {string} [list] */
function section(title, name, items, make, list = "ul") {
  return items?.length ? h("section", { testid: `trace-${name}` }, h("h3", {}, title), h(`${list}.plain-list`, {}, items.map(make))) : null;
}

/** Groups of changes; one group suffices, and all of a group are needed. @param {any[]} all @param {Does} does */
function fixes(all, does) {
  if (!all.length) return null;
  const groups = [...new Set(all.map((fix) => fix.group))].map((number) => all.filter((fix) => fix.group === number));
  const tried = all.every((fix) => fix.verified);
  return h("section", { testid: "trace-fixes" }, h("h3", {}, "What would help"),
    h("p.hint", {}, tried ? "Each was tried on a copy of this cluster, and the packet arrived. The smallest change stands first." : all.every((fix) => fix.kind === "work") ? "No change of an object is known that helps; this is for people to do." : "None of these changes was enough when tried on a copy of this cluster."),
    h("ol.fixes", {}, (tried ? groups : all.map((fix) => [fix])).map((group) => h("li", { testid: "trace-fix" },
      group.length > 1 ? h("p.hint", {}, `All ${group.length} together:`) : null, group.map((fix) => change(fix, does))))));
}

/** @param {any} fix @param {Does} does */
function change(fix, does) {
  const shown = fix.patch || (fix.kind === "setting" ? `${fix.setting}: ${fix.value}` : fix.value);
  const text = h("pre.command", { tabindex: "0", "aria-label": "The change as YAML" }, shown.trimEnd());
  return h("div.fix", { data: { kind: fix.kind } }, h("strong", {}, fix.title),
    h("details.rulebook", {}, h("summary.hint", {}, "why"), h("p", {}, fix.why)),
    shown ? text : null,
    h("div.fixactions", {},
      fix.command ? copyButton("Copy command", () => fix.command, text, "trace-copy") : null,
      fix.patch ? copyButton("Copy YAML", () => fix.patch, text, "trace-copy") : null,
      fix.kind === "call" && fix.value && does.call ? h("button.chip", { testid: "trace-instead", onclick: () => does.call?.(fix) }, "Trace this instead") : null,
      chip(fix.ref, does.select)));
}

/** Capture points are asked for when somebody looks. @param {() => Promise<{id: string, label: string, href: string}[]>} ask */
function downloads(ask) {
  const list = h("ul.plain-list", { testid: "trace-captures" });
  const details = h("details", { testid: "trace-pcap" }, h("summary", {}, "Download as pcap"),
    h("p.hint", {}, "What tcpdump would have recorded at each place. Wireshark knows VXLAN on UDP port 4789; for another port use Decode As."), list);
  details.addEventListener("toggle", async () => {
    if (list.childElementCount) return;
    const points = await ask();
    fill(list, points.length ? points.map((one) => h("li", {}, h("a", { href: one.href, download: "" }, one.label))) : h("li.hint", {}, "No packet was sent."));
  });
  return details;
}
