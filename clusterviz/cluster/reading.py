"""Rows into objects, many at once; what they have alike is kept once.

The objects of one reading share labels, owners, conditions, containers and the like, so they are to be read, never
edited in place, as everywhere.
"""

# ruff: noqa: SLF001  Model._meta is documented API with an underscore.

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import msgspec
from django.apps import apps
from django.db.models import JSONField, QuerySet, TextField
from django.db.models.functions import Cast

from clusterviz.cluster.columns import Children, Column, Obj, put
from clusterviz.cluster.models import ChildRow, ObjectRow
from clusterviz.cluster.models.base import assemble
from clusterviz.engine.objects import Key

AT_ONCE = 2000
_PARTS = ("metadata", "spec", "status")
_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Kept:
    """JSON texts and what they say: the same text gives the same value."""

    def __init__(self) -> None:
        self._known: dict[str | bytes, Any] = {}
        self.lists: dict[tuple[int, ...], list[Obj]] = {}
        self.items: dict[tuple[Any, ...], Obj] = {}

    def value(self, text: str | bytes | None) -> Any:
        """The value of a text; None is no text."""
        if text is None:
            return None
        try:
            return self._known[text]
        except KeyError:
            found = self._known[text] = json.loads(text)
            return found

    def rest(self, text: str, own: frozenset[tuple[str, str]]) -> Obj:
        """What columns did not take: fields of metadata, spec and status are shared, but those ``own`` names."""
        found: Obj = {}
        for name, raw in _TOP.decode(text).items():
            data = bytes(raw)
            if name not in _PARTS or data[:1] != b"{":
                found[name] = json.loads(data)
                continue
            found[name] = {
                field: json.loads(bytes(part)) if (name, field) in own else self.value(bytes(part))
                for field, part in _TOP.decode(data).items()
            }
        return found


def read(model: type[ObjectRow], rows: QuerySet[Any]) -> dict[Key, Obj]:
    """The objects of these rows by key, in the order of their ids."""
    kept = Kept()
    lists = [_read_children(model, children, rows, kept) for children in model.CHILDREN]
    own = frozenset((path[0], path[1]) for path in _paths(model) if len(path) > 2)
    namespaced = hasattr(model, "namespace")
    names = ["pk", "name", *(["namespace__name"] if namespaced else []), *([] if model.KIND else ["kind"])]
    found: dict[Key, Obj] = {}
    texts, attrs = _texts(model, ["rest", *(column.attr for column in model.COLUMNS)])
    query = rows.annotate(**texts).order_by("pk").values_list(*names, *attrs)
    is_text = [attr in texts for attr in attrs[1:]]
    foreign = ["__" in column.attr for column in model.COLUMNS]
    for row in query.iterator(AT_ONCE):
        values = row[len(names) + 1 :]
        key = (model.KIND or row[len(names) - 1], (row[2] or "") if namespaced else "", row[1])
        columns = {
            column.attr: kept.value(value) if text else "" if value is None and far else value
            for column, value, text, far in zip(model.COLUMNS, values, is_text, foreign, strict=True)
        }
        items = [by_parent.get(row[0], []) for by_parent in lists]
        found[key] = assemble(model, key, kept.rest(row[len(names)], own), columns, items)
    return found


def child_model(children: Children) -> type[ChildRow]:
    """The model of a list's entries."""
    model: type[ChildRow] = apps.get_model("cluster", children.model)
    return model


def _paths(model: type[ObjectRow]) -> list[tuple[str, ...]]:
    return [*(one.path for one in model.COLUMNS), *(one.path for one in model.CHILDREN)]


def _texts(model: type[Any], attrs: list[str]) -> tuple[dict[str, Cast], list[str]]:
    """JSON fields are asked for as text: annotations, and the names under which all the attributes come."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    texts = {f"{attr}_text": Cast(attr, TextField()) for attr in attrs if isinstance(fields.get(attr), JSONField)}
    return texts, [f"{attr}_text" if f"{attr}_text" in texts else attr for attr in attrs]


def _read_children(
    model: type[ObjectRow], children: Children, parents: QuerySet[Any], kept: Kept
) -> dict[int, list[Obj]]:
    child, parent = child_model(children), model._meta.model_name
    texts, attrs = _texts(child, ["rest", *(column.attr for column in children.columns)])
    rows = child.objects.filter(**{f"{parent}__in": parents.order_by()}, **dict(children.mark)).annotate(**texts)
    is_text = [attr in texts for attr in attrs[1:]]
    found: dict[int, list[Obj]] = defaultdict(list)
    for pk, *values in rows.order_by("position").values_list(f"{parent}_id", *attrs).iterator(AT_ONCE):
        item = kept.items.get(tuple(values))
        if item is None:
            item = kept.items[tuple(values)] = _item(children.columns, values, is_text, kept)
        found[pk].append(item)
    for pk, items in found.items():
        found[pk] = kept.lists.setdefault(tuple(map(id, items)), items)
    return found


def _item(columns: tuple[Column, ...], values: list[Any], is_text: list[bool], kept: Kept) -> Obj:
    item: Obj = json.loads(values[0])
    for column, given, text in zip(columns, values[1:], is_text, strict=True):
        value = kept.value(given) if text else given
        if value != column.absent:
            put(item, column.path, value)
    return item
