/** Menus: one open at a time, gone through by arrows, left by Escape, Tab or a press elsewhere. */
import { h } from "./dom.js";

/** @typedef {{label: string, testid: string, run?: () => void, why?: string, danger?: boolean, shown?: string}} Item without `run` it cannot be done now; `why` says what is missing, `shown` the key that does the same */
/** @typedef {{label: string, testid: string, owner: HTMLElement|null, at?: {x: number, y: number}, title?: string}} Options `owner` gets the focus back */

/** @type {((back: boolean) => void)|null} */
let leave = null;

/** Closes the open menu; says whether there was one. */
export function closeMenu() {
  const was = leave;
  was?.(true);
  return was !== null;
}

/** @param {Item[][]} groups lines are drawn between them @param {Options} options @returns {HTMLElement} */
export function openMenu(groups, options) {
  closeMenu();
  const { owner, at } = options;
  const menu = h("div.pop.menu", { role: "menu", "aria-label": options.label, testid: options.testid, class: at ? "loose" : "" },
    options.title ? h("div.menu-title", { role: "presentation" }, options.title) : null, groups.filter((group) => group.length).map((group, i) => [i ? h("hr", {}) : null, group.map((one) => entry(one, () => close(true)))]));
  const outside = (/** @type {Event} */ event) => { if (event.target instanceof Node && !menu.contains(event.target) && !owner?.contains(event.target)) close(false); };
  const close = (/** @type {boolean} */ back) => {
    document.removeEventListener("pointerdown", outside, true);
    menu.remove();
    leave = null;
    owner?.setAttribute("aria-expanded", "false");
    if (back) owner?.focus({ preventScroll: true });
  };
  leave = close;
  menu.addEventListener("keydown", (event) => moveIn(menu, event, close));
  document.addEventListener("pointerdown", outside, true);
  if (at) document.body.append(menu);
  else owner?.after(menu);
  owner?.setAttribute("aria-expanded", "true");
  if (at) place(menu, at);
  /** @type {HTMLElement|null} */ (menu.querySelector('[role="menuitem"]'))?.focus({ preventScroll: true });
  return menu;
}

/** @param {Item} one @param {() => void} close */
function entry(one, close) {
  const run = () => {
    if (!one.run) return;
    close();
    one.run();
  };
  return h(one.danger ? "button.plain.danger" : "button.plain", { role: "menuitem", testid: one.testid, tabindex: -1, "aria-disabled": String(!one.run), title: one.run ? "" : one.why ?? "", onclick: run },
    h("span.grow", {}, one.label), one.shown ? h("kbd", {}, one.shown) : null);
}

/** Beside the point, inside the window. @param {HTMLElement} menu @param {{x: number, y: number}} at */
function place(menu, { x, y }) {
  const { offsetWidth, offsetHeight } = menu;
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - offsetWidth - 4))}px`;
  menu.style.top = `${Math.max(4, y + offsetHeight > innerHeight - 4 ? Math.min(y, innerHeight) - offsetHeight : y)}px`;
}

/** @param {HTMLElement} menu @param {KeyboardEvent} event @param {(back: boolean) => void} close */
function moveIn(menu, event, close) {
  const items = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll('[role="menuitem"]')]);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = /** @type {Record<string, number>} */ ({ ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 })[event.key];
  if (event.key === "Tab") return close(false);
  event.stopPropagation();
  if (event.key === "Escape") {
    event.preventDefault();
    return close(true);
  }
  if (to !== undefined) {
    event.preventDefault();
    return items.at(to % items.length)?.focus();
  }
  const letter = event.key.length === 1 && event.key !== " " ? event.key.toLowerCase() : "";
  return letter ? [...items.slice(at + 1), ...items].find((one) => one.textContent?.toLowerCase().startsWith(letter))?.focus() : undefined;
}
