"""`decide` says what `trace` says, and takes the short way where nothing is odd."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.engine import Change, Cluster, Probe, Settings, Verdict, trace
from clusterviz.engine.classes import Classes
from clusterviz.engine.datapath.policy import judge
from clusterviz.engine.decision import Decision, decide, outcome
from clusterviz.engine.objects import Container, Node, Pod
from clusterviz.engine.plain import plain
from clusterviz.engine.walk import walk
from tests.benchmarks.synthetic import SETTINGS, Size, cluster_objects, questions
from tests.engine.world import build, pod, policy, service
from tests.strategies import clusters, objects, probes


@given(clusters(), st.data())
def test_the_decision_is_what_the_trace_comes_to(cluster: Cluster, data: st.DataObject) -> None:
    for _ in range(4):
        probe = data.draw(probes(cluster))
        assert decide(cluster, probe) == outcome(trace(cluster, probe))


@given(objects(), st.data())
@settings(max_examples=40)
def test_pods_that_call_addresses_are_decided_as_they_are_traced(made: list, data: st.DataObject) -> None:
    """The short way, on clusters with policies, and again after a change."""
    cluster = Cluster.from_objects(made)
    for _ in range(2):
        senders = sorted(f"{ns}/{name}" for (ns, name), one in cluster.pods.items() if one.ips and not one.ended)
        targets = [ip for one in cluster.pods.values() for ip in one.ips]
        targets += [ip for one in cluster.services.values() for ip in one.cluster_ips] + ["203.0.113.80", "10.9.9.9"]
        for sender in senders:
            for ip in targets:
                probe = Probe.parse("pod:" + sender, f"{ip}:{data.draw(st.sampled_from((80, 8080)))}", seed=len(ip))
                assert decide(cluster, probe) == outcome(trace(cluster, probe)), probe
        cluster = cluster.apply([Change("set", data.draw(st.sampled_from(made)))])
        cluster = cluster.apply([Change("unset", ("Pod", *data.draw(st.sampled_from(sorted(cluster.pods)))))])
        if not cluster.pods:
            return


@given(clusters(), st.data())
def test_what_a_trace_knows_before_it_walks_is_what_the_walk_finds(cluster: Cluster, data: st.DataObject) -> None:
    for _ in range(4):
        probe = data.draw(probes(cluster))
        found, walked = trace(cluster, probe), walk(cluster, probe)
        assert (found.verdict, found.symptom, found.branches) == (walked.verdict, walked.symptom, walked.branches)
        steps = [step for hop in walked.forward for step in hop.steps if step.candidates]
        assert found.candidates == (steps[-1].candidates if steps else ())
        assert found.decision == outcome(walked)
        assert found.blockers == walked.blockers
        assert (found.forward, found.waypoints) == (walked.forward, walked.waypoints)


@pytest.mark.parametrize("scheduler", ["rr", "sh", "dh"])
def test_every_node_draws_for_itself(scheduler: Any) -> None:
    """IPV-01: what is kept for a Service must not bring the first sender's node into the draw."""
    settings_ = msgspec.structs.replace(SETTINGS, proxy_mode="ipvs", ipvs_scheduler=scheduler)
    cluster = Cluster.from_objects(cluster_objects(Size(10, 60, 3, 0)), settings_, expand=False)
    for probe in questions(cluster, 60):
        assert decide(cluster, probe) == outcome(walk(cluster, probe))


def test_a_trace_is_read_when_it_is_read() -> None:
    """Until then it holds the snapshot; what it says does not depend on when."""
    probe = Probe.parse("shop/client", "10.96.0.30:5432", seed=3)
    early, late = trace(WORLD, probe), trace(WORLD, probe)
    whole = msgspec.json.encode(early.walk().to_dict())
    assert late.candidates == early.candidates
    assert late.candidates
    later = WORLD.apply([Change("unset", ("Pod", "shop", "db-0"))])
    assert later.pods.keys() != WORLD.pods.keys()
    assert msgspec.json.encode(late.to_dict()) == whole
    assert late == early
    assert late.but(blockers=()).waypoints == early.waypoints
    with pytest.raises(AttributeError, match="does not change"):
        late.verdict = Verdict.NO_ROUTE
    with pytest.raises(AttributeError, match="nothing"):
        late.nothing  # noqa: B018


@given(clusters(), st.data())
def test_judging_by_class_is_judging(cluster: Cluster, data: st.DataObject) -> None:
    """NP: the remembered verdict of a class is the pod's own, word for word."""
    classes = Classes(cluster)
    ips = [ip for one in cluster.pods.values() for ip in one.ips] + ["203.0.113.80", *cluster.node_by_ip]
    for one in [one for one in cluster.pods.values() if one.ips] * 2:
        for ip in ips:
            port = data.draw(st.sampled_from((80, 8080)))
            for direction in ("Ingress", "Egress"):
                found = classes.judge(cluster, direction, one, ip, "TCP", port)
                assert found == judge(cluster, direction, one, ip, "TCP", port)


WORLD = build(
    service("shop/free", app="spy", clusterIP="10.96.0.41"),
    pod("shop/shut", "10.244.2.8", "n3", app="shut"),
    policy("shop/shut", "shut", policyTypes=["Ingress"]),
    pod("shop/mute", "10.244.2.9", "n3", app="mute"),
    policy("shop/mute", "mute", policyTypes=["Egress"]),
    settings=Settings(),
)


@pytest.mark.parametrize(
    ("source", "to", "wanted"),
    [
        ("shop/client", "10.244.1.2:8080", Decision(Verdict.DELIVERED, "10.244.1.2", 8080, "10.244.0.3")),
        ("shop/client", "203.0.113.80:443", Decision(Verdict.EXITED_CLUSTER, "203.0.113.80", 443, "192.168.0.11")),
        ("shop/client", "10.96.0.30:5432", Decision(Verdict.DELIVERED, "10.244.2.2", 5432, "10.244.0.3")),
        (
            "shop/client",
            "10.244.2.8:80",
            Decision(Verdict.DENIED_INGRESS, "10.244.2.8", 80, "10.244.0.3", "policy:shop/shut"),
        ),
        (
            "shop/mute",
            "10.244.0.3:80",
            Decision(Verdict.DENIED_EGRESS, "10.244.0.3", 80, "10.244.2.9", "policy:shop/mute"),
        ),
    ],
)
def test_the_plain_case_takes_the_short_way(source: str, to: str, wanted: Decision) -> None:
    probe = Probe.parse(source, to)
    assert plain(WORLD, probe) == wanted == outcome(trace(WORLD, probe))


@pytest.mark.parametrize(
    ("source", "to"),
    [
        ("shop/client", "http://web/"),
        ("internet", "192.168.0.11:80"),
        ("node/n1", "10.244.1.2:8080"),
        ("shop/client", "10.96.0.20:81"),
        ("shop/client", "10.96.0.41:80"),
        ("shop/client", "192.168.0.12:80"),
        ("shop/client", "127.0.0.1:80"),
        ("shop/client", "10.244.1.200:80"),
        ("shop/client", "10.96.77.77:80"),
        ("shop/client/main", "10.244.1.2:8080"),
    ],
)
def test_anything_odd_is_walked(source: str, to: str) -> None:
    probe = Probe.parse(source, to)
    assert plain(WORLD, probe) is None
    assert decide(WORLD, probe) == outcome(trace(WORLD, probe))


NODE = {"name", "labels", "annotations", "created", "ips", "pod_cidrs", "ready", "schedulable", "down", "zone"}
POD = {"namespace", "name", "labels", "annotations", "created", "node", "ips", "phase", "ready", "terminating", "owner"}
POD |= {"host_network", "containers", "hostname", "subdomain", "dns_policy", "searches", "ndots", "listen", "reason"}


def test_every_field_a_packet_could_care_for_was_looked_at() -> None:
    """A new field of these may change what is plain: see `plain`, then add it here."""
    assert set(Node.__struct_fields__) == NODE | {"namespace", "network_ready", "cut"}
    assert set(Pod.__struct_fields__) == POD | {"restarts"}
    assert set(Container.__struct_fields__) == {"name", "image", "ports", "ready", "running"}
