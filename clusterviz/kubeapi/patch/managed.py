"""metadata.managedFields: who owns which field of an object, and what an ordinary write changes in it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from clusterviz.kubeapi.patch.basics import PatchError
from clusterviz.kubeapi.patch.fields import FieldSet, Path, from_fields_v1, to_fields_v1
from clusterviz.kubeapi.patch.typed import Comparison, compare
from clusterviz.kubeapi.schema.model import Walker

__all__ = ["Owner", "Owners", "decode", "encode", "release", "tracked", "update", "zero"]

# As kube-apiserver: more managers than this by ordinary writes are one entry, "ancient-changes".
MAX_UPDATE_MANAGERS: Final = 10
MAX_MANAGER_LENGTH: Final = 128
ANCIENT: Final = "ancient-changes"
UPDATE: Final = "Update"

_SERVER_OWNED: Final = frozenset(
    {"name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields"}
    | {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"},
)


class Owner(msgspec.Struct, frozen=True):
    """One manager's entry. `time` is RFC 3339 and "" when not known."""

    manager: str
    operation: str
    api_version: str
    fields: FieldSet
    subresource: str = ""
    time: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes it one entry: an applier is the same in every version."""
        return self.manager, self.operation, "" if self.operation == "Apply" else self.api_version, self.subresource

    @property
    def words(self) -> str:
        """The manager as a conflict names it."""
        text = msgspec.json.encode(self.manager).decode()
        if self.subresource:
            text = f'{text} with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


Owners = dict[tuple[str, str, str, str], Owner]


def decode(entries: Any) -> Owners:
    """The owners that metadata.managedFields names. Raises PatchError when it is malformed."""
    owners: Owners = {}
    if not isinstance(entries, list):
        raise PatchError("metadata.managedFields must be a list")
    for entry in entries:
        if not isinstance(entry, dict):
            raise PatchError("metadata.managedFields: every entry must be an object")
        texts = [entry.get(key) or "" for key in ("manager", "operation", "apiVersion", "subresource", "time")]
        if not all(isinstance(text, str) for text in texts):
            raise PatchError("metadata.managedFields: manager, operation, apiVersion, time must be strings")
        manager, operation, version, subresource, time = texts
        if operation not in {"Apply", UPDATE}:
            raise PatchError(
                f"metadata.managedFields.operation: Invalid value: {operation!r}: must be `Apply` or `Update`"
            )
        fields = from_fields_v1(entry.get("fieldsV1") or {})
        owner = Owner(manager, operation, version, fields, subresource, time)
        owners[owner.identity] = owner
    return owners


def encode(owners: Owners) -> list[dict[str, Any]]:
    """metadata.managedFields for these owners: appliers first, then by time."""
    entries = []
    for owner in sorted(owners.values(), key=lambda item: (item.operation, item.time, item.identity)):
        entry = {
            "manager": owner.manager,
            "operation": owner.operation,
            "apiVersion": owner.api_version,
            "time": owner.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields_v1(owner.fields),
            "subresource": owner.subresource,
        }
        entries.append({key: value for key, value in entry.items() if value != ""})
    return entries


def tracked(fields: FieldSet, subresource: str, schema: Walker) -> FieldSet:
    """`fields` without what nobody owns: the server's own metadata, and what the endpoint does not write."""
    return frozenset(path for path in fields if not _untracked(path, subresource, schema))


def _untracked(path: Path, subresource: str, schema: Walker) -> bool:
    first = path[0]
    if first in {"f:apiVersion", "f:kind"} or path == ("f:metadata",):
        return True
    if first == "f:metadata":
        return path[1][2:] in _SERVER_OWNED
    if subresource == "status":
        return first != "f:status"
    return first == "f:status" and not subresource and schema.declares("status")


def release(owners: Owners, change: Comparison, writer: tuple[str, str, str, str]) -> Owners:
    """The owners after `writer` made `change`: the others lose what it took from them or removed."""
    taken = change.modified | change.added | change.removed
    left = {}
    for identity, owner in owners.items():
        kept = owner if identity == writer else msgspec.structs.replace(owner, fields=owner.fields - taken)
        if kept.fields:
            left[identity] = kept
    return left


def update(
    old: dict[str, Any] | None,
    new: dict[str, Any],
    manager: str,
    schema: Walker,
    *,
    now: str,
    subresource: str = "",
) -> list[dict[str, Any]]:
    """metadata.managedFields after an ordinary write (create, update, any patch but apply) of `old` into `new`.

    A client may set managedFields itself: a good list replaces the former, [{}] clears it. An object that nobody
    tracked stays untracked.
    """
    given = new.get("metadata", {}).get("managedFields")
    owners = decode(old.get("metadata", {}).get("managedFields") or []) if old else {}
    if given == [{}]:
        return []
    if given:
        try:
            owners = decode(given)
        except PatchError:
            if old is None:
                raise
    if old is not None and not owners:
        return []
    writer = Owner(manager[:MAX_MANAGER_LENGTH], UPDATE, str(new.get("apiVersion", "")), frozenset(), subresource, now)
    change = compare(zero(new, schema) | (old or {}), new, schema)
    owners = release(owners, change, writer.identity)
    gained = tracked(change.added | change.modified, subresource, schema)
    former = owners.get(writer.identity, writer)
    fields = (former.fields - change.removed) | gained
    owners.pop(writer.identity, None)
    if fields:
        owners[writer.identity] = msgspec.structs.replace(former, fields=fields, time=now if gained else former.time)
    return encode(_capped(owners))


def zero(obj: dict[str, Any], schema: Walker) -> dict[str, Any]:
    """The empty object of a kind, as far as `obj` fills it: structs that are always there are nobody's."""
    fields = schema.target.properties
    required = set(schema.target.required) | {"metadata", "spec", "status"}
    return {
        key: zero(value, schema.field(key)) if isinstance(value, dict) else []
        for key, value in obj.items()
        if key in fields and key in required and isinstance(value, (dict, list))
    }


def _capped(owners: Owners) -> Owners:
    """At most MAX_UPDATE_MANAGERS ordinary writers; the oldest of a version become one."""
    writers = sorted((owner for owner in owners.values() if owner.operation == UPDATE), key=lambda owner: owner.time)
    surplus = len(writers) - MAX_UPDATE_MANAGERS
    if surplus <= 0:
        return owners
    kept = dict(owners)
    for owner in writers[: surplus + 1]:
        del kept[owner.identity]
        ancient = msgspec.structs.replace(owner, manager=ANCIENT, subresource="")
        former = kept.get(ancient.identity)
        if former:
            ancient = msgspec.structs.replace(ancient, fields=ancient.fields | former.fields)
        kept[ancient.identity] = ancient
    return kept
