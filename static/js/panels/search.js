/** The search field: `/` goes there, arrows choose, Enter selects. */
import { addressOf, find } from "../model/search.js";
import { byId, fill, h } from "./dom.js";

/** @param {{entities: () => Iterable<any>, select: (id: string) => void}} ports */
export function searchBox({ entities, select }) {
  const input = /** @type {HTMLInputElement} */ (byId("search"));
  const list = byId("found");
  /** @type {any[]} */
  let found = [];
  let at = 0;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (/** @type {any} */ entity) => {
    close();
    input.value = "";
    input.blur();
    select(entity.id);
  };
  const option = (/** @type {any} */ entity, /** @type {number} */ i) => h("li", {
    id: `found-${i}`, role: "option", "aria-selected": String(i === at), testid: "search-result", data: { id: entity.id },
    onmousedown: (/** @type {Event} */ e) => { e.preventDefault(); choose(entity); } },
  h("span.what", {}, entity.kind), h("span.who", {}, entity.namespace ? `${entity.namespace}/${entity.name}` : entity.label || entity.name),
  h("span.where", {}, addressOf(entity)));
  const show = () => {
    fill(list, found.length ? found.map(option) : h("li.none", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, `Nothing is called “${input.value}”.`));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (found.length) input.setAttribute("aria-activedescendant", `found-${at}`);
    else input.removeAttribute("aria-activedescendant");
    document.getElementById(`found-${at}`)?.scrollIntoView({ block: "nearest" });
  };
  const update = () => {
    found = find(entities(), input.value);
    at = 0;
    if (input.value.trim()) show();
    else close();
  };
  input.addEventListener("input", update);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { input.value = ""; close(); input.blur(); }
    if (event.key === "Enter" && found[at] && !list.hidden) choose(found[at]);
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      show();
    }
  });
  return { focus: () => { input.focus(); input.select(); } };
}
