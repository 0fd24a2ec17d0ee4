/** Header stacks as boxes in boxes, before and after, with what changed marked. */
import { compare } from "../model/walk.js";
import { h } from "./dom.js";

const NAMES = { eth: "Ethernet", ip: "IP", l4: "", icmp: "ICMP", vxlan: "VXLAN", http: "HTTP", dns: "DNS" };
const FIELDS = /** @type {Record<string, string[]>} */ ({
  eth: ["src", "dst"], ip: ["src", "dst", "ttl"], l4: ["sport", "dport", "flags"], icmp: ["type"], vxlan: ["vni"],
  http: ["method", "host", "path", "status", "forwarded_for"], dns: ["qname", "qtype", "rcode", "answers"],
});

/** @param {any[]} before @param {any[]} after @param {Record<string, string>} owners @returns {HTMLElement} */
export function headerPanels(before, after, owners) {
  const rows = compare(before, after);
  if (before.length && rows.every((row) => row.before && row.after && !row.changed.size)) {
    return h("div.stacks.same", { testid: "headers" }, column("passes unchanged", rows.map((r) => ({ header: r.after, changed: r.changed, lone: false })), owners, "new"));
  }
  return h("div.stacks", { testid: "headers" },
    before.length ? column("comes in", rows.filter((r) => r.before).map((r) => ({ header: r.before, changed: r.changed, lone: !r.after })), owners, "old") : null,
    after.length ? column("goes out", rows.filter((r) => r.after).map((r) => ({ header: r.after, changed: before.length ? r.changed : new Set(), lone: before.length > 0 && !r.before })), owners, "new") : null);
}

/** @typedef {{header: any, changed: Set<string>, lone: boolean}} Row */

/** @param {string} title @param {Row[]} rows @param {Record<string, string>} owners @param {"old"|"new"} side */
function column(title, rows, owners, side) {
  let inner = /** @type {HTMLElement|null} */ (null);
  for (const row of [...rows].reverse()) inner = box(row, owners, side, inner);
  return h("div.stack", { testid: side === "old" ? "headers-in" : "headers-out" }, h("h4", {}, title), inner);
}

/** @param {Row} row @param {Record<string, string>} owners @param {"old"|"new"} side @param {HTMLElement|null} inner */
function box({ header, changed, lone }, owners, side, inner) {
  const name = NAMES[/** @type {keyof typeof NAMES} */ (header.layer)] || header.proto || header.layer;
  const fields = (FIELDS[header.layer] ?? []).filter((key) => header[key] !== "" && header[key] !== 0 && header[key] !== undefined);
  return h("div.header", { data: { layer: header.layer, lone: lone ? side : "" } },
    h("strong", {}, name, lone ? h("em", {}, side === "old" ? " removed" : " added") : null),
    h("dl", {}, fields.filter((key) => key !== "answers" || header[key].length).map((key) => [h("dt", {}, key),
      h("dd", {}, mark(String(header[key]), changed.has(key), side), owner(owners[header[key]], key))])),
    inner);
}

/** @param {string} text @param {boolean} changed @param {"old"|"new"} side */
function mark(text, changed, side) {
  if (!changed) return text;
  return h(side === "old" ? "del" : "ins", {}, text);
}

/** @param {string|undefined} name @param {string} key */
function owner(name, key) {
  return name && (key === "src" || key === "dst") ? h("span.owner", {}, name) : null;
}
