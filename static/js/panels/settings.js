/** Network settings: each with its value, what it means and where it came from; editors change them here. */
import { openDialog } from "./dialog.js";
import { breakable, fill, h } from "./dom.js";
import { toast } from "./toasts.js";

/** @typedef {{ok: boolean, status: number, body: any}} Answer */
/** @typedef {{load: () => Promise<Answer>, save: (changes: Record<string, any>) => Promise<Answer>, editor: () => boolean, login: string}} Ports */
/** @typedef {{name: string, label: string, group: string, kind: string, value: any, default: any, meaning: string, rules: string[], choices: string[], least: number|null, most: number|null, origin: string}} Setting */

/** @param {Ports} ports */
export async function openSettings(ports) {
  const body = h("div.settings", { testid: "settings-body", tabindex: 0 }, h("p.hint", {}, "Reading…"));
  const words = h("p.said", { role: "status", testid: "settings-said" });
  const footer = h("footer", {}, words);
  openDialog("Network settings", [h("p.hint", {}, "What the objects do not say about this cluster's network. Every trace follows these."), body, footer], { testid: "settings", wide: true });
  const answer = await ports.load();
  if (!answer.ok) return fill(body, h("p.wrong", { role: "alert" }, answer.body.error));
  const may = ports.editor();
  draw(body, answer.body.settings, may);
  if (!may) return fill(footer, h("p.hint", { testid: "login-hint" }, h("a", { href: ports.login }, "Sign in"), " as an editor to change settings."));
  const save = h("button.strong", { testid: "settings-save", onclick: () => send(ports, body, words) }, "Save");
  footer.append(save);
  return undefined;
}

/** @param {Ports} ports @param {HTMLElement} body @param {HTMLElement} words */
async function send(ports, body, words) {
  const changes = Object.fromEntries(changed(body));
  for (const old of body.querySelectorAll(".wrong")) old.remove();
  if (!Object.keys(changes).length) return fill(words, "Nothing was changed.");
  fill(words, "Saving…");
  const answer = await ports.save(changes);
  if (answer.ok) {
    draw(body, answer.body.settings, true);
    fill(words, answer.body.message);
    return toast(answer.body.message);
  }
  const problems = answer.body.problems?.length ? answer.body.problems : [{ field: "", message: answer.body.error }];
  fill(words, `${problems.length} problem${problems.length > 1 ? "s" : ""}; nothing was changed.`);
  for (const problem of problems) complain(body, words, problem);
  return body.querySelector(".wrong")?.scrollIntoView({ block: "center" });
}

/** At the setting it concerns, else below. @param {HTMLElement} body @param {HTMLElement} words @param {{field: string, message: string}} problem */
function complain(body, words, problem) {
  const row = body.querySelector(`[data-setting="${CSS.escape(problem.field.split("[")[0])}"]`);
  const said = h("p.wrong", { role: "alert" }, problem.message);
  if (row) row.append(said);
  else fill(words, said);
}

/** @param {HTMLElement} body @param {Setting[]} settings @param {boolean} may */
function draw(body, settings, may) {
  const groups = [...new Set(settings.map((one) => one.group))];
  const top = body.scrollTop;
  fill(body, groups.map((group) => h("section", {}, h("h3", {}, group), settings.filter((one) => one.group === group).map((one) => row(one, may)))));
  body.scrollTop = top;
}

/** @param {Setting} setting @param {boolean} may */
function row(setting, may) {
  const id = `setting-${setting.name}`;
  const usual = same(setting.value, setting.default);
  const value = may ? field(setting, id) : h("span.mono.shown", { testid: id }, breakable(shown(setting, setting.value)));
  return h("div.setting", { data: { setting: setting.name, usual: usual ? "yes" : "no" } },
    h(may ? "label" : "span", may ? { for: id } : {}, setting.label, " ", h("code", {}, setting.name)), value,
    h("p.meaning", {}, setting.meaning, " ", h("span.rules", {}, setting.rules.join(", "))),
    h("p.origin", { testid: `${id}-origin` }, setting.origin === "default" ? "default" : [breakable(setting.origin), ` · default ${shown(setting, setting.default)}`]));
}

/** @param {Setting} setting @param {string} id */
function field(setting, id) {
  const common = { id, testid: id, data: { kind: setting.kind, was: JSON.stringify(setting.value) } };
  if (setting.kind === "bool") return h("input", { ...common, type: "checkbox", checked: setting.value });
  if (setting.kind === "choice") return h("select", common, setting.choices.map((one) => h("option", { value: one, selected: one === setting.value }, one)));
  const number = setting.kind === "int" || setting.kind === "float";
  return h("input", { ...common, type: number ? "number" : "text", value: shown(setting, setting.value), min: setting.least, max: setting.most,
    step: setting.kind === "float" ? "any" : undefined, spellcheck: "false", autocomplete: "off", placeholder: setting.kind === "list" ? "none" : undefined });
}

/** What differs from what was read. @param {HTMLElement} body @returns {[string, any][]} */
function changed(body) {
  return [...body.querySelectorAll("[data-setting]")].flatMap((one) => {
    const input = /** @type {HTMLInputElement|null} */ (one.querySelector("[data-kind]"));
    if (!input) return [];
    const value = read(input);
    const name = /** @type {HTMLElement} */ (one).dataset.setting ?? "";
    return same(value, JSON.parse(input.dataset.was ?? "null")) ? [] : [/** @type {[string, any]} */ ([name, value])];
  });
}

/** @param {HTMLInputElement} input */
function read(input) {
  const text = input.value.trim();
  switch (input.dataset.kind) {
    case "bool": return input.checked;
    case "int": case "float": return text === "" ? null : Number(text);
    case "list": return text.split(",").map((part) => part.trim()).filter(Boolean);
    case "range": return text.split("-").map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : part));
    default: return text;
  }
}

/** @param {Setting} setting @param {any} value */
function shown(setting, value) {
  if (setting.kind === "bool") return value ? "on" : "off";
  if (Array.isArray(value)) return value.join(setting.kind === "range" ? "-" : ", ") || (setting.kind === "list" ? "" : "none");
  return String(value);
}

/** @param {any} a @param {any} b */
function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
