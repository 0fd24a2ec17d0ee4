/** The keyboard: one table, which is also the sheet that `?` opens. */
import { openDialog } from "./dialog.js";
import { h, isTyping } from "./dom.js";

/** @typedef {{key: string, shown?: string, does: string, run: () => void}} Binding */

const TRACE = [["→  space  PageDown", "next hop"], ["←  PageUp", "one hop back"], ["Home  End", "first hop, last hop"], ["Esc", "close the trace"]];
const SAVED = "clusterviz.letters";

/** @param {Binding[]} bindings @param {(event: KeyboardEvent) => boolean} first somebody who may want the key before */
export function bindKeys(bindings, first) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === " " && event.target instanceof HTMLButtonElement && !event.target.closest("#trace")) return;
    if (first(event)) return void event.preventDefault();
    const binding = bindings.find((one) => one.key === event.key);
    if (!binding || (!lettersOn() && /^[!-~]$/.test(event.key))) return;
    event.preventDefault();
    binding.run();
  });
}

function lettersOn() {
  return localStorage.getItem(SAVED) !== "off";
}

/** @param {Binding[]} bindings */
export function keySheet(bindings) {
  const line = (/** @type {string} */ keys, /** @type {string} */ does) => h("tr", {}, h("td", {}, keys.split("  ").map((k) => h("kbd", {}, k))), h("td", {}, does));
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", testid: "letters" }));
  box.checked = lettersOn();
  box.addEventListener("change", () => localStorage.setItem(SAVED, box.checked ? "on" : "off"));
  const { tour } = document.getElementById("dash")?.dataset ?? {};
  const sheet = openDialog("Keys", [h("table.keys", {}, h("tbody", {}, bindings.map((b) => line(b.shown ?? b.key, b.does)))),
    h("h3", {}, "While following a packet"), h("table.keys", {}, h("tbody", {}, TRACE.map(([keys, does]) => line(keys, does)))),
    h("label.check", {}, box, "Single letters and signs work as keys"),
    tour ? h("button", { testid: "tour-start", onclick: async () => { sheet.close(); (await import("./tour.js")).startTour(tour); } }, "A tour of two minutes") : h("span")], { testid: "keys" });
}
