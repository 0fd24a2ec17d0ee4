/** The views of one cluster: names, keys, words. */

/** @typedef {"nodes"|"services"|"namespaces"|"matrix"} ViewName */
/** @typedef {{name: ViewName, key: string, label: string, does: string}} View */

/** @type {View[]} */
export const VIEWS = [
  { name: "nodes", key: "1", label: "Nodes", does: "by node: where things run" },
  { name: "services", key: "2", label: "Services", does: "by service: who calls whom" },
  { name: "namespaces", key: "3", label: "Namespaces", does: "by namespace" },
  { name: "matrix", key: "4", label: "Matrix", does: "matrix: every caller and everything called" },
];

/** @param {string} name @returns {ViewName} the view of this name, else the first */
export function viewOf(name) {
  return VIEWS.find((view) => view.name === name)?.name ?? "nodes";
}
