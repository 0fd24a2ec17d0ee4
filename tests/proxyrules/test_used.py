"""A trace points to the very lines it used: the text walked as the packet leads where the trace says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from clusterviz.engine import Change, Cluster, Probe, trace
from clusterviz.engine.packet import IP
from clusterviz.engine.proxyrules import iptables, nftables, used
from clusterviz.engine.proxyrules.used import lines_used
from clusterviz.engine.proxyrules.walk import Line
from clusterviz.engine.trace import Action, Hop, Step
from tests import strategies
from tests.proxyrules.world import HASH, SEP1, Obj, cluster, endpoints, service

NODE_PORT = [{"name": "p80", "port": 80, "nodePort": 30080}]
ONE = (("10.180.0.1", "a"),)
FEW = 40


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


def many(count: int) -> list[Obj]:
    """Services of all kinds around svc1, some before it by name, some without endpoints, two that want one address."""
    found: list[Obj] = []
    for index in range(count):
        kinds: list[Obj] = [
            {},
            {"type": "NodePort", "ports": [{"name": "p80", "port": 80, "nodePort": 31000 + index}]},
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["192.168.0.0/16"], "externalTrafficPolicy": "Local"},
            {"externalIPs": ["192.0.2.9"], "sessionAffinity": "ClientIP"},
        ]
        spec = kinds[index % 4]
        other = service(clusterIP=f"10.97.{index // 250}.{index % 250 + 1}", **spec)
        other["metadata"]["name"] = name = f"{'zebra' if index % 3 else 'ant'}-{index}"
        if spec.get("type") == "LoadBalancer":
            other["status"] = {"loadBalancer": {"ingress": [{"ip": f"198.51.{index // 250}.{index % 250 + 1}"}]}}
        slices = endpoints(tuple((f"10.18{place}.{index // 250}.{index % 250}", "ab"[place % 2]) for place in range(3)))
        slices["metadata"] |= {"name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}}
        found += [other, slices] if index % 5 else [other]
    return found


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize(
    ("spec", "source", "to"),
    [
        ({}, "ns1/client", "service:ns1/svc1:80"),
        ({"type": "NodePort", "ports": NODE_PORT}, "internet", "node:a:30080"),
        ({"internalTrafficPolicy": "Local"}, "node/b", "service:ns1/svc1:80"),
        ({"sessionAffinity": "ClientIP", "selector": None}, "node/b", "service:ns1/svc1:80"),
    ],
)
def test_lines_are_numbered_as_in_the_text_of_all(
    mode: str, spec: Obj, source: str, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPT-14, NFT-03: of more Services than are written out each line has the number it has in the whole text."""
    monkeypatch.setattr(used, "MOST_SERVICES", FEW)
    made = world(service(**spec), endpoints(ONE), *many(FEW), proxy_mode=mode)
    for after in (made, made.apply([Change("unset", ("Service", "ns1", "ant-0")), Change("set", many(9)[-1])])):
        text = (iptables if mode == "iptables" else nftables)(after, after.nodes["b" if "/b" in source else "a"])
        steps = proxy_steps(after, Probe.parse(source, to))
        counted = [(line, text.splitlines()[line.number - 1]) for one in steps for line in lines_used(after, *one)]
        assert all(line.text in stands for line, stands in counted)
        assert len(counted) > 1


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize(("port", "claims"), [(81, 1), (80, 11)])
def test_only_claims_of_the_same_port_need_more_texts_than_one(
    mode: str, port: int, claims: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SVC-05: Services may share an address by port; the text of those that want both tells whose the lines are."""
    monkeypatch.setattr(used, "MOST_SERVICES", FEW)
    ports = [{"name": "p80", "port": port, "targetPort": 8080}]
    made = world(service(externalIPs=["192.0.2.9"], ports=ports), endpoints(ONE), *many(FEW), proxy_mode=mode)
    steps = proxy_steps(made, Probe.parse("internet", f"192.0.2.9:{port}"))
    text = (iptables if mode == "iptables" else nftables)(made, made.nodes[steps[0][0].node]).splitlines()
    lines = [line for one in steps for line in lines_used(made, *one)]
    assert lines and all(line.text in text[line.number - 1] for line in lines)
    asked = {len(only or ()) for _, _, only in used._rulesets[made]}
    assert max(asked) == claims and 0 not in asked
    monkeypatch.setattr(used, "MOST_SERVICES", 1_000)
    assert lines == [line for one in steps for line in lines_used(made, *one)]


def test_an_address_nobody_has_is_refused_by_a_counted_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """PX-11: no Service is concerned, and all of them stand before the line."""
    monkeypatch.setattr(used, "MOST_SERVICES", FEW)
    made = world(service(), endpoints(ONE), *many(FEW), proxy_mode="nftables")
    ((hop, step),) = proxy_steps(made, Probe.parse("ns1/client", "10.96.99.99:80"))
    *_, line = lines_used(made, hop, step)
    assert line.text in nftables(made, made.nodes["a"]).splitlines()[line.number - 1]


@settings(max_examples=25)
@given(st.data())
def test_counted_lines_are_those_of_the_whole_text(data: st.DataObject) -> None:
    """The same walk through the text of one Service and of all, number by number."""
    made = data.draw(strategies.clusters())
    for hop, step in proxy_steps(made, data.draw(strategies.probes(made))):
        with pytest.MonkeyPatch.context() as patch:
            whole = lines_used(made, hop, step)
            patch.setattr(used, "MOST_SERVICES", 0)
            assert lines_used(made, hop, step) == whole


def test_ipvs_has_no_such_lines() -> None:
    """IPV-01."""
    found = asked(world(service(), endpoints(ONE), proxy_mode="ipvs"), "ns1/client", "service:ns1/svc1:80")
    assert set(found.values()) == {()}
