/** What a lesson is shared by: a link to this very place, code for a course page, the handout. Loaded when it is wanted. */
import { t } from "../model/words.js";
import { copyButton } from "./copy.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";

/** @param {string} title of the lesson @param {string} address @returns {string} what a course page takes in */
export function frameCode(title, address) {
  const safe = (/** @type {string} */ text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return `<iframe src="${safe(address)}" title="${safe(title)}" width="100%" height="640" loading="lazy" allow="clipboard-write; fullscreen"></iframe>`;
}

/** @param {{title: string, base: URL, hash: string}} lesson `hash` names the step, the what-if and the packet */
export function openShare({ title, base, hash }) {
  const code = frameCode(title, new URL(`embed/${hash}`, base).href);
  openDialog(t("Share this lesson"), [
    part("link", t("Link to this place"), t("The step, what is shown of it, the what-if and the packet that is followed."), `${base.href}${hash}`),
    part("embed", t("In a course page"), t("The page must be allowed to frame this server: CLUSTERVIZ_EMBEDDED_BY."), code),
    h("p.actions", {}, h("a.button", { href: new URL("handout/", base).href, testid: "share-handout" }, t("Handout to print"))),
  ], { testid: "share" });
}

/** @param {string} name @param {string} label @param {string} hint @param {string} text */
function part(name, label, hint, text) {
  const shown = h("code.share-text", { testid: `share-${name}` }, text);
  return h("section.share-part", {}, h("h3", {}, label), h("p.hint", {}, hint), shown, copyButton(t("Copy"), () => text, shown, `share-${name}-copy`));
}
