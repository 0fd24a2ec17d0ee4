"""Rules NET-07, NET-10 to NET-14 and NOD-08: what lies between nodes, by encapsulation, and what may be missing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from clusterviz.engine import Cluster, Probe, Settings, Verdict, trace
from clusterviz.engine.datapath.place import route_for
from clusterviz.engine.packet import IP, L4, Ethernet, Header, wrapping
from clusterviz.engine.trace import Trace
from tests.engine.world import Obj, ask, base, build, node, places, pod, seen, service

FAR = "10.244.1.2:8080"  # shop/web-2 on n2


def on_the_wire(found: Trace) -> tuple[Header, ...]:
    return next(hop.headers_in for hop in found.forward if hop.place.kind == "wire")


def reasons(found: Trace) -> list[str]:
    return [step.reason for hop in found.forward for step in hop.steps]


@pytest.mark.parametrize(
    ("network", "outside", "inside", "protocol", "port"),
    [
        ("vxlan", ["Ethernet", "IP", "L4", "Vxlan"], ["Ethernet", "IP", "L4"], "UDP", 8472),
        ("geneve", ["Ethernet", "IP", "L4", "Geneve"], ["Ethernet", "IP", "L4"], "UDP", 6081),
        ("wireguard", ["Ethernet", "IP", "L4", "WireGuard"], ["IP", "L4"], "UDP", 51820),
        ("udp", ["Ethernet", "IP", "L4"], ["IP", "L4"], "UDP", 8285),
        ("ipip", ["Ethernet", "IP"], ["IP", "L4"], "IPIP", 0),
        ("host-gw", [], ["Ethernet", "IP", "L4"], "TCP", 0),
    ],
)
def test_what_each_encapsulation_puts_round_a_packet(
    network: Any, outside: list[str], inside: list[str], protocol: str, port: int
) -> None:
    """NET-06, NET-08, NET-11, NET-12: headers, protocol and port; both ways, and the inside arrives as it left."""
    cluster = build(settings=Settings(network=network))
    found = ask(cluster, "shop/client", FAR)
    stack = on_the_wire(found)
    outer = wrapping(stack)
    assert [type(header).__name__ for header in outer] == outside
    assert [type(header).__name__ for header in stack[len(outer) :]] == inside
    first = next(header for header in stack if isinstance(header, IP))
    assert first.proto == protocol
    if port:
        assert next(header for header in outer if isinstance(header, L4)).dport == port
    if outside:
        assert (first.src, first.dst) == ("192.168.0.11", "192.168.0.12")
    assert found.verdict is Verdict.DELIVERED and seen(found) == "10.244.0.3"
    back = next(hop.headers_in for hop in found.reverse if hop.place.kind == "wire")
    assert [type(header).__name__ for header in back] == outside + inside
    assert isinstance(found.forward[-1].headers_in[0], Ethernet)


@pytest.mark.parametrize(
    ("network", "cidr", "mtu"),
    [
        ("vxlan", "192.168.0.0/24", 1450),
        ("vxlan", "fd00::/64", 1430),
        ("geneve", "192.168.0.0/24", 1450),
        ("wireguard", "192.168.0.0/24", 1420),
        ("wireguard", "fd00::/64", 1420),
        ("ipip", "192.168.0.0/24", 1480),
        ("udp", "192.168.0.0/24", 1472),
        ("host-gw", "192.168.0.0/24", 1500),
    ],
)
def test_the_mtu_of_pods(network: Any, cidr: str, mtu: int) -> None:
    """NET-07, NET-12: the link's 1500 less what the encapsulation costs."""
    assert Settings(network=network, node_cidr=cidr).pod_mtu == mtu


@pytest.mark.parametrize(
    ("network", "most"), [("vxlan", 1450), ("wireguard", 1420), ("ipip", 1480), ("udp", 1472), ("host-gw", 1500)]
)
def test_a_packet_too_large_for_the_overlay(network: Any, most: int) -> None:
    """NET-13: one byte more than fits, and may not be split; one that may be split passes."""
    cluster = build(settings=Settings(network=network))
    for length, verdict in ((most, Verdict.DELIVERED), (most + 1, Verdict.MTU_EXCEEDED)):
        parsed = Probe.parse("shop/client", FAR)
        probe = Probe(source=parsed.source, destination=parsed.destination, length=length)
        assert trace(cluster, probe).verdict is verdict
        split = Probe(source=parsed.source, destination=parsed.destination, length=length, dont_fragment=False)
        assert trace(cluster, split).verdict is Verdict.DELIVERED


@pytest.mark.parametrize(
    ("network", "source"),
    [("vxlan", "10.244.0.0"), ("wireguard", "10.244.0.0"), ("host-gw", "192.168.0.11")],
)
def test_what_a_remote_pod_sees_of_a_node_process(network: Any, source: str) -> None:
    """NET-10: the address of the overlay device, the node's own where there is none."""
    assert seen(ask(build(settings=Settings(network=network)), "node/n1", FAR)) == source


def two_segments(**settings: Any) -> Cluster:
    """n1 and n2 share a segment, n3 is behind a router."""
    objects: list[Obj] = [
        *(one for one in base() if one["kind"] != "Node"),
        *(
            {
                **node(name, podCIDR=f"10.244.{index}.0/24"),
                "status": {"addresses": [{"type": "InternalIP", "address": ip}]},
            }
            for index, (name, ip) in enumerate((("n1", "172.16.1.1"), ("n2", "172.16.1.2"), ("n3", "172.16.2.1")))
        ),
    ]
    return Cluster.from_objects(objects, Settings(node_cidr="172.16.1.0/24,172.16.2.0/24", **settings))


@pytest.mark.parametrize(
    ("settings", "near", "far"),
    [
        ({"network": "vxlan"}, "overlay", "overlay"),
        ({"network": "vxlan", "direct_routing": True}, "direct", "overlay"),
        ({"network": "ipip", "direct_routing": True}, "direct", "overlay"),
        ({"network": "host-gw"}, "direct", "unreachable"),
    ],
)
def test_direct_routing_inside_a_segment(settings: dict[str, Any], near: str, far: str) -> None:
    """NET-11: routed inside a segment, wrapped across; plain routes do not cross."""
    cluster = two_segments(**settings)
    kinds = [route_for(cluster, cluster.nodes["n1"], ip).kind for ip in ("10.244.1.2", "10.244.2.2")]
    assert kinds == [near, far]
    found = ask(cluster, "shop/client", "10.244.2.2:5432")
    assert found.verdict is (Verdict.NO_ROUTE if far == "unreachable" else Verdict.DELIVERED)
    if far == "unreachable":
        assert "layer-2 segment" in found.blockers[0].why


def test_nodes_of_unknown_networks_share_a_segment() -> None:
    """NET-11: addresses outside the only node CIDR part nobody."""
    assert Settings().one_segment("10.9.0.1", "192.168.0.2") and Settings().one_segment("fd00::1", "fd01::1")


@pytest.mark.parametrize("broken", ["n1", "n2"])
def test_a_node_without_pod_network(broken: str) -> None:
    """NET-14: its pods reach each other and nobody else; the nodes still reach it."""
    objects = base()
    for one in objects:
        if one["metadata"]["name"] == broken:
            one["status"] = {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]}
    cluster = Cluster.from_objects(objects, Settings())
    found = ask(cluster, "shop/client", FAR)
    assert found.verdict is Verdict.NO_ROUTE and broken in found.blockers[0].why
    assert ask(cluster, "shop/client", "10.244.0.2:8080").verdict is Verdict.DELIVERED
    assert cluster.pods[("shop", "web-2")].ready
    assert "node_unrouted" in reasons(found)


@pytest.mark.parametrize("at", ["n1", "n2"])
@pytest.mark.parametrize("network", ["vxlan", "host-gw"])
def test_a_cut_between_two_nodes(at: str, network: Any) -> None:
    """NOD-08: pods stay Ready, what goes between the two is lost on the wire, other ways work."""
    objects = [*base(), pod("shop/far", "10.244.2.9", "n3", app="far"), service("shop/far", app="far")]
    for one in objects:
        if one["metadata"]["name"] == at:
            one["metadata"]["annotations"] = {"clusterviz.dev/cut": "n2, n9" if at == "n1" else "n1"}
    cluster = Cluster.from_objects(objects, Settings(network=network))
    found = ask(cluster, "shop/client", FAR)
    assert found.verdict is Verdict.NO_ROUTE and found.symptom.startswith("no answer")
    assert [(b.ref, b.why) for b in found.blockers] == [("wire", "the link between n1 and n2 is cut")]
    assert places(found)[-1] == "wire"
    assert cluster.pods[("shop", "web-2")].ready and len(cluster.endpoints(cluster.services[("shop", "web")])) == 2
    assert ask(cluster, "shop/client", "http://far/").verdict is Verdict.DELIVERED


@pytest.mark.parametrize("target", ["192.168.1.13:9100", "192.168.1.13:30080", "192.168.1.13:30081"])
def test_a_node_without_a_route_to_the_pod_cannot_answer_it(target: str) -> None:
    """NET-11: behind a router a node hears a pod that is not masqueraded, but whatever it says is lost."""
    objects = [
        node("a"),
        node("b"),
        pod("shop/client", "10.244.0.3", "a", app="client"),
        pod("shop/web", "10.244.1.2", "b", app="web"),
        service("shop/web", app="web", type="NodePort", clusterIP="10.96.0.9"),
        service("shop/none", app="none", type="NodePort", clusterIP="10.96.0.8"),
    ]
    for obj, block, ip in zip(
        objects, ("10.244.0.0/24", "10.244.1.0/24"), ("192.168.0.11", "192.168.1.13"), strict=False
    ):
        obj["spec"]["podCIDR"] = block
        obj["status"] = {"addresses": [{"type": "InternalIP", "address": ip}]}
    objects[4]["spec"]["ports"][0]["nodePort"], objects[5]["spec"]["ports"][0]["nodePort"] = 30080, 30081
    settings = Settings(network="host-gw", egress_nat=False, node_cidr="192.168.0.0/24,192.168.1.0/24")
    found = trace(Cluster.from_objects(objects, settings), Probe.parse("shop/client", target))
    assert found.verdict is Verdict.REPLY_LOST and found.reverse == ()
    assert found.symptom == "no answer: the connection times out"
    assert reasons(found)[-1] == "no_way_back" and found.blockers[0].ref == "node:b"
    routed = msgspec.structs.replace(settings, egress_nat=True)
    assert trace(Cluster.from_objects(objects, routed), Probe.parse("shop/client", target)).verdict is not found.verdict
