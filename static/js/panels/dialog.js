/** One way to ask: a modal dialog with a title, a body and its buttons. */
import { t } from "../model/words.js";
import { h, icon } from "./dom.js";

/**
 * @param {string} title @param {Node[]} body @param {{testid: string, wide?: boolean}} options
 * @returns {HTMLDialogElement} open; it removes itself when closed
 */
export function openDialog(title, body, { testid, wide = false }) {
  document.querySelector(`dialog[data-testid="${testid}"]`)?.remove();
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { testid, "aria-label": title, class: wide ? "wide" : "" }));
  dialog.append(h("header", {}, h("h2", {}, title),
    h("button.plain.square", { "aria-label": t("Close"), testid: `${testid}-close`, onclick: () => dialog.close() }, icon("close"))), ...body);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** @param {string} question @param {string} consequence @param {string} verb @returns {Promise<boolean>} */
export function confirmed(question, consequence, verb) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = h("button.danger", { testid: "confirm-yes", onclick: () => { answer = true; dialog.close(); } }, verb);
    const no = h("button", { testid: "confirm-no", onclick: () => dialog.close(), autofocus: true }, t("Cancel"));
    const dialog = openDialog(question, [h("p", {}, consequence), h("footer", {}, no, yes)], { testid: "confirm" });
    dialog.addEventListener("close", () => resolve(answer));
  });
}
