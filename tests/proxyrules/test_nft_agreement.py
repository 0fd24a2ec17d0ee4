"""The nftables text and the decision code are two answers to one question; they must not differ."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from clusterviz.engine import Cluster
from clusterviz.engine.addresses import host_port
from clusterviz.engine.datapath.service import ServiceDecision, decide
from clusterviz.engine.objects import Node
from clusterviz.engine.proxyrules import nftables
from clusterviz.engine.proxyrules.read_nftables import read_nftables
from clusterviz.engine.proxyrules.walk import Packet, Ruleset, Way
from tests.proxyrules.test_agreement import destinations, interface, local_addresses, sources, worlds
from tests.proxyrules.world import cluster, endpoints, service


def in_nftables_mode(cluster: Cluster) -> Cluster:
    return cluster.with_settings(msgspec.structs.replace(cluster.settings, proxy_mode="nftables"))


@given(st.data())
def test_rules_and_decisions_agree(data: st.DataObject) -> None:
    """Verdict, endpoints, odds and masquerade (NFT-01..07 against PX-03..08, PX-11, PX-12, EPS, TD)."""
    cluster = in_nftables_mode(data.draw(worlds()))
    node = data.draw(st.sampled_from(list(cluster.nodes.values())))
    version = data.draw(st.sampled_from((4, 4, 6) if len(cluster.settings.families) > 1 else (4,)))
    rules = read_nftables(nftables(cluster, node, version))
    unowned = [("10.96.200.9" if version == 4 else "fd00:96::9999", "TCP", 80)]
    for ip, protocol, port in [*destinations(cluster, node, version), *unowned]:
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


def compare(cluster: Cluster, node: Node, packet: Packet, rules: Ruleset, seed: int) -> None:
    """Fail with both answers when they differ."""
    protocol = packet.protocol.upper()
    decision = decide(
        cluster, node, packet.source, packet.to, protocol, packet.port, from_node=packet.from_node, seed=seed
    )
    ways = rules.send(packet)
    assert sum(way.weight for way in ways) == pytest.approx(1), (packet, ways)
    if decision is None or decision.effect == "none":
        event("left alone")
        (way,) = ways
        assert (way.verdict, way.target) == ("accept", ""), (packet, decision, ways)
    elif decision.effect == "dnat":
        event(f"{decision.via} accept")
        accepted(decision, packet, ways)
    else:
        event(f"{decision.via} {decision.verdict}")
        translated = [way for way in ways if way.target]  # an endpoint at another Service's address is judged again
        fitting = translated or ways
        assert decision.effect in {way.verdict for way in fitting}, (packet, decision, ways)
        assert translated or len(ways) == 1, (packet, decision, ways)


def accepted(decision: ServiceDecision, packet: Packet, ways: tuple[Way, ...]) -> None:
    odds = {way.target: way.weight for way in ways}
    assert len(odds) == len(ways), (packet, ways)
    usable = {host_port(one.address, one.port): one.probability for one in decision.candidates if one.probability}
    assert odds == pytest.approx(usable, abs=1e-9), (packet, decision, ways)
    assert decision.endpoint is not None
    picked = host_port(decision.endpoint.ip, decision.target_port)
    taken = next(way for way in ways if way.target == picked)
    assert (taken.verdict, taken.marked) == ("accept", bool(decision.masquerade)), (packet, decision, ways)


@pytest.mark.parametrize(
    ("to", "verdict"),
    [("10.96.0.41", "reject"), ("10.96.200.9", "drop"), ("198.18.0.9", "accept"), ("9.9.9.9", "accept")],
)
def test_a_ping(to: str, verdict: str) -> None:
    """PX-11, NFT-07: the guard of ClusterIPs asks for no protocol, so a ping is refused as an unknown port is."""
    made = cluster(service(externalIPs=["198.18.0.9"]), endpoints(), proxy_mode="nftables")
    packet = Packet(source="10.244.0.9", to=to, protocol="icmp", port=0, local=frozenset({"192.168.0.2"}))
    (way,) = read_nftables(nftables(made, made.nodes["a"])).send(packet)
    assert (way.verdict, way.target) == (verdict, "")
