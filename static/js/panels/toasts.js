/** Short answers to what somebody did; they leave by themselves, errors stay longer. */
import { t } from "../model/words.js";
import { byId, h, icon } from "./dom.js";

/** @param {string} text @param {"good"|"bad"} [tone] */
export function toast(text, tone = "good") {
  const box = byId("toasts");
  const close = () => note.remove();
  const note = h("div.toast", { data: { tone }, testid: "toast" }, h("span", {}, text),
    h("button.plain.square", { "aria-label": t("Dismiss"), onclick: close }, icon("close")));
  box.append(note);
  while (box.children.length > 4) box.firstElementChild?.remove();
  setTimeout(close, tone === "bad" ? 12000 : 6000);
}
