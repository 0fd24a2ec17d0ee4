"""The objects of a new cluster into their rows, as fast as the database takes them. Only `services` calls it."""

# ruff: noqa: SLF001  Model._meta is documented API with an underscore.

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from django.core.management.color import no_style
from django.db import connection
from django.db.models import ForeignKey, JSONField, Max

from clusterviz.cluster import store
from clusterviz.cluster.columns import Children, Obj, at, split
from clusterviz.cluster.keys import key_of, model_of
from clusterviz.cluster.models import ChildRow, Cluster, Namespace, Node, ObjectRow
from clusterviz.cluster.reading import child_model

ROWS = 2000
# Of all the work, the part that is writing; the rest is putting rows together.
WRITING = 0.3
Tell = Callable[[float], object]


def prepared(objects: Iterable[Obj], expected: int, tell: Tell) -> Rows:
    """The rows of the objects of a new cluster; namespaces and nodes come before what points at them.

    ``tell`` hears now and then which part of all the work is done; ``expected`` is about how many objects there are.
    """
    rows = Rows()
    for number, obj in enumerate(objects, start=1):
        rows.add(obj)
        if not number % ROWS:
            tell(min(1.0, number / expected) * (1 - WRITING))
    return rows


class Rows:
    """Rows that wait to be written, with ids that count from 1 in each table."""

    def __init__(self) -> None:
        self._tables: dict[type[Any], Table] = {}
        self._spaces: dict[str, int] = {}
        self._nodes: dict[str, int] = {}

    def add(self, obj: Obj) -> None:
        """Take an object apart."""
        key = key_of(obj)
        model = model_of(key[0])
        values, lists = store.parts(model, key, obj, self._spaces, self._nodes)
        pk = self._table(model).add(values)
        if model is Namespace:
            self._spaces[key[2]] = pk
        elif model is Node:
            self._nodes[key[2]] = pk
        for children, items in zip(model.CHILDREN, lists, strict=True):
            if items:
                self._table(child_model(children)).add_children(model, pk, children, obj, items)

    def write(self, cluster: Cluster, tell: Tell) -> None:
        """Write everything for this cluster, in the transaction that is open."""
        first = {model: model.objects.aggregate(last=Max("pk"))["last"] or 0 for model in self._tables}
        total, done = sum(len(table.rows) for table in self._tables.values()) or 1, 0
        for table in self._tables.values():
            for count in table.write(cluster, first):
                done += count
                tell(1 - WRITING + WRITING * done / total)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), list(self._tables)):
                cursor.execute(statement)

    def _table(self, model: type[ObjectRow | ChildRow]) -> Table:
        if model not in self._tables:
            self._tables[model] = Table(model)
        return self._tables[model]


class Table:
    """The rows of one table."""

    def __init__(self, model: type[ObjectRow | ChildRow]) -> None:
        fields = [field for field in model._meta.concrete_fields if not field.primary_key]
        self.model, self.rows = model, list[list[Any]]()
        self._fields = [(field.attname, isinstance(field, JSONField), field.get_default()) for field in fields]
        self._places = {name: place for place, (name, *_) in enumerate(self._fields, start=1)}
        # Rows of other tables this one points at.
        self._points = [
            (self._places[field.attname], field.related_model)
            for field in fields
            if isinstance(field, ForeignKey) and field.related_model is not Cluster
        ]
        # Neighbours mostly share labels, ports and containers: the same object gives the same text and rows.
        self._texts: dict[str, tuple[Any, str | None]] = {}
        self._last: tuple[Any, list[list[Any]]] = (None, [])

    def add(self, values: dict[str, Any]) -> int:
        """Take one row; answers its id. Absent fields get their default."""
        return self._put(self._row(values))

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

    def write(self, cluster: Cluster, first: dict[type[Any], int]) -> Iterator[int]:
        """Write the rows behind those that exist; tells how many at a time."""
        quote = connection.ops.quote_name
        columns = [self.model._meta.pk, *(self.model._meta.get_field(name) for name, *_ in self._fields)]
        names = ", ".join(quote(str(getattr(column, "column", ""))) for column in columns)
        places = ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {quote(self.model._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608
        own, cluster_place = first[self.model], self._places.get("cluster_id")
        for start in range(0, len(self.rows), ROWS):
            some = self.rows[start : start + ROWS]
            for row in some:
                row[0] += own
                if cluster_place is not None:
                    row[cluster_place] = cluster.pk
                for place, target in self._points:
                    if row[place] is not None:
                        row[place] += first[target]
            with connection.cursor() as cursor:
                cursor.executemany(statement, some)
            yield len(some)
        self.rows = []

    def _row(self, values: dict[str, Any]) -> list[Any]:
        texts = self._text
        return [
            0,
            *[
                texts(name, values.get(name, default)) if is_json else values.get(name, default)
                for name, is_json, default in self._fields
            ],
        ]

    def _put(self, row: list[Any]) -> int:
        row[0] = len(self.rows) + 1
        self.rows.append(row)
        return row[0]  # type: ignore[no-any-return]

    def _text(self, name: str, value: Any) -> str | None:
        known = self._texts.get(name)
        if known is not None and known[0] is value:
            return known[1]
        text = None if value is None else msgspec.json.encode(value).decode()
        self._texts[name] = value, text
        return text
