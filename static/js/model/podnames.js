/** Names and addresses of pods that are looked at: asked for node by node, kept for a while, asked again when the node changed. */

const KEPT = 240;
const AT_ONCE = 4;
/** ms before a node that changed is asked for again, and after an answer did not come. */
const AGAIN = 1000;
const AFTER_FAILURE = 5000;

/** @typedef {{pods: Map<number, any>, stale: boolean, used: number, at: number}} Known pods by index */

export class PodNames {
  /**
   * @param {(node: string) => Promise<any[]>} fetch the pods of a node, each with its `index`
   * @param {(node: string, pods: any[]) => Map<number, any>} learn gives each its index
   * @param {() => number} clock ms
   */
  constructor(fetch, learn, clock) {
    this.fetch = fetch;
    this.learn = learn;
    this.clock = clock;
    /** @type {Map<string, Known>} */
    this.known = new Map();
    /** @type {Set<string>} */
    this.asked = new Set();
    /** @type {Map<string, number>} when to ask again */
    this.failed = new Map();
    this.turn = 0;
  }

  /** @param {string} node @returns {Map<number, any>|null} null: nothing is known yet */
  of(node) {
    const known = this.known.get(node);
    if (!known) return null;
    known.used = this.turn;
    return known.pods;
  }

  /** Asks for these nodes, the first ones first; the rest when called again. @param {string[]} nodes */
  want(nodes) {
    this.turn += 1;
    const now = this.clock();
    for (const node of nodes) {
      if (this.asked.size >= AT_ONCE) return;
      const known = this.known.get(node);
      if (known) known.used = this.turn;
      const due = known ? known.stale && now - known.at > AGAIN : now > (this.failed.get(node) ?? -1);
      if (due && !this.asked.has(node)) this.ask(node);
    }
  }

  /** @param {string} node */
  async ask(node) {
    this.asked.add(node);
    const asked = this.known;
    try {
      const pods = await this.fetch(node);
      if (asked !== this.known) return;
      this.known.set(node, { pods: this.learn(node, pods), stale: false, used: this.turn, at: this.clock() });
      this.failed.delete(node);
      this.prune();
    } catch {
      this.failed.set(node, this.clock() + AFTER_FAILURE);
    } finally {
      this.asked.delete(node);
    }
  }

  /** @param {string} node its pods changed */
  soil(node) {
    const known = this.known.get(node);
    if (known) known.stale = true;
  }

  prune() {
    if (this.known.size <= KEPT) return;
    const old = [...this.known].sort((a, b) => a[1].used - b[1].used);
    for (const [node] of old.slice(0, this.known.size - KEPT)) this.known.delete(node);
  }

  /** Another cluster, or the same in another life. */
  clear() {
    this.known = new Map();
    this.failed.clear();
  }
}
