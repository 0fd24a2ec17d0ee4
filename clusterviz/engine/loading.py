"""Plain objects on their way into a snapshot: lists unpacked, records read, content hashed."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from clusterviz.engine.errors import ObjectError
from clusterviz.engine.objects import Key, Obj, Record, key_of
from clusterviz.engine.parse import Interned, parse
from clusterviz.engine.parse_pods import listed_pod, record_of


@contextmanager
def no_collections() -> Iterator[None]:
    """Nothing of a snapshot that is being built is garbage; looking for some doubles the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def unpack(objects: Iterable[Obj]) -> Iterable[Obj]:
    """Objects with ``List`` kinds flattened (IMP-01)."""
    for obj in objects:
        if not isinstance(obj, dict):
            raise ObjectError(f"Invalid value: {obj!r}: must be an object")
        kind = obj.get("kind")
        if not (isinstance(kind, str) and kind.endswith("List")):
            yield obj
            continue
        items = obj.get("items")
        if isinstance(items, list) or kind == "List":
            default = {"kind": kind.removesuffix("List"), "apiVersion": obj.get("apiVersion", "v1")}
            typed = kind != "List"
            yield from unpack({**default, **one} if typed and isinstance(one, dict) else one for one in items or ())
        else:
            yield obj


def load(
    objects: Iterable[Obj], keyed: dict[Key, Obj], records: dict[str, dict[tuple[str, str], Any]], interned: Interned
) -> None:
    """Put objects into ``keyed`` and their records into ``records``. Raises `ObjectError`, also where one stands twice.

    A Pod is keyed and read in one go, while the processor still has it at hand.
    """
    pods, count = records.setdefault("Pod", {}), len(keyed)
    for given in objects:
        shape = listed_pod(given)
        if shape is not None:
            meta = shape.metadata
            key = ("Pod", meta.namespace or "default", meta.name)
            keyed[key] = given
            count += 1
            if len(keyed) != count:
                raise _twice(key)
            pods[key[1], key[2]] = record_of(shape, given, key, interned)
            continue
        for obj in unpack((given,)):
            key = key_of(obj)
            keyed[key] = obj
            count += 1
            if len(keyed) != count:
                raise _twice(key)
            _keep(records, key, parse(obj, key, interned))


def _twice(key: Key) -> ObjectError:
    return ObjectError("Duplicate value", field="metadata.name", ref="/".join(filter(None, key)))


def load_again(
    objects: Iterable[tuple[Key, Obj]], records: dict[str, dict[tuple[str, str], Any]], interned: Interned
) -> None:
    """The records of objects that were filled in, in place of the old ones."""
    for key, obj in objects:
        _keep(records, key, parse(obj, key, interned))


def _keep(records: dict[str, dict[tuple[str, str], Any]], key: Key, record: Record | None) -> None:
    if record is not None:
        records.setdefault(key[0], {})[key[1], key[2]] = record
