"""A trace points to the very lines it used: the text walked as the packet leads where the trace says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Probe, trace
from clusterviz.engine.packet import IP
from clusterviz.engine.proxyrules import iptables, nftables
from clusterviz.engine.proxyrules.used import MOST_SERVICES, lines_used
from clusterviz.engine.proxyrules.walk import Line
from clusterviz.engine.trace import Action, Hop, Step
from tests import strategies
from tests.proxyrules.world import HASH, SEP1, Obj, cluster, endpoints, service

NODE_PORT = [{"name": "p80", "port": 80, "nodePort": 30080}]
ONE = (("10.180.0.1", "a"),)


def proxy_steps(made: Cluster, probe: Probe) -> list[tuple[Hop, Step]]:
    answer = trace(made, probe)
    return [
        (hop, step)
        for hop in answer.forward
        if not any(step.component == "portmap" for step in hop.steps)  # a hostPort is not kube-proxy's
        for step in hop.steps
        if step.component == "kube-proxy"
    ]


def asked(made: Cluster, source: str, to: str) -> dict[Action, tuple[Line, ...]]:
    found = proxy_steps(made, Probe.parse(source, to))
    return {step.action: lines_used(made, hop, step) for hop, step in found}


def words(lines: tuple[Line, ...]) -> list[str]:
    """Where each line stands and where it leads."""
    return [f"{line.chain}: {line.text.split()[-1]}" for line in lines]


def world(*objects: Obj, **settings: Any) -> Cluster:
    client = {
        "kind": "Pod",
        "metadata": {"name": "client", "namespace": "ns1"},
        "spec": {"nodeName": "a", "containers": [{"name": "c"}]},
        "status": {"phase": "Running", "podIP": "10.244.0.9"},
    }
    return cluster(client, *objects, **settings)


def test_iptables_from_a_pod() -> None:
    """IPT-02, IPT-04, IPT-08, TRC-02: the chains of a ClusterIP in the order the packet meets them."""
    found = asked(world(service(), endpoints(ONE)), "ns1/client", "service:ns1/svc1:80")
    assert words(found[Action.LOAD_BALANCED]) == [
        "PREROUTING: KUBE-SERVICES",
        f"KUBE-SERVICES: KUBE-SVC-{HASH}",
        f"KUBE-SVC-{HASH}: KUBE-SEP-{SEP1}",
    ]
    assert words(found[Action.DNAT]) == [f"KUBE-SEP-{SEP1}: 10.180.0.1:80"]


def test_iptables_from_outside_to_a_node_port() -> None:
    """IPT-03, IPT-06, IPT-12: marked on the way in, masqueraded on the way out."""
    spec = service(type="NodePort", ports=NODE_PORT)
    found = asked(world(spec, endpoints(ONE)), "internet", "node:a:30080")
    assert words(found[Action.LOAD_BALANCED]) == [
        "PREROUTING: KUBE-SERVICES",
        "KUBE-SERVICES: KUBE-NODEPORTS",
        f"KUBE-NODEPORTS: KUBE-EXT-{HASH}",
        f"KUBE-EXT-{HASH}: KUBE-MARK-MASQ",
        "KUBE-MARK-MASQ: 0x4000/0x4000",
        f"KUBE-EXT-{HASH}: KUBE-SVC-{HASH}",
        f"KUBE-SVC-{HASH}: KUBE-SEP-{SEP1}",
    ]
    assert words(found[Action.MASQUERADED]) == [
        "FORWARD: KUBE-FORWARD",
        "KUBE-FORWARD: ACCEPT",
        "POSTROUTING: KUBE-POSTROUTING",
        "KUBE-POSTROUTING: 0x4000/0x0",
        "KUBE-POSTROUTING: --random-fully",
    ]


def test_nftables_from_a_node() -> None:
    """NFT-01, NFT-04, NFT-05: the element of the map is a line of its own."""
    found = asked(world(service(), endpoints(ONE), proxy_mode="nftables"), "node/a", "service:ns1/svc1:80")
    assert [(line.hook, line.chain.partition("-")[0]) for line in found[Action.LOAD_BALANCED]] == [
        ("output", "nat"),
        ("output", "services"),
        ("output", "service"),
        ("output", "service"),
        ("output", "mark"),
        ("output", "service"),
    ]
    assert found[Action.LOAD_BALANCED][2].text.startswith("10.96.0.41 . tcp . 80 : goto service-ULMVA6XW-")
    assert found[Action.MASQUERADED][-1].text == "masquerade fully-random"


@pytest.mark.parametrize(
    ("mode", "ready", "policy", "expected"),
    [
        ("iptables", False, "Cluster", '"ns1/svc1:p80 has no endpoints"'),
        ("iptables", True, "Local", '"ns1/svc1:p80 has no local endpoints"'),
        ("nftables", False, "Cluster", "10.96.0.41 . tcp . 80"),
        ("nftables", True, "Local", "10.96.0.41 . tcp . 80"),
    ],
)
def test_a_refusal(mode: str, ready: bool, policy: str, expected: str) -> None:
    """IPT-11, PX-07: the line that refuses or drops."""
    slices = endpoints((("10.180.0.2", "b"),), conditions={"ready": ready})
    made = world(service(internalTrafficPolicy=policy), slices, proxy_mode=mode)
    (lines,) = asked(made, "ns1/client", "service:ns1/svc1:80").values()
    assert any(expected in line.text for line in lines)
    assert {line.hook for line in lines} == {"forward"}


@given(st.data())
def test_every_decision_of_kube_proxy_is_in_its_text(data: st.DataObject) -> None:
    """The lines stand where they say, and the translation among them is the trace's own."""
    made = data.draw(strategies.clusters())
    for hop, step in proxy_steps(made, data.draw(strategies.probes(made))):
        event(f"{made.settings.proxy_mode} {step.action}")
        lines = lines_used(made, hop, step)
        if made.settings.proxy_mode == "ipvs":
            assert not lines
            continue
        text = texts(made, hop)
        assert all(line.text in text[line.number - 1] for line in lines)
        if step.reason not in ("vip_port_unknown", "vip_icmp"):
            assert lines, (hop, step)
        if step.action is Action.DNAT:
            assert lines[-1].text.endswith(step.facts["new"])
        if step.action is Action.MASQUERADED:
            assert "masquerade" in lines[-1].text.lower()


def texts(made: Cluster, hop: Hop) -> list[str]:
    """The node's whole text of the family the packet has."""
    write = nftables if made.settings.proxy_mode == "nftables" else iptables
    packet = next(header for header in reversed(hop.headers_in) if isinstance(header, IP))
    return write(made, made.nodes[hop.node], packet.version).splitlines()


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_a_large_cluster_is_counted_through_when_asked(mode: str) -> None:
    """Numbers are 0 where only the Service's own rules are written out, and right when they are asked for."""
    others = []
    for index in range(MOST_SERVICES):
        other = service(clusterIP=f"10.97.{index // 250}.{index % 250 + 1}")
        other["metadata"]["name"] = f"other-{index}"
        others.append(other)
    made = world(service(), endpoints(ONE), *others, proxy_mode=mode)
    text = (iptables if mode == "iptables" else nftables)(made, made.nodes["a"]).splitlines()
    for hop, step in proxy_steps(made, Probe.parse("ns1/client", "service:ns1/svc1:80")):
        plain, counted = lines_used(made, hop, step), lines_used(made, hop, step, count=True)
        assert plain and plain == tuple(msgspec.structs.replace(line, number=0) for line in counted)
        assert all(line.text in text[line.number - 1] for line in counted)


def test_ipvs_has_no_such_lines() -> None:
    """IPV-01."""
    found = asked(world(service(), endpoints(ONE), proxy_mode="ipvs"), "ns1/client", "service:ns1/svc1:80")
    assert set(found.values()) == {()}
