/** The matrix: callers down, what they call across. Only what is seen is in the page. Loaded when it is wanted. */
import { key, matrix, sorted, troubled } from "../model/matrix.js";
import { perSecond } from "../model/shares.js";
import { byId, fill, h, icon } from "./dom.js";

/** @typedef {import("../model/matrix.js").Cell} Cell */
/** @typedef {import("../model/matrix.js").End} End */
/** @typedef {import("../model/matrix.js").Order} Order */
/** @typedef {{told: () => {entities: Map<string, any>, routes: Map<string, any>, shares: Map<string, import("../model/shares.js").Share>}, select: (id: string) => void, coarser: () => void, note: () => string}} Ports
 * `coarser`: whole namespaces or single workloads are wanted; `note`: what is left out */

/** px where words have their usual size; `extra` rows and columns around those that are seen are in the page. */
const SIZE = { row: 40, column: 84, name: 236, head: 132, gap: 14 };
const EXTRA = 4;
/** px of words that have their usual size. */
const USUAL = 16;
const GLYPHS = { ok: "✓", some: "◐", refused: "⊘", dropped: "✕", idle: "·" };
const WORDS = { ok: "delivered", some: "some fail", refused: "refused", dropped: "dropped", idle: "no calls now" };
/** @type {[Order, string][]} */
const ORDERS = [["namespace", "namespace"], ["traffic", "traffic"], ["errors", "errors"], ["name", "name"]];
/** Rows of the list at once. */
const LISTED = 200;

export class MatrixPanel {
  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    /** @type {Order} */
    this.order = "namespace";
    this.only = false;
    this.list = false;
    this.listed = LISTED;
    /** In a large cluster: whole namespaces call each other. */
    this.coarse = true;
    this.at = { row: 0, column: 0 };
    /** px: as large as the words of the theme and the screen. */
    this.size = SIZE;
    /** @type {import("../model/matrix.js").Matrix} */
    this.made = { rows: [], columns: [], cells: new Map() };
    /** The y of each row and the x of each column, gaps between groups included. @type {{rows: number[], columns: number[]}} */
    this.places = { rows: [], columns: [] };
    this.sheet = h("div.sheet", { role: "rowgroup" });
    this.port = h("div.port", { tabindex: 0, role: "grid", "aria-label": "Calls: callers are rows, what they call are columns", testid: "matrix-grid", onscroll: () => this.window(), onkeydown: (/** @type {KeyboardEvent} */ e) => this.key(e) }, this.sheet);
    this.words = h("p.hint", { role: "status", testid: "matrix-words" });
    this.table = h("div.listed", { testid: "matrix-list", hidden: true, tabindex: 0 });
    this.root = h("section.matrix", { "aria-label": "Matrix", testid: "matrix", hidden: true }, this.controls(), this.port, this.table);
    byId("picture").append(this.root);
    new ResizeObserver(() => this.refresh()).observe(this.port);
  }

  controls() {
    const order = h("select", { testid: "matrix-order", "aria-label": "Order", onchange: (/** @type {any} */ e) => { this.order = e.target.value; this.refresh(); } }, ORDERS.map(([value, text]) => h("option", { value }, `by ${text}`)));
    const only = h("button", { testid: "matrix-failing", "aria-pressed": "false", onclick: (/** @type {any} */ e) => { this.only = !this.only; e.currentTarget.setAttribute("aria-pressed", String(this.only)); this.refresh(); } }, "Only what fails");
    this.listing = h("button", { testid: "matrix-as-list", "aria-pressed": "false", onclick: () => { this.shape(!this.list); this.refresh(); } }, "As a list");
    const legend = h("ul.glyphs", { "aria-label": "Signs" }, /** @type {(keyof typeof GLYPHS)[]} */ (Object.keys(GLYPHS)).map((name) => h("li", { data: { verdict: name } }, h("b", { "aria-hidden": "true" }, GLYPHS[name]), WORDS[name])));
    this.grain = h("select", { testid: "matrix-grain", "aria-label": "Rows and columns", hidden: true, onchange: (/** @type {any} */ e) => { this.coarse = e.target.value === "namespaces"; this.shape(!this.coarse); this.ports.coarser(); } },
      h("option", { value: "namespaces" }, "namespaces"), h("option", { value: "workloads" }, "workloads"));
    return h("header", {}, this.grain, order, only, this.listing, this.words, legend);
  }

  /** Of thousands of workloads most never call each other: a list says more. @param {boolean} list */
  shape(list) {
    this.list = list;
    this.listing?.setAttribute("aria-pressed", String(list));
  }

  /** @param {boolean} on rows may be whole namespaces */
  large(on) {
    /** @type {HTMLElement} */ (this.grain).hidden = !on;
  }

  /** @param {boolean} on */
  show(on) {
    this.root.hidden = !on;
    if (!on) return;
    this.refresh();
    this.port.focus();
  }

  refresh() {
    if (this.root.hidden) return;
    const { entities, routes, shares } = this.ports.told();
    const all = matrix(entities, routes, shares);
    const made = this.only ? troubled(all) : all;
    this.made = { rows: sorted(made.rows, this.order), columns: sorted(made.columns, this.order), cells: made.cells };
    const bad = [...all.cells.values()].filter((cell) => ["some", "refused", "dropped"].includes(cell.verdict)).length;
    const number = (/** @type {number} */ count) => count.toLocaleString("en");
    const said = `${number(this.made.rows.length)} callers, ${number(this.made.columns.length)} called, ${number(made.cells.size)} pairs, ${number(bad)} with failing calls${this.ports.note() && ` · ${this.ports.note()}`}`;
    if (this.words.textContent !== said) fill(this.words, said);
    [this.port.hidden, this.table.hidden] = [this.list, !this.list];
    if (this.list) return this.tabulate();
    this.measure();
    this.places = { rows: this.spread(this.made.rows, this.size.row), columns: this.spread(this.made.columns, this.size.column) };
    this.port.setAttribute("aria-rowcount", String(this.made.rows.length + 1));
    this.port.setAttribute("aria-colcount", String(this.made.columns.length + 1));
    this.at = { row: Math.min(this.at.row, Math.max(0, this.made.rows.length - 1)), column: Math.min(this.at.column, Math.max(0, this.made.columns.length - 1)) };
    return this.window();
  }

  /** Takes the size of words from the page, and tells the style. */
  measure() {
    const larger = parseFloat(getComputedStyle(document.documentElement).fontSize) / USUAL;
    this.size = /** @type {typeof SIZE} */ (Object.fromEntries(Object.entries(SIZE).map(([name, px]) => [name, Math.round(px * larger)])));
    for (const [name, px] of Object.entries(this.size)) this.root.style.setProperty(`--${name}`, `${px}px`);
  }

  /** @param {End[]} ends @param {number} step @returns {number[]} one more than there are: the last is the end */
  spread(ends, step) {
    let at = 0;
    const places = ends.map((end, i) => {
      if (i && this.order === "namespace" && end.group !== ends[i - 1].group) at += this.size.gap;
      at += step;
      return at - step;
    });
    return [...places, at];
  }

  /** Puts what is seen into the page, and some rows and columns around it. */
  window() {
    const { rows, columns } = this.made;
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.port;
    const [top, left] = [seen(this.places.rows, scrollTop, clientHeight - this.size.head, EXTRA), seen(this.places.columns, scrollLeft, clientWidth - this.size.name, EXTRA)];
    Object.assign(this.sheet.style, { width: `${this.size.name + (this.places.columns.at(-1) ?? 0) + 20}px`, height: `${this.size.head + (this.places.rows.at(-1) ?? 0) + 20}px` });
    const shown = columns.slice(left.from, left.until);
    const head = h("div.heads", { role: "row", "aria-rowindex": 1 }, h("div.corner", { role: "columnheader", "aria-colindex": 1 }, h("span", {}, "caller ↓"), h("span", {}, "called →")),
      shown.map((end, i) => this.columnHead(end, left.from + i)));
    const body = rows.slice(top.from, top.until).map((end, i) => this.row(end, top.from + i, shown, left.from));
    const focused = this.port.contains(document.activeElement);
    fill(this.sheet, head, body);
    this.port.setAttribute("aria-activedescendant", rows.length && columns.length ? `matrix-${this.at.row}-${this.at.column}` : "");
    if (focused) this.port.focus({ preventScroll: true });
    if (!rows.length) fill(this.sheet, h("p.none", {}, this.only ? "No call fails." : "Nobody calls anybody."));
  }

  /** @param {End} end @param {number} column */
  columnHead(end, column) {
    const head = h("div.head", { role: "columnheader", "aria-colindex": column + 2 }, h("button.plain", { tabindex: -1, title: `${end.name}, ${end.kind} in ${end.group}`, onclick: () => this.ports.select(end.id) }, h("small", {}, end.group), end.name));
    head.style.left = `${this.size.name + this.places.columns[column]}px`;
    return head;
  }

  /** @param {End} end @param {number} row @param {End[]} columns @param {number} first */
  row(end, row, columns, first) {
    const name = h("div.name", { role: "rowheader", "aria-colindex": 1 }, h("button.plain", { tabindex: -1, title: `${end.name}, ${end.kind} in ${end.group}`, onclick: () => this.ports.select(end.id) }, h("span.cut", {}, end.name), h("small", {}, end.group)));
    const line = h("div.row", { role: "row", "aria-rowindex": row + 2 }, name, columns.map((column, i) => this.cell(this.made.cells.get(key(end.id, column.id)), row, first + i, end, column)));
    line.style.top = `${this.size.head + this.places.rows[row]}px`;
    return line;
  }

  /** @param {Cell|undefined} cell @param {number} row @param {number} column @param {End} from @param {End} to */
  cell(cell, row, column, from, to) {
    const here = row === this.at.row && column === this.at.column;
    const words = cell ? `${from.name} to ${to.name}: ${WORDS[cell.verdict]}${cell.rps ? `, ${perSecond(cell.rps)}` : ""}${cell.failing ? `, ${perSecond(cell.failing)} fail` : ""}` : `${from.name} to ${to.name}: no call`;
    const box = h("div.cell", { id: `matrix-${row}-${column}`, role: "gridcell", "aria-colindex": column + 2, "aria-label": words, title: cell ? words : null, "aria-selected": String(here), testid: cell ? "matrix-cell" : null,
      data: { verdict: cell?.verdict ?? "none", heat: String(heat(cell)) }, onclick: () => { this.at = { row, column }; this.window(); this.open(); } });
    if (cell) box.append(h("b", { "aria-hidden": "true" }, GLYPHS[cell.verdict]), h("span", {}, cell.rps ? perSecond(cell.rps) : ""), cell.verdict === "some" ? h("small", {}, `${Math.max(1, Math.round((cell.failing / cell.rps) * 100))} % fail`) : "");
    box.style.left = `${this.size.name + this.places.columns[column]}px`;
    return box;
  }

  /** The flow of this cell, or the caller where there is none. */
  open() {
    const [from, to] = [this.made.rows[this.at.row], this.made.columns[this.at.column]];
    const cell = from && to && this.made.cells.get(key(from.id, to.id));
    if (cell?.flows.length) this.ports.select(cell.flows[0]);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { row, column } = this.at;
    const page = Math.max(1, Math.floor((this.port.clientHeight - this.size.head) / this.size.row) - 1);
    const to = /** @type {Record<string, [number, number]>} */ ({ ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], PageUp: [row - page, column], PageDown: [row + page, column],
      Home: event.ctrlKey ? [0, 0] : [row, 0], End: event.ctrlKey ? [Infinity, Infinity] : [row, Infinity] })[event.key];
    if (event.key === "Enter") this.open();
    else if (!to || event.altKey) return;
    else this.move(...to);
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} row @param {number} column */
  move(row, column) {
    const within = (/** @type {number} */ value, /** @type {number} */ size) => Math.max(0, Math.min(size - 1, value));
    this.at = { row: within(row, this.made.rows.length), column: within(column, this.made.columns.length) };
    const [x, y] = [this.places.columns[this.at.column] ?? 0, this.places.rows[this.at.row] ?? 0];
    const { clientWidth, clientHeight } = this.port;
    const into = (/** @type {number} */ now, /** @type {number} */ start, /** @type {number} */ size, /** @type {number} */ space) => Math.max(start + size - space, Math.min(now, start));
    this.port.scrollTo(into(this.port.scrollLeft, x, this.size.column, clientWidth - this.size.name), into(this.port.scrollTop, y, this.size.row, clientHeight - this.size.head));
    this.window();
  }

  /** The same in words, the busiest first. */
  tabulate() {
    const ends = new Map([...this.made.rows, ...this.made.columns].map((end) => [end.id, end]));
    const cells = [...this.made.cells.values()].sort((a, b) => b.failing - a.failing || b.rps - a.rps);
    const link = (/** @type {string} */ id) => h("button.plain.flow", { onclick: () => this.ports.select(id) }, ends.get(id)?.name ?? id, " ", h("small", {}, ends.get(id)?.group ?? ""));
    const more = cells.length - this.listed;
    fill(this.table, h("table", {}, h("thead", {}, h("tr", {}, ["caller", "called", "calls", "failing", "what becomes of them"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, cells.slice(0, this.listed).map((cell) => h("tr", { data: { verdict: cell.verdict } }, h("td", {}, link(cell.from)), h("td", {}, link(cell.to)), h("td.number", {}, perSecond(cell.rps)), h("td.number", {}, cell.failing ? perSecond(cell.failing) : "–"),
        h("td", {}, h("button.plain.flow", { onclick: () => cell.flows.length && this.ports.select(cell.flows[0]) }, h("b", { "aria-hidden": "true" }, GLYPHS[cell.verdict]), " ", WORDS[cell.verdict])))))),
    more > 0 ? h("button", { onclick: () => { this.listed += LISTED; this.tabulate(); } }, icon("plus"), `and ${more} more`) : null);
  }
}

/** @param {Cell|undefined} cell @returns {number} 0 to 4 */
function heat(cell) {
  return cell ? [0.05, 1, 10, 100].filter((step) => cell.rps >= step).length : 0;
}

/** @param {number[]} places @param {number} from @param {number} size @param {number} extra @returns {{from: number, until: number}} */
function seen(places, from, size, extra) {
  const first = places.findIndex((_, i) => (places[i + 1] ?? Infinity) > from);
  let until = Math.max(0, first);
  while (until < places.length - 1 && places[until] < from + size) until += 1;
  return { from: Math.max(0, first - extra), until: Math.min(places.length - 1, until + extra) };
}
