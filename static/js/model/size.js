/** Which picture a cluster gets: every pod a card, or the picture of big clusters. */

export const BORDER = { pods: 300, nodes: 24 };
/** A cluster on the border keeps the picture it has. */
const SLACK = 0.9;

/**
 * @param {{entities: Map<string, any>, mass?: any}} store @param {boolean} now whether the picture of big clusters is shown
 * @returns {boolean} whether it is the right one
 */
export function isBig(store, now) {
  const { pods, nodes } = store.mass?.counts ?? census(store.entities);
  const share = now ? SLACK : 1;
  return pods > BORDER.pods * share || nodes > BORDER.nodes * share;
}

/** @param {Map<string, any>} entities */
function census(entities) {
  let [pods, nodes] = [0, 0];
  for (const { kind } of entities.values()) {
    if (kind === "pod") pods += 1;
    else if (kind === "node") nodes += 1;
  }
  return { pods, nodes };
}
