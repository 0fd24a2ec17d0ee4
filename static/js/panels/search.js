/** The search field: `/` goes there, arrows choose, Enter selects. */
import { addressOf, find } from "../model/search.js";
import { byId, fill, h } from "./dom.js";

/** ms after the last letter until the server is asked. */
const PAUSE = 150;

/**
 * @typedef {object} Ports
 * @property {() => Iterable<any>} entities
 * @property {(id: string) => void} select
 * @property {() => ((words: string) => Promise<{ok: boolean, body: any}>)|null} [server] asks the server where not everything is here
 */

/** @param {Ports} ports */
export function searchBox({ entities, select, server }) {
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
  let more = "";
  const show = (/** @type {string} */ words = more) => {
    more = words;
    fill(list, found.length ? [...found.map((entity, i) => option(entity, i, i === at, choose)), more ? remark(more) : null] : remark(`Nothing is called “${input.value}”.`));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (found.length) input.setAttribute("aria-activedescendant", `found-${at}`);
    else input.removeAttribute("aria-activedescendant");
    document.getElementById(`found-${at}`)?.scrollIntoView({ block: "nearest" });
  };
  const search = patient(input, (body) => {
    [found, at] = [body.hits, 0];
    show(body.more ? "There are more: go on typing." : "");
  });
  const update = () => {
    const ask = server?.();
    [found, at] = [ask ? [] : find(entities(), input.value), 0];
    if (!input.value.trim()) close();
    else if (ask) search(ask);
    else show();
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

/**
 * A large cluster is searched where it lives, once the letters pause.
 * @param {HTMLInputElement} input @param {(body: any) => void} answered @returns {(ask: (words: string) => Promise<{ok: boolean, body: any}>) => void}
 */
function patient(input, answered) {
  let timer = 0;
  return (ask) => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const words = input.value;
      const answer = await ask(words);
      if (answer.ok && input.value === words && document.activeElement === input) answered(answer.body);
    }, PAUSE);
  };
}

/** @param {any} entity @param {number} i @param {boolean} chosen @param {(entity: any) => void} choose */
function option(entity, i, chosen, choose) {
  return h("li", { id: `found-${i}`, role: "option", "aria-selected": String(chosen), testid: "search-result", data: { id: entity.id },
    onmousedown: (/** @type {Event} */ e) => { e.preventDefault(); choose(entity); } },
  h("span.what", {}, entity.kind), h("span.who", {}, entity.namespace ? `${entity.namespace}/${entity.name}` : entity.label || entity.name),
  h("span.where", {}, addressOf(entity)));
}

/** @param {string} words */
function remark(words) {
  return h("li.none", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, words);
}
