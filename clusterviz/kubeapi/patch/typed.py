"""Objects as their schema sees them: which fields they have, how two merge, how two differ."""

from __future__ import annotations

from typing import Any, NamedTuple

from clusterviz.kubeapi.patch.basics import PatchError, clone, equal
from clusterviz.kubeapi.patch.fields import FieldSet, Path, element_key, path_text
from clusterviz.kubeapi.schema.model import KEY_DEFAULTS, Walker

__all__ = ["Comparison", "check_keys", "compare", "field_set", "merge_typed", "without"]


class Comparison(NamedTuple):
    """Paths that only the new object has, that only the old one had, and whose value changed."""

    added: FieldSet
    removed: FieldSet
    modified: FieldSet


def field_set(value: Any, root: Walker) -> FieldSet:
    """Every field of an object that somebody can own."""
    found: set[Path] = set()
    _collect(value, root, (), found)
    return frozenset(found)


def _collect(value: Any, place: Walker, path: Path, found: set[Path]) -> None:
    if _is_leaf(value, place):
        if path:
            found.add(path)
        return
    for key, child in _children(value, place).items():
        below = (*path, key)
        _collect(child, _step(place, key), below, found)
        if child in (None, {}) or not (key.startswith("f:") and place.declares(key[2:])):
            found.add(below)


def _is_leaf(value: Any, place: Walker) -> bool:
    """Whether the value has one owner as a whole."""
    if isinstance(value, dict):
        return place.atomic_map
    return not (isinstance(value, list) and (place.is_set or place.list_keys))


def _children(value: Any, place: Walker) -> dict[str, Any]:
    if isinstance(value, dict):
        return {f"f:{key}": child for key, child in value.items()}
    return {element_key(item, place): item for item in value} if isinstance(value, list) else {}


def _step(place: Walker, key: str) -> Walker:
    return place.field(key[2:]) if key.startswith("f:") else place.item


def check_keys(value: Any, place: Walker, path: Path = ()) -> None:
    """Raises PatchError when an associative list has an element without its key, or two with the same."""
    if _is_leaf(value, place):
        return
    if isinstance(value, list):
        _check_elements(value, place, path)
    for key, child in _children(value, place).items():
        check_keys(child, _step(place, key), (*path, key))


def _check_elements(items: list[Any], place: Walker, path: Path) -> None:
    seen: set[str] = set()
    for at, item in enumerate(items):
        where = f"{path_text(path)}: element {at}"
        if place.list_keys and not isinstance(item, dict):
            raise PatchError(f"{where}: associative list with keys may not have non-map elements")
        for key in place.list_keys:
            if item.get(key) is None and key not in KEY_DEFAULTS:
                words = f'associative list with keys has an element that omits key field "{key}"'
                raise PatchError(f"{where}: {words} (and doesn't have default value)")
        name = element_key(item, place)
        if name in seen:
            raise PatchError(f"{path_text(path)}: duplicate entries for key {path_text((name,))}")
        seen.add(name)


def merge_typed(live: Any, applied: Any, place: Walker) -> Any:
    """`live` with what `applied` says; shares nothing with either. Never removes anything."""
    if applied is None:
        return clone(live)
    if type(live) is not type(applied) or _is_leaf(applied, place):
        return clone(applied)
    if isinstance(live, dict):
        merged = {
            key: merge_typed(value, applied.get(key), place.field(key)) if key in applied else clone(value)
            for key, value in live.items()
        }
        return merged | {key: clone(value) for key, value in applied.items() if key not in live}
    return _merge_elements(live, applied, place)


def _merge_elements(live: list[Any], applied: list[Any], place: Walker) -> list[Any]:
    """Applied elements in their order; the others stay before the applied one that they stood before."""
    wanted = {element_key(item, place): item for item in applied}
    present = [(element_key(item, place), item) for item in live]
    by_key = dict(present)
    shared = [key for key in wanted if key in by_key]
    merged, at = [], 0
    for key, item in wanted.items():
        upcoming = shared[0] if shared else None
        while at < len(present) and present[at][0] != upcoming:
            if present[at][0] not in wanted:
                merged.append(clone(present[at][1]))
            at += 1
        if key == upcoming:
            shared.pop(0)
            at += 1
        merged.append(merge_typed(by_key.get(key), item, place.item))
    return merged + [clone(value) for key, value in present[at:] if key not in wanted]


def without(value: Any, gone: FieldSet, place: Walker) -> Any:
    """A copy of the object without the fields in `gone` and all below them; a map or list left empty goes too."""
    tree: dict[str, Any] = {}
    for path in gone:
        node = tree
        for key in path:
            node = node.setdefault(key, {})
        node["gone"] = True
    return _pruned(value, tree, place)


def _pruned(value: Any, tree: dict[str, Any], place: Walker) -> Any:
    if not tree or _is_leaf(value, place):
        return clone(value)
    is_map = isinstance(value, dict)
    pairs = (
        [(f"f:{key}", item) for key, item in value.items()] if is_map else [(element_key(i, place), i) for i in value]
    )
    kept: list[tuple[str, Any]] = []
    for key, item in pairs:
        below = tree.get(key, {})
        if "gone" in below:
            continue
        left = _pruned(item, below, _step(place, key))
        if left not in (None, {}, []) or equal(left, item):
            kept.append((key, left))
    return {key[2:]: item for key, item in kept} if is_map else [item for _key, item in kept]


def compare(old: Any, new: Any, root: Walker) -> Comparison:
    """What changed between two objects; None stands for an object that is not there."""
    added: set[Path] = set()
    removed: set[Path] = set()
    modified: set[Path] = set()
    _compare(old, new, root, (), (added, removed, modified))
    return Comparison(frozenset(added), frozenset(removed), frozenset(modified))


def _compare(old: Any, new: Any, place: Walker, path: Path, out: tuple[set[Path], set[Path], set[Path]]) -> None:
    added, removed, modified = out
    if old is None and new is None:
        return
    if path and old is None:
        added.add(path)
    elif path and new is None:
        removed.add(path)
    sides = [side for side in (old, new) if side is not None]
    if all(not side or _is_leaf(side, place) for side in sides):
        if path and len(sides) == 2 and not equal(old, new):
            modified.add(path)
        return
    if len({type(side) for side in sides}) == 2:
        _compare(old, None, place, path, out)
        _compare(None, new, place, path, out)
        return
    before = _children(old, place)
    after = _children(new, place)
    for key in before | after:
        _compare(before.get(key), after.get(key), _step(place, key), (*path, key), out)
