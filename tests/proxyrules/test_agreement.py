"""The written rules and the decision code are two answers to one question; they must not differ."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.addresses import family, host_port, in_cidr
from clusterviz.engine.datapath.service import decide
from clusterviz.engine.objects import Node
from clusterviz.engine.proxyrules import iptables
from clusterviz.engine.proxyrules.read_iptables import read_iptables
from clusterviz.engine.proxyrules.walk import Packet, Ruleset, Way
from tests import strategies

ZONES = ("east", "west")
PREFIX = {4: "172.20.0.", 6: "fd00:172::"}
LOOPBACKS = ("127.0.0.1", "127.0.0.9", "::1")
SETTINGS = st.builds(
    Settings,
    network=st.sampled_from(["vxlan", "host-gw"]),
    masquerade_all=st.sampled_from([False, False, True]),
    detect_local=st.sampled_from([True, True, False]),
    detect_local_mode=st.sampled_from(
        ["ClusterCIDR", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"]
    ),
    detect_local_interface=st.sampled_from(["cni0", "cni0", "cni", "veth"]),
    localhost_nodeports=st.sampled_from([True, True, False]),
    nodeport_addresses=st.sampled_from(
        [
            (),
            (),
            ("primary",),
            ("10.244.0.0/16", "127.0.0.0/8"),
            ("0.0.0.0/0",),
            ("fd00::/16",),
            ("172.31.0.0/24", "::/0"),
        ]
    ),
)
BOTH = {"service_cidr": "10.96.0.0/12,fd00:96::/108", "cluster_cidr": "10.244.0.0/16,fd00:10:244::/56"}
# what a cluster's families are made of; in the last kube-proxy knows the pods of one family only (PX-08)
STACKS: list[dict[str, str]] = [
    {},
    {},
    BOTH,
    {**BOTH, "service_cidr": "fd00:96::/108,10.96.0.0/12"},
    {"service_cidr": BOTH["service_cidr"]},
]


@st.composite
def slices(draw: Any, service: dict[str, Any], node_count: int, version: int = 4) -> dict[str, Any]:
    """Endpoints written by hand: any mix of conditions, zones and hints (SVC-12, EPS-02, TD)."""
    hinted = draw(st.booleans())
    endpoints = []
    for index in range(draw(st.integers(0, 4))):
        ready = draw(st.booleans())
        zone = draw(st.sampled_from(ZONES))
        endpoint: dict[str, Any] = {
            # an address may stand twice: in two slices, or in two entries (EPS-01)
            "addresses": [f"{PREFIX[version]}{draw(st.sampled_from([index, index, 0])) + 1}"],
            "zone": zone,
            "conditions": {"ready": ready, "serving": ready or draw(st.booleans()), "terminating": not ready},
        }
        if draw(st.booleans()):
            endpoint["nodeName"] = f"n{draw(st.integers(1, node_count))}"
        if hinted and draw(st.integers(0, 5)):
            endpoint["hints"] = {"forZones": [{"name": draw(st.sampled_from(ZONES))}]}
            if draw(st.booleans()):
                endpoint["hints"]["forNodes"] = [{"name": f"n{draw(st.integers(1, node_count))}"}]
        endpoints.append(endpoint)
    meta = service["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            **meta,
            "name": f"{meta['name']}-{version}",
            "labels": {"kubernetes.io/service-name": meta["name"]},
        },
        "addressType": f"IPv{version}",
        "ports": [{"port": 8080, "protocol": service["spec"]["ports"][0].get("protocol", "TCP")}],
        "endpoints": endpoints,
    }


@st.composite
def worlds(draw: Any) -> Cluster:
    """The shared strategy's objects with what only kube-proxy cares about added."""
    objects = draw(strategies.objects())
    stack = draw(st.sampled_from(STACKS))
    nodes = [obj for obj in objects if obj["kind"] == "Node"]
    for index, node in enumerate(nodes):
        if draw(st.booleans()):
            node["metadata"]["labels"] = {"topology.kubernetes.io/zone": draw(st.sampled_from(ZONES))}
        ips = [f"192.168.0.{index + 11}", *(["172.31.0.1" + str(index)] if draw(st.booleans()) else [])]
        ips += [f"fd00:1::{index + 11}"] if stack and draw(st.integers(0, 4)) else []
        node["status"] = {"addresses": [{"type": "InternalIP", "address": ip} for ip in ips]}
    extra = []
    for index, service in enumerate(obj for obj in objects if obj["kind"] == "Service"):
        if service["spec"].get("clusterIP") != "None":
            draw(varied(service, index, dual=bool(stack)))
        if draw(st.integers(0, 2)) == 0:
            service["spec"].pop("selector", None)
            extra += [draw(slices(service, len(nodes), version)) for version in ((4, 6) if stack else (4,))]
    settings = msgspec.structs.replace(draw(SETTINGS), **stack)
    return Cluster.from_objects([*objects, *extra], settings)


@st.composite
def varied(draw: Any, service: dict[str, Any], index: int, *, dual: bool) -> None:
    """Every field of a Service that kube-proxy reads, drawn anew."""
    spec = service["spec"]
    spec["ports"][0]["protocol"] = draw(st.sampled_from(["TCP", "TCP", "UDP"]))
    spec["sessionAffinity"] = draw(st.sampled_from(["None", "None", "ClientIP"]))
    spec["trafficDistribution"] = draw(st.sampled_from(["", "", "PreferSameZone", "PreferClose", "PreferSameNode"]))
    spec["publishNotReadyAddresses"] = draw(st.integers(0, 5)) == 0
    if dual:
        spec["ipFamilyPolicy"] = draw(st.sampled_from(["SingleStack", "PreferDualStack", "RequireDualStack"]))
    if draw(st.integers(0, 2)) == 0:
        # of both families, though the Service may have one; the second one is the first node's own
        spec["externalIPs"] = [
            f"198.18.0.{index + 1}",
            f"fd00:18::{index + 1}",
            *draw(st.sampled_from([[], ["192.168.0.11"]])),
        ]
        spec["externalTrafficPolicy"] = draw(st.sampled_from(["Cluster", "Local"]))
    if spec["type"] == "LoadBalancer":
        ingress = [
            {"ip": f"198.51.100.{index + 1}"},
            {"ip": f"198.51.100.{index + 101}"},
            {"ip": f"fd00:51::{index + 1}"},
        ]
        ingress[1]["ipMode"] = draw(st.sampled_from(["VIP", "Proxy"]))
        service["status"] = {"loadBalancer": {"ingress": ingress}}
        ranges = [[], ["203.0.113.0/24"], ["192.168.0.0/24"], ["10.244.0.0/16", "0.0.0.0/0"], ["fd00:1::/64"], ["::/0"]]
        spec["loadBalancerSourceRanges"] = draw(st.sampled_from(ranges))


def local_addresses(cluster: Cluster, node: Node) -> frozenset[str]:
    return frozenset((*node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node)))


def sources(cluster: Cluster, node: Node, to: str) -> list[tuple[str, bool]]:
    """Who may send on this node: pods, its own processes, other nodes, strangers, a balancer handing back (PX-20)."""
    if to in LOOPBACKS:
        return [(to, True)]
    pods = [ip for pod in cluster.pods.values() for ip in pod.ips]
    found = [(ip, ip in node.ips) for ip in pods]
    found += [(ip, other.name == node.name) for other in cluster.nodes.values() for ip in other.ips]
    found += [(ip, True) for ip in local_addresses(cluster, node)]  # a process may have bound any of them
    found += [(ip, False) for service in cluster.services.values() for ip in service.lb_ips]
    found += [(ip, False) for ip in ("203.0.113.7", "100.64.0.9", "2001:db8::7", "fd00:172::1", "172.20.0.1")]
    return sorted({one for one in found if family(one[0]) == family(to)})


def destinations(cluster: Cluster, node: Node, version: int = 4) -> list[tuple[str, str, int]]:
    """Every address and port of a family some Service has, and ports and protocols that none has."""
    found = set()
    for service in cluster.services.values():
        for port in service.ports:
            for ip in (*service.cluster_ips, *service.external_ips, *service.lb_ips):
                found |= {(ip, port.protocol, port.port), (ip, port.protocol, 9), (ip, "SCTP", port.port)}
            if port.node_port:
                hosts = {ip for one in cluster.nodes.values() for ip in one.ips} | local_addresses(cluster, node)
                found |= {(ip, port.protocol, port.node_port) for ip in (*hosts, *LOOPBACKS)}
    return sorted(one for one in found if family(one[0]) == version)


@given(st.data())
def test_rules_and_decisions_agree(data: st.DataObject) -> None:
    """Verdict, endpoints, odds and masquerade (IPT-02..13 against PX-03..08, PX-12, EPS, TD)."""
    cluster = data.draw(worlds())
    node = data.draw(st.sampled_from(list(cluster.nodes.values())))
    version = data.draw(st.sampled_from((4, 4, 6) if len(cluster.settings.families) > 1 else (4,)))
    rules = read_iptables(iptables(cluster, node, version))
    for ip, protocol, port in destinations(cluster, node, version):
        source, from_node = data.draw(st.sampled_from(sources(cluster, node, ip)))
        packet = Packet(
            source=source,
            to=ip,
            protocol=protocol.lower(),
            port=port,
            local=local_addresses(cluster, node),
            from_node=from_node,
            interface=interface(cluster, node, source, from_node=from_node),
        )
        compare(cluster, node, packet, rules, seed=data.draw(st.integers(0, 3)))


def interface(cluster: Cluster, node: Node, source: str, *, from_node: bool) -> str:
    """By what device a packet with this source comes to the node: its own pods are behind the bridge (NET-04)."""
    if from_node:
        return ""
    pod = cluster.pod_by_ip.get(source)
    if pod is not None:
        return "cni0" if pod.node == node.name else "eth0"
    own = any(in_cidr(source, cidr) for cidr in node.pod_cidrs) and source not in local_addresses(cluster, node)
    return "cni0" if own else "eth0"


def is_masqueraded(way: Way, packet: Packet) -> bool:
    """Marked, and met by the rule that acts on the mark; what stays on the node meets none (IPT-12)."""
    stays = packet.is_local(way.target.rpartition(":")[0].strip("[]")) if way.target else False
    return way.marked and (stays or any("-j MASQUERADE" in line.text for line in way.lines))


def compare(cluster: Cluster, node: Node, packet: Packet, rules: Ruleset, seed: int = 0) -> None:
    """Fail with both answers when they differ."""
    decision = decide(
        cluster,
        node,
        packet.source,
        packet.to,
        packet.protocol.upper(),
        packet.port,
        from_node=packet.from_node,
        seed=seed,
    )
    written: defaultdict[tuple[str, str, bool], float] = defaultdict(float)
    for way in rules.send(packet):
        written[way.verdict, way.target, is_masqueraded(way, packet)] += way.weight
    if decision is not None:
        event(f"{decision.via} {decision.verdict}")
    if decision is None or decision.effect != "dnat":
        verdict = decision.effect if decision is not None and decision.effect != "none" else "accept"
        again = [key for key in written if key[0] != "accept" and key[1]]  # an endpoint at another Service's address
        assert written == {(verdict, "", False): 1.0} or verdict in {key[0] for key in again}, (
            packet,
            decision,
            written,
        )
        return
    assert decision.endpoint is not None
    odds = {target: weight for (_, target, _), weight in written.items()}
    assert len(odds) == len(written), (packet, written)
    usable = {host_port(one.address, one.port): one.probability for one in decision.candidates if one.probability}
    assert odds == pytest.approx(usable, abs=1e-6), (packet, decision, written)
    picked = host_port(decision.endpoint.ip, decision.target_port)
    assert ("accept", picked, bool(decision.masquerade)) in written, (packet, decision, written)
