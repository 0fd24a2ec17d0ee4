"""IMP-03: whatever stands in a field, the answer is an answer or a refusal in words."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clusterviz.engine import Cluster, Probe, ask, trace
from clusterviz.engine.errors import EngineError
from tests.engine.proxyworld import LB, OUTSIDE, balanced, entry, slice_of
from tests.engine.world import Obj

ODD: tuple[Any, ...] = (None, 1.5, True, "", "999.1.1.1", [], {}, [None], {"a": 1}, 2**70, "\ud83d", "a\x00b", [[]])
POD = {
    "kind": "Pod",
    "metadata": {"name": "x", "namespace": "ns1", "labels": {"app": "b"}},
    "spec": {
        "nodeName": "a",
        "containers": [{"name": "c", "ports": [{"name": "w", "containerPort": 80, "hostPort": 5}]}],
        "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
    },
    "status": {"podIP": "10.244.0.7"},
}
POLICY = {
    "kind": "NetworkPolicy",
    "metadata": {"name": "p", "namespace": "ns1"},
    "spec": {
        "podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["b"]}]},
        "ingress": [
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": "w"}]}
        ],
    },
}
WORLD: list[Obj] = [
    POD,
    POLICY,
    balanced(LB, loadBalancerSourceRanges=["10.0.0.0/8"]),
    slice_of(entry("10.244.0.7", "a")),
]
QUESTIONS: dict[str, Callable[[list[Obj]], Any]] = {
    "service": lambda objects: ask.service(objects, source=OUTSIDE, destination=LB, port=80),
    "policy": lambda objects: ask.policy(objects, source="10.244.0.9", destination="10.244.0.7", port=80),
    "rules": ask.rules,
    "trace": lambda objects: trace(Cluster.from_objects(objects), Probe.parse("ns1/x", "http://svc1/")).to_dict(),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything inside."""
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def odd_worlds() -> Iterator[list[Obj]]:
    """One odd value in one place of one object."""
    for index, obj in enumerate(WORLD):
        for path in places(obj):
            for value in ODD:
                made = part = copy.deepcopy(obj)
                for key in path[:-1]:
                    part = part[key]
                part[path[-1]] = value
                yield [*WORLD[:index], made, *WORLD[index + 1 :]]


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_value_breaks_an_answer(question: str) -> None:
    """Every fifth of them for each question, another fifth for each."""
    refused = answered = 0
    for number, objects in enumerate(odd_worlds()):
        if number % 5 != list(QUESTIONS).index(question):
            continue
        try:
            QUESTIONS[question](objects)
            answered += 1
        except EngineError as error:
            refused += bool(str(error))
    assert answered > 20 and refused > 20


@pytest.mark.parametrize("place", [("metadata", "labels", "app"), ("spec", "nodeName"), ("kind",)])
def test_half_a_surrogate_pair_is_a_text_like_any_other(place: tuple[str, ...]) -> None:
    """JSON can carry it; nothing in it can be encoded as UTF-8."""
    made: Obj = copy.deepcopy(POD)
    part = made
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = "\ud83d"
    clusters = [Cluster.from_objects([made, *WORLD[1:]]), Cluster.from_objects([POD, *WORLD[1:]])]
    assert clusters[0].fingerprint != clusters[1].fingerprint
    assert ask.service(clusters[0], source=OUTSIDE, destination=LB, port=80).verdict == "source_range"
