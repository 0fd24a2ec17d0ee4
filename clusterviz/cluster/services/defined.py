"""Objects of kinds that a CustomResourceDefinition describes, held against its schema as kube-apiserver does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from clusterviz.cluster import custom, store
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, stored_kind
from clusterviz.cluster.models import Cluster, OtherObject
from clusterviz.engine.validation import Flaw

DEFINITION = "CustomResourceDefinition"


def definitions(cluster: Cluster, wished: dict[Key, Obj]) -> dict[str, Obj]:
    """The definitions of the kinds among ``wished``, as they would be, by the kind that is stored."""
    wanted = {key[0] for key in wished if "." in key[0]}
    if not wanted:
        return {}
    names = OtherObject.objects.filter(cluster=cluster, kind=DEFINITION).values_list("name", flat=True)
    groups = tuple(f".{kind.partition('.')[2]}" for kind in wanted)
    known = store.find(cluster, [(DEFINITION, "", name) for name in names if name.endswith(groups)])
    known.update({key: obj for key, obj in wished.items() if key[0] == DEFINITION})
    found = {}
    for one in known.values():
        spec = one.get("spec") or {}
        found[stored_kind(str((spec.get("names") or {}).get("kind")), str(spec.get("group")))] = one
    return {kind: one for kind, one in found.items() if kind in wanted}


def shaped(obj: Obj, definition: Obj) -> tuple[Obj, list[Flaw], list[str]]:
    """The object as its definition's schema makes it, what the schema forbids, and the fields it does not have.

    A status with a sub-resource of its own is checked where that is written.
    """
    version = custom.version_of(definition, str(obj.get("apiVersion")).rpartition("/")[2])
    schema = custom.schema_of(version)
    if schema is None:
        return obj, [], []
    found = custom.shaped(obj, schema)
    hidden = "status" if "status" in (version.get("subresources") or {}) else ""
    flaws = custom.flaws({name: value for name, value in found.items() if name != hidden}, schema)
    return found, flaws, list(_lost(obj, found, ""))


def _lost(before: Any, after: Any, path: str) -> Iterator[str]:
    """Paths of what is not there any more."""
    pairs: Iterable[tuple[str, Any, Any]] = ()
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(f"{path}.{name}".lstrip("."), one, after.get(name)) for name, one in before.items()]
    elif isinstance(before, list) and isinstance(after, list):
        pairs = [(f"{path}[{at}]", *both) for at, both in enumerate(zip(before, after, strict=True))]
    for below, old, new in pairs:
        if old is not None and new is None:
            yield below
        else:
            yield from _lost(old, new, below)
