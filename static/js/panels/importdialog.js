/** The import dialog: look at what would happen, then do it. Loaded when it is wanted. */
import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { toast } from "./toasts.js";

/** What the server reads at once. */
const LIMIT = 5 * 1024 * 1024;
const PARTS = [["created", "created"], ["changed", "changed"], ["ignored", "ignored"], ["warnings", "warnings"], ["unchanged", "as before"]];

/** @typedef {{send: (source: File[]|string, dryRun: boolean) => Promise<{ok: boolean, status: number, body: any}>, editor: () => boolean, login: string}} Ports */

/** @param {Ports} ports @param {File[]} dropped */
export function importDialog(ports, dropped) {
  if (!ports.editor()) return openDialog("Import manifests", [h("p", { testid: "login-hint" }, h("a", { href: ports.login }, "Sign in"), " as an editor to import manifests.")], { testid: "import" });
  const result = h("div.result", { testid: "import-result", "aria-live": "polite" });
  const text = /** @type {HTMLTextAreaElement} */ (h("textarea", { rows: 9, testid: "import-text", spellcheck: "false", "aria-label": "YAML", placeholder: "Paste Kubernetes YAML here, or drop files anywhere on the page" }));
  const file = /** @type {HTMLInputElement} */ (h("input", { type: "file", multiple: true, accept: ".yaml,.yml,.json", testid: "import-file", "aria-label": "Files with manifests" }));
  const apply = /** @type {HTMLButtonElement} */ (h("button.strong", { testid: "import-apply", disabled: true }, "Apply"));
  const look = /** @type {HTMLButtonElement} */ (h("button", { testid: "import-preview" }, "Preview"));
  let files = dropped;
  const source = () => (files.length ? files : text.value);
  const run = async (/** @type {boolean} */ dry) => {
    const size = files.length ? files.reduce((sum, one) => sum + one.size, 0) : new Blob([text.value]).size;
    if (!size) return fill(result, h("p.wrong", {}, "There is nothing to import: paste YAML or choose a file."));
    if (size > LIMIT) return fill(result, h("p.wrong", {}, `${(size / 1048576).toFixed(1)} MiB is too much: at most ${LIMIT / 1048576} MiB at once.`));
    [look.disabled, apply.disabled] = [true, true];
    fill(result, h("p.hint", {}, dry ? "Reading…" : "Applying…"));
    const answer = await ports.send(source(), dry);
    look.disabled = false;
    apply.disabled = !(answer.ok && dry);
    fill(result, answer.ok ? summary(answer.body, dry) : failure(answer.body));
    if (answer.ok && !dry) toast(`Imported: ${count(answer.body.created)} created, ${count(answer.body.changed)} changed.`);
    return undefined;
  };
  const forget = () => { apply.disabled = true; };
  text.addEventListener("input", () => { files = []; file.value = ""; forget(); });
  file.addEventListener("change", () => { files = [...(file.files ?? [])]; forget(); if (files.length) run(true); });
  look.addEventListener("click", () => run(true));
  apply.addEventListener("click", () => run(false));
  const names = dropped.length ? h("p.hint", {}, dropped.map((f) => f.name).join(", ")) : null;
  const dialog = openDialog("Import manifests", [h("p.hint", {}, "All or nothing: a preview shows what would happen before anything changes."), names, text, file, result, h("footer", {}, look, apply)].filter((x) => x !== null), { testid: "import", wide: true });
  if (dropped.length) run(true);
  else text.focus();
  return dialog;
}

/** @param {any} list */
function count(list) {
  return Array.isArray(list) ? list.length : 0;
}

/** @param {any} body @param {boolean} dry */
function summary(body, dry) {
  const rows = PARTS.flatMap(([key, word]) => (body[key] ?? []).map((/** @type {any} */ entry) => row(word, entry)));
  const counts = PARTS.filter(([key]) => count(body[key])).map(([key, word]) => `${count(body[key])} ${word}`).join(", ");
  return [h("p", { testid: "import-counts" }, h("strong", {}, dry ? "Would be: " : "Done: "), counts || "nothing to do"),
    rows.length ? h("div.scroll", { tabindex: 0 }, h("table.summary", { testid: "import-summary" }, h("thead", {}, h("tr", {}, ["what", "object", "where", "why"].map((t) => h("th", {}, t)))), h("tbody", {}, rows))) : null];
}

/** @param {string} word @param {any} entry */
function row(word, entry) {
  const where = entry.line ? `${entry.file || "pasted"}:${entry.line}` : entry.file || "";
  return h("tr", { data: { what: word } }, h("td", {}, word), h("td", {}, `${entry.kind} ${entry.namespace ? `${entry.namespace}/` : ""}${entry.name}`), h("td.mono", {}, where), h("td", {}, entry.why ?? ""));
}

/** @param {any} body */
function failure(body) {
  const problems = body.problems ?? [];
  return [h("p.wrong", { testid: "import-error", role: "alert" }, body.error), h("ul.problems", { testid: "import-problems" }, problems.slice(0, 100).map((/** @type {any} */ p) => h("li", {},
    h("span.mono", {}, `${p.file || "pasted"}${p.line ? `:${p.line}` : ""}${p.document ? ` (document ${p.document})` : ""}`), " ", p.object ? h("strong", {}, `${p.object} `) : null, p.field ? h("code", {}, `${p.field}: `) : null, p.message)))];
}
