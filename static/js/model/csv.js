/** Tables as CSV (RFC 4180), which spreadsheets open without running anything that is in it. */

/** @typedef {import("./store.js").Store} Store */

const FORMULA = /^[=+\-@\t\r]/;

/** @param {unknown} value @returns {string} one cell: quoted where needed, and never a formula */
export function cell(value) {
  const text = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {unknown[][]} rows @returns {string} */
export function csv(rows) {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Who calls whom, and how it goes; the rates are those of the last seconds. @param {Store} store @returns {string} */
export function flowTable(store) {
  const flows = [...store.entities.values()].filter((e) => e.kind === "flow").sort((a, b) => a.id.localeCompare(b.id));
  const rows = flows.map((flow) => {
    const { rps = 0, ok = 0, refused = 0, dropped = 0 } = store.totals.flows[flow.id] ?? {};
    return [flow.namespace, flow.name, flow.from, flow.to, flow.host, flow.port, flow.protocol, flow.path, flow.rps, rps, ok, refused, dropped, flow.inferred ? "inferred" : "written"];
  });
  return csv([["namespace", "name", "from", "to", "host", "port", "protocol", "path", "wanted per second", "measured per second",
    "ok per second", "refused per second", "dropped per second", "known from"], ...rows]);
}
