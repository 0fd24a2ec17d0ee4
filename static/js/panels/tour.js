/** Two minutes through the dashboard: one part after the other is framed, with a sentence that says what it is for. Loaded when it is wanted. */
import { byId, fill, h } from "./dom.js";

/** @type {{at: string, title: string, words: string}[]} `at`: a selector of what is framed */
const STOPS = [
  { at: "#picture", title: "The picture", words: "The cluster's network at work: nodes with their pods, Services above them, and every packet on its real way. Click anything to see what it is; drag to move, scroll to come nearer." },
  { at: "#legend", title: "The legend", words: "What colours, lines and shapes mean, and how many connections one dot stands for." },
  { at: "#ask", title: "Trace a packet", words: "Ask why: choose who calls whom, and follow the packet hop by hop with the rule that decided each one, there and back. Key: t." },
  { at: "#search", title: "Search", words: "Finds every object by name, address or label. Key: /." },
  { at: "#pause", title: "Pause", words: "Stops everything that moves; while paused, one call after the other can be stepped through. Key: space." },
  { at: "#timestrip", title: "The timeline", words: "The last fifteen minutes: go back to any moment, and ask about the cluster as it was then." },
  { at: "#import", title: "Import", words: "Takes your own Kubernetes manifests; dropping a file anywhere on the page does the same. Key: i." },
  { at: "#settings", title: "Network settings", words: "What manifests do not say: the kube-proxy mode, the network plugin, tunnels. Every trace follows these. Key: n." },
  { at: '[data-testid="lessons-link"]', title: "Lessons", words: "Small clusters with a question each: say first what will happen, then see it." },
  { at: "#keys", title: "All keys", words: "Everything here works by keyboard. This sheet lists the keys, and begins this tour again. Key: ?." },
];

/** @param {string} style the address of the tour's style sheet */
export async function startTour(style) {
  if (document.getElementById("tour")) return;
  const sheet = /** @type {HTMLLinkElement} */ (h("link", { rel: "stylesheet", href: style }));
  const stops = STOPS.filter(({ at }) => document.querySelector(at)?.getClientRects().length);
  const held = document.activeElement;
  let index = 0;
  const card = h("section.tour", { id: "tour", role: "dialog", "aria-label": "Tour", testid: "tour" });
  const end = () => {
    mark(null);
    card.remove();
    sheet.remove();
    removeEventListener("keydown", key, true);
    if (held instanceof HTMLElement) held.focus({ preventScroll: true });
  };
  const go = (/** @type {number} */ to) => {
    if (to >= stops.length) return end();
    index = Math.max(0, to);
    const { at, title, words } = stops[index];
    mark(document.querySelector(at));
    const last = index + 1 === stops.length;
    fill(card, h("div", { role: "status" }, h("p.hint", {}, `${index + 1} of ${stops.length}`), h("h2", { testid: "tour-title" }, title), h("p", {}, words)),
      h("footer", {}, h("button", { testid: "tour-end", onclick: end }, "Skip the tour"), h("button", { testid: "tour-back", disabled: !index, onclick: () => go(index - 1) }, "Back"),
        h("button.strong", { testid: "tour-next", onclick: () => go(index + 1) }, last ? "Done" : "Next")));
    return /** @type {HTMLElement} */ (card.querySelector(".strong")).focus({ preventScroll: true });
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    const moves = /** @type {Record<string, () => void>} */ ({ ArrowRight: () => go(index + 1), PageDown: () => go(index + 1), ArrowLeft: () => go(index - 1), PageUp: () => go(index - 1), Escape: end });
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    moves[event.key]();
  };
  await new Promise((resolve) => { sheet.onload = sheet.onerror = resolve; document.head.append(sheet); });
  byId("dash").append(card);
  addEventListener("keydown", key, true);
  go(0);
}

/** @param {Element|null} part what is framed now; null nothing */
function mark(part) {
  for (const old of document.querySelectorAll("[data-toured]")) old.removeAttribute("data-toured");
  part?.setAttribute("data-toured", "");
}
