/** One decision of a trace: what was done, the rule that decided, who else could have been taken, how to see it. */
import { shortName } from "./describe.js";
import { h } from "./dom.js";

/**
 * @typedef {object} Words
 * @property {string} level novice or operator
 * @property {Record<string, string>} rules the texts of the numbered rules
 * @property {(ref: string) => void} select
 */

/** @param {any} step @param {boolean} main the one that matters most here @param {Words} words */
export function stepItem(step, main, { level, rules, select }) {
  const { rule } = step;
  const operator = level === "operator";
  return h("li", { class: main ? "main" : "", data: { action: step.action } }, h("div", {}, h("strong", {}, step.action.replaceAll("_", " ")), h("span.hint", {}, [step.hook, step.component].filter(Boolean).join(" · "))),
    h("p", {}, step.explain[level]),
    rule ? h("p.rule", { testid: "trace-rule" }, h("code", {}, rule.text || rule.name), h("span.hint", {}, [rule.made_by && `written by ${rule.made_by}`, rule.path].filter(Boolean).join(" · ")),
      chip(rule.ref, select)) : null,
    step.candidates.length ? candidates(step.candidates) : null,
    missed(step.considered),
    step.settings?.length ? h("p.hint", { testid: "trace-step-settings" }, "Decided by the cluster's setting ", step.settings.map((/** @type {string} */ name, /** @type {number} */ i) => [i ? ", " : "", h("code", {}, name)])) : null,
    step.lines?.length ? lines(step.lines, operator) : null,
    rule?.rules.length ? rulebook(rule.rules, rules) : null,
    step.command && operator ? h("pre.command", { tabindex: "0", "aria-label": "See it on a real node" }, step.command) : null);
}

/** @param {string} ref @param {(ref: string) => void} select */
export function chip(ref, select) {
  return ref ? h("button.chip", { title: ref, onclick: () => select(ref) }, h("span.cut", {}, shortName(ref))) : null;
}

/** Rules that did not match, the nearest miss first. @param {any[]} all */
function missed(all) {
  if (!all.length) return null;
  const one = (/** @type {any} */ c) => h("li", {}, h("code", {}, c.rule), " ", h("span.hint", {}, c.why));
  return h("details.rulebook", { testid: "trace-missed", open: all.length <= 2 }, h("summary.hint", {}, `${all.length} ${all.length > 1 ? "rules that do" : "rule that does"} not fit, nearest first`),
    h("ul.plain-list", {}, all.map(one)));
}

/** The very lines of the node's rules. @param {any[]} all @param {boolean} open */
function lines(all, open) {
  return h("details.rulebook", { testid: "trace-lines", open }, h("summary.hint", {}, all.length > 1 ? `the ${all.length} lines of the node's rules it used` : "the line of the node's rules it used"),
    h("ol.lines", { tabindex: "0" }, all.map((line) => h("li", {}, h("span.hint", {}, line.number ? String(line.number) : ""), h("code", {}, line.text)))));
}

/** The numbered rules of a real cluster that a step follows. @param {string[]} ids @param {Record<string, string>} texts */
function rulebook(ids, texts) {
  return h("details.rulebook", { testid: "trace-rules" }, h("summary.hint", {}, `as a real cluster does: ${ids.join(", ")}`),
    h("ul.plain-list", {}, ids.map((id) => h("li", {}, h("span.mono", {}, id), " ", texts[id] ?? ""))));
}

/** Everybody who could be picked, and everybody who could not, with why. @param {any[]} all */
export function candidates(all) {
  return h("table.candidates", { testid: "trace-candidates" }, h("tbody", {}, all.map((one) => h("tr", { class: one.picked ? "picked" : one.probability ? "" : "excluded" },
    h("td", {}, one.picked ? "●" : ""), h("td", {}, one.pod ? shortName(one.pod) : one.node || one.address, h("span.mono.hint", {}, `${one.address}:${one.port}`)),
    h("td.number", {}, one.probability ? `${Math.round(one.probability * 1000) / 10} %` : h("span.why", {}, one.why || "0 %"))))));
}
