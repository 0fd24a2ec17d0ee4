"""The smallest changes that let a packet arrive: each verdict's, carried out once more from their YAML alone."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusterviz.engine import Change, Cluster, EngineError, Probe, Settings, Trace, trace
from clusterviz.engine.fixes import suggest
from clusterviz.engine.objects import ref_of
from clusterviz.engine.probe import parse_destination
from clusterviz.engine.trace import Fix
from tests.engine.fix_cases import CASES, MANAGED
from tests.engine.world import ask, base, build, pod, policy, service
from tests.strategies import clusters, probes


def patched(obj: Any, patch: Any) -> Any:
    """A JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    kept = {
        name: value for name, value in (obj if isinstance(obj, dict) else {}).items() if patch.get(name, 0) is not None
    }
    return kept | {name: patched(kept.get(name), value) for name, value in patch.items() if value is not None}


def carried_out(cluster: Cluster, probe: Probe, fixes: list[Fix]) -> Trace:
    """What becomes of the probe after a group of fixes, from nothing but what a person is shown."""
    for fix in fixes:
        if fix.kind == "setting":
            after = msgspec.structs.replace(cluster.settings, **{fix.setting: msgspec.json.decode(fix.value)})
            cluster = Cluster.from_objects(cluster.objects.values(), after)
        elif fix.kind == "call":
            destination, request = parse_destination(fix.value)
            protocol: Any = fix.protocol
            probe = msgspec.structs.replace(probe, destination=destination, request=request, protocol=protocol)
        elif fix.kind == "create":
            cluster = cluster.apply([Change("set", yaml.safe_load(fix.patch))])
        else:
            (key,) = [key for key in cluster.objects if ref_of(key) == fix.ref]
            cluster = cluster.apply([Change("set", patched(cluster.objects[key], yaml.safe_load(fix.patch)))])
            managed = [key for key, obj in cluster.objects.items() if key[0] == "EndpointSlice" and MANAGED in str(obj)]
            cluster = cluster.apply([Change("unset", key) for key in managed])  # their controller writes them anew
            cluster = Cluster.from_objects(cluster.objects.values(), cluster.settings)
    return trace(cluster, probe)


def groups(fixes: tuple[Fix, ...]) -> list[list[Fix]]:
    return [list(group) for _, group in groupby(fixes, key=lambda fix: fix.group)]


# Objects that must not be completed: a pod would be assumed behind every endpoint.
AS_THEY_ARE = ("a hand-written endpoint is gone",)


@pytest.mark.parametrize("name", CASES)
def test_each_verdict_has_a_fix_that_works(name: str) -> None:
    """The wanted fix is among the suggestions, and every suggested group makes the packet arrive."""
    extra, options, source, to, verdict, title = CASES[name]
    replaced = {(obj["kind"], obj["metadata"]["name"]) for obj in extra}
    kept = [obj for obj in base() if (obj["kind"], obj["metadata"]["name"]) not in replaced]
    cluster = Cluster.from_objects([*kept, *extra], Settings(**options), expand=name not in AS_THEY_ARE)
    probe = Probe.parse(source, to, protocol="" if ":" in to else "ICMP")
    asked = (trace(cluster, msgspec.structs.replace(probe, seed=seed)) for seed in range(8))
    failed = next(one for one in asked if not one.success)
    assert failed.verdict is verdict
    found = suggest(cluster, failed)
    assert found and all(fix.verified for fix in found)
    assert any(title in fix.title for fix in found), [fix.title for fix in found]
    for group in groups(found):
        assert carried_out(cluster, failed.probe, group).success, [fix.title for fix in group]


def test_several_blockers_make_one_set_of_changes() -> None:
    """NP-06: each of the two policies needs its rule."""
    extra, _, source, to, *_ = CASES["both policies"]
    cluster = build(*extra)
    (first, *_) = groups(suggest(cluster, ask(cluster, source, to)))
    assert [fix.ref for fix in first] == ["policy:spy/out", "policy:shop/in"]
    assert not carried_out(cluster, ask(cluster, source, to).probe, first[:1]).success


def test_a_rule_is_added_to_those_there_are() -> None:
    """NP-03: a merge patch replaces lists, so the old rules stand in it too."""
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}
    cluster = build(policy("shop/in", "db", ingress=[rule]))
    (first, *_) = suggest(cluster, ask(cluster, "spy/spy-1", "10.244.2.2:5432"))
    rules = yaml.safe_load(first.patch)["spec"]["ingress"]
    assert rules[0] == rule and len(rules) == 2
    assert rules[1]["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "spy"}},
            "podSelector": {"matchLabels": {"app": "spy"}},
        }
    ]
    assert rules[1]["ports"] == [{"protocol": "TCP", "port": 5432}]
    assert first.command.startswith("kubectl patch networkpolicy in -n shop --type merge -p '{")


def test_what_arrives_needs_no_fix() -> None:
    assert suggest(build(), ask(build(), "shop/client", "http://web/")) == ()


def test_what_cannot_be_verified_is_told_as_such() -> None:
    """A pod that is Pending has no address to call; the Service in front of it has nobody either."""
    waiting = pod("shop/late", "10.244.2.9", "n3", app="late")
    waiting["status"] = {"phase": "Pending", "podIP": "10.244.2.9"}
    cluster = build(waiting, service("shop/late", app="late"))
    found = suggest(cluster, ask(cluster, "shop/client", "10.244.2.9:8080"))
    assert [fix.verified for fix in found] == [False] * len(found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_every_verified_group_lets_the_packet_arrive(data: st.DataObject) -> None:
    """Random clusters: what is told as verified is, when done from the YAML that is shown."""
    cluster = data.draw(clusters())
    probe = data.draw(probes(cluster))
    try:
        failed = trace(cluster, probe)
    except EngineError:
        return
    found = suggest(cluster, failed)
    assert not (failed.success and found)
    for group in groups(tuple(fix for fix in found if fix.verified)):
        assert carried_out(cluster, probe, group).success, [fix.title for fix in group]
