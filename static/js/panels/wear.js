/** Styles of what is loaded late. */
import { byId, h } from "./dom.js";

/** @param {"views"|"trace"} name @returns {Promise<void>} fulfilled when they are there, or cannot be had; a page that names none has them already */
export async function wear(name) {
  const href = byId("dash").dataset[name];
  if (href) await new Promise((done) => { document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done })); });
}
