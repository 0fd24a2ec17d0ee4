"""Server-side apply: the applier says what it wants, keeps what it said, and gives up what it no longer says."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final, NamedTuple

import msgspec

from clusterviz.kubeapi.patch.basics import PatchError, check_depth, clone, equal
from clusterviz.kubeapi.patch.fields import FieldSet, Path, path_text, with_named
from clusterviz.kubeapi.patch.managed import (
    MAX_MANAGER_LENGTH,
    UPDATE,
    Owner,
    Owners,
    decode,
    encode,
    release,
    tracked,
    zero,
)
from clusterviz.kubeapi.patch.typed import check_keys, compare, field_set, merge_typed, without
from clusterviz.kubeapi.schema.model import Walker

__all__ = ["ApplyConflict", "Conflict", "server_side_apply"]

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
Object = dict[str, Any]


class Conflict(NamedTuple):
    """A field that another manager owns, in the words of a Status cause."""

    manager: str
    field: str

    @property
    def message(self) -> str:
        """The cause's message."""
        return f"conflict with {self.manager}"


class ApplyConflict(Exception):  # noqa: N818 - Kubernetes's own name for it
    """Others own fields that the applier wants to be different; its words are kube-apiserver's."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(_conflict_words(conflicts))
        self.conflicts = conflicts


class _Request(NamedTuple):
    """What every step of an apply needs."""

    applier: Owner
    schema: Walker
    force: bool


def server_side_apply(
    live: Object | None,
    applied: Object,
    manager: str,
    force: bool,
    schema: Walker,
    *,
    now: str,
    subresource: str = "",
) -> tuple[Object, list[Object]]:
    """The object after `manager` applied `applied` to `live` (None: it is created), and its managedFields.

    The object comes without metadata.managedFields; neither argument is changed. `now` is RFC 3339. Raises
    ApplyConflict unless `force`, and PatchError when `applied` cannot be applied.
    """
    check_depth(applied)
    if not manager or len(manager) > MAX_MANAGER_LENGTH:
        raise PatchError("fieldManager: Required value: is required for apply patch, of at most 128 characters")
    if applied.get("metadata", {}).get("managedFields"):
        raise PatchError("metadata.managedFields must be nil")
    config = _wanted(applied, subresource, schema)
    check_keys(config, schema)
    fields = tracked(field_set(config, schema), subresource, schema)
    applier = Owner(manager, "Apply", str(applied.get("apiVersion", "")), fields, subresource, now)
    base, owners = _live(live, schema)
    request = _Request(applier, schema, force)
    try:
        return _apply(base, config, owners, request)
    except ApplyConflict as conflict:
        if manager != "kubectl" or live is None:
            raise
        allowed = {path_text(path) for path in _last_applied(live, schema)}
        left = [item for item in conflict.conflicts if item.field not in allowed]
        if left:
            raise ApplyConflict(left) from None
        return _apply(base, config, owners, request._replace(force=True))


def _wanted(applied: Object, subresource: str, schema: Walker) -> Object:
    """What of `applied` counts: no nulls, and only what the endpoint writes."""
    config: Object = _without_nulls(applied)
    if subresource == "status":
        names = {"apiVersion", "kind", "status"}
        return {key: value for key, value in config.items() if key in names}
    if not subresource and schema.declares("status"):
        config.pop("status", None)
    return config


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _live(live: Object | None, schema: Walker) -> tuple[Object, Owners]:
    """The object without its managedFields, and its owners; untracked fields belong to "before-first-apply"."""
    base = clone(live) if live else {}
    entries = base.get("metadata", {}).pop("managedFields", None)
    owners = decode(entries or [])
    if live and not owners:
        fields = tracked(compare(zero(base, schema), base, schema).added, "", schema)
        before = Owner("before-first-apply", UPDATE, str(base.get("apiVersion", "")), fields)
        owners[before.identity] = before
    return base, owners


def _apply(live: Object, config: Object, owners: Owners, request: _Request) -> tuple[Object, list[Object]]:
    applier, schema = request.applier, request.schema
    former = owners.get(applier.identity)
    owners = owners | {applier.identity: applier}
    merged = merge_typed(live, config, schema)
    if former is not None:
        merged = _prune(merged, former.fields, owners, schema)
    change = compare(live, merged, schema)
    conflicts = _conflicts(owners, change.modified | change.added, applier)
    if conflicts and not request.force:
        raise ApplyConflict(conflicts)
    owners = release(owners, change, applier.identity)
    unchanged = former is not None and former.fields == applier.fields and equal(live, merged)
    if former is not None and unchanged:
        owners[applier.identity] = msgspec.structs.replace(applier, time=former.time)
    return merged, encode(owners)


def _prune(merged: Object, former: FieldSet, owners: Owners, schema: Walker) -> Object:
    """`merged` without the fields that the applier gave up and nobody else owns."""
    given_up = with_named(former, schema)
    pruned = without(merged, given_up, schema)
    everything = with_named(field_set(merged, schema), schema)
    owned = with_named(frozenset().union(*(owner.fields for owner in owners.values())), schema)
    kept = with_named(field_set(pruned, schema), schema)
    pruned = without(merged, everything - (kept | owned), schema)
    kept = with_named(field_set(pruned, schema), schema)
    return dict(without(merged, (everything - kept) & given_up, schema) or {})


def _conflicts(owners: Owners, changed: FieldSet, applier: Owner) -> list[Conflict]:
    found: list[tuple[str, Path]] = [
        (owner.words, path)
        for identity, owner in owners.items()
        if identity != applier.identity
        for path in owner.fields & changed
    ]
    return [Conflict(words, path_text(path)) for words, path in sorted(found)]


def _conflict_words(conflicts: list[Conflict]) -> str:
    if len(conflicts) == 1:
        return f"Apply failed with 1 conflict: {conflicts[0].message}: {conflicts[0].field}"
    by_manager = defaultdict(list)
    for conflict in conflicts:
        by_manager[conflict.manager].append(conflict.field)
    lines = []
    for manager, fields in sorted(by_manager.items()):
        lines += [f"conflicts with {manager}:", *(f"- {field}" for field in fields)]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


def _last_applied(live: Object, schema: Walker) -> FieldSet:
    """The fields that client-side apply last set: kubectl may take them over without force."""
    text = (live.get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED)
    try:
        former = msgspec.json.decode(text or "")
        check_depth(former)
    except (msgspec.DecodeError, TypeError, PatchError):
        return frozenset()
    return field_set(former, schema) if isinstance(former, dict) else frozenset()
