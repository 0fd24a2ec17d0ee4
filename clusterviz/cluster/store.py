"""Objects in and out of their rows, in bulk. Only `services` calls the writing half."""

# ruff: noqa: SLF001  Model._meta is documented API with an underscore.

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.db.models import Q, QuerySet

from clusterviz.cluster.columns import Children, Obj, loosened, put, split, take_list
from clusterviz.cluster.keys import Key, key_of, model_of
from clusterviz.cluster.models import OBJECT_MODELS, ChildRow, Cluster, Namespace, Node, ObjectRow, Pod
from clusterviz.cluster.reading import child_model, read

BATCH = 400


def load(cluster: Cluster, models: Iterable[type[ObjectRow]] = OBJECT_MODELS) -> list[Obj]:
    """All objects of some models: one query a table."""
    return [obj for model in models for obj in read(model, model.objects.filter(cluster=cluster)).values()]


def find(cluster: Cluster, keys: Iterable[Key]) -> dict[Key, Obj]:
    """The objects that exist among ``keys``."""
    found: dict[Key, Obj] = {}
    for model, names in _by_model(keys).items():
        for rows in _rows(cluster, model, names):
            found.update(read(model, rows))
    return found


def write(cluster: Cluster, objects: Iterable[Obj]) -> None:
    """Create or replace the rows of ``objects``; their namespaces must exist."""
    by_model: dict[type[ObjectRow], dict[Key, Obj]] = defaultdict(dict)
    for obj in objects:
        key = key_of(obj)
        by_model[model_of(key[0])][key] = obj
    for model in OBJECT_MODELS:
        if model in by_model:
            _write(cluster, model, by_model[model])


def pods_on(cluster: Cluster, node: str) -> dict[Key, Obj]:
    """The pods of a node."""
    rows = Pod.objects.filter(node=Node.objects.filter(cluster=cluster, name=node).values("pk")[:1]).order_by()
    return pods_with(list(rows.values_list("pk", flat=True)))


def pods_with(ids: list[int]) -> dict[Key, Obj]:
    """The pods whose rows have these ids."""
    return {key: obj for rows in _chunks(Pod, ids) for key, obj in read(Pod, rows).items()}


def remove(cluster: Cluster, keys: Iterable[Key]) -> None:
    """Delete the rows of ``keys``."""
    for model, names in _by_model(keys).items():
        for rows in _rows(cluster, model, names):
            rows.delete()


def _by_model(keys: Iterable[Key]) -> dict[type[ObjectRow], list[Key]]:
    found: dict[type[ObjectRow], list[Key]] = defaultdict(list)
    for key in keys:
        found[model_of(key[0])].append(key)
    return found


def _rows(cluster: Cluster, model: type[ObjectRow], keys: list[Key]) -> Iterator[QuerySet[Any]]:
    """Query sets that together hold exactly the rows of ``keys``."""
    yield from _chunks(model, list(_known(cluster, model, keys).values()))


def _chunks(model: type[ObjectRow], ids: list[int]) -> Iterator[QuerySet[Any]]:
    for start in range(0, len(ids), BATCH):
        yield model.objects.filter(pk__in=ids[start : start + BATCH])


def _known(cluster: Cluster, model: type[ObjectRow], keys: list[Key]) -> dict[Key, int]:
    """The ids of the rows that exist among ``keys``; asked for so that the index of names answers alone."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, namespace, name in keys:
        groups[kind, namespace].append(name)
    spaces = _ids(cluster, Namespace, {namespace for _, namespace in groups if namespace})
    found: dict[Key, int] = {}
    for (kind, namespace), names in groups.items():
        if namespace and namespace not in spaces:
            continue
        where = Q(cluster=cluster)
        if not model.KIND:
            where &= Q(kind=kind)
        if hasattr(model, "namespace"):
            where &= Q(namespace=spaces.get(namespace))
        for start in range(0, len(names), BATCH):
            rows = model.objects.filter(where, name__in=names[start : start + BATCH]).order_by()
            found.update({(kind, namespace, name): pk for pk, name in rows.values_list("pk", "name")})
    return found


def _write(cluster: Cluster, model: type[ObjectRow], objects: dict[Key, Obj]) -> None:
    namespaces = _ids(cluster, Namespace, {key[1] for key in objects if key[1]})
    nodes = _node_ids(cluster, model, objects)
    rows, children = [], []
    known = _known(cluster, model, list(objects))
    for key, obj in objects.items():
        row, lists = build(cluster, model, key, obj, namespaces, nodes)
        row.pk = known.get(key)
        rows.append(row)
        children.append(lists)
    old = [row for row in rows if row.pk is not None]
    _replace(model, old, [row for row in rows if row.pk is None])
    _write_children(model, {row.pk for row in old}, list(zip(rows, children, strict=True)))


def _replace(model: type[ObjectRow | ChildRow], old: list[Any], new: list[Any]) -> None:
    fields = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    if old:
        # An upsert on the id writes 3,000 pods in a second; bulk_update takes sixteen.
        model.objects.bulk_create(
            old, batch_size=BATCH, update_conflicts=True, update_fields=fields, unique_fields=["id"]
        )
    model.objects.bulk_create(new, batch_size=BATCH)


def build(
    cluster: Cluster,
    model: type[ObjectRow],
    key: Key,
    obj: Obj,
    namespaces: dict[str, int],
    nodes: dict[str, int],
) -> tuple[ObjectRow, list[list[Obj]]]:
    """An unsaved row for an object, and its lists of children."""
    values, lists = parts(model, key, obj, namespaces, nodes)
    return model(cluster=cluster, **values), lists


def parts(
    model: type[ObjectRow], key: Key, obj: Obj, namespaces: dict[str, int], nodes: dict[str, int]
) -> tuple[dict[str, Any], list[list[Obj]]]:
    """The attributes of an object's row but its cluster, and its lists of children. ``obj`` stays as it is."""
    rest = loosened(obj, _paths(model))
    lists = [take_list(rest, children) for children in model.CHILDREN]
    values = split(rest, model.COLUMNS)
    if rest.get("kind") == key[0].partition(".")[0]:
        del rest["kind"]
    if rest.get("apiVersion") == model.API_VERSION:
        del rest["apiVersion"]
    metadata = rest["metadata"]
    metadata.pop("name")
    if metadata.get("namespace") == key[1]:
        del metadata["namespace"]
    node = values.pop("node__name", "")
    if node and node not in nodes:
        put(rest, ("spec", "nodeName"), node)
    values |= {"name": key[2], "rest": rest}
    if key[1]:
        values["namespace_id"] = namespaces[key[1]]
    if node in nodes:
        values["node_id"] = nodes[node]
    if not model.KIND:
        values["kind"] = key[0]
    return values, lists


@cache
def _paths(model: type[ObjectRow]) -> tuple[tuple[str, ...], ...]:
    """Where `parts` takes things out."""
    columns, children = [one.path for one in model.COLUMNS], [one.path for one in model.CHILDREN]
    return ("metadata", ""), *columns, *children


def _write_children(model: type[ObjectRow], stale: set[Any], rows: list[tuple[ObjectRow, list[list[Obj]]]]) -> None:
    """Rows of children keep their ids as long as their place exists: a form may be open over them."""
    parent = str(model._meta.model_name)
    for index, children in enumerate(model.CHILDREN):
        child = child_model(children)
        known = _child_ids(child, parent, children, sorted(stale))
        made = [
            child(
                **{"pk": known.pop((row.pk, position), None), parent: row},
                position=position,
                **dict(children.mark),
                **split(item, children.columns),
                rest=item,
            )
            for row, lists in rows
            for position, item in enumerate(lists[index])
        ]
        _replace(child, [row for row in made if row.pk is not None], [row for row in made if row.pk is None])
        gone = list(known.values())
        for start in range(0, len(gone), BATCH):
            child.objects.filter(pk__in=gone[start : start + BATCH]).delete()


def _child_ids(
    child: type[ChildRow], parent: str, children: Children, parents: list[Any]
) -> dict[tuple[Any, int], Any]:
    """Ids of the children that are there, by parent and place."""
    found: dict[tuple[Any, int], Any] = {}
    for start in range(0, len(parents), BATCH):
        rows = child.objects.filter(**{f"{parent}__in": parents[start : start + BATCH]}, **dict(children.mark))
        found.update(
            {(owner, position): pk for pk, owner, position in rows.values_list("pk", f"{parent}_id", "position")}
        )
    return found


def _ids(cluster: Cluster, model: type[Namespace | Node], names: set[str]) -> dict[str, int]:
    wanted = model.objects.filter(cluster=cluster)
    if len(names) <= BATCH:
        wanted = wanted.filter(name__in=names)
    return dict(wanted.values_list("name", "pk"))


def _node_ids(cluster: Cluster, model: type[ObjectRow], objects: dict[Key, Obj]) -> dict[str, int]:
    if not hasattr(model, "node"):
        return {}
    specs = [obj["spec"] for obj in objects.values() if isinstance(obj.get("spec"), dict)]
    return _ids(cluster, Node, {spec["nodeName"] for spec in specs if isinstance(spec.get("nodeName"), str)})
