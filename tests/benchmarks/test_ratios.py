"""Speed as ratios in one run: how costs grow with the cluster, and that an update is no rebuild.

What is compared are counts of one process on one machine, best of several rounds, with room for a busy one;
``make bench`` measures the real sizes against the budgets of docs/benchmarks.md.
"""

from __future__ import annotations

from functools import partial

import pytest

from clusterviz.engine import Cluster, trace
from clusterviz.engine.decision import decide, outcome
from tests.benchmarks.measure import Costs, build, measure, seconds
from tests.benchmarks.synthetic import MIDDLE, SMALL, Size, cluster_objects, pod, questions, service

LESS = Size(40, 1_200, 120, 40)
MORE = Size(160, 4_800, 480, 160)


@pytest.fixture(scope="module")
def costs() -> tuple[Costs, Costs]:
    return measure(LESS, rounds=3, count=200), measure(MORE, rounds=3, count=200)


def test_four_times_the_pods_cost_four_times_the_build(costs: tuple[Costs, Costs]) -> None:
    less, more = costs
    assert more.build_a_pod <= 1.6 * less.build_a_pod


def test_a_trace_hardly_knows_how_large_the_cluster_is(costs: tuple[Costs, Costs]) -> None:
    less, more = costs
    assert more.trace <= 2.5 * less.trace
    assert more.legs <= 2 * less.legs
    assert more.decision <= 2.5 * less.decision


def test_an_update_is_no_rebuild(costs: tuple[Costs, Costs]) -> None:
    """At this size a five-hundredth of a build is little; the budget's own sizes are measured by the benchmark."""
    less, more = costs
    assert more.update <= more.build / 300
    assert more.update <= 3 * less.update


def test_a_trace_costs_little_more_than_the_decision(costs: tuple[Costs, Costs]) -> None:
    """With all candidates and their odds in hand; the budget of the benchmark is 3."""
    for some in costs:
        assert some.trace <= 3.5 * some.decision


def test_a_decision_is_much_cheaper_than_its_story(costs: tuple[Costs, Costs]) -> None:
    for some in costs:
        assert some.decision <= some.legs / 12


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
    less, more = (seconds(partial(_select, _crowded(count)), 5) for count in (150, 600))
    assert more <= 9 * less


def _select(cluster: Cluster) -> None:
    """Every Service's pods, looked up as for a snapshot that is new."""
    vars(cluster).pop("_labelled", None)
    for one in cluster.services.values():
        assert cluster.pods_selected("x", one.selector or {})


def _crowded(count: int) -> Cluster:
    """So many Services, each with a pod of its own, in one namespace."""
    made = [one for at in range(count) for one in (service(at, 1), pod(at, Size(4, count, count, 0), 1))]
    return build([one | {"metadata": one["metadata"] | {"namespace": "x"}} for one in made])
