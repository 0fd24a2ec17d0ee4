/** The sheet of keys that `?` opens. Loaded when it is wanted. */
import { t } from "../model/words.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { LETTERS, lettersOn } from "./keys.js";

const TRACE = [["→  space  PageDown", t("next hop")], ["←  PageUp", t("one hop back")], ["Home  End", t("first hop, last hop")], ["Esc", t("close the trace")]];

/** @param {import("./keys.js").Binding[]} bindings */
export function keySheet(bindings) {
  const line = (/** @type {string} */ keys, /** @type {string} */ does) => h("tr", {}, h("td", {}, keys.split("  ").map((k) => h("kbd", {}, k))), h("td", {}, does));
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", testid: "letters" }));
  box.checked = lettersOn();
  box.addEventListener("change", () => localStorage.setItem(LETTERS, box.checked ? "on" : "off"));
  const { tour } = document.getElementById("dash")?.dataset ?? {};
  const sheet = openDialog(t("Keys"), [h("table.keys", {}, h("tbody", {}, bindings.map((b) => line(b.shown ?? b.key, b.does)))),
    h("h3", {}, t("While following a packet")), h("table.keys", {}, h("tbody", {}, TRACE.map(([keys, does]) => line(keys, does)))),
    h("label.check", {}, box, t("Single letters and signs work as keys")),
    tour ? h("button", { testid: "tour-start", onclick: async () => { sheet.close(); (await import("./tour.js")).startTour(tour); } }, t("A tour of two minutes")) : h("span")], { testid: "keys" });
}
