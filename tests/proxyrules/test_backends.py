"""Which endpoints a node's chains lead to (EPS, TD)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxyrules.world import HASH, SEP1, THREE, chain, endpoints, rules, service


@pytest.mark.parametrize(
    ("changes", "on", "expected"),
    [
        ({}, "a", "123"),
        ({2: {"conditions": {"ready": False}}}, "a", "13"),
        ({i: {"conditions": {"ready": False, "serving": True, "terminating": True}} for i in (1, 2)}, "a", "3"),
        ({i: {"conditions": {"ready": False, "serving": i != 3, "terminating": True}} for i in (1, 2, 3)}, "a", "12"),
        ({i: {"hints": {"forZones": [{"name": "east" if i == 2 else "west"}]}} for i in (1, 2, 3)}, "a", "2"),
        ({i: {"hints": {"forZones": [{"name": "east" if i == 2 else "west"}]}} for i in (1, 2, 3)}, "b", "13"),
        ({i: {"hints": {"forZones": [{"name": "east"}]}} for i in (1, 2)}, "a", "123"),
        ({i: {"hints": {"forZones": [{"name": "north"}]}} for i in (1, 2, 3)}, "a", "123"),
        ({i: {"hints": {"forNodes": [{"name": "a" if i == 3 else "b"}]}} for i in (1, 2, 3)}, "a", "3"),
    ],
)
def test_the_list_behind_kube_svc(changes: dict[int, dict[str, Any]], on: str, expected: str) -> None:
    """EPS-05, EPS-07, TD-03, TD-04."""
    slices = endpoints()
    for index, change in changes.items():
        slices["endpoints"][index - 1] |= change
    picks = [line for line in chain(rules(service(), slices, on=on), f"KUBE-SVC-{HASH}") if "->" in line]
    assert "".join(line.split("10.180.0.")[1][0] for line in picks) == expected


@pytest.mark.parametrize(
    ("distribution", "on", "expected"),
    [("", "a", 3), ("PreferClose", "a", 2), ("PreferSameZone", "b", 1), ("PreferSameNode", "a", 1), ("Odd", "a", 3)],
)
def test_hints_are_those_of_the_controller(distribution: str, on: str, expected: int) -> None:
    """TD-01, TD-02: pods on a, b and c; a and c are in one zone."""
    third = {"kind": "Node", "metadata": {"name": "c", "labels": {"topology.kubernetes.io/zone": "east"}}}
    pods = [
        {
            "kind": "Pod",
            "metadata": {"name": f"p{name}", "namespace": "ns1", "labels": {"app": "web"}},
            "spec": {"nodeName": name, "containers": [{"name": "c"}]},
            "status": {"phase": "Running"},
        }
        for name in "abc"
    ]
    spec = service(selector={"app": "web"}, trafficDistribution=distribution)
    picks = [line for line in chain(rules(third, *pods, spec, on=on), f"KUBE-SVC-{HASH}") if "->" in line]
    assert len(picks) == expected


def test_an_address_in_two_slices_counts_once() -> None:
    """EPS-01: the pod that stays counts, not the one that leaves."""
    leaving = endpoints(THREE[:1], conditions={"ready": False, "serving": True, "terminating": True})
    staying = endpoints(THREE[:1])
    staying["metadata"]["name"] = "svc1-b"
    for pair in ((leaving, staying), (staying, leaving)):
        pair[0]["metadata"]["name"], pair[1]["metadata"]["name"] = "s-1", "s-2"
        picks = [line for line in rules(service(), *pair) if "->" in line]
        assert picks == [f'-A KUBE-SVC-{HASH} -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -j KUBE-SEP-{SEP1}']
