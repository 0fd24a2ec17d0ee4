/** The keyboard: one table, which is also the sheet that `?` opens. */
import { isTyping } from "./dom.js";

/** @typedef {{key: string, shown?: string, does: string, run: () => void}} Binding */

export const LETTERS = "clusterviz.letters";

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

/** @returns {boolean} whether single letters and signs work as keys */
export function lettersOn() {
  return localStorage.getItem(LETTERS) !== "off";
}
