/** Questions about the whole network: a menu in the top bar, lines of the palette, and what an object's own menu offers. */
import { byId } from "./dom.js";
import { closeMenu, openMenu } from "./menu.js";

/**
 * @typedef {object} Desk
 * @property {string} cluster
 * @property {import("../model/store.js").Store} store
 * @property {() => string} selected
 * @property {() => import("./keys.js").Binding[]} bindings
 * @property {import("./contextmenu.js").Desk["offers"]} offers
 */
/** @typedef {{label: string, testid: string, path: string, past?: string}} Question `past`: how it is told the moment that is looked at */

/** @type {Question[]} */
const QUESTIONS = [
  { label: "What is wrong here? Findings", testid: "ask-findings", path: "findings/" },
  { label: "Who can reach whom?", testid: "ask-reach", path: "reach/" },
  { label: "What can the Internet reach?", testid: "ask-internet", path: "reach/?from=internet" },
  { label: "What if? Fork this cluster", testid: "ask-fork", path: "forks/", past: "at" },
  { label: "What changed? Compare", testid: "ask-compare", path: "compare/", past: "with_at" },
  { label: "Which Service has no backend?", testid: "ask-no-backend", path: "findings/?question=no-backend" },
  { label: "Which policy rule does nothing?", testid: "ask-idle-rules", path: "findings/?question=idle-rules" },
];

/** The moment the address names, "" for now. */
function moment() {
  return /[#&]at=(\d+(?:\.\d+)?)/.exec(location.hash)?.[1] ?? "";
}

/** @param {Desk} desk */
export function start(desk) {
  const go = (/** @type {string} */ path) => location.assign(`/clusters/${encodeURIComponent(desk.cluster)}/${path}`);
  const button = byId("questions");
  const open = () => {
    if (button.getAttribute("aria-expanded") === "true") return void closeMenu();
    openMenu([QUESTIONS.map(({ label, testid, path, past }) => ({ label, testid, run: () => go(past && moment() ? `${path}?${past}=${moment()}` : path) }))], { label: "Questions about the network", testid: "questions-menu", owner: button });
  };
  button.addEventListener("click", open);
  desk.offers.push({ label: "Who can reach it?", testid: "context-reach", fits: (entity) => entity.kind === "service", run: (id) => go(`reach/?to=${encodeURIComponent(id.slice(id.indexOf(":") + 1))}`) },
    { label: "What can it reach?", testid: "context-reaches", fits: (entity) => entity.kind === "workload", run: (id) => go(`reach/?from=${encodeURIComponent(id.slice(id.indexOf("/") + 1))}`) });
  desk.bindings().push({ key: "q", does: "questions about the network: findings, who reaches whom", run: open });
}
