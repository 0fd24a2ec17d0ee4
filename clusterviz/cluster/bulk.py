"""The objects of a new cluster into their rows, as fast as the database takes them. Only `services` calls it."""

# ruff: noqa: SLF001  Model._meta is documented API with an underscore.

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from django.core.management.color import no_style
from django.db import connection
from django.db.models import JSONField, Max

from clusterviz.cluster import store
from clusterviz.cluster.columns import Children, Obj, at, split
from clusterviz.cluster.keys import key_of, model_of
from clusterviz.cluster.models import ChildRow, Cluster, Namespace, Node, ObjectRow
from clusterviz.cluster.reading import child_model

ROWS = 2000
Tell = Callable[[int], object]


def insert(cluster: Cluster, objects: Iterable[Obj], tell: Tell) -> int:
    """Write objects none of which exists; namespaces and nodes come before what points at them.

    ``tell`` is told how many are written, now and then. Answers how many there were.
    """
    tables: dict[type[Any], Table] = {}
    spaces: dict[str, int] = {}
    nodes: dict[str, int] = {}
    number = 0
    for number, obj in enumerate(objects, start=1):
        key = key_of(obj)
        model = model_of(key[0])
        values, lists = store.parts(model, key, obj, spaces, nodes)
        pk = _table(tables, model).add({"cluster_id": cluster.pk, **values})
        if model is Namespace:
            spaces[key[2]] = pk
        elif model is Node:
            nodes[key[2]] = pk
        for children, items in zip(model.CHILDREN, lists, strict=True):
            if items:
                _table(tables, child_model(children)).add_children(model, pk, children, obj, items)
        if not number % ROWS:
            tell(number)
    for table in tables.values():
        table.flush()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables)):
            cursor.execute(statement)
    tell(number)
    return number


def _table(tables: dict[type[Any], Table], model: type[ObjectRow | ChildRow]) -> Table:
    if model not in tables:
        tables[model] = Table(model)
    return tables[model]


class Table:
    """One table and the rows that wait to be written to it."""

    def __init__(self, model: type[ObjectRow | ChildRow]) -> None:
        fields = model._meta.concrete_fields
        self._fields = [(f.attname, isinstance(f, JSONField), f.get_default()) for f in fields if not f.primary_key]
        self._places = {name: place for place, (name, *_) in enumerate(self._fields, start=1)}
        quote = connection.ops.quote_name
        names = ", ".join(quote(str(f.column)) for f in sorted(fields, key=lambda one: not one.primary_key))
        places = ", ".join(["%s"] * len(fields))
        self._statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608
        self._next: int = model.objects.aggregate(last=Max("pk"))["last"] or 0
        self._rows: list[list[Any]] = []
        # Neighbours mostly share labels, ports and containers: the same object gives the same text and rows.
        self._texts: dict[str, tuple[Any, str | None]] = {}
        self._last: tuple[Any, list[list[Any]]] = (None, [])

    def add(self, values: dict[str, Any]) -> int:
        """Take one row; answers its id. Absent fields get their default."""
        self._put(self._row(values))
        return self._next

    def add_children(self, model: type[ObjectRow], parent: int, children: Children, obj: Obj, items: list[Obj]) -> None:
        """Take the rows of a list of ``obj``, whose own row is ``parent``."""
        given = at(obj, children.path)
        if self._last[0] is not given:
            rows = [
                self._row({"position": place, **dict(children.mark), **split(item, children.columns), "rest": item})
                for place, item in enumerate(items)
            ]
            self._last = given, rows
        place = self._places[f"{model._meta.model_name}_id"]
        for row in self._last[1]:
            row[place] = parent
            self._put(row.copy())

    def _row(self, values: dict[str, Any]) -> list[Any]:
        texts = self._text
        return [
            0,
            *[
                texts(name, values.get(name, default)) if is_json else values.get(name, default)
                for name, is_json, default in self._fields
            ],
        ]

    def _put(self, row: list[Any]) -> None:
        self._next += 1
        row[0] = self._next
        self._rows.append(row)
        if len(self._rows) >= ROWS:
            self.flush()

    def _text(self, name: str, value: Any) -> str | None:
        known = self._texts.get(name)
        if known is not None and known[0] is value:
            return known[1]
        text = None if value is None else msgspec.json.encode(value).decode()
        self._texts[name] = value, text
        return text

    def flush(self) -> None:
        """Write what waits."""
        if self._rows:
            with connection.cursor() as cursor:
                cursor.executemany(self._statement, self._rows)
        self._rows = []
