"""Speed as ratios in one run: how costs grow with the cluster, and that an update is no rebuild.

What is compared are counts of one process on one machine, best of several rounds, with room for a busy one;
``make bench`` measures the real sizes against the budgets of docs/benchmarks.md.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import pytest

from clusterviz.engine import Change, Cluster, Probe, trace
from clusterviz.engine.decision import decide, outcome
from tests.benchmarks.measure import build, ratio, updates, warm
from tests.benchmarks.synthetic import MIDDLE, SMALL, Size, cluster_objects, pod, questions, service

LESS = Size(40, 1_200, 120, 40)
MORE = Size(160, 4_800, 480, 160)


class World(NamedTuple):
    """A cluster whose every index is in use, with questions and updates; each method is a piece of work to time."""

    size: Size
    objects: list[dict[str, Any]]
    cluster: Cluster
    probes: list[Probe]
    changes: list[Change]

    def builds(self) -> None:
        build(self.objects)

    def traces(self) -> None:
        for probe in self.probes:
            trace(self.cluster, probe)

    def legs(self) -> None:
        for probe in self.probes:
            assert trace(self.cluster, probe).reverse is not None

    def decisions(self) -> None:
        for probe in self.probes:
            decide(self.cluster, probe)

    def updates(self) -> None:
        new = self.cluster
        for change in self.changes:
            new = new.apply([change])


@pytest.fixture(scope="module")
def worlds() -> tuple[World, World]:
    """The larger has four times as much of everything; both are asked equally many questions."""
    return _world(LESS), _world(MORE)


def _world(size: Size) -> World:
    objects = cluster_objects(size)
    cluster = build(objects)
    warm(cluster)
    return World(size, objects, cluster, questions(cluster, 200), updates(cluster, 200))


def test_four_times_the_pods_cost_four_times_the_build(worlds: tuple[World, World]) -> None:
    """With room for caches that hold the smaller cluster and not the larger: 1.6 times as much a pod."""
    less, more = worlds
    bound = 1.6 * more.size.pods / less.size.pods
    assert ratio(less.builds, more.builds, bound) <= bound


@pytest.mark.parametrize(("work", "bound"), [("traces", 2.5), ("legs", 2), ("decisions", 2.5)])
def test_a_trace_hardly_knows_how_large_the_cluster_is(worlds: tuple[World, World], work: str, bound: float) -> None:
    less, more = worlds
    assert ratio(getattr(less, work), getattr(more, work), bound) <= bound


def test_an_update_is_no_rebuild(worlds: tuple[World, World]) -> None:
    """At this size a five-hundredth of a build is little; the budget's own sizes are measured by the benchmark."""
    less, more = worlds
    bound = len(more.changes) / 300
    assert ratio(more.builds, more.updates, bound) <= bound
    assert ratio(less.updates, more.updates, 3) <= 3


def test_a_trace_costs_little_more_than_the_decision(worlds: tuple[World, World]) -> None:
    """With all candidates and their odds in hand; the budget of the benchmark is 3."""
    for some in worlds:
        assert ratio(some.decisions, some.traces, 3.5) <= 3.5


def test_a_decision_is_much_cheaper_than_its_story(worlds: tuple[World, World]) -> None:
    for some in worlds:
        assert ratio(some.legs, some.decisions, 1 / 12) <= 1 / 12


def test_a_trace_hashes_nothing_until_its_fingerprint_is_read() -> None:
    """The fingerprint reads every object, which is most of what the first answer used to take."""
    cluster = build(cluster_objects(SMALL))
    first, again = (trace(cluster, questions(cluster, 1)[0]) for _ in range(2))
    assert "fingerprint" not in vars(cluster)
    assert first == again
    assert first.to_dict()["snapshot"] == first.snapshot == cluster.fingerprint
    other = Cluster.from_objects(cluster_objects(SMALL)[:-1], cluster.settings)
    assert trace(other, questions(other, 1)[0]).snapshot != first.snapshot


def test_what_is_measured_is_right() -> None:
    """The questions end in every way the benchmark means to weigh, and the decision agrees with the trace."""
    cluster = build(cluster_objects(SMALL))
    found = [outcome(trace(cluster, probe)) for probe in questions(cluster, 150)]
    assert found == [decide(cluster, probe) for probe in questions(cluster, 150)]
    assert {str(one.verdict) for one in found} >= {"delivered", "exited_cluster", "denied_ingress"}


def test_the_objects_are_complete_and_legal() -> None:
    made = cluster_objects(MIDDLE)
    cluster = Cluster.from_objects(made)
    assert (len(cluster.nodes), len(cluster.pods), len(cluster.services)) == MIDDLE[:3]
    assert list(cluster.objects.values()) == made
    assert all(cluster.endpoints(one) for one in cluster.services.values())


def test_services_of_one_namespace_find_their_pods_by_label() -> None:
    """Four times the Services with four times the pods cost four times as much, not sixteen."""
    less, more = (partial(_select, _crowded(count)) for count in (150, 600))
    assert ratio(less, more, 9) <= 9


def _select(cluster: Cluster) -> None:
    """Every Service's pods, looked up as for a snapshot that is new."""
    vars(cluster).pop("_labelled", None)
    for one in cluster.services.values():
        assert cluster.pods_selected("x", one.selector or {})


def _crowded(count: int) -> Cluster:
    """So many Services, each with a pod of its own, in one namespace."""
    made = [one for at in range(count) for one in (service(at, 1), pod(at, Size(4, count, count, 0), 1))]
    return build([one | {"metadata": one["metadata"] | {"namespace": "x"}} for one in made])
