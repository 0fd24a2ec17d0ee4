/** The section of the side panel with what commands on a real machine would print; asked for when it is opened. */
import { copyButton } from "./copy.js";
import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";

/** @typedef {{id: string, title: string, command: string, text: string, note: string}} Text */

const TITLES = { node: "On the node", pod: "Inside the pod", service: "Rules and names" };

export class Texts {
  /** @param {{texts: (id: string, node: string) => Promise<import("../net/http.js").Answer>, nodes: () => string[]}} ports */
  constructor(ports) {
    this.ports = ports;
    this.id = "";
    this.kind = "";
    this.asked = false;
    this.node = "";
    this.open = new Set();
    this.root = /** @type {HTMLDetailsElement|null} */ (null);
    this.body = h("div.texts");
  }

  /** The section of an object; the same element as long as the object stays selected. @param {any} entity */
  section(entity) {
    const title = TITLES[/** @type {keyof typeof TITLES} */ (entity.kind)];
    if (!title) return null;
    if (this.id !== entity.id || !this.root) this.begin(entity, title);
    return this.root;
  }

  /** Where the texts are scrolled to; the answer brings them back after the panel was drawn anew. @returns {() => void} */
  hold() {
    const places = [...this.body.querySelectorAll("pre")].map((pre) => ({ pre, top: pre.scrollTop, left: pre.scrollLeft }));
    return () => {
      for (const { pre, top, left } of places) pre.scrollTo(left, top);
    };
  }

  /** @param {any} entity @param {string} title */
  begin(entity, title) {
    const open = this.root?.open;
    [this.id, this.kind, this.asked] = [entity.id, entity.kind, false];
    this.body = h("div.texts", { testid: "texts" });
    const choice = entity.kind === "service" ? this.chooser() : null;
    this.root = /** @type {HTMLDetailsElement} */ (h("details", { testid: "section-texts" }, h("summary", {}, title), choice, this.body));
    this.root.addEventListener("toggle", () => { if (this.root?.open && !this.asked) this.load(); });
    this.root.open = Boolean(open);
  }

  /** A Service has rules on every node: one is chosen. */
  chooser() {
    const nodes = this.ports.nodes();
    if (!nodes.includes(this.node)) this.node = nodes[0] ?? "";
    const select = /** @type {HTMLSelectElement} */ (h("select", { testid: "texts-node" }, nodes.map((name) => h("option", { value: name, selected: name === this.node }, name))));
    select.addEventListener("change", () => { this.node = select.value; this.load(); });
    return nodes.length ? h("label.texts-node", {}, "Rules on node", select) : null;
  }

  async load() {
    const [id, node] = [this.id, this.kind === "service" ? this.node : ""];
    this.asked = true;
    if (!this.body.childElementCount) fill(this.body, h("p.hint", {}, "loading…"));
    const { ok, body } = await this.ports.texts(id, node);
    if (this.id !== id || (this.kind === "service" && this.node !== node)) return;
    if (!ok) this.asked = false;
    fill(this.body, ok ? this.answer(body.texts) : h("p.wrong", { role: "alert" }, body.error));
  }

  /** @param {Text[]} texts */
  answer(texts) {
    const again = h("button.chip", { testid: "texts-reload", onclick: () => this.load() }, "Read again");
    return [texts.map((text) => this.one(text)), h("p.hint.reload", {}, `As of ${new Date().toLocaleTimeString()}. `, again)];
  }

  /** @param {Text} text */
  one(text) {
    const lines = h("pre.yaml", { tabindex: 0, role: "region", "aria-label": text.command, testid: `text-${text.id}` }, text.text || "(nothing)");
    const details = /** @type {HTMLDetailsElement} */ (h("details.text", { open: this.open.has(text.id), testid: `texts-${text.id}` },
      h("summary", {}, text.title, " ", h("code.hint", {}, text.command)),
      h("div.actions", {}, copyButton("Copy", () => text.text, lines, `texts-copy-${text.id}`),
        h("button.chip", { testid: `texts-larger-${text.id}`, onclick: () => larger(text) }, "Larger")),
      text.note ? h("p.hint", {}, text.note) : null, lines));
    details.addEventListener("toggle", () => (details.open ? this.open.add(text.id) : this.open.delete(text.id)));
    return details;
  }
}

/** The same text over the whole window: rules are long lines. @param {Text} text */
function larger(text) {
  const lines = h("pre.yaml", { tabindex: 0, role: "region", "aria-label": text.command, testid: "texts-whole" }, text.text);
  openDialog(text.command, [
    h("div.actions", {}, copyButton("Copy", () => text.text, lines, "texts-copy-whole"), text.note ? h("span.hint", {}, text.note) : null), lines,
  ], { testid: "texts-dialog", wide: true });
}
