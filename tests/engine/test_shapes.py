"""Objects are read the same by msgspec in one go and field by field; only the latter forgives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from clusterviz.engine import ObjectError
from clusterviz.engine.loading import load
from clusterviz.engine.objects import key_of
from clusterviz.engine.parse import parse
from clusterviz.engine.parse_pods import parse_pod
from clusterviz.engine.reader import Reader
from clusterviz.engine.shapes import NodeShape, PodShape, ServiceShape, SliceShape, read, read_careful
from tests.engine.world import pod, service
from tests.strategies import objects

SHAPES: dict[str, Any] = {"Pod": PodShape, "Node": NodeShape, "Service": ServiceShape, "EndpointSlice": SliceShape}


@given(objects(by_hand=True))
def test_both_ways_of_reading_agree(made: list[dict[str, Any]]) -> None:
    for obj in made:
        shape = SHAPES.get(obj["kind"])
        if shape is not None:
            assert read(obj, shape, key_of(obj)) == read_careful(Reader(obj, ""), shape)


@pytest.mark.parametrize(
    ("path", "odd"),
    [
        ("metadata.labels.app", 7),
        ("metadata.labels", None),
        ("metadata.annotations", None),
        ("metadata.creationTimestamp", None),
        ("spec.containers", None),
        ("spec.dnsConfig", None),
        ("spec.nodeName", None),
        ("status.podIPs", None),
        ("status.reason", 5),
    ],
)
def test_nulls_and_numbers_are_forgiven(path: str, odd: Any) -> None:
    """IMP-03."""
    obj = pod("shop/p", "10.244.0.2", "n1", app="web")
    *parents, last = path.split(".")
    place = obj
    for name in parents:
        place = place[name]
    place[last] = odd
    found = parse(obj)
    assert found is not None and found.name == "p"


@pytest.mark.parametrize(
    ("obj", "path", "value", "field"),
    [
        (pod("shop/p", "10.244.0.2", "n1", app="web"), ("status", "podIP"), "10.0.0.300", "status.podIP"),
        (pod("shop/p", "10.244.0.2", "n1", app="web"), ("status", "podIPs"), [{"ip": "x"}], "status.podIPs[0].ip"),
        (pod("shop/p", "10.244.0.2", "n1", app="web"), ("spec", "hostNetwork"), "yes", "spec.hostNetwork"),
        (pod("shop/p", "10.244.0.2", "n1", app="web"), ("spec", "tolerations"), ["all"], "spec.tolerations[0]"),
        (service("shop/s"), ("spec", "clusterIPs"), ["10.96.0.1", "no"], "spec.clusterIPs[1]"),
        (service("shop/s"), ("spec", "externalIPs"), ["1.2.3"], "spec.externalIPs[0]"),
        (service("shop/s"), ("spec", "loadBalancerSourceRanges"), ["10.0.0.0/99"], "spec.loadBalancerSourceRanges[0]"),
        (service("shop/s"), ("spec", "ports"), [{"port": 1.5}], "spec.ports[0].port"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_field(
    obj: dict[str, Any], path: tuple[str, str], value: Any, field: str
) -> None:
    obj[path[0]][path[1]] = value
    with pytest.raises(ObjectError) as caught:
        parse(obj)
    assert caught.value.field == field


ODD: list[Any] = [None, "", "x", 5, True, [], {}, [{}], ["x"], {"x": "y"}, [{"type": "Ready", "status": "False"}]]
PLACES = [
    *("metadata.labels", "metadata.annotations", "metadata.creationTimestamp", "metadata.deletionTimestamp"),
    *("metadata.ownerReferences", "spec", "spec.nodeName", "spec.containers", "spec.hostNetwork", "spec.hostname"),
    *("spec.subdomain", "spec.dnsPolicy", "spec.dnsConfig", "spec.initContainers", "spec.tolerations", "status"),
    *("status.phase", "status.podIP", "status.podIPs", "status.conditions", "status.reason"),
    *("status.containerStatuses", "metadata.annotations.clusterviz~dev/listen", "spec.containers.0.ports.0.hostPort"),
    *("status.containerStatuses.0.restartCount", "status.containerStatuses.0.ready"),
    *("status.containerStatuses.0.state", "status.conditions.0.status", "status.conditions.0.lastTransitionTime"),
]


def read_alone(obj: dict[str, Any]) -> Any:
    try:
        return parse(obj)
    except ObjectError as error:
        return str(error)


@pytest.mark.parametrize("first", PLACES)
def test_a_pod_is_read_the_same_after_its_siblings(first: str) -> None:
    """What is equal to a sibling's is not read again; whatever differs is, with the same errors."""
    for odd in ODD:
        for both in (False, True):
            interned: dict[Any, Any] = {}
            for number in range(3):
                obj = pods_of_one_workload(number)
                if number == 2 or both:
                    put(obj, first.split("."), odd)
                try:
                    found: Any = parse_pod(obj, key_of(obj), interned)
                except ObjectError as error:
                    found = str(error)
                assert found == read_alone(obj)


NAMES = ("metadata", "metadata.name", "metadata.namespace", "metadata.labels.app", "metadata.ownerReferences.0.kind")


@pytest.mark.parametrize("first", [*NAMES, *PLACES[:5], *PLACES[-4:]])
def test_a_list_of_pods_is_read_as_each_by_itself(first: str) -> None:
    """A list is keyed and read in one go; whatever is odd about a pod ends as if it had been read alone.

    So it does where its neighbour has the same in that place, or what Python takes for equal.
    """
    odds = [*ODD, 1.0, "half \ud800"]
    for odd, next_odd in [
        *((one, None) for one in odds),
        *((one, one) for one in odds),
        (1, True),
        (True, 1),
        (1, 1.0),
    ]:
        made = [pods_of_one_workload(number) for number in range(4)]
        put(made[1], first.split("."), odd)
        if next_odd is not None and first != "metadata.name":
            put(made[2], first.split("."), next_odd)
        assert loaded(made) == one_by_one(made)


def loaded(made: list[dict[str, Any]]) -> Any:
    records: dict[str, dict[tuple[str, str], Any]] = {}
    try:
        load(made, {}, records, {})
    except ObjectError as error:
        return str(error)
    return records["Pod"]


def one_by_one(made: list[dict[str, Any]]) -> Any:
    try:
        return {key_of(obj)[1:]: parse(obj) for obj in made}
    except ObjectError as error:
        return str(error)


def pods_of_one_workload(number: int) -> dict[str, Any]:
    obj = pod(f"shop/web-{number}", f"10.244.0.{number + 2}", f"n{number}", app="web")
    obj["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "web"}]
    obj["metadata"].setdefault("annotations", {})
    obj["spec"]["containers"] = [{"name": "main", "image": "web:1", "ports": [{"containerPort": 80}]}]
    obj["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": f"2026-01-0{number + 1}"}]
    state = {"running": {"startedAt": f"2026-01-0{number + 1}"}}
    obj["status"]["containerStatuses"] = [{"name": "main", "ready": True, "restartCount": 0, "state": state}]
    return obj


def put(obj: Any, path: list[str], value: Any) -> None:
    *parents, last = [part.replace("~", ".") for part in path]
    for name in parents:
        obj = obj[int(name)] if name.isdecimal() else obj[name]
    obj[last] = value
