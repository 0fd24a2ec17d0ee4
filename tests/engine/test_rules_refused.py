"""Whose address a refusal carries, who is a pod by its card, and what is too large: as a kernel was seen to do it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from clusterviz.engine import Cluster, Probe, Settings, Verdict, trace
from clusterviz.engine.datapath.place import route_for
from clusterviz.engine.packet import ICMP
from tests.engine.world import Obj, ask, build, header, service

EMPTY = service(
    "shop/empty",
    app="nobody",
    clusterIP="10.96.0.40",
    type="LoadBalancer",
    externalIPs=["198.18.0.3"],
    ports=[{"port": 80, "nodePort": 30083}],
)
EMPTY["status"] = {"loadBalancer": {"ingress": [{"ip": "198.51.100.23"}]}}
NFT: dict[str, Any] = {"proxy_mode": "nftables"}
BY_CARD = Settings(detect_local_mode="BridgeInterface", detect_local_interface="eth0")


def local(endpoint: str, home: str) -> list[Obj]:
    """A NodePort Service of policy Local with one hand-written endpoint."""
    made = service("shop/here", clusterIP="10.96.0.41", type="NodePort", externalTrafficPolicy="Local")
    made["spec"]["ports"] = [{"port": 80, "targetPort": 8080, "nodePort": 30084}]
    piece = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "here-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "here"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [endpoint], "nodeName": home}],
        "ports": [{"port": 8080}],
    }
    return [made, piece]


@pytest.mark.parametrize(
    ("source", "to", "options", "refuser"),
    [
        ("shop/client", "10.96.0.40:80", {}, "10.244.0.1"),
        ("shop/client", "198.18.0.3:80", {}, "10.244.0.1"),
        ("shop/client", "192.168.0.11:30083", {}, "192.168.0.11"),
        ("shop/client", "192.168.0.12:30083", {}, "192.168.0.12"),
        ("shop/client", "10.244.0.1:30083", {}, "10.244.0.1"),
        ("node/n1", "10.96.0.40:80", {}, "192.168.0.11"),
        ("node/n1", "192.168.0.12:30083", {}, "192.168.0.12"),
        ("internet", "192.168.0.12:30083", {}, "192.168.0.12"),
        ("internet", "198.18.0.3:80", {}, "192.168.0.11"),
        ("internet", "198.18.0.3:80", NFT, "192.168.0.11"),
        ("shop/client", "10.96.0.20:81", NFT, "10.244.0.1"),
        ("shop/client", "10.96.0.40:80", {"proxy_mode": "ipvs"}, "10.96.0.40"),
    ],
)
def test_a_refusal_carries_the_address_called_if_the_node_has_it(
    source: str, to: str, options: dict[str, Any], refuser: str
) -> None:
    """PX-07, PX-11: else the node's own towards the sender; no translation changes it."""
    found = ask(build(EMPTY, settings=Settings(**options)), source, to)
    assert {header(hop.headers_in).src for hop in found.reverse} == {refuser}
    assert header(found.reverse[-1].headers_in, ICMP).type == "port-unreachable"


def test_behind_a_balancer_the_node_that_refuses_speaks_for_itself() -> None:
    """PX-07, SVC-06: no node has the balancer's address."""
    found = ask(build(EMPTY), "internet", "198.51.100.23:80")
    node = found.forward[-1].node
    own = {"n1": "192.168.0.11", "n2": "192.168.0.12", "n3": "192.168.0.13"}[node]
    assert [header(hop.headers_in).src for hop in found.reverse] == [own] * 3


def test_an_external_ip_that_is_another_nodes_goes_to_that_node() -> None:
    """SVC-05, IPT-01: OUTPUT has no rule for it, so the node that has the address decides."""
    guest = service("shop/guest", app="nobody", clusterIP="10.96.0.42", externalIPs=["192.168.0.12"])
    found = ask(build(guest), "node/n1", "192.168.0.12:80")
    assert (found.verdict, found.forward[-1].node) == (Verdict.NO_ENDPOINTS_REJECTED, "n2")


def test_whoever_comes_in_by_the_detectors_card_is_a_pod() -> None:
    """PX-05, PX-08: with the node's card as bridge a client outside takes the short cut past policy Local."""
    parts = local("10.244.1.2", "n2")
    usual, odd = (ask(build(*parts, settings=one), "internet", "192.168.0.11:30084") for one in (Settings(), BY_CARD))
    assert usual.verdict is Verdict.NO_LOCAL_ENDPOINT_DROPPED
    assert odd.verdict is Verdict.DELIVERED
    pod = ask(build(*parts, settings=BY_CARD), "shop/client", "192.168.0.11:30084")
    assert pod.verdict is Verdict.NO_LOCAL_ENDPOINT_DROPPED


def test_an_answer_that_goes_past_the_translating_node_is_lost() -> None:
    """PX-10, EGR-02: an endpoint in another node's own network answers a client outside directly."""
    found = ask(build(*local("192.168.0.12", "n2"), settings=BY_CARD), "internet", "192.168.0.11:30084")
    assert found.verdict is Verdict.REPLY_LOST


def sent(cluster: Cluster, source: str, to: str, length: int) -> Any:
    return trace(cluster, msgspec.structs.replace(Probe.parse(source, to), length=length))


@pytest.mark.parametrize(
    ("source", "to", "length", "most"),
    [
        ("shop/client", "10.244.1.2:8080", 1451, 1450),
        ("internet", "192.168.0.11:30085", 1451, 1450),
        ("shop/client", "203.0.113.80:443", 1501, 1500),
    ],
)
def test_what_is_too_large_is_refused_before_anything_else(source: str, to: str, length: int, most: int) -> None:
    """NET-13: no policy is asked, no connection remembered, and the TTL has not fallen; one byte less passes."""
    door = service("shop/door", app="web", clusterIP="10.96.0.43", type="NodePort", externalTrafficPolicy="Local")
    door["spec"]["ports"] = [{"port": 80, "targetPort": 8080, "nodePort": 30085}]
    cluster = build(door)
    found = sent(cluster, source, to, length)
    last = found.forward[-1]
    assert (found.verdict, [one.verdict for one in found.blockers]) == (Verdict.MTU_EXCEEDED, [Verdict.MTU_EXCEEDED])
    assert [step.action.value for step in last.steps][-2:] == ["routed", "dropped"]
    assert header(last.headers_out).ttl == 64
    assert last.steps[-1].facts["mtu"] == most
    assert sent(cluster, source, to, most).success


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ("vxlan", "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink"),
        ("wireguard", "10.244.1.0/24 dev flannel-wg"),
        ("ipip", "10.244.1.0/24 via 192.168.0.12 dev flannel.ipip onlink"),
        ("host-gw", "10.244.1.0/24 via 192.168.0.12 dev eth0"),
    ],
)
def test_the_route_of_each_kind_of_overlay(network: Any, text: str) -> None:
    """NET-09, NET-11, NET-12."""
    cluster = build(settings=Settings(network=network))
    assert route_for(cluster, cluster.nodes["n1"], "10.244.1.2").text == text


def test_a_machine_on_the_node_network_is_reached_without_a_router() -> None:
    """NET-01: the segment's own route, not the default one; it sees the node's address (EGR-01)."""
    found = ask(build(), "shop/client", "192.168.0.200:53")
    step = next(step for hop in found.forward for step in hop.steps if step.action.value == "routed")
    assert step.facts["route"] == "192.168.0.0/24 dev eth0"
    assert (found.verdict, header(found.forward[-1].headers_in).src) == (Verdict.EXITED_CLUSTER, "192.168.0.11")
