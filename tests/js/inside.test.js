import assert from "node:assert/strict";
import test from "node:test";
import { freeSlots } from "../../static/js/graph/inside.js";
import { devicesOf, insideNode, insidePod, portsOf, routesOf, routeWords } from "../../static/js/model/inside.js";
import { layout } from "../../static/js/model/layout.js";
import { levelAt } from "../../static/js/model/lod.js";

const NODE = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    inet 192.168.0.11/24 brd 192.168.0.255 scope global eth0
3: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 state UNKNOWN
    inet 10.244.0.0/32 scope global flannel.1
4: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 state UP
    inet 10.244.0.1/24 brd 10.244.0.255 scope global cni0
5: vethc2e34be9@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 master cni0 state UP
6: veth2952d839@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 master cni0 state UP
`;
const ROUTES = `default via 192.168.0.1 dev eth0
192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.11
10.244.0.0/24 dev cni0 proto kernel scope link src 10.244.0.1
10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink
`;
const own = { texts: [{ id: "addresses", command: "ip addr", text: NODE }, { id: "routes", command: "ip route", text: ROUTES }] };
const entities = (/** @type {any[]} */ ...all) => new Map(all.map((e) => [e.id, e]));
const node = { id: "node:n1", kind: "node", name: "n1", ip: "192.168.0.11", podCIDR: "10.244.0.0/24", bridge: "10.244.0.1", overlay: "10.244.0.0", created: 1 };
const pod = (/** @type {string} */ name, more = {}) => ({ id: `pod:shop/${name}`, kind: "pod", namespace: "shop", name, node: "node:n1", ip: "10.244.0.4", created: 2, hostNetwork: false,
  containers: [{ name: "server", ready: true, ports: [{ port: 8080, protocol: "TCP" }] }, { name: "log", ready: false, ports: [{ port: 514, protocol: "UDP" }] }], ...more });

test("what a node's commands print is read", () => {
  const devices = devicesOf(NODE);
  assert.deepEqual(devices.map(({ index, name, peer }) => [index, name, peer]), [[1, "lo", 0], [2, "eth0", 0], [3, "flannel.1", 0], [4, "cni0", 0], [5, "vethc2e34be9", 2], [6, "veth2952d839", 2]]);
  assert.deepEqual(devices[4].master, "cni0");
  assert.deepEqual(routesOf(ROUTES).map(routeWords), ["default → eth0 via 192.168.0.1", "192.168.0.0/24 → eth0", "10.244.0.0/24 → cni0", "10.244.1.0/24 → flannel.1"]);
});

test("inside a node stand its devices, its own pods' route first, and what its rules hold", () => {
  const all = entities(node, pod("a"), { id: "service:shop/api", kind: "service", clusterIP: "10.96.0.5", type: "ClusterIP" },
    { id: "service:shop/db", kind: "service", clusterIP: "", headless: true, type: "ClusterIP" },
    { id: "policy:shop/wall", kind: "policy", selects: ["pod:shop/a"] }, { id: "policy:shop/other", kind: "policy", selects: ["pod:shop/z"] });
  const settings = { network: "vxlan", vni: 1, vxlan_port: 8472, proxy_mode: "iptables", enforce_policies: true, egress_nat: true };
  const facts = insideNode(node, settings, all, own);
  assert.deepEqual(facts.bridge, { name: "cni0", address: "10.244.0.1" });
  assert.deepEqual(facts.overlay, { name: "flannel.1", address: "10.244.0.0", words: "VXLAN 1, UDP 8472" });
  assert.equal(facts.veths, 2);
  assert.deepEqual(facts.routes.map((route) => route.to), ["10.244.0.0/24", "default", "192.168.0.0/24", "10.244.1.0/24"]);
  assert.deepEqual(facts.rules, { mode: "iptables", services: 1, policies: 1, enforced: true, masquerade: true });
  assert.deepEqual(insideNode(node, settings, all, null).routes, [], "nothing is guessed while the node has not answered");
});

test("a pod's cable is the node's device its card names", () => {
  const answer = { texts: [{ id: "addresses", command: "kubectl exec -n shop a -- ip addr", text: "1: lo: <UP> mtu 65536 state UNKNOWN\n2: eth0@if6: <UP> mtu 1450 state UP\n" }], yaml: "" };
  const facts = insidePod(pod("a"), answer, own);
  assert.deepEqual([facts.device, facts.veth, facts.mtu], ["eth0", "veth2952d839", 1450]);
  assert.equal(insidePod(pod("a"), null, own).veth, "", "not guessed");
  assert.equal(insidePod(pod("a", { hostNetwork: true }), null, null).shared, true);
});

test("ports are those the processes listen on, declared or not", () => {
  assert.deepEqual(portsOf(pod("a"), "").containers.map((c) => c.ports), [["8080"], ["514/UDP"]]);
  const said = portsOf(pod("a"), 'metadata:\n  annotations:\n    clusterviz.dev/listen: "8080, 127.0.0.1:9000, 7777"\n');
  assert.deepEqual(said.containers.map((c) => c.ports), [["8080"], []]);
  assert.deepEqual(said.elsewhere, ["127.0.0.1:9000", "7777"]);
});

test("routes and rules stand where no pod stands, and there is always such a place", () => {
  for (const count of [0, 1, 3, 4, 9]) {
    const pods = Array.from({ length: count }, (_, i) => pod(`p${i}`, { created: i }));
    const made = layout([node, { ...node, id: "node:n2", name: "n2" }, ...pods]);
    const panel = /** @type {any} */ (made.panels.get("node:n1"));
    const free = freeSlots(panel, made);
    assert.ok(free.length > 0, `${count} pods`);
    for (const place of free) {
      assert.ok(place.y + place.h <= panel.bridge.y && place.x >= panel.box.x && place.x + place.w <= panel.box.x + panel.box.w);
      for (const one of pods) {
        const box = /** @type {any} */ (made.boxes.get(one.id));
        assert.ok(place.x >= box.x + box.w || box.x >= place.x + place.w || place.y >= box.y + box.h || box.y >= place.y + place.h, `over ${one.id}`);
      }
    }
  }
});

test("a level is left later than it was entered", () => {
  const steps = [24, 41, 130];
  assert.equal(levelAt(129, 2, steps), 2);
  assert.equal(levelAt(131, 2, steps), 3);
  assert.equal(levelAt(120, 3, steps), 3);
  assert.equal(levelAt(116, 3, steps), 2);
  assert.equal(levelAt(10, 3, steps), 0);
});
