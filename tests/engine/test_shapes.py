"""Objects are read the same by msgspec in one go and field by field; only the latter forgives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from clusterviz.engine import ObjectError
from clusterviz.engine.objects import key_of
from clusterviz.engine.parse import parse
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
