/** A button that copies a text, and says so. */
import { t } from "../model/words.js";
import { fill, h } from "./dom.js";
import { toast } from "./toasts.js";

/** @param {string} text @param {string} what it is, for the person who reads the answer */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("{what} copied.", { what }));
  } catch {
    toast(t("This browser gives no clipboard to pages without TLS. {what}: {text}", { what, text }), "bad");
  }
}

/**
 * @param {string} label @param {() => string} what
 * @param {HTMLElement} shown marked where the browser gives no clipboard
 * @param {string} testid
 */
export function copyButton(label, what, shown, testid) {
  const button = h("button.chip", { testid, "aria-live": "polite" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(what());
      fill(button, t("Copied"));
    } catch {
      getSelection()?.selectAllChildren(shown);
      fill(button, t("Marked: press Ctrl+C"));
    }
    setTimeout(() => fill(button, label), 2500);
  });
  return button;
}
