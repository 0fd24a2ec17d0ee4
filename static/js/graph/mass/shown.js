/** What Cytoscape holds of a big cluster: zones, what stands outside, and, when the picture rests, the pods and nodes near the middle. It is transparent: tiles draw them all. */
import { LEVELS } from "../../model/lod.js";

/** @typedef {import("../../model/masslayout.js").Box} Box */
/** @typedef {import("../../model/masslayout.js").Rect} Rect */
/** @typedef {import("./world.js").World} World */

/** Nodes of Cytoscape at most, everything together. */
export const MOST = 480;
/** Added or removed in one frame. */
const BATCH = 30;

export class Shown {
  /** @param {any} cy */
  constructor(cy) {
    this.cy = cy;
    /** @type {Map<string, Box>} what Cytoscape holds */
    this.held = new Map();
    /** @type {Map<string, Box>} what it shall hold */
    this.wanted = new Map();
    this.pending = false;
  }

  /**
   * Decides what belongs in there now.
   * @param {World} world @param {number} level @param {Rect} view @param {Iterable<string>} extra ids of what is chosen or pointed at, and the ends of its lines
   */
  aim(world, level, view, extra) {
    this.wanted = new Map();
    const put = (/** @type {Box|undefined} */ box) => box?.id && this.wanted.size < MOST && this.wanted.set(box.id, box);
    for (const zone of world.layout.zones) put({ id: `zone:${zone.name}`, kind: "zone", x: zone.x, y: zone.y, w: zone.w, h: zone.h });
    for (const box of world.layout.sides.values()) put(box);
    for (const id of extra) put(world.box(id));
    if (level >= LEVELS.pods) this.near(world, view, put);
    this.pending = this.wanted.size !== this.held.size || [...this.wanted].some(([id, box]) => this.held.get(id)?.x !== box.x || this.held.get(id)?.y !== box.y);
  }

  /** Nodes from the middle outwards, with their pods. */
  near(/** @type {World} */ world, /** @type {Rect} */ view, /** @type {(box: Box|undefined) => void} */ put) {
    const { layout, mass } = world;
    const [mx, my] = [view.x + view.w / 2 - layout.step.w / 2, view.y + view.h / 2 - layout.step.h / 2];
    const away = (/** @type {number} */ node) => Math.hypot(layout.x[node] - mx, layout.y[node] - my);
    const nodes = world.nodesIn(view).sort((a, b) => away(a) - away(b)).slice(0, 40);
    for (const node of nodes) {
      put(world.nodeBox(node));
      for (const pod of mass.podsOf(node)) {
        const box = world.podBox(pod);
        if (box && box.x < view.x + view.w && box.x + box.w > view.x && box.y < view.y + view.h && box.y + box.h > view.y) put(box);
      }
    }
  }

  /** A few more of what is wanted, a few less of what is not. @param {Map<string, any>} entities @returns {boolean} whether more is to be done */
  step(entities) {
    if (!this.pending) return false;
    const gone = [...this.held].filter(([id, box]) => this.wanted.get(id)?.x !== box.x || this.wanted.get(id)?.y !== box.y).slice(0, BATCH * 2);
    this.cy.batch(() => {
      for (const [id] of gone) {
        this.cy.getElementById(id).remove();
        this.held.delete(id);
      }
      const fresh = [...this.wanted].filter(([id]) => !this.held.has(id)).slice(0, BATCH);
      for (const [id, box] of fresh) this.held.set(id, box);
      this.cy.add(fresh.map(([, box]) => element(box, entities.get(box.id))));
    });
    this.pending = this.held.size !== this.wanted.size || gone.length > 0;
    return this.pending;
  }

  /** These at once: lines need their ends. @param {World} world @param {Iterable<string>} ids */
  need(world, ids) {
    for (const id of ids) {
      const box = this.held.has(id) ? undefined : world.box(id);
      if (!box) continue;
      this.held.set(id, box);
      this.wanted.set(id, box);
      this.cy.add(element(box, null));
    }
  }
}

/** @param {Box} box @param {any} entity */
function element(box, entity) {
  return { group: "nodes", selectable: true, grabbable: false, position: { x: box.x + box.w / 2, y: box.y + box.h / 2 },
    data: { id: box.id, kind: box.kind, label: entity?.name ?? box.id, ip: entity?.ip ?? "", w: box.w, h: box.h } };
}
