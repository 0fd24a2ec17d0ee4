/** The side panel: everything about what is selected. */
import { flowsOf, rowsOf } from "../model/flows.js";
import { actionBar } from "./actions.js";
import { asDestination, asSource, factsOf, shortName, titleOf } from "./describe.js";
import { crumbs } from "./crumbs.js";
import { breakable, byId, fill, h, icon } from "./dom.js";
import { spark } from "./spark.js";
import { Texts } from "./texts.js";

/**
 * @typedef {object} Ports
 * @property {import("../model/store.js").Store} store
 * @property {import("../net/http.js").Api} api
 * @property {() => boolean} editor
 * @property {string} login
 * @property {(entity: any) => import("./actions.js").Choice[]} [more] what else may be done to an object here
 * @property {(id: string) => void} select
 * @property {(ends: {from?: string, to?: string}) => void} ask opens the trace form
 * @property {(id: string) => any} line a line of the picture
 * @property {((id: string) => unknown)|null} focus shows only this and what it touches
 * @property {import("../model/series.js").Series} series
 * @property {import("../desk/signals.js").Signals} signals
 */

/** Rates are drawn anew at most this often, in ms. */
const PACE = 1500;

export class SidePanel {
  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    this.box = byId("side");
    this.id = "";
    this.answer = /** @type {any} */ (null);
    /** What was asked for and is not there. */
    this.missing = "";
    this.loading = 0;
    /** When the traffic was drawn last. */
    this.paced = 0;
    this.open = new Set(["Facts", "Traffic", "Related"]);
    this.texts = new Texts({ texts: (id, node) => ports.api.texts(id, node), nodes: () => nodeNames(ports.store) });
    ports.signals.on("traffic", () => this.flowing());
    // A click is lost when what was pressed is drawn anew before it is released.
    this.pressed = false;
    this.waiting = false;
    this.box.addEventListener("pointerdown", () => { this.pressed = true; });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => this.released()));
  }

  released() {
    this.pressed = false;
    if (this.waiting) this.draw();
  }

  /** Rates change all the time: only their section is drawn anew, and not while somebody is in it. */
  flowing() {
    const section = this.box.querySelector('[data-testid="section-traffic"][open]');
    if (!section || this.pressed || this.box.classList.contains("tracing") || section.contains(document.activeElement) || performance.now() - this.paced < PACE) return;
    this.paced = performance.now();
    const entity = this.ports.store.entities.get(this.id);
    const line = entity ? null : this.ports.line(this.id);
    if (entity || line) section.replaceChildren(h("summary", {}, "Traffic"), ...[entity ? this.traffic(entity) : this.flows(line.flows)].flat());
  }

  /** @param {string} id "" closes the panel */
  show(id) {
    const changed = id !== this.id;
    this.id = id;
    this.box.hidden = !id;
    if (!id) return;
    if (changed) [this.answer, this.box.scrollTop] = [null, 0];
    this.draw();
    this.load();
  }

  /** Called after every change of the cluster; it draws again only when something of it changed. */
  refresh(/** @type {Set<string>} */ ids) {
    if (!this.id || (ids.size && !ids.has(this.id))) return;
    this.draw();
    clearTimeout(this.loading);
    this.loading = setTimeout(() => this.load(), 800);
  }

  async load() {
    const id = this.id;
    const { store } = this.ports;
    if (!store.entities.has(id) && store.mass && !id.startsWith("line:")) {
      const found = await store.entity(id);
      if (this.id !== id) return;
      this.missing = found ? "" : id;
      this.draw();
    }
    if (!store.entities.has(id)) return;
    const answer = await this.ports.api.object(id);
    if (this.id !== id) return;
    this.answer = answer.ok ? answer.body : { error: answer.body.error };
    this.draw();
  }

  /** Not over a trace, which may have been opened while an answer was on its way; `show` draws when it is closed. */
  draw() {
    if (this.box.classList.contains("tracing")) return;
    this.waiting = this.pressed;
    if (this.waiting) return;
    const focused = this.box.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.testid : "";
    const form = this.box.querySelector("form.scale:focus-within");
    const restore = this.texts.hold();
    const entity = this.ports.store.entities.get(this.id);
    const asking = this.ports.store.mass && this.missing !== this.id;
    fill(this.box, entity ? this.entity(entity) : this.id.startsWith("line:") ? this.line() : asking ? this.asked() : this.gone());
    const place = form && this.box.querySelector("form.scale");
    if (place && place.getAttribute("aria-label") === form.getAttribute("aria-label")) place.replaceWith(form);
    restore();
    if (focused) /** @type {HTMLElement|null} */ (this.box.querySelector(`[data-testid="${focused}"]`))?.focus();
  }

  /** @param {string} kind @param {string} title */
  head(kind, title) {
    return h("header", {}, h("div", {}, h("span.kind", {}, kind), h("h2", { testid: "side-title" }, title)),
      h("button.plain.square", { "aria-label": "Close", testid: "side-close", onclick: () => this.ports.select("") }, icon("close")));
  }

  /** Of a large cluster not everything is here at once. */
  asked() {
    return [this.head(this.id.split(":")[0], shortName(this.id)), h("p.hint", { testid: "side-loading" }, "loading…")];
  }

  gone() {
    return [this.head("gone", shortName(this.id)), h("p", { testid: "side-gone" }, "It is not in the cluster any more."),
      h("p.hint", {}, "A controller may have replaced it with another of a different name.")];
  }

  /** @param {any} entity */
  entity(entity) {
    const { store } = this.ports;
    const workload = entity.kind === "pod" && entity.workload ? store.entities.get(entity.workload) : null;
    const { yaml, error } = this.answer ?? {};
    return [
      crumbs(entity, store, this.ports.select),
      this.head(`${entity.kind}${entity.namespace ? ` in ${entity.namespace}` : ""}`, titleOf(entity)),
      this.traceButtons(entity),
      actionBar(entity, workload, { act: (request) => this.ports.api.act(request), editor: this.ports.editor, login: this.ports.login, more: this.ports.more }),
      error ? h("p.wrong", {}, error) : null,
      this.section("Facts", h("dl.facts", { testid: "facts" }, this.facts(entity).map(([label, value]) => [h("dt", {}, label), h("dd", {}, breakable(value))]))),
      this.section("Related", this.related(entity)),
      this.section("Traffic", this.traffic(entity)),
      this.texts.section(entity),
      this.section("Events", this.events()),
      this.section("YAML", yaml ? h("pre.yaml", { tabindex: 0, testid: "yaml" }, yaml) : h("p.hint", {}, error ? "not available" : "loading…")),
    ];
  }

  /** @param {any} entity @returns {import("./describe.js").Fact[]} */
  facts(entity) {
    const told = this.answer?.facts;
    if (!told) return factsOf(entity);
    return told.map((/** @type {any} */ [label, value]) => [String(label), typeof value === "object" ? JSON.stringify(value) : String(value)]);
  }

  /** @param {any} entity */
  traceButtons(entity) {
    const [from, to] = [asSource(entity), asDestination(entity)];
    return h("div.actions", {},
      from ? h("button", { testid: "side-trace-from", onclick: () => this.ports.ask({ from }) }, icon("trace"), "Trace from here") : null,
      to ? h("button", { testid: "side-trace-to", onclick: () => this.ports.ask({ to }) }, icon("trace"), "Trace to here") : null,
      this.ports.focus && h("button", { testid: "side-focus", title: "Show only this and what it touches (o)", onclick: () => this.ports.focus?.(entity.id) }, "Focus"));
  }

  /** @param {string} title @param {import("./dom.js").Child} content */
  section(title, content) {
    const details = /** @type {HTMLDetailsElement} */ (h("details", { open: this.open.has(title), testid: `section-${title.toLowerCase()}` }, h("summary", {}, title), content));
    details.addEventListener("toggle", () => (details.open ? this.open.add(title) : this.open.delete(title)));
    return details;
  }

  /** @param {any} entity */
  related(entity) {
    const groups = this.answer?.related ?? this.guess(entity);
    const full = groups.filter((/** @type {any} */ g) => g.refs?.length);
    if (!full.length) return h("p.hint", {}, this.answer ? "Nothing points at it." : "loading…");
    return full.map((/** @type {any} */ group) => h("div.related", {}, h("span.hint", {}, group.label),
      h("ul.chips", {}, group.refs.map((/** @type {string} */ ref) => h("li", {}, this.link(ref)))),
      group.more ? h("p.hint", {}, `and ${group.more.toLocaleString("en")} more`) : null));
  }

  /** Who selects it, as far as the picture knows, until the server has answered. */
  guess(/** @type {any} */ entity) {
    const all = [...this.ports.store.entities.values()];
    const refs = (/** @type {(e: any) => boolean} */ test) => all.filter(test).map((e) => e.id);
    return [
      { label: "Services that select it", refs: refs((e) => e.kind === "service" && e.endpoints.some((/** @type {any} */ x) => x.pod === entity.id)) },
      { label: "Policies that select it", refs: refs((e) => e.kind === "policy" && e.selects.includes(entity.id)) },
      { label: "Endpoints", refs: (entity.endpoints ?? []).map((/** @type {any} */ x) => x.pod).filter(Boolean) },
      { label: "Pods", refs: entity.selects ?? refs((e) => e.kind === "pod" && (e.node === entity.id || e.workload === entity.id)) },
    ];
  }

  /** @param {string} ref */
  link(ref) {
    const known = this.ports.store.mass || this.ports.store.entities.get(ref);
    return h("button.chip", { onclick: () => this.ports.select(ref), title: ref, disabled: !known }, h("span.hint", {}, ref.split(":")[0]), h("span.cut", {}, shortName(ref)));
  }

  /** @param {any} entity */
  traffic(entity) {
    return this.flows(flowsOf(entity, this.ports.store, this.answer?.flows ?? []));
  }

  /** @param {string[]} ids */
  flows(ids) {
    if (!ids.length) return [h("p.hint", {}, "No calls pass here.")];
    const { store } = this.ports;
    const rows = rowsOf(ids, store, callOf).map(({ flow, text, rps, failing }) =>
      h("tr", {}, h("td", {}, h("button.plain.flow", { onclick: () => this.ports.select(flow), disabled: !store.entities.has(flow) },
        breakable(store.entities.has(flow) ? text : shortName(flow)))),
      h("td.number", {}, rps.toFixed(1)), h("td.number", { class: failing ? "wrong" : "" }, failing ? failing.toFixed(1) : "–")));
    const course = spark(this.ports.series.of(ids));
    return [...(course ? [course] : []), h("table.flows", { testid: "traffic" }, h("thead", {}, h("tr", {}, h("th", {}, "call"), h("th.number", {}, "/s"), h("th.number", {}, "failing/s"))), h("tbody", {}, rows))];
  }

  events() {
    const known = this.ports.store.eventsOf(this.id);
    const events = known.length ? known : this.answer?.events ?? [];
    if (!events.length) return h("p.hint", {}, "Nothing has happened to it.");
    return h("ul.events", { testid: "events" }, events.slice(0, 30).map((/** @type {any} */ event) => h("li", { data: { type: event.type } },
      h("strong", {}, event.reason), " ", event.message)));
  }

  line() {
    const line = this.ports.line(this.id);
    if (!line) return this.gone();
    const routes = line.routes.map((/** @type {string} */ id) => this.ports.store.routes.get(id)).filter(Boolean);
    const reasons = [...new Set(routes.map((/** @type {any} */ r) => r.reason).filter(Boolean))];
    return [
      this.head("path", `${shortName(line.from)} → ${shortName(line.to)}`),
      h("ul.chips", {}, [line.from, line.to].map((ref) => h("li", {}, this.link(ref)))),
      reasons.map((reason) => h("p.reason", {}, String(reason))),
      this.section("Traffic", this.flows(line.flows)),
    ];
  }
}

/** @param {import("../model/store.js").Store} store */
function nodeNames(store) {
  return [...store.entities.values()].filter((e) => e.kind === "node").map((e) => e.name).sort();
}

/** A call in words; outside names and addresses stay whole, and the path tells two calls of one place apart. */
function callOf(/** @type {any} */ flow) {
  const host = flow.to?.startsWith("service:") ? shortName(flow.to) : flow.host || shortName(flow.to);
  return `${shortName(flow.from)} → ${host}:${flow.port}${flow.path === "/" ? "" : flow.path ?? ""}`;
}
