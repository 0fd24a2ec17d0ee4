"""Who calls whom in a large cluster, as sums."""

from collections import Counter

import msgspec
import pytest

from clusterviz.live import keeper, sums
from clusterviz.live.asked import AskedError
from clusterviz.live.relations import entity_of
from tests.live.large import run


@pytest.fixture
def replica(simulator):
    sums._kept.clear()
    return keeper.replica_of(simulator)


def rates(answer):
    return sum(sum(row["rates"]) for row in answer["routes"])


def test_however_it_is_cut_the_same_calls_are_counted(simulator):
    run(simulator, 2)
    replica = keeper.replica_of(simulator)
    answers = [sums.sums(replica, {"by": by}, now=True) for by in sums.BY]
    space = next(pod.namespace for pod in replica.cluster.pods.values())
    answers.append(sums.sums(replica, {"by": "namespace", "open": space}, now=True))
    totals = [rates(answer) for answer in answers]
    assert totals[0] > 1
    assert totals == pytest.approx([totals[0]] * 4, abs=0.5)
    for answer in answers:
        known = {entity["id"] for entity in answer["entities"]}
        assert all(ref in known for row in answer["routes"] for ref in row["way"])
        assert answer["left"] == {"routes": 0, "all": len(answer["routes"])}
    opened = {e["namespace"] for e in answers[3]["entities"] if e["kind"] == "workload"}
    assert opened == {space}


def test_a_call_leads_from_its_workload_over_the_service_to_who_is_behind(replica):
    answer = sums.sums(replica, {"by": "service"}, now=True)
    named = {entity["id"]: entity for entity in answer["entities"]}
    plain = [row for row in answer["routes"] if row["way"][1].startswith("service:") and len(row["way"]) == 3]
    assert plain
    for row in plain:
        assert row["way"][2] in named[row["way"][1]]["workloads"]
        assert named[row["flow"]]["from"] == row["way"][0] and named[row["flow"]]["to"] == row["way"][1]
    pods = Counter(replica.cluster.workload_of(pod).ref for pod in replica.cluster.pods.values() if pod.owner[1])
    for entity in named.values():
        if entity["kind"] == "workload":
            assert sum(entity["counts"].values()) == pods[entity["id"]]


def test_it_is_narrowed_to_a_namespace_or_to_what_one_object_touches(replica):
    row = sums.sums(replica, {"by": "service"}, now=True)["routes"][0]
    caller = entity_of(replica, row["way"][0])
    within = sums.sums(replica, {"by": "service", "namespace": caller["namespace"]}, now=True)
    assert row["way"] in [one["way"] for one in within["routes"]]
    assert all(any(f"/{caller['namespace']}/" in ref or f":{caller['namespace']}/" in ref for ref in one["way"])
               for one in within["routes"])  # fmt: skip
    around = sums.sums(replica, {"by": "service", "around": row["way"][0]}, now=True)
    assert all(row["way"][0] in one["way"] for one in around["routes"] if len(one["way"]) == 3)


def test_what_is_left_out_is_counted_and_of_the_past_no_rate_is_told(replica, monkeypatch):
    monkeypatch.setattr(sums, "MOST_CARDS", 9)
    few = sums.sums(replica, {"by": "service"}, now=False)
    assert few["left"]["routes"] == few["left"]["all"] - len(few["routes"]) > 0
    assert not few["measured"] and rates(few) == 0


def test_each_moment_of_the_past_has_an_answer_of_its_own(replica):
    """Asked one after another, faster than the answers of now are kept."""
    question = {"by": "service"}
    then = sums.sums(replica, question, now=False)
    assert sums.sums(replica, question, now=False) is then
    assert sums.sums(msgspec.structs.replace(replica, time=replica.time - 60), question, now=False) is not then


def test_a_question_that_cannot_be_answered_says_what_is_allowed(replica):
    questions = [
        ({}, "by"),
        ({"by": "pod"}, "by"),
        ({"by": "service", "namespace": "nowhere"}, "namespace"),
        ({"by": "service", "around": "pod:no/body"}, "around"),
        ({"by": "namespace", "open": ",".join(map(str, range(61)))}, "open"),
    ]
    for query, field in questions:
        with pytest.raises(AskedError) as caught:
            sums.sums(replica, query, now=True)
        assert caught.value.field == field and caught.value.allowed
