/** Light, dark, as the system says, or for a projector: the button, and what is chosen is kept. */
import { t } from "../model/words.js";
import { byId } from "./dom.js";

const THEMES = ["auto", "light", "dark", "projector"];
const SAVED = "clusterviz.theme";

/** @returns {string} the theme that is shown */
export function theme() {
  return document.documentElement.dataset.theme ?? "auto";
}

/** The button that goes through the themes. @param {() => void} changed */
export function themeButton(changed) {
  const button = /** @type {HTMLButtonElement} */ (byId("theme"));
  button.disabled = false;
  button.addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length], changed));
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", changed);
  nameTheme();
}

/** What is chosen here counts from now on, also where the address asked for another. @param {string} next one of the themes @param {() => void} changed */
export function setTheme(next, changed) {
  if (next === "auto") {
    localStorage.removeItem(SAVED);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(SAVED, next);
    document.documentElement.dataset.theme = next;
  }
  const address = new URL(location.href);
  address.searchParams.delete("theme");
  history.replaceState(null, "", address);
  nameTheme();
  changed();
}

function nameTheme() {
  const name = theme() === "auto" ? t("automatic") : t(theme());
  byId("theme").setAttribute("aria-label", t("Theme: {name}", { name }));
  byId("theme").title = t("Theme: {name}", { name });
}
