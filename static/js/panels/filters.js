/** The filter popover: namespace, kind, labels, what became of the packet. */
import { isActive, NOTHING } from "../model/filter.js";
import { byId, fill, h } from "./dom.js";

const KINDS = [["pod", "Pods"], ["service", "Services"], ["node", "Nodes"], ["ingress", "Ingresses"], ["gateway", "Gateways"], ["external", "Outside"]];
const EFFECTS = [["allowed", "allowed"], ["rewritten", "rewritten"], ["refused", "refused"], ["dropped", "dropped"]];

/** @param {{entities: () => Iterable<any>, change: (filter: import("../model/filter.js").Filter) => void}} ports */
export function filterBox({ entities, change }) {
  const button = byId("filter");
  const box = byId("filters");
  let filter = { ...NOTHING };

  const set = (/** @type {string} */ name, /** @type {string} */ value) => {
    filter = { ...filter, [name]: value };
    button.dataset.active = isActive(filter) ? "yes" : "no";
    change(filter);
  };
  const choice = (/** @type {"namespace"|"kind"|"verdict"} */ name, /** @type {string} */ label, /** @type {string[][]} */ options) =>
    h("label.field", {}, label, h("select", { testid: `filter-${name}`, onchange: (/** @type {any} */ e) => set(name, e.target.value) },
      [["", "any"], ...options].map(([value, text]) => h("option", { value, selected: value === filter[name] }, text))));
  const draw = () => {
    const names = [...entities()].filter((e) => e.kind === "namespace" || e.namespace)
      .map((e) => (e.kind === "namespace" ? e.name : e.namespace));
    const namespaces = [...new Set(names)].sort();
    fill(box, choice("namespace", "Namespace", namespaces.map((n) => [n, n])), choice("kind", "Kind", KINDS),
      h("label.field", {}, "Labels", h("input", { type: "text", testid: "filter-label", placeholder: "app=web, tier!=db", value: filter.label,
        oninput: (/** @type {any} */ e) => set("label", e.target.value) })),
      choice("verdict", "What became of the packet", EFFECTS),
      h("div.row", {}, h("span.hint", {}, "The rest is dimmed, nothing moves."),
        h("button", { testid: "filter-clear", onclick: () => { filter = { ...NOTHING }; set("kind", ""); draw(); } }, "Clear")));
  };
  const toggle = (/** @type {boolean} */ open) => {
    if (open) draw();
    box.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) /** @type {HTMLElement|null} */ (box.querySelector("select"))?.focus();
  };
  button.addEventListener("click", () => toggle(box.hidden === true));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    toggle(false);
    button.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.hidden && event.target instanceof Node && !box.contains(event.target) && !button.contains(event.target)) toggle(false);
  });
  return {
    toggle: () => toggle(box.hidden === true),
    /** @param {Partial<import("../model/filter.js").Filter>} next */
    assign: (next) => {
      filter = { ...NOTHING, ...next };
      set("kind", filter.kind);
      if (!box.hidden) draw();
    },
  };
}
