"""All that stops a connection is told, not only what stops it first (TRC-03, NP-06)."""

from __future__ import annotations

import msgspec
import pytest

from clusterviz.engine import Probe, Settings, Verdict, trace
from tests.engine.world import Obj, ask, build, node, pod, policy, service

GUARD = policy("shop/guard", "db", policyTypes=["Ingress"])
MUTE = policy("shop/mute", "client", policyTypes=["Egress"])
DNS = [
    pod("kube-system/coredns-1", "10.244.2.8", "n3", app="dns", ports=()),
    {
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {
            "clusterIP": "10.96.0.10",
            "selector": {"app": "dns"},
            "ports": [{"port": 53, "protocol": "UDP"}],
        },
    },
]


@pytest.mark.parametrize(
    ("extra", "to", "wanted"),
    [
        pytest.param(
            [GUARD, MUTE], "10.244.2.2:5432", [Verdict.DENIED_EGRESS, Verdict.DENIED_INGRESS], id="both directions"
        ),
        pytest.param(
            [GUARD, MUTE],
            "10.244.2.2:1",
            [Verdict.DENIED_EGRESS, Verdict.DENIED_INGRESS, Verdict.NOBODY_LISTENING],
            id="and nobody listens",
        ),
        pytest.param(
            [*DNS, MUTE, GUARD],
            "http://db:5432/",
            [Verdict.DNS_BLOCKED, Verdict.DENIED_EGRESS, Verdict.DENIED_INGRESS],
            id="the name first",
        ),
    ],
)
def test_what_stops_it_further_on_is_known_too(extra: list[Obj], to: str, wanted: list[Verdict]) -> None:
    """M11: opening DNS alone would only show the next one."""
    found = ask(build(*extra), "shop/client", to)
    assert [one.verdict for one in found.blockers] == wanted
    assert found.verdict is wanted[0]
    assert all(one.ref and one.rule and one.why for one in found.blockers)


def test_behind_a_dead_node_policy_is_still_judged() -> None:
    """NOD-05."""
    down = node("n3", podCIDR="10.244.2.0/24")
    down["metadata"]["annotations"] = {"clusterviz.dev/down": "true"}
    cluster = build(GUARD)
    cluster = type(cluster).from_objects(
        [*(o for o in cluster.objects.values() if o["metadata"]["name"] != "n3"), down]
    )
    found = ask(cluster, "shop/client", "10.244.2.2:5432")
    assert [one.verdict for one in found.blockers] == [Verdict.NODE_DOWN, Verdict.DENIED_INGRESS]


def test_a_packet_too_large_would_be_denied_as_well() -> None:
    """NET-13."""
    large = msgspec.structs.replace(Probe.parse("shop/client", "10.244.2.2:5432"), length=1500)
    found = trace(build(GUARD), large)
    assert [one.verdict for one in found.blockers] == [Verdict.MTU_EXCEEDED, Verdict.DENIED_INGRESS]


def test_a_pod_shut_off_from_itself_may_have_nobody_listening_either() -> None:
    """PX-06."""
    deaf = pod("shop/deaf", "10.244.0.9", "n1", app="deaf")
    deaf["metadata"]["annotations"] = {"clusterviz.dev/listen": "1"}
    cluster = build(deaf, service("shop/own", app="deaf"), settings=Settings(hairpin=False))
    found = ask(cluster, "shop/deaf", "service:shop/own:80")
    assert [one.verdict for one in found.blockers] == [Verdict.HAIRPIN_DROPPED, Verdict.NOBODY_LISTENING]


@pytest.mark.parametrize(
    ("protocol", "to"), [("TCP", "10.244.1.2:8080"), ("UDP", "10.244.1.2:8080"), ("ICMP", "10.244.1.2")]
)
def test_every_node_on_the_way_keeps_an_entry_and_the_answer_hits_it(protocol: str, to: str) -> None:
    """TRC-04: made on both nodes going there, hit on both coming back, pings too."""
    found = ask(build(), "shop/client", to, protocol=protocol)
    assert [one.node for one in found.sessions] == ["n1", "n2"]
    assert {one.proto for one in found.sessions} == {protocol}
    hits = [step.session for hop in found.reverse for step in hop.steps if step.session]
    assert [(one.node, one.state) for one in hits] == [("n2", "ESTABLISHED"), ("n1", "ESTABLISHED")]


def test_a_masqueraded_ping_is_turned_back() -> None:
    """EGR-01, TRC-04."""
    found = ask(build(), "shop/client", "203.0.113.80", protocol="ICMP")
    assert [(one.nat, one.orig) for one in found.sessions] == [("snat", "10.244.0.3>203.0.113.80")]
    assert found.sessions[0].reply == "203.0.113.80>192.168.0.11"


def unready(found: Obj) -> Obj:
    found["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    return found


@pytest.mark.parametrize(
    ("spec", "extra", "source", "to", "wanted"),
    [
        pytest.param(
            {}, [], "shop/client", "service:shop/slow:80", ["no_endpoints_rejected", "denied_ingress"], id="not ready"
        ),
        pytest.param(
            {"ports": [{"port": 80, "targetPort": 9}]},
            [],
            "shop/client",
            "service:shop/slow:80",
            ["no_endpoints_rejected", "denied_ingress", "nobody_listening"],
            id="not ready, and another port",
        ),
        pytest.param(
            {"internalTrafficPolicy": "Local", "selector": {"app": "db"}, "ports": [{"port": 80, "targetPort": 5432}]},
            [GUARD],
            "shop/client",
            "service:shop/slow:80",
            ["no_local_endpoint_dropped", "denied_ingress"],
            id="none here",
        ),
        pytest.param(
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["192.0.2.0/24"]},
            [],
            "internet",
            "service:shop/slow:80",
            ["source_range_dropped", "no_endpoints_rejected", "denied_ingress"],
            id="a guard, nobody ready behind it, and a policy",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["nftables", "ipvs", "iptables"])
def test_behind_a_refused_service_its_pods_are_asked(
    mode: str, spec: Obj, extra: list[Obj], source: str, to: str, wanted: list[str]
) -> None:
    """PX-07, SVC-17, NP-06: making the pod ready, or opening the range, would only show the next blocker."""
    slow = unready(pod("shop/slow-1", "10.244.1.9", "n2", app="slow"))
    slow["metadata"]["annotations"] = {"clusterviz.dev/listen": "8080"}
    front = service("shop/slow", app="slow", clusterIP="10.96.0.77", **spec)
    shut = policy("shop/shut", "slow", policyTypes=["Ingress"])
    cluster = build(slow, front, shut, *extra, settings=msgspec.convert({"proxy_mode": mode}, Settings))
    found = ask(cluster, source, to)
    if mode == "iptables":  # its guard stands only where some node has an endpoint (IPT-11)
        wanted = [one for one in wanted if one != "source_range_dropped"]
    if mode == "ipvs":  # a virtual server without real ones refuses (IPV-01)
        wanted = [one.replace("local_endpoint_dropped", "endpoints_rejected") for one in wanted]
    assert [one.verdict.value for one in found.blockers] == wanted
    assert found.verdict == wanted[0]
    assert found.forward[-1].state == "dropped"
    assert ("anywhere" in found.blockers[0].why) == (
        "Local" not in spec.values() and not found.verdict.startswith("so")
    )
