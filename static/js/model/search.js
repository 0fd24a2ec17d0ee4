/** Search over everything that has a name or an address. */

const ORDER = ["pod", "service", "ingress", "gateway", "node", "workload", "policy", "flow", "external", "loadbalancer", "namespace"];

/** @param {any} entity @returns {string} */
export function addressOf(entity) {
  return entity.ip || entity.clusterIP || entity.address || "";
}

/**
 * Best first: names that begin with the words, then names that hold them, then addresses and labels.
 * @param {Iterable<any>} entities @param {string} text @param {number} [limit] @returns {any[]}
 */
export function find(entities, text, limit = 12) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const scored = [];
  for (const entity of entities) {
    const score = words.reduce((sum, word) => sum + rate(entity, word), 0);
    if (words.every((word) => rate(entity, word) > 0)) scored.push({ entity, score });
  }
  scored.sort((a, b) => b.score - a.score || ORDER.indexOf(a.entity.kind) - ORDER.indexOf(b.entity.kind)
    || a.entity.id.localeCompare(b.entity.id));
  return scored.slice(0, limit).map((one) => one.entity);
}

/** @param {any} entity @param {string} word @returns {number} 0 when it does not match */
function rate(entity, word) {
  const name = String(entity.name ?? "").toLowerCase();
  if (name === word) return 8;
  if (name.startsWith(word)) return 5;
  if (name.includes(word)) return 3;
  if (addressOf(entity).startsWith(word)) return 4;
  if (entity.kind === word || `${entity.label ?? ""}`.toLowerCase().includes(word) || entity.namespace === word) return 2;
  return Object.entries(entity.labels ?? {}).some(([key, value]) => `${key}=${value}`.toLowerCase().includes(word)) ? 1 : 0;
}
