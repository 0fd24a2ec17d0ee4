"""Sets of field paths, and their JSON form FieldsV1.

A path is a tuple of FieldsV1 keys: ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:nodePort"). A path in a
set means the field itself, not what is below it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from clusterviz.kubeapi.patch.basics import MAX_DEPTH, PatchError
from clusterviz.kubeapi.schema.model import KEY_DEFAULTS, Walker

__all__ = ["FieldSet", "Path", "element_key", "from_fields_v1", "path_text", "place_of", "to_fields_v1", "with_named"]

Path = tuple[str, ...]
FieldSet = frozenset[Path]

_KINDS: Final = frozenset({"f", "k", "v", "i"})


def element_key(item: Any, place: Walker) -> str:
    """The key of an element of the associative list at `place`: by its key fields, or by its value in a set."""
    if place.is_set or not isinstance(item, dict):
        return "v:" + msgspec.json.encode(item, order="sorted").decode()
    keys = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in place.list_keys}
    return "k:" + msgspec.json.encode(keys, order="sorted").decode()


def to_fields_v1(paths: FieldSet) -> dict[str, Any]:
    """The JSON form; a field that is in the set and has fields below in it too gets a "." among them."""
    root: dict[str, Any] = {}
    for path in sorted(paths):  # a field comes before what is below it
        node = root
        for depth, key in enumerate(path[:-1], 1):
            child = node.setdefault(key, {})
            if not child and path[:depth] in paths:
                child["."] = {}
            node = child
        node[path[-1]] = {}
    return root


def from_fields_v1(fields: Any) -> FieldSet:
    """The set that a FieldsV1 object stands for. Raises PatchError when it is none."""
    found: set[Path] = set()
    stack: list[tuple[Path, Any]] = [((), fields)]
    while stack:
        path, node = stack.pop()
        if not isinstance(node, dict) or len(path) > MAX_DEPTH:
            raise PatchError("metadata.managedFields.fieldsV1: every key must map to an object")
        if path and (not node or "." in node):
            found.add(path)
        for key, child in node.items():
            if key == ".":
                continue
            if key[:1] not in _KINDS or key[1:2] != ":":
                raise PatchError(f"metadata.managedFields.fieldsV1: missing colon or unknown kind of key: {key}")
            stack.append(((*path, key), child))
    return frozenset(found)


def place_of(path: Path, root: Walker) -> Walker:
    """The schema's place of a path."""
    place = root
    for key in path:
        place = place.field(key[2:]) if key.startswith("f:") else place.item
    return place


def with_named(paths: FieldSet, root: Walker) -> FieldSet:
    """`paths`, and every field of a struct above one of them."""
    places: dict[Path, Walker] = {(): root}
    named: set[Path] = set()

    def visit(path: Path) -> Walker:
        place = places.get(path)
        if place is None:
            above, key = visit(path[:-1]), path[-1]
            is_field = key.startswith("f:")
            place = places[path] = above.field(key[2:]) if is_field else above.item
            if is_field and above.declares(key[2:]):
                named.add(path)
        return place

    for path in paths:
        visit(path[:-1])
    return paths | named


def path_text(path: Path) -> str:
    """The path in the words of a conflict: .spec.ports[port=80,protocol="TCP"].nodePort."""
    words = []
    for key in path:
        kind, rest = key[0], key[2:]
        if kind == "f":
            words.append(f".{rest}")
        elif kind == "k":
            keys = msgspec.json.decode(rest)
            pairs = ",".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in sorted(keys.items()))
            words.append(f"[{pairs}]")
        else:
            words.append(f"[={rest}]" if kind == "v" else f"[{rest}]")
    return "".join(words)
