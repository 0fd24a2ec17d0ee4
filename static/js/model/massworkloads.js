/** The workloads of a cluster by index; index 0 is "none": a pod that nobody made. */

/** @typedef {{id: string, kind: string, namespace: string, name: string}} Owner */

export class Workloads {
  constructor() {
    /** @type {(Owner|null)[]} */
    this.entries = [null];
    /** @type {Map<string, number>} */
    this.indexes = new Map();
  }

  /** @param {{kinds: string[], namespaces: string[], kind: number[], namespace: number[], name: string[]}} columns an empty name is gone */
  static fromColumns(columns) {
    const list = new Workloads();
    const { kinds, namespaces, kind, namespace, name } = columns;
    for (let i = 1; i < name.length; i += 1) list.set(i, kinds[kind[i]], namespaces[namespace[i]], name[i]);
    return list;
  }

  /** @param {number} index @param {string} kind @param {string} namespace @param {string} name "" when it is gone */
  set(index, kind, namespace, name) {
    const old = this.entries[index];
    if (old) this.indexes.delete(old.id);
    while (this.entries.length <= index) this.entries.push(null);
    const id = `workload:${kind}/${namespace}/${name}`;
    this.entries[index] = name ? { id, kind, namespace, name } : null;
    if (name) this.indexes.set(id, index);
  }

  /** @param {string} id `workload:Deployment/shop/api` @returns {number} its index; a new one gets the next */
  indexOf(id) {
    const known = this.indexes.get(id);
    if (known !== undefined) return known;
    const [kind, namespace, name] = id.slice(id.indexOf(":") + 1).split("/");
    this.set(this.entries.length, kind, namespace, name);
    return this.entries.length - 1;
  }
}
