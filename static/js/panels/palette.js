/** The command palette: every key, every object, every action, found by a few letters. Loaded when it is wanted. */
import { addressOf } from "../model/search.js";
import { ranked } from "../model/fuzzy.js";
import { choices, perform, replicasOf, send } from "./actions.js";
import { copy } from "./copy.js";
import { asDestination, asSource, titleOf } from "./describe.js";
import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { EXPORTS, possible, take } from "./exportmenu.js";

/** @typedef {{id: string, text: string, group: string, more?: string, shown?: string, run: () => void}} Entry */
/**
 * @typedef {import("./exportmenu.js").Ports & {
 *   api: import("../net/http.js").Api, bindings: () => import("./keys.js").Binding[], selected: () => string, select: (id: string, centred?: boolean) => void,
 *   ask: (ends: {from?: string, to?: string}) => void, editor: () => boolean, act: (action: Record<string, any>) => Promise<{ok: boolean, body: any}>}} Ports
 */

const SAVED = "clusterviz.recent";
const RECENT = 8;
const MOST = 60;
const PAGE = 8;
/** ms after the last letter until the server is asked. */
const PAUSE = 150;

/** @returns {string[]} what was chosen last, newest first */
function recent() {
  try {
    const known = JSON.parse(localStorage.getItem(SAVED) ?? "[]");
    return Array.isArray(known) ? known.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** @param {string} id */
function remember(id) {
  localStorage.setItem(SAVED, JSON.stringify([id, ...recent().filter((one) => one !== id)].slice(0, RECENT)));
}

/** What can be done with the selected object. @param {Ports} ports @returns {Entry[]} */
function actionEntries(ports) {
  const entity = ports.store.entities.get(ports.selected());
  if (!entity) return [];
  const name = titleOf(entity);
  const [from, to] = [asSource(entity), asDestination(entity)];
  const traces = [from ? { id: "trace-from", text: `Trace from ${name} to …`, group: "trace", run: () => ports.ask({ from }) } : null,
    to ? { id: "trace-to", text: `Trace to ${name} from …`, group: "trace", run: () => ports.ask({ to }) } : null].filter((one) => one !== null);
  if (!ports.editor()) return traces;
  const actions = choices(entity).map((choice) => ({ id: `do-${choice.action}`, text: `${choice.label}: ${name}`, group: "action", run: () => perform(entity, choice, ports) }));
  return [...traces, ...actions];
}

/** The number in `scale 5` is how many. @param {Ports} ports @param {string} query @returns {Entry[]} */
function scaleEntries(ports, query) {
  const entity = ports.store.entities.get(ports.selected());
  const workload = entity?.kind === "workload" ? entity : ports.store.entities.get(entity?.workload);
  if (!ports.editor() || !workload || workload.type === "DaemonSet") return [];
  const said = replicasOf(/\b\d+\b/.exec(query)?.[0] ?? "");
  const counts = said === null ? [workload.replicas + 1, workload.replicas - 1] : [said];
  return counts.filter((replicas) => replicas >= 0).map((replicas) => ({ id: `scale-${replicas}`, text: `Scale ${workload.name} to ${replicas}`, group: "action",
    run: () => send({ action: "scale", target: workload.id, replicas }, ports) }));
}

/** @param {Ports} ports @returns {Entry[]} */
function commands(ports) {
  const keys = ports.bindings().filter((one) => one.key !== "Ctrl+K").map((one) => ({ id: `key-${one.key}`, text: one.does[0].toUpperCase() + one.does.slice(1), group: "command", shown: one.shown ?? one.key, run: one.run }));
  const exports = EXPORTS.filter((one) => possible(one, ports)).map((one) => ({ id: `export-${one.id}`, text: `Export: ${one.label}`, group: "export", run: () => { take(one, ports); } }));
  return [...keys, { id: "link", text: "Copy link to what is shown", group: "command", run: () => copy(ports.link(), "Link") }, ...exports];
}

/** @param {Ports} ports @returns {Entry[]} */
function objects(ports) {
  return [...ports.store.entities.values()].map((entity) => objectEntry(entity, ports));
}

/** @param {any} entity or a hit of the server's @param {Ports} ports @returns {Entry} */
function objectEntry(entity, ports) {
  return { id: `go-${entity.id}`, text: titleOf(entity), group: entity.kind, more: `${entity.kind} ${entity.namespace ?? ""} ${addressOf(entity)}`,
    shown: [entity.namespace, addressOf(entity)].filter(Boolean).join(" · "), run: () => ports.select(entity.id, true) };
}

/** @param {Ports} ports @returns {(query: string) => Entry[]} what fits, best first; without a query what was used last comes first */
function finder(ports) {
  const [actions, known, things] = [actionEntries(ports), commands(ports), objects(ports)];
  const last = recent();
  const liked = (/** @type {Entry} */ entry) => (last.includes(entry.id) ? 12 - last.indexOf(entry.id) : 0);
  return (query) => {
    const doing = [...actions, ...scaleEntries(ports, query), ...known];
    if (query.trim()) return ranked([...doing, ...things], query, liked, MOST);
    const before = last.flatMap((id) => [...doing, ...things].find((entry) => entry.id === id) ?? []);
    return [...new Set([...before, ...doing])].slice(0, MOST);
  };
}

/** Opens the palette, or closes it. @param {Ports} ports */
export function openPalette(ports) {
  const known = /** @type {HTMLDialogElement|null} */ (document.querySelector('dialog[data-testid="palette"]'));
  if (known) return known.close();
  if (document.querySelector("dialog[open]")) return undefined;
  const find = finder(ports);
  const list = h("ul.found.all", { id: "palette-list", role: "listbox", "aria-label": "What fits", testid: "palette-list" });
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "search", testid: "palette-input", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
    "aria-label": "Command, object or action", placeholder: "Command, object or action", autocomplete: "off", spellcheck: "false" }));
  let entries = /** @type {Entry[]} */ ([]);
  let at = 0;
  const run = (/** @type {Entry} */ entry) => {
    remember(entry.id);
    dialog.addEventListener("close", () => entry.run(), { once: true });
    dialog.close();
  };
  const mark = (/** @type {number} */ next) => {
    at = entries.length ? (next + entries.length) % entries.length : 0;
    if (!entries.length) return input.removeAttribute("aria-activedescendant");
    [...list.children].forEach((item, i) => { item.setAttribute("aria-selected", String(i === at)); });
    input.setAttribute("aria-activedescendant", `palette-${at}`);
    return list.children[at].scrollIntoView({ block: "nearest" });
  };
  let asked = 0;
  /** Of a large cluster most things are found by the server. */
  const seek = () => {
    clearTimeout(asked);
    const words = input.value.trim();
    if (!ports.store.mass || !words) return;
    asked = setTimeout(async () => {
      const answer = await ports.api.search(words);
      if (!answer.ok || input.value.trim() !== words || !dialog.open) return;
      const known = new Set(entries.map((entry) => entry.id));
      entries = [...entries, ...answer.body.hits.map((/** @type {any} */ hit) => objectEntry(hit, ports)).filter((/** @type {Entry} */ entry) => !known.has(entry.id))].slice(0, MOST);
      refill(at);
    }, PAUSE);
  };
  const draw = () => {
    entries = find(input.value);
    refill(0);
    seek();
  };
  const refill = (/** @type {number} */ next) => {
    fill(list, entries.length ? entries.map((entry, i) => option(entry, i, run)) : h("li.none", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, `Nothing fits “${input.value}”.`));
    mark(next);
  };
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    const to = /** @type {Record<string, number>} */ ({ ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(entries.length - 1, at + PAGE), PageUp: Math.max(0, at - PAGE) })[event.key];
    if (event.key === "Escape") dialog.close();
    else if (event.key === "Enter" && entries[at]) run(entries[at]);
    else if (to !== undefined) mark(to);
    else return;
    event.preventDefault();
  });
  const dialog = openDialog("Commands", [input, list], { testid: "palette", wide: true });
  draw();
  return input.focus();
}

/** @param {Entry} entry @param {number} i @param {(entry: Entry) => void} run */
function option(entry, i, run) {
  return h("li", { id: `palette-${i}`, role: "option", testid: "palette-option", data: { id: entry.id }, onmousedown: (/** @type {Event} */ e) => e.preventDefault(), onclick: () => run(entry) },
    h("span.what", {}, entry.group), h("span.who", { title: entry.text }, entry.text),
    entry.id.startsWith("key-") ? h("kbd", {}, entry.shown) : h("span.where", {}, entry.shown ?? ""));
}
