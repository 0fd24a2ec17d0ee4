"""Laws of `Cluster.apply`: every index after changes is the one a new snapshot would have; old snapshots stay."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.engine import Change, Cluster, Probe, ProbeError, Trace, trace
from clusterviz.engine.cluster import _INDEXES
from clusterviz.engine.datapath.place import home, own_block
from clusterviz.engine.gateway.attached import Attached
from clusterviz.engine.objects import key_of
from clusterviz.engine.overlay import FEW, GONE, Kept, Overlay, changed
from tests.engine.world import build, node, pod, policy, service
from tests.strategies import objects, probes

COMPARED = sorted(
    _INDEXES.keys() - {"_blocks", "_selectors", "_label_sets", "_sliced", "classes", "passable", "parties"}
)


def warm(cluster: Cluster) -> None:
    """Ask everything once, so that a stale index would be seen."""
    for name in _INDEXES:
        getattr(cluster, name)
    for one in cluster.services.values():
        cluster.endpoints(one)
    assert cluster.fingerprint and cluster.namespace_names


def rebuilt(cluster: Cluster) -> Cluster:
    return Cluster.from_objects(cluster.objects.values(), cluster.settings, expand=False)


def facts(cluster: Cluster) -> dict[str, Any]:
    """Everything that is looked up, as plain values."""
    found: dict[str, Any] = {name: plain(getattr(cluster, name)) for name in COMPARED}
    found["objects"] = dict(cluster.objects)
    found["fingerprint"] = cluster.fingerprint
    found["namespaces"] = cluster.namespace_names
    found["node order"] = list(cluster.nodes)
    found["endpoints"] = {name: cluster.endpoints(one) for name, one in cluster.services.items()}
    found["selecting"] = {
        name: sorted(one.name for one in cluster.services_selecting(each)) for name, each in cluster.pods.items()
    }
    every = {ip for each in cluster.pods.values() for ip in each.ips} | set(cluster.node_by_ip) | {"203.0.113.9"}
    found["behind"] = {ip: [one.name for one in cluster.services_behind(ip)] for ip in every}
    found["blocks"] = {ip: cluster.block_of(ip) for ip in every}
    return found


def plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return value
    if hasattr(value, "pods"):
        return dict(value.pods), value.doubled
    if isinstance(value, Attached):
        return value.every
    return {key: some for key, some in value.items() if some}


def keys(cluster: Cluster) -> list[tuple[str, str, str]]:
    return sorted(cluster.objects)


@st.composite
def changes(draw: st.DrawFn, cluster: Cluster) -> list[Change]:
    """Objects of another cluster put over this one's, and some taken away."""
    others = {key_of(one): one for one in draw(objects(by_hand=True))}
    wanted = draw(st.lists(st.sampled_from(sorted(others)), max_size=4, unique=True))
    gone = [key for key in keys(cluster) if key not in wanted]
    unset = draw(st.lists(st.sampled_from(gone), max_size=2, unique=True)) if gone else []
    return [Change("unset", key) for key in unset] + [Change("set", others[key]) for key in wanted]


@given(st.data())
def test_applying_changes_equals_building_anew(data: st.DataObject) -> None:
    first = Cluster.from_objects(data.draw(objects(by_hand=True)))
    warm(first)
    before, cluster = facts(first), first
    for _ in range(data.draw(st.integers(1, 3))):
        cluster = cluster.apply(data.draw(changes(cluster)))
        again = rebuilt(cluster)
        found, wanted = facts(cluster), facts(again)
        assert {name: found[name] == wanted[name] for name in found} == dict.fromkeys(found, True)
    assert facts(first) == before
    if cluster.nodes and any(one.ips for one in cluster.pods.values()):
        probe = data.draw(probes(cluster))
        assert said(cluster, probe) == said(rebuilt(cluster), probe)


def said(cluster: Cluster, probe: Probe) -> Trace | str:
    """The trace, or why the question cannot be asked: its sender may have lost its node."""
    try:
        return trace(cluster, probe)
    except ProbeError as error:
        return str(error)


def test_a_large_snapshot_is_changed_by_overlays_and_folded_now_and_then() -> None:
    """More changes than a base lies under at once, on more pods than are copied."""
    made = [node("n1", podCIDR="10.244.0.0/16"), service("shop/web", app="web")]
    made += [pod(f"shop/p{i}", f"10.244.{i // 250}.{i % 250 + 2}", "n1", app=f"a{i % 9}") for i in range(FEW + 100)]
    first = cluster = Cluster.from_objects(made, expand=False)
    warm(first)
    before = facts(first)
    for number in range(FEW + 20):
        name = f"shop/p{number % 40}"
        ip = f"10.244.{number // 250 + 9}.{number % 250 + 2}"
        cluster = cluster.apply([Change("set", pod(name, ip, "n1", app="web" if number % 3 else "other"))])
        if number % 100 == 0 or number > FEW - 3:
            cluster = cluster.apply([Change("unset", ("Pod", "shop", f"p{200 + number}"))])
    assert facts(cluster) == facts(rebuilt(cluster))
    assert facts(first) == before
    assert isinstance(first.apply([Change("unset", ("Pod", "shop", "p1"))]).pods, Overlay)


def test_only_what_a_pod_touches_is_asked_again() -> None:
    cluster = build(service("shop/other", app="client", clusterIP="10.96.0.40"))
    warm(cluster)
    web, other = (cluster.services["shop", name] for name in ("web", "other"))
    later = cluster.apply([Change("set", pod("shop/web-3", "10.244.2.9", "n3", app="web"))])
    assert later.endpoints(other) is cluster.endpoints(other)
    assert len(later.endpoints(web)) == len(cluster.endpoints(web)) + 1
    assert later.services_by_ip is cluster.services_by_ip
    assert later.nodes is cluster.nodes


def test_a_late_answer_of_an_old_snapshot_is_not_the_new_ones() -> None:
    cluster = build()
    later = cluster.apply([Change("unset", ("Pod", "shop", "web-1"))])
    web = cluster.services["shop", "web"]
    assert len(cluster.endpoints(web)) == 2
    assert len(later.endpoints(web)) == 1
    assert len(later.apply([Change("unset", ("Pod", "spy", "spy-1"))]).endpoints(web)) == 1


def test_a_policy_is_heard_at_once() -> None:
    """NP-01: what was worked out by class of pods goes with the policies."""
    cluster = build()
    probe = Probe.parse("shop/client", "10.244.0.2:8080")
    assert trace(cluster, probe).success
    later = cluster.apply([Change("set", policy("shop/none", "web", policyTypes=["Ingress"]))])
    assert not trace(later, probe).success
    assert trace(later.apply([Change("unset", ("NetworkPolicy", "shop", "none"))]), probe).success


def test_an_overlay_reads_as_the_dict_it_stands_for() -> None:
    base = {number: str(number) for number in range(FEW + 1)}
    over = changed(base, {1: "one", 2: GONE, -1: "new", -2: GONE})
    assert isinstance(over, Overlay)
    assert (over[1], over.get(2), over.get(2, "x"), over[-1], over[3]) == ("one", None, "x", "new", "3")
    assert (1 in over, 2 in over, -1 in over, -2 in over) == (True, False, True, False)
    with pytest.raises(KeyError):
        over[2]
    wanted = {**base, 1: "one", -1: "new"}
    del wanted[2]
    assert dict(over) == wanted == over and len(over) == len(wanted)
    assert base[1] == "1" and 2 in base


def test_what_is_kept_is_shared_but_for_what_changed() -> None:
    first: Kept[str, int] = Kept()
    first.put("a", 1)
    first.put("b", 2)
    second = first.without({"a"})
    assert (second.get("a"), second.get("b")) == (None, 2)
    second.put("a", 10)
    first.put("c", 3)
    assert (first.get("a"), second.get("a"), second.get("c")) == (1, 10, 3)
    assert second.without({"c"}).get("a") == 10


def test_pods_that_name_their_class_of_ingresses_are_followed() -> None:
    """Their objects say so, not their records; one that stops saying so or goes is none any more."""

    def controller(*args: str) -> dict[str, Any]:
        container = {"name": "c", "image": "i", "args": list(args)}
        return {"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": {"containers": [container]}}

    cluster = Cluster.from_objects([controller("--controller-class", "example.com/own")])
    assert cluster.classed_pods == {("n", "p")}
    other = cluster.apply([Change("set", controller("--v=2"))])
    assert other.classed_pods == frozenset()
    assert other.apply([Change("set", controller("--controller-class=x"))]).classed_pods == {("n", "p")}
    assert cluster.apply([Change("unset", ("Pod", "n", "p"))]).classed_pods == frozenset()


@settings(max_examples=25)
@given(st.data())
def test_other_settings_give_what_building_anew_would(data: st.DataObject) -> None:
    """Whatever is shared with the snapshot before is true of the new one: host-gw has no overlay addresses."""
    first = Cluster.from_objects(data.draw(objects(by_hand=True)))
    warm(first)
    changed_settings = msgspec.structs.replace(first.settings, network=data.draw(st.sampled_from(["vxlan", "host-gw"])))
    other = first.with_settings(changed_settings)
    assert facts(other) == facts(rebuilt(other))
    assert other.strays == {
        ip for ip, one in other.pod_by_ip.items() if (place := home(other, one)) and not own_block(place, ip)
    }


def test_a_fingerprint_read_late_is_that_of_a_snapshot_built_anew() -> None:
    """Hundreds of changes wait for a reader, some of the same object, some that undo each other."""
    first = build()
    assert first.fingerprint
    later = first
    for number in range(700):
        named = {
            "kind": "ConfigMap",
            "metadata": {"name": f"c{number % 40}", "namespace": "shop"},
            "data": {"n": number},
        }
        later = later.apply([Change("set", named) if number % 7 else Change("unset", key_of(named))])
    assert later.fingerprint == rebuilt(later).fingerprint != first.fingerprint
    gone = later.apply([Change("unset", key) for key in later.objects if key[0] == "ConfigMap"])
    assert gone.fingerprint == first.fingerprint
