"""Manifests that are written can be read back, and hold only what people made."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.engine.manifests.read import read, read_value
from clusterviz.engine.manifests.write import dump, write

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TRICKY = st.sampled_from(
    [
        "yes",
        "on",
        "1e3",
        "0o17",
        "0644",
        "=",
        "<<",
        "~",
        "null",
        "1:30",
        "2026-01-01",
        "",
        " a",
        "a\n",
        "a\nb",
        "\n",
        "- x",
        "#",
        "a: b",
        "\t",
        "é\u2028",
        "0x1f",
        "1_000",
        "!x",
        "&a",
        "*a",
        "|",
        "a \nb",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | TRICKY
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | TRICKY, inner, max_size=4)
)


@given(JSON)
def test_any_value_survives(value: Any) -> None:
    """Text that looks like a number, a boolean or markup is still text afterwards."""
    assert read_value(dump([value]))[0] == value


@given(st.dictionaries(TEXT | TRICKY, LEAVES, max_size=4))
def test_a_yaml_1_1_reader_agrees(data: dict[str, Any]) -> None:
    """Not only our own reader: what is quoted for kubectl is text for PyYAML too."""
    if "<<" not in data and "=" not in data.values():
        assert yaml.safe_load(dump([data])) == data


def obj(kind: str, name: str, **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", **parts.pop("metadata", {})}
    return {"kind": kind, "metadata": metadata, "apiVersion": "v1", **parts}


def test_what_controllers_make_is_left_out() -> None:
    """Pods of a Deployment, its ReplicaSet, its Service's slices; a bare pod stays."""
    owner = [{"kind": "ReplicaSet", "name": "api-5d9f", "controller": True}]
    objects = [
        obj("Deployment", "api", status={"replicas": 1}),
        obj("ReplicaSet", "api-5d9f", metadata={"ownerReferences": [{"kind": "Deployment", "name": "api"}]}),
        obj("Pod", "api-5d9f-x", metadata={"ownerReferences": owner}),
        obj("Pod", "orphan", metadata={"ownerReferences": [{"kind": "ReplicaSet", "name": "gone-1"}]}),
        obj("Pod", "bare", status={"podIP": "10.244.0.2"}),
        obj(
            "EndpointSlice",
            "api-x",
            metadata={"labels": {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}},
        ),
        obj("EndpointSlice", "by-hand"),
        obj("TrafficFlow", "flow"),
    ]
    found = [(d.object["kind"], d.object["metadata"]["name"]) for d in read(write(objects))]
    assert found == [("EndpointSlice", "by-hand"), ("Deployment", "api"), ("Pod", "bare"), ("Pod", "orphan")]
    assert "TrafficFlow" in write(objects, flows=True)


def test_no_status_and_nothing_of_the_server() -> None:
    """kubectl would complain about a uid, and a status is not desired state (IMP-05)."""
    metadata = {
        "uid": "1",
        "resourceVersion": "2",
        "managedFields": [],
        "creationTimestamp": "x",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "kept"},
    }
    service = obj("Service", "api", metadata=metadata, spec={"clusterIP": "10.96.1.1"}, status={"loadBalancer": {}})
    assert [d.object for d in read(write([service]))] == [
        obj("Service", "api", metadata={"annotations": {"mine": "kept"}}, spec={"clusterIP": "10.96.1.1"})
    ]


def test_the_order_does_not_depend_on_the_input() -> None:
    """Namespaces first, then what others name; well-known fields first."""
    objects = [obj("Pod", "b"), obj("Service", "z"), obj("Pod", "a"), obj("Namespace", "shop"), obj("Widget", "w")]
    text = write(objects)
    assert text == write(reversed(objects))
    assert [d.object["kind"] for d in read(text)] == ["Namespace", "Widget", "Service", "Pod", "Pod"]
    assert text.startswith("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n")
