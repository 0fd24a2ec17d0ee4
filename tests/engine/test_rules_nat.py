"""Rules EGR, NET, PX and SRC: who is masqueraded on the way, by whom, and what the receiver sees."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Settings, Verdict
from clusterviz.engine.datapath.egress import plugin_masquerade
from clusterviz.engine.packet import IP, Ethernet
from tests.engine.world import ask, build, header, service

OWN, ELSEWHERE, OUTSIDE, NODE = "10.244.0.2", "10.244.1.2", "203.0.113.7", "192.168.0.12"


@pytest.mark.parametrize(
    ("source", "destination", "line"),
    [
        (OWN, ELSEWHERE, ""),
        (ELSEWHERE, OWN, ""),
        (OUTSIDE, OWN, ""),
        (NODE, OWN, ""),
        (OWN, "198.51.100.9", "-s 10.244.0.0/16 ! -d 224.0.0.0/4"),
        (OWN, NODE, "-s 10.244.0.0/16 ! -d 224.0.0.0/4"),
        (OWN, "239.1.1.1", ""),
        (ELSEWHERE, "10.244.2.2", "-s 10.244.0.0/16 ! -d 224.0.0.0/4"),
        ("10.244.1.0", "10.244.2.2", "-s 10.244.0.0/16 ! -d 224.0.0.0/4"),
        (OUTSIDE, ELSEWHERE, "! -s 10.244.0.0/16 -d 10.244.0.0/16"),
        (NODE, ELSEWHERE, "! -s 10.244.0.0/16 -d 10.244.0.0/16"),
        (OUTSIDE, "198.51.100.9", ""),
    ],
)
def test_the_plugins_rules_in_their_order(source: str, destination: str, line: str) -> None:
    """EGR-02, seen from n1, whose pods are 10.244.0.0/24."""
    cluster = build()
    found = plugin_masquerade(cluster, cluster.nodes["n1"], source, destination)
    assert (found.text.partition(" -j ")[0] if found else "") == line
    without = build(settings=Settings(egress_nat=False))
    assert plugin_masquerade(without, without.nodes["n1"], source, destination) is None


def test_a_pods_packet_that_a_third_node_forwards_is_masqueraded_by_the_plugin() -> None:
    """EGR-02, PX-05: kube-proxy's short cut keeps the source, flannel on that node does not."""
    web = service("shop/lb", app="web", type="NodePort", externalTrafficPolicy="Local", clusterIP="10.96.0.60")
    web["spec"]["ports"][0]["nodePort"] = 30087
    cluster = build(web)
    found = ask(cluster, "shop/client", "10.244.2.1:30087", seed=3)
    seen = {
        header(one.forward[-1].headers_in, IP).src
        for seed in range(8)
        if (one := ask(cluster, "shop/client", "10.244.2.1:30087", seed=seed)).verdict is Verdict.DELIVERED
    }
    assert found.success and seen == {"10.244.2.0"}


def test_without_a_detector_outsiders_are_still_hidden_where_the_endpoint_is_elsewhere() -> None:
    """EGR-02, PX-08: nobody is masqueraded by kube-proxy, the plugin hides who goes on to another node."""
    web = service("shop/lb", app="web", type="NodePort", externalTrafficPolicy="Local", clusterIP="10.96.0.60")
    web["spec"]["ports"][0]["nodePort"] = 30087
    cluster = build(web, settings=Settings(detect_local=False, network="host-gw"))
    found = ask(cluster, "internet", "192.168.0.11:30087")
    assert found.success and header(found.forward[-1].headers_in, IP).src == Settings().client_ip


def test_after_a_dnat_to_its_own_bridge_a_packet_is_bridged_on() -> None:
    """NET-05: br_netfilter puts the receiver's MAC in and routes nothing: TTL and sender's MAC stay."""
    cluster = build()
    found = next(
        one
        for seed in range(20)
        if (one := ask(cluster, "shop/client", "http://web/", seed=seed)).waypoints[-1].ref == "pod:shop/web-1"
    )
    sent, got = found.forward[0].headers_out, found.forward[-1].headers_in
    assert header(got, IP).ttl == 64
    assert header(got, Ethernet).src == header(sent, Ethernet).src
    assert header(got, Ethernet).dst != header(sent, Ethernet).dst
    assert any(step.reason == "switched_dnat" for hop in found.forward for step in hop.steps)
    assert header(found.reverse[-1].headers_in, IP).src == "10.96.0.20"


SRC: list[tuple[str, str, str, dict[str, Any], set[str]]] = [
    ("SRC-1", "shop/client", "pod:shop/web-2:8080", {}, {"10.244.0.3"}),
    ("SRC-1", "shop/client", "10.96.0.60:80", {}, {"10.244.0.3"}),
    ("SRC-2", "shop/web-1", "10.96.0.60:80", {}, {"10.244.0.1", "10.244.0.2"}),
    ("SRC-3", "node/n1", "10.96.0.60:80", {}, {"10.244.0.1", "10.244.0.0"}),
    ("SRC-4", "shop/client", "192.168.0.11:30087", {}, {"10.244.0.1", "10.244.0.0"}),
    ("SRC-4", "shop/client", "192.168.0.11:30087", {"externalTrafficPolicy": "Local"}, {"10.244.0.3"}),
    ("SRC-5", "internet", "192.168.0.11:30087", {}, {"10.244.0.1", "10.244.0.0"}),
    ("SRC-5", "internet", "192.168.0.11:30087", {"externalTrafficPolicy": "Local"}, {"203.0.113.7"}),
    ("SRC-3", "node/n3", "192.168.0.13:30087", {"externalTrafficPolicy": "Local"}, {"10.244.2.0"}),
    ("SRC-3", "node/n1", "127.0.0.1:30087", {}, {"10.244.0.1", "10.244.0.0"}),
]


@pytest.mark.parametrize(("rule", "source", "to", "spec", "seen"), SRC)
def test_the_address_the_pod_sees(rule: str, source: str, to: str, spec: dict[str, Any], seen: set[str]) -> None:
    """SRC-1..5, PX-09, PX-13: over every endpoint that can be drawn."""
    web = service("shop/lb", app="web", type="NodePort", clusterIP="10.96.0.60", **spec)
    web["spec"]["ports"][0]["nodePort"] = 30087
    cluster = build(web)
    answers = [ask(cluster, source, to, seed=seed) for seed in range(16)]
    assert all(one.success for one in answers), rule
    assert {header(one.forward[-1].headers_in, IP).src for one in answers} == seen


def test_a_reply_that_does_not_come_by_the_node_that_translated_is_lost() -> None:
    """PX-10, EGR-02: without the plugin's masquerade nothing brings it back there."""
    web = service("shop/lb", app="web", type="NodePort", externalTrafficPolicy="Local", clusterIP="10.96.0.60")
    web["spec"]["ports"][0]["nodePort"] = 30087
    cluster = build(web, settings=Settings(egress_nat=False))
    for seed in range(4):
        found = ask(cluster, "shop/client", "192.168.0.13:30087", seed=seed)
        assert found.verdict is Verdict.REPLY_LOST and found.blockers[0].ref == "node:n3"
        assert ask(cluster, "shop/client", "192.168.0.11:30087", seed=seed).success


def test_ipvs_routes_what_the_others_bridge_on() -> None:
    """IPV-01, NET-05: the virtual address is the node's own, so the packet is taken in and sent out again."""
    cluster = build(settings=Settings(proxy_mode="ipvs"))
    found = next(
        one
        for seed in range(20)
        if (one := ask(cluster, "shop/client", "http://web/", seed=seed)).waypoints[-1].ref == "pod:shop/web-1"
    )
    assert header(found.forward[-1].headers_in, IP).ttl == 63
