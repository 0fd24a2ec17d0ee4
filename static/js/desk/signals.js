/** Who wants to know what: the panels that come later hang themselves in here. */

/** @typedef {"loaded"|"state"|"traffic"|"select"|"filter"|"drawn"|"picture"} Signal */

export class Signals {
  constructor() {
    /** @type {Map<Signal, Set<(...told: any[]) => void>>} */
    this.listeners = new Map();
  }

  /**
   * `loaded` (fresh): a whole new picture is in the store. `state`, `traffic` (message): a message was applied. `drawn` (ids): the
   * picture shows what changed. `select` (id), `filter` (filter): a person chose. `picture` (picture): another picture took over.
   * @param {Signal} signal @param {(...told: any[]) => void} listener @returns {() => void} stops listening
   */
  on(signal, listener) {
    const all = this.listeners.get(signal) ?? new Set();
    this.listeners.set(signal, all.add(listener));
    return () => all.delete(listener);
  }

  /** @param {Signal} signal @param {...any} told */
  tell(signal, ...told) {
    for (const listener of this.listeners.get(signal) ?? []) listener(...told);
  }
}
