/** A button that copies a text, and says so. */
import { fill, h } from "./dom.js";
import { toast } from "./toasts.js";

/** @param {string} text @param {string} what it is, for the person who reads the answer */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied.`);
  } catch {
    toast(`This browser gives no clipboard to pages without TLS. ${what}: ${text}`, "bad");
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
      fill(button, "Copied");
    } catch {
      getSelection()?.selectAllChildren(shown);
      fill(button, "Marked: press Ctrl+C");
    }
    setTimeout(() => fill(button, label), 2500);
  });
  return button;
}
