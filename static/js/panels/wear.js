/** Styles of what is loaded late. */
import { byId, h } from "./dom.js";

/** @param {"views"|"trace"} name @returns {Promise<unknown>} fulfilled when they are there, or cannot be had */
export function wear(name) {
  return new Promise((done) => { document.head.append(h("link", { rel: "stylesheet", href: byId("dash").dataset[name], onload: done, onerror: done })); });
}
