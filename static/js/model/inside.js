/** What is inside a pod and inside a node, from the picture's entities and from what commands on the machine print. */

/** @typedef {{index: number, name: string, peer: number, mtu: number, master: string, addresses: string[]}} Device one of `ip addr` */
/** @typedef {{to: string, via: string, dev: string}} RouteLine one of `ip route` */
/** @typedef {{id: string, command: string, text: string}} Text */
/** @typedef {{name: string, ready: boolean, ports: string[]}} ContainerFacts */
/** @typedef {{containers: ContainerFacts[], elsewhere: string[], ip: string, device: string, mtu: number, veth: string, shared: boolean}} PodFacts `elsewhere`: listens on loopback only; `shared`: uses the node's network */
/**
 * @typedef {object} NodeFacts
 * @property {{name: string, address: string}|null} bridge
 * @property {{name: string, address: string, words: string}|null} overlay
 * @property {{name: string, address: string}} card
 * @property {RouteLine[]} routes
 * @property {number} veths pods plugged into the bridge
 * @property {{mode: string, services: number, policies: number, enforced: boolean, masquerade: boolean}} rules
 */

/** @param {string} text of `ip addr` @returns {Device[]} */
export function devicesOf(text) {
  /** @type {Device[]} */
  const found = [];
  for (const line of text.split("\n")) {
    const head = /^(\d+): ([^:@\s]+)(?:@if(\d+))?: .*?mtu (\d+)(?:.* master (\S+))?/.exec(line);
    if (head) found.push({ index: Number(head[1]), name: head[2], peer: Number(head[3] ?? 0), mtu: Number(head[4]), master: head[5] ?? "", addresses: [] });
    const address = /^\s+inet6? (\S+)/.exec(line);
    if (address && found.length) found[found.length - 1].addresses.push(address[1]);
  }
  return found;
}

/** @param {string} text of `ip route` @returns {RouteLine[]} */
export function routesOf(text) {
  return text.split("\n").map((line) => /^(default|[\d.:a-f/]+)(?: via (\S+))?(?: dev (\S+))?/.exec(line)).filter(Boolean)
    .map((found) => /** @type {RegExpExecArray} */ (found)).map(([, to, via, dev]) => ({ to, via: via ?? "", dev: dev ?? "" }));
}

/** @param {Text[]} texts @param {string} command @returns {string} what it prints, "" when it was not asked for */
function printed(texts, command) {
  return texts.find((one) => one.command === command || one.command.endsWith(`-- ${command}`))?.text ?? "";
}

/**
 * What a pod's processes listen on: the annotation when there is one, else the declared ports.
 * @param {any} pod @param {string} yaml of the object, "" while it is not known
 * @returns {{containers: ContainerFacts[], elsewhere: string[]}}
 */
export function portsOf(pod, yaml) {
  const said = /^\s*clusterviz\.dev\/listen: *(.*)$/m.exec(yaml)?.[1].replace(/^['"]|['"]$/g, "").split(",").map((part) => part.trim()).filter(Boolean);
  const open = said && new Set(said.filter((part) => !loopback(part)).map((part) => portOf(part)));
  const containers = (pod.containers ?? []).map((/** @type {any} */ container) => ({
    name: container.name, ready: container.ready,
    ports: container.ports.filter((/** @type {any} */ p) => !open || open.has(String(p.port))).map((/** @type {any} */ p) => `${p.port}${p.protocol === "TCP" ? "" : `/${p.protocol}`}`),
  }));
  const declared = new Set((pod.containers ?? []).flatMap((/** @type {any} */ c) => c.ports.map((/** @type {any} */ p) => String(p.port))));
  return { containers, elsewhere: (said ?? []).filter((part) => loopback(part) || !declared.has(portOf(part))) };
}

/** @param {string} listener "8080", "127.0.0.1:9000", "53/UDP" */
const portOf = (listener) => (listener.split(":").pop() ?? "").split("/")[0];

/** @param {string} listener */
const loopback = (listener) => /^(127\.|localhost:|\[?::1\]?:)/.test(listener);

/**
 * @param {any} pod @param {{texts: Text[], yaml: string}|null} own what was asked of the pod
 * @param {{texts: Text[]}|null} node what was asked of its node @returns {PodFacts}
 */
export function insidePod(pod, own, node) {
  const eth = devicesOf(printed(own?.texts ?? [], "ip addr")).find((device) => device.peer > 0);
  const veth = eth && devicesOf(printed(node?.texts ?? [], "ip addr")).find((device) => device.index === eth.peer);
  return { ...portsOf(pod, own?.yaml ?? ""), ip: pod.ip, device: eth?.name ?? "eth0", mtu: eth?.mtu ?? 0, veth: veth?.name ?? "", shared: Boolean(pod.hostNetwork) };
}

/** How a packet for a pod of another node travels, in a word. @param {any} settings */
function overlayWords(settings) {
  const words = /** @type {Record<string, string>} */ ({ vxlan: `VXLAN ${settings.vni}, UDP ${settings.vxlan_port}`, geneve: `Geneve ${settings.vni}`, ipip: "IP in IP", wireguard: "WireGuard" });
  return words[settings.network] ?? settings.network;
}

/**
 * @param {any} node @param {any} settings @param {Map<string, any>} entities @param {{texts: Text[]}|null} own what was asked of it
 * @returns {NodeFacts}
 */
export function insideNode(node, settings, entities, own) {
  const devices = devicesOf(printed(own?.texts ?? [], "ip addr"));
  const all = [...entities.values()];
  const here = new Set(all.filter((e) => e.kind === "pod" && e.node === node.id && !e.hostNetwork).map((e) => e.id));
  const address = (/** @type {Device} */ device) => device.addresses[0]?.split("/")[0] ?? "";
  const tunnel = devices.find((device) => node.overlay && address(device) === node.overlay);
  const card = devices.find((device) => address(device) === node.ip);
  return {
    bridge: node.bridge ? { name: devices.find((device) => address(device) === node.bridge)?.name ?? "cni0", address: node.bridge } : null,
    overlay: node.overlay ? { name: tunnel?.name ?? `flannel.${settings.vni ?? 1}`, address: node.overlay, words: overlayWords(settings) } : null,
    card: { name: card?.name ?? "eth0", address: node.ip },
    routes: sorted(routesOf(printed(own?.texts ?? [], "ip route")), node.podCIDR),
    veths: devices.length ? devices.filter((device) => device.master).length : here.size,
    rules: {
      mode: settings.proxy_mode ?? "", enforced: settings.enforce_policies !== false, masquerade: settings.egress_nat !== false,
      services: all.filter((e) => e.kind === "service" && e.clusterIP && e.type !== "ExternalName").length,
      policies: all.filter((e) => e.kind === "policy" && e.selects.some((/** @type {string} */ id) => here.has(id))).length,
    },
  };
}

/** The node's own pods first, then the way out, then the other nodes. @param {RouteLine[]} routes @param {string} own */
function sorted(routes, own) {
  const rank = (/** @type {RouteLine} */ route) => (route.to === own ? 0 : route.to === "default" ? 1 : 2);
  return [...routes].sort((a, b) => rank(a) - rank(b));
}

/** @param {RouteLine} route @returns {string} "10.244.1.0/24 → flannel.1" */
export function routeWords({ to, via, dev }) {
  return `${to} → ${dev}${via && to === "default" ? ` via ${via}` : ""}`;
}
