"""Objects survive being cut into columns, rows and a remainder."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusterviz.cluster import services, snapshot, store
from clusterviz.cluster.columns import Children, Column, put
from clusterviz.cluster.keys import Key, key_of
from clusterviz.cluster.models import OBJECT_MODELS, Cluster, ObjectRow, OtherObject, Pod
from clusterviz.cluster.services.admission import namespace
from tests.cluster.conftest import pod

pytestmark = pytest.mark.django_db
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
FITTING: dict[type[Any], st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
    bool: st.booleans(),
    list: st.lists(JSON, max_size=2),
    dict: st.dictionaries(TEXT, TEXT, max_size=3),
}


def set_fields(draw: st.DrawFn, obj: dict[str, Any], columns: tuple[Column, ...]) -> None:
    """Give some columns' fields a value of the right type, or of any type."""
    for column in columns:
        if draw(st.booleans()):
            put(obj, column.path, draw(FITTING[column.accepts] | JSON))


def set_children(draw: st.DrawFn, obj: dict[str, Any], children: Children) -> None:
    items = []
    for _ in range(draw(st.integers(0, 3))):
        item: dict[str, Any] = draw(st.dictionaries(TEXT, JSON, max_size=2))
        set_fields(draw, item, children.columns)
        items.append(item)
    if draw(st.booleans()):
        put(obj, children.path, items if draw(st.booleans()) else draw(JSON))


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """An object of any kind, well-formed in no more than its name."""
    model: type[ObjectRow] = draw(st.sampled_from([m for m in OBJECT_MODELS if m is not OtherObject] + [OtherObject]))
    obj: dict[str, Any] = draw(st.dictionaries(TEXT, JSON, max_size=2))
    if draw(st.booleans()):
        obj["spec"] = draw(JSON)
    set_fields(draw, obj, tuple(column for column in model.COLUMNS if column.attr not in ("kind", "api_version")))
    for children in model.CHILDREN:
        set_children(draw, obj, children)
    obj["kind"] = model.KIND or "Widget"
    obj["apiVersion"] = model.API_VERSION or draw(st.sampled_from(["v1", "example.com/v1"]))
    metadata = obj.get("metadata")
    obj["metadata"] = {**(metadata if isinstance(metadata, dict) else {}), "name": "thing"}
    if model.NAMESPACED:
        obj["metadata"]["namespace"] = "default"
    return obj


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(obj=objects())
def test_what_is_written_is_read_back(cluster: Cluster, obj: dict[str, Any]) -> None:
    """Any object comes back exactly, whatever fits a column and whatever does not."""
    before = copy.deepcopy(obj)
    store.write(cluster, [obj])
    key = key_of(obj)
    assert obj == before, "writing leaves the object alone"
    assert store.find(cluster, [key]) == {key: before}
    row = {m.KIND: m for m in OBJECT_MODELS}.get(obj["kind"], OtherObject).objects.get(cluster=cluster, name="thing")
    assert row.to_object() == before
    store.remove(cluster, [key])
    assert store.find(cluster, [key]) == {}


@pytest.mark.parametrize("replicas", [-1, 2**31, 0, 3])
def test_a_number_of_replicas_no_column_can_hold_is_kept_beside(cluster: Cluster, replicas: int) -> None:
    """A database would refuse it."""
    obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "default"},
        "spec": {"replicas": replicas},
    }
    store.write(cluster, [obj])
    assert store.find(cluster, [key_of(obj)]) == {key_of(obj): obj}


def test_replacing_replaces_children_too(cluster: Cluster) -> None:
    """No container of the old pod stays behind."""
    store.write(cluster, [namespace("shop")])
    first, second = pod("p"), pod("p")
    first["spec"]["containers"] = [{"name": f"c{n}", "image": "i"} for n in range(3)]
    first["spec"]["initContainers"] = [{"name": "first", "image": "i"}]
    for obj in (first, second):
        store.write(cluster, [obj])
        assert store.find(cluster, [("Pod", "shop", "p")])["Pod", "shop", "p"] == obj


def test_nothing_is_stored_twice(cluster: Cluster) -> None:
    """What has a column is not in the remainder."""
    store.write(cluster, [namespace("shop"), pod("p", ip="10.244.0.9")])
    row = next(m for m in OBJECT_MODELS if m.KIND == "Pod").objects.get()
    assert row.rest == {"metadata": {}, "spec": {}, "status": {}}
    assert row.owners == pod("p")["metadata"]["ownerReferences"]


def test_rows_are_found_by_the_index_of_their_names(cluster: Cluster) -> None:
    """Among 150,000 pods anything else takes seconds."""
    store.write(cluster, [namespace("shop"), namespace("shop-2"), pod("p")])
    keys: list[Key] = [("Pod", "shop", "p"), ("Pod", "shop", "q"), ("Pod", "shop-2", "p"), ("Pod", "nowhere", "p")]
    with CaptureQueriesContext(connection) as queries:
        assert list(store.find(cluster, keys)) == keys[:1]
    with connection.cursor() as cursor:
        for query in (one["sql"] for one in queries if one["sql"].startswith("SELECT")):
            cursor.execute(f"EXPLAIN QUERY PLAN {query}")
            assert not [line for *_, line in cursor.fetchall() if line.startswith("SCAN")], query
    assert "pods_of_nobody" in Pod.objects.filter(cluster=cluster, owners__isnull=True).order_by().explain()


def test_a_pod_may_name_a_node_that_does_not_exist(cluster: Cluster) -> None:
    """Its nodeName is kept all the same."""
    obj = pod("lost", node="gone")
    store.write(cluster, [namespace("shop"), obj])
    assert obj in snapshot.load_objects(cluster)


def test_a_snapshot_takes_the_same_number_of_queries_for_any_size(
    cluster: Cluster, django_assert_num_queries: Any
) -> None:
    """One query a table: thirteen kinds, containers and init containers, Service ports."""
    expected = len(OBJECT_MODELS) + 3
    with django_assert_num_queries(expected):
        small = snapshot.load_objects(cluster)
    store.write(cluster, [namespace("shop"), *(pod(f"p{n}") for n in range(300))])
    with django_assert_num_queries(expected):
        assert len(snapshot.load_objects(cluster)) == len(small) + 301


def test_a_kind_of_another_group_does_not_hide_ours(cluster: Cluster) -> None:
    """Knative's Service named like ours: both are kept, the engine sees only ours."""
    ours = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hello"}, "spec": {"ports": [{"port": 80}]}}
    theirs = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hello"},
        "spec": {"template": {"spec": {}}},
    }
    summary = services.apply_objects(cluster, [ours, theirs], actor="tests")
    assert [entry.kind for entry in summary.ignored] == ["Service.serving.knative.dev"]
    seen = [obj for obj in snapshot.load_objects(cluster) if obj["metadata"]["name"] == "hello"]
    assert [obj["apiVersion"] for obj in seen] == ["v1"]
    every = [obj for obj in snapshot.load_objects(cluster, foreign=True) if obj["metadata"]["name"] == "hello"]
    assert {obj["apiVersion"] for obj in every} == {"v1", "serving.knative.dev/v1"}
    assert all(obj["kind"] == "Service" for obj in every)
