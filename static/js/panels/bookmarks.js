/** The bookmarks of a cluster: add one with a name, jump, copy its link, delete. Loaded when it is wanted. */
import { wall } from "../model/moments.js";
import { copy } from "./copy.js";
import { fill, h, icon } from "./dom.js";

/**
 * @typedef {object} Ports
 * @property {import("../model/moments.js").Bookmarks} bookmarks
 * @property {number} time the moment that is shown
 * @property {number} oldest earlier ones are forgotten
 * @property {boolean} adding whether the name is asked for at once
 * @property {() => void} changed
 * @property {(time: number) => void} go
 * @property {(time: number) => string} link
 * @property {(text: string, tone?: "good"|"bad") => void} toast
 */

/** @param {HTMLElement} owner gets the focus back @param {Ports} ports */
export function openMarks(owner, ports) {
  const before = document.querySelector("[data-testid=marks]");
  before?.remove();
  if (before && !ports.adding) return;
  const list = h("ul.marks", { testid: "mark-list" });
  const name = /** @type {HTMLInputElement} */ (h("input", { type: "text", maxlength: 60, "aria-label": "Name of the bookmark", testid: "mark-name", placeholder: "Name" }));
  const form = h("form", { onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); add(); } }, name, h("button.strong", { testid: "mark-add" }, "Add"));
  const box = h("div.pop.above", { role: "dialog", "aria-label": "Bookmarks", testid: "marks" }, h("span.hint", {}, `Bookmark ${wall(ports.time)}`), form, list,
    h("span.hint", {}, "Kept in this browser."));
  const close = () => { box.remove(); document.removeEventListener("pointerdown", outside, true); owner.focus({ preventScroll: true }); };
  const outside = (/** @type {Event} */ event) => {
    if (!(event.target instanceof Node) || box.contains(event.target) || owner.contains(event.target)) return;
    box.remove();
    document.removeEventListener("pointerdown", outside, true);
  };
  const draw = () => fill(list, ports.bookmarks.all.map((mark) => row(mark, ports, draw, close)));
  const add = () => {
    if (!ports.bookmarks.add(ports.time, name.value)) return ports.toast("There are 50 bookmarks already: delete one first.", "bad");
    ports.changed();
    draw();
    return close();
  };
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  document.addEventListener("pointerdown", outside, true);
  draw();
  document.body.append(box);
  name.focus();
}

/** @param {import("../model/moments.js").Bookmark} mark @param {Ports} ports @param {() => void} draw @param {() => void} close */
function row(mark, ports, draw, close) {
  const gone = mark.time < ports.oldest;
  return h("li", {}, h("button.plain", { testid: "mark-go", disabled: gone, title: gone ? "The history does not reach back so far" : `Go to ${wall(mark.time)}`, onclick: () => { close(); ports.go(mark.time); } },
    h("span.mono", {}, wall(mark.time)), mark.name === wall(mark.time) ? null : mark.name, gone ? h("span.hint", {}, "forgotten") : null),
  h("span", {}, h("button.plain.square", { "aria-label": `Copy the link to ${mark.name}`, title: "Copy link", testid: "mark-link", onclick: () => copy(ports.link(mark.time), "Link") }, icon("export")),
    h("button.plain.square", { "aria-label": `Delete ${mark.name}`, title: "Delete", testid: "mark-delete", onclick: () => { ports.bookmarks.remove(mark.time); ports.changed(); draw(); } }, icon("close"))));
}
