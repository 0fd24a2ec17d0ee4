/** The fragment of the address: what is selected, filtered and traced, so that a link opens the same picture. */

/** @typedef {import("./filter.js").Filter} Filter */
/** @typedef {{select: string, filter: Partial<Filter>, trace: Record<string, string>|null, at?: number|null, view?: string, focus?: string}} Shown `at`: the moment, now without */

const FILTERS = ["namespace", "kind", "label", "verdict"];
const TRACE = ["from", "to", "protocol", "seed", "opened"];

/** @param {string} text @returns {string} encoded as little as a fragment needs, so that people can read it */
function encode(text) {
  return encodeURIComponent(text).replace(/%(2F|3A|2C|40|7C|3D|21)/g, decodeURIComponent);
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** @param {string[]} parts @returns {string} joined with `|`, which no part then holds */
function join(parts) {
  return encode(parts.map((part) => part.replaceAll("%", "%25").replaceAll("|", "%7C")).join("|"));
}

/** @param {string} text */
function split(text) {
  return decode(text).split("|").map(decode);
}

/** @param {Shown} shown @returns {string} `#select=pod:shop/db-0&filter=namespace:shop`, or "" */
export function fragment({ select, filter, trace, at = null, view = "", focus = "" }) {
  const filters = FILTERS.filter((name) => filter[/** @type {keyof Filter} */ (name)]).map((name) => `${name}:${filter[/** @type {keyof Filter} */ (name)]}`);
  const parts = [view ? `view=${encode(view)}` : "", focus ? `focus=${encode(focus)}` : "", select ? `select=${encode(select)}` : "", filters.length ? `filter=${join(filters)}` : "",
    trace?.from ? `trace=${join(TRACE.filter((name) => name !== "opened" || trace.opened).map((name) => trace[name] ?? ""))}` : "", at ? `at=${at.toFixed(1)}` : ""].filter(Boolean);
  return parts.length ? `#${parts.join("&")}` : "";
}

/** @param {string} text @param {string} sign @returns {[string, string]} before the first sign, and after it */
function cut(text, sign) {
  const at = text.indexOf(sign);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** @param {string} hash @returns {Shown} what it names; anything else in it is left alone */
export function read(hash) {
  const pairs = new Map(hash.slice(1).split("&").map((part) => cut(part, "=")));
  const filter = Object.fromEntries(split(pairs.get("filter") ?? "").map((part) => cut(part, ":"))
    .filter(([name, value]) => FILTERS.includes(name) && value));
  const asked = split(pairs.get("trace") ?? "");
  const trace = asked[0] && asked[1] ? Object.fromEntries(TRACE.map((name, i) => [name, asked[i] ?? ""])) : null;
  if (trace && !/^\d+$/.test(trace.seed)) trace.seed = "0";
  if (trace && !/^\d{1,11}(\.\d+)?$/.test(trace.opened)) delete trace.opened;
  const moment = pairs.get("at") ?? "";
  const [select, view, focus] = ["select", "view", "focus"].map((name) => decode(pairs.get(name) ?? ""));
  return { select, view, focus, filter, trace, at: /^\d{1,11}(\.\d+)?$/.test(moment) ? Number(moment) : null };
}
