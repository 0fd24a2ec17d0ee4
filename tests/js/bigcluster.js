/** A generated big cluster, as the columns the mass picture is drawn from; seeded, so that every run draws the same. */

import { chance } from "./fixtures/big.js";

const KINDS = ["web", "api", "cart", "db", "cache", "queue", "worker", "auth", "search", "mail", "report", "images"];

/** @param {ArrayLike<number>} column @param {number} bytes of each number @returns {string} base64 of little endian numbers */
function packed(column, bytes) {
  const raw = new Uint8Array(column.length * bytes);
  for (let i = 0; i < column.length; i += 1) for (let b = 0; b < bytes; b += 1) raw[i * bytes + b] = (column[i] >>> (8 * b)) & 255;
  let text = "";
  for (let i = 0; i < raw.length; i += 32768) text += String.fromCharCode(...raw.subarray(i, i + 32768));
  return btoa(text);
}

/** @param {number} nodes @param {number} zones */
function machines(nodes, zones) {
  return Array.from({ length: nodes }, (_, i) => ({ kind: "node", id: `node:node-${i}`, index: i, name: `node-${i}`, zone: zones ? `zone-${"abcdefghij"[i % zones]}` : "",
    ready: i % 701 !== 300, schedulable: i % 389 !== 200, ip: `10.0.${i >> 8}.${i & 255}`, podCIDR: `10.${64 + (i >> 8)}.${i & 255}.0/24`, bridge: `10.${64 + (i >> 8)}.${i & 255}.1` }));
}

/** @param {() => number} next @param {string[]} zones */
function trunks(next, zones) {
  const out = [];
  const names = [...zones, "internet", "external"];
  for (const from of names) for (const to of names) {
    if (from === to || from === "external" || to === "internet") continue;
    const rps = Math.round(20 + 3000 * next() ** 3);
    out.push({ from, to, rps, errors: next() < 0.2 ? Math.round(rps * 0.3 * next()) : 0 });
  }
  return out;
}

/**
 * A snapshot of form mass.
 * @param {number} nodes @param {number} pods @param {{zones?: number, seed?: number, failing?: number}} [options]
 */
export function bigCluster(nodes, pods, { zones = 6, seed = 1, failing = 0.0012 } = {}) {
  const next = chance(seed);
  const each = Math.ceil(pods / nodes);
  const [node, state, heat, workload] = [new Uint32Array(pods), new Uint8Array(pods).fill(1), new Uint8Array(pods), new Uint32Array(pods)];
  for (let i = 0; i < pods; i += 1) {
    node[i] = Math.floor(i / each);
    const warm = Math.max(0, Math.sin(node[i] * 0.37) * 2 + Math.sin(node[i] * 0.011) * 2);
    heat[i] = Math.min(7, Math.floor(next() ** 2 * 3 + warm * next()));
    workload[i] = 1 + Math.floor(next() ** 2 * KINDS.length);
    const dice = next();
    const sick = nodes > 100 && node[i] % 834 > 400 && node[i] % 834 < 403 && node[i] > nodes / 2 ? 0.6 : failing;
    if (dice < sick) state[i] = 3;
    else if (dice < sick + 0.0016) state[i] = 2;
    else if (dice < sick + 0.0024) state[i] = 4;
    if (next() < 1 / 4000) [node[i], state[i]] = [0xffffffff, 2];
  }
  const machine = machines(nodes, zones);
  const count = (/** @type {number} */ wanted) => state.reduce((sum, s) => sum + (s === wanted ? 1 : 0), 0);
  return {
    form: "mass", counts: { nodes, pods, ready: count(1), pending: count(2), failing: count(3), services: Math.round(pods / 15) },
    settings: { cluster_cidr: "10.64.0.0/10", network: "vxlan" },
    entities: [...machine, { kind: "external", id: "internet", name: "Internet", ip: "" }, { kind: "loadbalancer", id: "loadbalancer:shop/web", name: "web", ip: "198.51.100.7" },
      { kind: "external", id: "external:payments", name: "payments.example", label: "payments.example", ip: "203.0.113.80" }],
    workloads: { kinds: ["Deployment"], namespaces: ["shop"], kind: [0, ...KINDS.map(() => 0)], namespace: [0, ...KINDS.map(() => 0)], name: ["", ...KINDS] },
    mass: { count: pods, node: packed(node, 4), state: packed(state, 1), heat: packed(heat, 1), workload: packed(workload, 4), heatScale: [0, 0.05, 0.2, 0.8, 3, 12, 50, 200] },
    trunks: trunks(next, [...new Set(machine.map((one) => one.zone))]),
  };
}

/** What the server would tell about the pods of one node. @param {any} mass @param {string} id @returns {any[]} */
export function podsOf(mass, id) {
  const node = mass.nodeOf(id);
  return mass.podsOf(node).map((/** @type {number} */ index) => {
    const owner = mass.workloads[mass.workload[index]];
    const state = mass.state[index];
    const name = `${owner?.name ?? "bare"}-7d9c5b${index.toString(36)}`;
    return { kind: "pod", id: `pod:shop/${name}`, index, name, namespace: "shop", node: id, workload: owner?.id ?? "", ip: `10.${64 + (node >> 8)}.${node & 255}.${mass.slot[index] + 2}`,
      phase: state === 2 ? "Pending" : "Running", ready: state === 1, reason: state === 3 ? "CrashLoopBackOff" : "", terminating: state === 4, restarts: 0,
      containers: [{ name: "main", ready: state === 1 }, ...(index % 3 ? [] : [{ name: "proxy", ready: true }])], isolated: { ingress: index % 5 === 0, egress: false } };
  });
}
