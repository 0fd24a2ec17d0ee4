"""Which fields of an object have a column of their own.

An object is cut in two: what has a column goes there, everything else stays, verbatim, in the row's
``rest``. A value a column cannot hold exactly stays in ``rest`` as well, so that putting the two
together always gives back the object that came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Obj = dict[str, Any]
EXACT_IN_A_FLOAT = 2**53
INTEGER_END = 2**31


class Column(msgspec.Struct, frozen=True):
    """A field of an object that lives in the model attribute ``attr``.

    ``absent`` is what the attribute holds when the object has no such field, ``least`` the smallest
    number it can hold.
    """

    attr: str
    path: tuple[str, ...]
    accepts: type[Any]
    absent: Any = ""
    limit: int = 253
    least: int = -INTEGER_END

    def fits(self, value: Any) -> bool:
        """Whether the attribute can hold ``value`` exactly."""
        if type(value) is int and self.accepts is float:
            return abs(value) < EXACT_IN_A_FLOAT
        if type(value) is not self.accepts or value == self.absent:
            return False
        if self.accepts is str:
            return len(value) <= self.limit and "\0" not in value
        return self.accepts is not int or self.least <= value < INTEGER_END

    @property
    def field(self) -> str:
        """Path as kube-apiserver prints it."""
        return ".".join(self.path)


class LabelsColumn(Column, frozen=True):
    """A map of strings, not empty."""

    def fits(self, value: Any) -> bool:
        """Only strings to strings."""
        return isinstance(value, dict) and bool(value) and all(type(item) is str for item in value.values())


class ListColumn(Column, frozen=True):
    """A list, not empty."""

    def fits(self, value: Any) -> bool:
        """Null in the database means that there is none."""
        return isinstance(value, list) and bool(value)


class JsonColumn(Column, frozen=True):
    """Any value but null."""

    def fits(self, value: Any) -> bool:
        """Everything a JSON column can tell from an absent field."""
        return value is not None


class Children(msgspec.Struct, frozen=True):
    """A list of objects kept as rows of their own model, in order."""

    model: str
    path: tuple[str, ...]
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    mark: tuple[tuple[str, Any], ...] = ()

    def fits(self, items: Any) -> bool:
        """A non-empty list of objects that have what a row cannot do without."""
        if not isinstance(items, list) or not items:
            return False
        needed = [column for column in self.columns if column.attr in self.required]
        return all(
            isinstance(item, dict) and all(column.fits(at(item, column.path)) for column in needed) for item in items
        )


def split(obj: Obj, columns: Iterable[Column]) -> dict[str, Any]:
    """Take the columns' values out of ``obj``, which keeps the rest."""
    values = {}
    for column in columns:
        parent: Any = obj
        for name in column.path[:-1]:
            parent = parent.get(name) if isinstance(parent, dict) else None
        last = column.path[-1]
        if isinstance(parent, dict) and last in parent and column.fits(parent[last]):
            values[column.attr] = parent.pop(last)
        else:
            values[column.attr] = column.absent
    return values


def join(rest: Obj, columns: Iterable[Column], values: Mapping[str, Any]) -> Obj:
    """Put the columns' values back into ``rest``; the opposite of `split`."""
    for column in columns:
        value = values[column.attr]
        if value != column.absent:
            put(rest, column.path, value)
    return rest


def take_list(obj: Obj, children: Children) -> list[Obj]:
    """Take a list of objects out of ``obj``, or nothing when rows cannot hold it."""
    parent = _parent(obj, children.path)
    if parent is None or not children.fits(parent.get(children.path[-1])):
        return []
    return [dict(item) for item in parent.pop(children.path[-1])]


def loosened(obj: Obj, paths: Iterable[tuple[str, ...]]) -> Obj:
    """A copy from which these fields can be taken out without ``obj`` noticing; what lies deeper is shared."""
    new = dict(obj)
    copied: set[tuple[str, ...]] = set()
    for path in paths:
        step = new
        for depth in range(1, len(path)):
            inner = step.get(path[depth - 1])
            if not isinstance(inner, dict):
                break
            if path[:depth] not in copied:
                copied.add(path[:depth])
                inner = step[path[depth - 1]] = dict(inner)
            step = inner
    return new


def put(obj: Obj, path: tuple[str, ...], value: Any) -> None:
    """Set a nested field, making the objects on the way."""
    for name in path[:-1]:
        step = obj.get(name)
        if not isinstance(step, dict):
            step = obj[name] = {}
        obj = step
    obj[path[-1]] = value


def _parent(obj: Obj, path: tuple[str, ...]) -> Obj | None:
    for name in path[:-1]:
        obj = obj.get(name)  # type: ignore[assignment]
        if not isinstance(obj, dict):
            return None
    return obj


def at(obj: Obj, path: tuple[str, ...]) -> Any:
    """A nested field, None when it is absent."""
    parent = _parent(obj, path)
    return None if parent is None else parent.get(path[-1])
