"""Strategic merge patch: a merge patch that finds elements of lists by their merge key, with its directives."""

from __future__ import annotations

from typing import Any, Final

from clusterviz.kubeapi.patch.basics import PatchError, check_depth, clone, equal
from clusterviz.kubeapi.patch.order import in_order
from clusterviz.kubeapi.schema.model import Walker

__all__ = ["strategic_merge"]

DIRECTIVE: Final = "$patch"
RETAIN_KEYS: Final = "$retainKeys"
DELETE_PRIMITIVES: Final = "$deleteFromPrimitiveList/"
ELEMENT_ORDER: Final = "$setElementOrder/"

Object = dict[str, Any]


def strategic_merge(obj: Object, patch: Object, schema: Walker) -> Object:
    """`obj` with `patch` merged in by the rules of `schema`; shares nothing with either.

    Raises PatchError for a directive that does not fit or an element without its merge key.
    """
    check_depth(patch)
    if not isinstance(patch, dict):
        raise PatchError("a strategic merge patch must be an object")
    return _merge_map(clone(obj), patch, schema)


def _merge_map(original: Object, patch: Object, place: Walker) -> Object:
    """`original` is changed in place and returned, `patch` only read."""
    if DIRECTIVE in patch:
        return _whole_map(original, patch, place)
    patch = _retain_keys(original, patch)
    patch = _delete_primitives(original, patch)
    patch = _ordered_lists(original, patch, place)
    for key, value in patch.items():
        child = place.field(key)
        old = original.get(key)
        if value is None:
            original.pop(key, None)
        elif isinstance(value, dict) and DIRECTIVE in value and not isinstance(old, dict):
            continue  # it says what to do with something that is not there
        elif isinstance(value, dict):
            base = old if isinstance(old, dict) and "replace" not in child.strategies else {}
            original[key] = _merge_map(base, value, child)
        elif isinstance(value, list):
            original[key] = _merge_list(old if isinstance(old, list) else [], value, child, key)
        else:
            original[key] = value
    return original


def _whole_map(original: Object, patch: Object, place: Walker) -> Object:
    """What `$patch` says of a map as a whole."""
    rest = {key: value for key, value in patch.items() if key != DIRECTIVE}
    match patch[DIRECTIVE]:
        case "replace":
            return _merge_map({}, rest, place)
        case "delete":
            return {}
        case "merge":
            return _merge_map(original, rest, place)
        case other:
            raise PatchError(f'Unrecognized {DIRECTIVE} directive "{other}": supported are replace, delete, merge')


def _retain_keys(original: Object, patch: Object) -> Object:
    """Drops what `$retainKeys` does not list from `original`; the patch without the directive."""
    if RETAIN_KEYS not in patch:
        return patch
    retained = patch[RETAIN_KEYS]
    if not isinstance(retained, list) or not all(isinstance(key, str) for key in retained):
        raise PatchError(f"{RETAIN_KEYS} must be a list of field names")
    rest = {key: value for key, value in patch.items() if key != RETAIN_KEYS}
    for key, value in rest.items():
        if value is not None and not key.startswith("$") and key not in retained:
            raise PatchError(f"{RETAIN_KEYS} lacks {key}, which the same patch sets")
    for key in [key for key in original if key not in retained]:
        del original[key]
    return rest


def _delete_primitives(original: Object, patch: Object) -> Object:
    """Carries out `$deleteFromPrimitiveList/field`; the patch without those."""
    rest = dict(patch)
    for key in [key for key in patch if key.startswith(DELETE_PRIMITIVES)]:
        gone = rest.pop(key)
        if not isinstance(gone, list):
            raise PatchError(f"{key} must be a list")
        field = key.removeprefix(DELETE_PRIMITIVES)
        old = original.get(field)
        if isinstance(old, list):
            original[field] = [item for item in old if not _among(item, gone)]
    return rest


def _ordered_lists(original: Object, patch: Object, place: Walker) -> Object:
    """Merges the lists that `$setElementOrder/field` orders; the patch without them."""
    rest = dict(patch)
    for directive in [key for key in patch if key.startswith(ELEMENT_ORDER)]:
        field = directive.removeprefix(ELEMENT_ORDER)
        order, items = rest.pop(directive), rest.pop(field, [])
        if not isinstance(order, list):
            raise PatchError(f"{directive} must be a list")
        if items is None:
            original.pop(field, None)
            continue
        if not isinstance(items, list):
            raise PatchError(f"{field} must be a list, because {directive} orders it")
        child = place.field(field)
        old = original.get(field)
        if not isinstance(old, list):
            if not items:
                continue
            old = []
        key = child.merge_key
        _must_list_all(directive, order, items, key)
        merged = _merge_list(clone(old), items, child, field)
        original[field] = in_order(merged, order, _places(old, items, key), key)
    return rest


def _places(old: list[Any], items: list[Any], key: str) -> list[Any]:
    """Where the elements stood, as kube-apiserver counts: what the patch adds has taken the places it frees."""
    gone = [item.get(key) for item in items if isinstance(item, dict) and item.get(DIRECTIVE) == "delete"]
    if not key or not gone:
        return old
    kept = [item for item in old if not isinstance(item, dict) or not _among(item.get(key), gone)]
    known = [item.get(key) for item in kept if isinstance(item, dict)]
    added = [item for item in items if DIRECTIVE not in item and not _among(item.get(key), known)]
    return [*kept, *added][: len(old)]


def _must_list_all(directive: str, order: list[Any], items: list[Any], key: str) -> None:
    """An order must name every element that the patch adds or changes, in the patch's own order."""
    named = [_identity(item, key, directive) for item in order]
    at = -1
    for item in items:
        if isinstance(item, dict) and item.get(DIRECTIVE) in {"delete", "replace"}:
            continue
        identity = _identity(item, key, directive)
        found = next((place for place, known in enumerate(named) if place > at and equal(known, identity)), None)
        if found is None:
            raise PatchError(f"The order in patch list doesn't match {directive} list: it lacks {identity}")
        at = found


def _merge_list(original: list[Any], patch: list[Any], place: Walker, field: str) -> list[Any]:
    if "merge" not in place.strategies:
        return [_fresh(item, place.item) for item in patch if not _is_directive(item)]
    items = [*original, *patch]
    if any(isinstance(item, list) for item in items):
        raise PatchError(f"{field}: lists of lists cannot be merged")
    if not any(isinstance(item, dict) for item in items):
        merged: list[Any] = []
        for item in items:
            if not _among(item, merged):
                merged.append(item)
        return in_order(merged, patch, original, "")
    if not place.merge_key or not all(isinstance(item, dict) for item in items):
        raise PatchError(f"cannot merge lists without merge key for {field}")
    return _merge_objects(original, patch, place, field)


def _merge_objects(original: list[Any], patch: list[Any], place: Walker, field: str) -> list[Any]:
    """A list of objects, merged by key; elements that carry `$patch` first."""
    key = place.merge_key
    plain, replaced = [], False
    for item in patch:
        match item.get(DIRECTIVE):
            case None:
                plain.append(item)
            case "delete":
                gone = _identity(item, key, field)
                original = [old for old in original if not equal(old.get(key), gone)]
            case "replace":
                replaced = True
            case other:
                raise PatchError(f'{field}: an element\'s {DIRECTIVE} may be "delete" or "replace", not "{other}"')
    if replaced:
        return [_fresh(item, place.item) for item in plain]
    merged = list(original)
    for item in plain:
        wanted = _identity(item, key, field)
        found = next((at for at, old in enumerate(merged) if equal(old.get(key), wanted)), None)
        if found is None:
            merged.append(_fresh(item, place.item))
        else:
            merged[found] = _merge_map(merged[found], item, place.item)
    return in_order(merged, plain, original, key)


def _fresh(value: Any, place: Walker) -> Any:
    """A value that was not there before, without directives and nulls."""
    return _merge_map({}, value, place) if isinstance(value, dict) else clone(value)


def _is_directive(item: Any) -> bool:
    return isinstance(item, dict) and item.get(DIRECTIVE) in {"replace", "delete"}


def _identity(item: Any, key: str, where: str) -> Any:
    """What tells the element apart: its merge key's value, or itself."""
    if not key:
        return item
    if not isinstance(item, dict) or item.get(key) is None:
        raise PatchError(f"{where}: map: {item} does not contain declared merge key: {key}")
    return item[key]


def _among(item: Any, items: list[Any]) -> bool:
    return any(equal(item, other) for other in items)
