/** The nearest level: what is inside the pods and nodes on the screen. Loaded when somebody comes that near. */
import { insideNode, insidePod } from "../model/inside.js";
import { SIZE } from "../model/layout.js";
import { drawInsideNode } from "./insidenode.js";
import { drawInsidePod } from "./insidepod.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("./tokens.js").Tokens} Tokens */
/** @typedef {{texts: (id: string, node: string) => Promise<import("../net/http.js").Answer>, object: (id: string) => Promise<import("../net/http.js").Answer>}} Source */
/** @typedef {{texts: import("../model/inside.js").Text[], yaml: string, at: number}} Answer */

/** ms after which what a machine printed is asked for again, while it is looked at. */
const STALE = 15000;
/** Machines asked at once, and answers kept. */
const BUSY = 2;
const KEPT = 200;

export class Inside {
  /** @param {Source} source @param {() => void} changed */
  constructor(source, changed) {
    this.source = source;
    this.changed = changed;
    /** @type {Map<string, Answer>} */
    this.answers = new Map();
    /** @type {Set<string>} */
    this.asking = new Set();
  }

  /** What is known of it so far; asks for the rest. @param {string} id @returns {Answer|null} */
  of(id) {
    const known = this.answers.get(id) ?? null;
    if ((!known || performance.now() - known.at > STALE) && !this.asking.has(id) && this.asking.size < BUSY) this.ask(id);
    return known;
  }

  /** @param {string} id */
  async ask(id) {
    this.asking.add(id);
    const [texts, object] = await Promise.all([this.source.texts(id, ""), id.startsWith("pod:") ? this.source.object(id) : null]);
    const before = this.answers.get(id);
    this.answers.delete(id);
    this.answers.set(id, { texts: texts.ok ? texts.body.texts : before?.texts ?? [], yaml: object?.ok ? object.body.yaml : before?.yaml ?? "", at: performance.now() });
    if (this.answers.size > KEPT) this.answers.delete(/** @type {string} */ (this.answers.keys().next().value));
    this.asking.delete(id);
    this.changed();
  }

  /** @param {Ctx} ctx @param {import("../model/layout.js").Box} box @param {any} pod @param {Tokens} tokens @param {import("./scene.js").Scene} scene */
  pod(ctx, box, pod, tokens, scene) {
    const panel = scene.layout.panels.get(pod.node);
    const right = !panel || panel.gutters.some((x) => x === box.x + box.w);
    drawInsidePod(ctx, box, pod, insidePod(pod, this.of(pod.id), pod.node ? this.of(pod.node) : null), right, tokens);
  }

  /** @param {Ctx} ctx @param {import("../model/layout.js").Panel} panel @param {any} node @param {Tokens} tokens @param {import("./scene.js").Scene} scene */
  node(ctx, panel, node, tokens, scene) {
    const facts = insideNode(node, scene.settings, scene.entities, this.of(node.id));
    drawInsideNode(ctx, panel, facts, freeSlots(panel, scene.layout), tokens);
  }
}

/**
 * The places of a panel where no pod stands, the last one first: there is always one.
 * @param {import("../model/layout.js").Panel} panel @param {import("../model/layout.js").Layout} layout @returns {import("../model/layout.js").Rect[]}
 */
export function freeSlots(panel, layout) {
  const pods = [...(layout.slots.pods.get(panel.box.id)?.keys() ?? [])].map((id) => layout.boxes.get(id));
  const card = pods.find(Boolean) ?? SIZE.card;
  const columns = panel.gutters.flatMap((x) => [x - card.w, x + SIZE.gutter]);
  /** @type {import("../model/layout.js").Rect[]} */
  const free = [];
  for (let y = panel.bodyTop; y + card.h < panel.bridge.y; y += card.h + SIZE.rowGap) {
    for (const x of columns) if (!pods.some((pod) => pod && pod.x === x && pod.y === y)) free.push({ x, y, w: card.w, h: card.h });
  }
  return free.reverse();
}
