"""Rules SVC-14, SVC-15, IPT-09, PX-14 and PX-18: what a node remembers, answers and has not heard of yet."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Probe, Verdict, trace
from clusterviz.engine.datapath.affinity import Affinity
from clusterviz.engine.datapath.established import fate
from clusterviz.engine.datapath.health import health_answer
from clusterviz.engine.datapath.service import ServiceDecision
from tests.engine.proxyworld import LB, VIP, ask, balanced, bare, entry, slice_of, targets, world
from tests.engine.world import Obj, pod


def sticky(*entries: Obj, **settings: Any) -> Cluster:
    affinity = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 100}}}
    made = balanced(LB, **affinity, externalIPs=["198.18.0.9"])
    return world(made, slice_of(*(entries or (entry("10.180.0.1"), entry("10.180.0.2")))), **settings)


def call(
    cluster: Cluster, table: Affinity | None, now: float, seed: int, ip: str = VIP, **more: Any
) -> ServiceDecision:
    found = ask(cluster, ip, seed=seed, affinity=table, now=now, **more)
    assert found is not None and found.affinity is not None and found.endpoint is not None
    return found


def test_a_client_keeps_its_endpoint_until_the_timeout_after_its_last_connection() -> None:
    """SVC-14, IPT-09: whatever address of the Service it calls, and on this node only."""
    cluster = sticky()
    first = call(cluster, Affinity(), 0, seed=0)
    assert first.sticky == "new" and first.endpoint is not None
    other = next(seed for seed in range(50) if call(cluster, Affinity(), 0, seed).endpoint != first.endpoint)
    second = call(cluster, first.affinity, 99, seed=other, ip="198.18.0.9")
    assert (second.endpoint, second.sticky) == (first.endpoint, "kept")
    third = call(cluster, second.affinity, 199, seed=other)
    assert (third.endpoint, third.sticky) == (first.endpoint, "kept")
    late = call(cluster, third.affinity, 300, seed=other)
    assert late.endpoint != first.endpoint and late.sticky == "new"
    assert call(cluster, first.affinity, 1, seed=other, source="203.0.113.8").sticky == "new"
    assert call(cluster, first.affinity, 1, seed=other, on="b").sticky == "new"
    assert first.affinity.seen and len(late.affinity.seen) == 2


def test_affinity_breaks_when_the_endpoint_leaves() -> None:
    """SVC-15."""
    first = call(sticky(), Affinity(), 0, seed=0)
    assert first.endpoint is not None and first.affinity is not None
    gone = sticky(*[entry(ip, ready=ip != first.endpoint.ip, serving=False) for ip in ("10.180.0.1", "10.180.0.2")])
    second = call(gone, first.affinity, 1, seed=0)
    assert second.sticky == "new" and second.endpoint != first.endpoint


def test_the_kernel_remembers_a_hundred_clients_an_endpoint_in_iptables_mode() -> None:
    """IPT-09, NFT-06: xt_recent's ip_list_tot; nftables sets have no such limit."""
    for mode, kept in (("iptables", "new"), ("nftables", "kept")):
        cluster, table = sticky(entry("10.180.0.1"), proxy_mode=mode), Affinity()
        for index in range(101):
            table = call(cluster, table, 0, seed=0, source=f"198.51.100.{index}").affinity or Affinity()
        assert call(cluster, table, 1, seed=0, source="198.51.100.0").sticky == kept
        assert call(cluster, table, 1, seed=0, source="198.51.100.1").sticky == "kept"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry("10.180.0.1", "a"), entry("10.180.0.2", "a"), entry("10.180.0.3", "b")], (200, 2)),
        ([entry("10.180.0.3", "b")], (503, 0)),
        ([entry("10.180.0.1", "a", ready=False, terminating=True)], (503, 0)),
        ([entry("10.180.0.1", "a", ready=False)], (503, 0)),
    ],
)
def test_the_health_check_counts_ready_local_endpoints(entries: list[Obj], expected: tuple[int, int]) -> None:
    """PX-14."""
    made = balanced(LB, externalTrafficPolicy="Local", healthCheckNodePort=32000)
    cluster = world(made, slice_of(*entries), nodeport_addresses=("192.168.0.0/24",))
    found = health_answer(cluster, cluster.nodes["a"], 32000, "192.168.0.2")
    assert found is not None and (found.status, found.local_endpoints) == expected
    assert health_answer(cluster, cluster.nodes["a"], 32000, "192.168.9.2") is None
    assert health_answer(cluster, cluster.nodes["a"], 32001) is None
    made["spec"]["externalTrafficPolicy"] = "Cluster"
    assert health_answer(world(made, slice_of(*entries)), cluster.nodes["a"], 32000) is None


def test_a_node_that_has_not_synced_yet_still_sends_to_who_left() -> None:
    """PX-18, PX-19: its rules are those of the cluster as it last saw it; another node's are not."""
    made = bare(selector={"app": "x"}, ports=[{"name": "p80", "port": 80, "targetPort": 8080}])
    clients = [pod(f"ns1/on-{name}", f"10.244.{index}.7", name, app="c") for index, name in enumerate("ab")]
    before = world(made, *clients, pod("ns1/old", "10.244.0.9", "a", app="x"), cluster_cidr="10.244.0.0/16")
    after = world(made, *clients, pod("ns1/new", "10.244.0.10", "a", app="x"), cluster_cidr="10.244.0.0/16")
    assert targets(ask(before, VIP)) == {"10.244.0.9:8080"}
    assert targets(ask(after, VIP)) == {"10.244.0.10:8080"}
    for name, expected in (("a", Verdict.POD_GONE), ("b", Verdict.DELIVERED)):
        found = trace(after, Probe.parse(f"ns1/on-{name}", f"http://{VIP}/"), synced={"a": before})
        assert found.verdict is expected
        (step,) = [step for hop in found.forward for step in hop.steps if step.reason == "load_balanced"]
        assert ("min_sync_period" in step.settings) is (name == "a")


@pytest.mark.parametrize(
    ("protocol", "later", "expected"),
    [
        ("TCP", {"ready": "True"}, "kept"),
        ("TCP", {"ready": "False"}, "kept"),
        ("TCP", {"labels": {"app": "other"}}, "kept"),
        ("TCP", None, "silent"),
        ("UDP", {"ready": "True"}, "kept"),
        ("UDP", {"ready": "False"}, "flushed"),
        ("UDP", {"ready": "True", "deleted": True}, "kept"),
        ("UDP", {"labels": {"app": "other"}}, "flushed"),
        ("UDP", None, "flushed"),
    ],
)
def test_what_becomes_of_a_connection_when_its_endpoint_changes(protocol: str, later: Any, expected: str) -> None:
    """PX-17: TCP stays with its pod, UDP entries of endpoints that do not serve any more are flushed."""
    made = bare(selector={"app": "x"}, ports=[{"name": "p80", "port": 80, "targetPort": 8080, "protocol": protocol}])
    before = world(made, pod("ns1/one", "10.0.0.9", "a", app="x"))
    decision = ask(before, VIP, proto=protocol)
    assert decision is not None and decision.effect == "dnat"
    after = [] if later is None else [pod("ns1/one", "10.0.0.9", "a", app="x")]
    for one in after:
        one["metadata"]["labels"] = later.get("labels", {"app": "x"})
        one["status"]["conditions"] = [{"type": "Ready", "status": later.get("ready", "True")}]
        if later.get("deleted"):
            one["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert fate(world(made, *after), decision) == expected


def test_a_local_balancer_gets_a_port_for_its_health_checks() -> None:
    """PX-14, SVC-04: from the range of node ports, after those; a given one stays."""
    given, missing = balanced(LB, externalTrafficPolicy="Local", healthCheckNodePort=30086), balanced(LB)
    missing["metadata"]["name"], missing["spec"]["clusterIP"] = "svc2", "172.30.0.42"
    missing["spec"]["ports"][0]["nodePort"] = 30087
    missing["spec"]["externalTrafficPolicy"] = "Local"
    found = world(given, missing, slice_of(entry("10.180.0.1", "a"))).services
    assert [found[("ns1", name)].health_check_port for name in ("svc1", "svc2")] == [30086, 30088]
    missing["spec"]["externalTrafficPolicy"] = "Cluster"
    assert world(missing).services[("ns1", "svc2")].health_check_port == 0
