/** The question: two ends, typed freely or taken from the picture. */
import { asDestination, asSource } from "./describe.js";
import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";

/**
 * @param {{from?: string, to?: string}} ends
 * @param {{now: (() => number)|null, entities: Iterable<any>, trace: (question: Record<string, string>) => Promise<{ok: boolean, status: number, body: any}>, show: (trace: any, question: Record<string, string>) => void}} ports
 */
export function askTrace(ends, { now, entities, trace, show }) {
  const all = [...entities];
  const wrong = /** @type {Record<string, HTMLElement>} */ (Object.fromEntries(["from", "to", "opened"]
    .map((name) => [name, h("span.wrong", { testid: `trace-error-${name}`, role: "alert" })])));
  const from = field("from", ends.from ?? "", all.map(asSource));
  const to = field("to", ends.to ?? "", all.map(asDestination));
  const protocol = /** @type {HTMLSelectElement} */ (h("select", { testid: "trace-protocol", name: "protocol" },
    [["", "as the address says"], ["TCP", "TCP"], ["UDP", "UDP"], ["SCTP", "SCTP"], ["ICMP", "ICMP (ping)"]].map(([value, text]) => h("option", { value }, text))));
  const ago = /** @type {HTMLInputElement} */ (h("input", { type: "number", name: "opened", testid: "trace-opened", min: "1", max: "900", step: "1", placeholder: "it is opened now" }));
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    for (const place of Object.values(wrong)) fill(place);
    const question = { from: from.input.value.trim(), to: to.input.value.trim(), protocol: protocol.value, seed: "0",
      ...(now && ago.value ? { opened: (now() - Number(ago.value)).toFixed(1) } : {}) };
    const answer = await trace(question);
    if (answer.ok) {
      dialog.close();
      return show(answer.body, question);
    }
    const { error, field: name, allowed } = answer.body;
    return fill(wrong[name] ?? (ago.value && answer.status === 404 ? wrong.opened : wrong.to), allowed ? `${error}. Allowed: ${allowed}.` : error);
  };
  const form = h("form", { testid: "trace-form", onsubmit: send },
    h("p.hint", {}, "Follows one packet hop by hop, there and back, and names the rule that decided each of them."),
    h("label.field", {}, "Who sends", from.input, wrong.from, h("span.hint", {}, "internet, an IP, node/n1, namespace/pod or namespace/deployment")), from.list,
    h("label.field", {}, "What is called", to.input, wrong.to, h("span.hint", {}, "a URL, name:port, IP:port, or a name with protocol ICMP")), to.list,
    h("label.field", {}, "Protocol", protocol),
    now && h("label.field", {}, "Opened so many seconds ago", ago, wrong.opened, h("span.hint", {}, "empty: a new connection. A number: its next packet, after all that changed since; at most 900")),
    h("footer", {}, h("button.strong", { testid: "trace-send" }, "Follow the packet")));
  const dialog = openDialog("Trace a packet", [form], { testid: "trace-dialog" });
  (from.input.value ? to.input : from.input).focus();
}

/** @param {string} name @param {string} value @param {(string|null)[]} options */
function field(name, value, options) {
  const known = [...new Set(options.filter((o) => o !== null))].sort();
  const list = h("datalist", { id: `trace-${name}-list` }, known.map((o) => h("option", { value: o })));
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "text", name, list: `trace-${name}-list`, testid: `trace-${name}`, required: true,
    autocomplete: "off", spellcheck: "false", maxlength: 2048, value, placeholder: name === "from" ? "shop/frontend" : "http://cart:8080/" }));
  return { input, list };
}
