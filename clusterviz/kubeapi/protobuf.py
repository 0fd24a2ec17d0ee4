"""Protobuf request bodies, which kubectl's typed clients send since 1.32: read into the same dicts as JSON.

The field numbers are in protobuf_fields.txt, written by tools/protobuf_fields.py; names and types are those of the
published schemas. A number that is not in the file is passed over, as every protobuf reader does: fields that came
after Kubernetes 1.34 must be sent as JSON.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec

from clusterviz.kubeapi.schema.model import REF_PREFIX, Schema, Walker
from clusterviz.kubeapi.schema.source import definitions, kinds

__all__ = ["MAX_BODY", "MAX_DEPTH", "PREFIX", "Field", "decode", "read_fields"]

PREFIX: Final = b"k8s\0"
MAX_BODY: Final = 3 * 1024 * 1024
MAX_DEPTH: Final = 64
_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WIRES: Final = {"string": BYTES, "integer": VARINT, "boolean": VARINT, "number": FIXED64}
_EMPTY: Final = ("", 0, False, None)

# A zero or false that is left out of JSON means "not set"; these are pointers, where it is a value of its own.
_POINTERS: Final = frozenset(
    {"replicas", "gracePeriodSeconds", "terminationGracePeriodSeconds", "revisionHistoryLimit", "activeDeadlineSeconds"}
    | {
        "progressDeadlineSeconds",
        "backoffLimit",
        "backoffLimitPerIndex",
        "completions",
        "parallelism",
        "maxFailedIndexes",
    }
    | {"ttlSecondsAfterFinished", "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "startingDeadlineSeconds"}
    | {"runAsUser", "runAsGroup", "fsGroup", "tolerationSeconds", "defaultMode", "mode", "partition", "priority"}
    | {"automountServiceAccountToken", "enableServiceLinks", "shareProcessNamespace", "hostUsers", "setHostnameAsFQDN"}
    | {"allowPrivilegeEscalation", "privileged", "readOnlyRootFilesystem", "runAsNonRoot", "suspend", "manualSelector"}
    | {"allocateLoadBalancerNodePorts", "immutable", "optional", "controller", "blockOwnerDeletion", "orphanDependents"}
    | {"ready", "serving", "terminating", "storageClassName", "ingressClassName"}
    | {"maxUnavailable", "maxSurge", "minAvailable"},
)


class Field(NamedTuple):
    """One field of a message on the wire; the value is an int, or the bytes."""

    number: int
    wire: int
    value: int | bytes


class _Known(NamedTuple):
    """What a field number stands for: a field of the object, or a message whose fields are the object's own."""

    name: str
    inline: str


def decode(body: bytes) -> dict[str, Any]:
    """The object in an envelope that begins with PREFIX, as JSON would have it. Raises ValueError for anything else."""
    if len(body) > MAX_BODY:
        raise ValueError(f"the body has {len(body)} bytes; at most {MAX_BODY} are allowed")
    if not body.startswith(PREFIX):
        raise ValueError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    envelope = {field.number: _bytes(field) for field in read_fields(body[len(PREFIX) :])}
    named = {field.number: _text(_bytes(field)) for field in read_fields(envelope.get(1, b""))}
    api_version, kind = named.get(1, ""), named.get(2, "")
    if not kind:
        raise ValueError("unable to decode: the body has no kind")
    if envelope.get(3):
        raise ValueError(f"unable to decode: content encoding {_text(envelope[3])!r} is not supported")
    schema = _schema(api_version, kind)
    content = _message(envelope.get(2, b""), schema.name, schema, 0)
    return {"apiVersion": api_version, "kind": kind, **content}


def _schema(api_version: str, kind: str) -> Walker:
    """The kind's root. Raises ValueError when there is none, or no field numbers for it."""
    group, _, version = api_version.rpartition("/")
    # Options belong to no group: every group and version registers them.
    name = f"{_META}{kind}" if kind == "DeleteOptions" else kinds().get((group, version, kind), "")
    if name not in _tables():
        raise ValueError(f'no kind "{kind}" is registered for version "{api_version}" in protobuf; send JSON instead')
    return Walker(definitions(), Schema(ref=REF_PREFIX + name))


@cache
def _tables() -> dict[str, dict[int, _Known]]:
    """Field numbers of each message: lines of `message name=number name=number:inlined.message`."""
    tables: dict[str, dict[int, _Known]] = {}
    for line in (files("clusterviz.kubeapi") / "protobuf_fields.txt").read_text().splitlines():
        message, *fields = line.split()
        table = tables[message] = {}
        for text in fields:
            name, _, rest = text.partition("=")
            number, _, inline = rest.partition(":")
            table[int(number)] = _Known(name, inline)
    return tables


def read_fields(data: bytes) -> Iterator[Field]:
    """The fields of a message in their order. Raises ValueError when the bytes are none."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield Field(number, wire, value)
            continue
        if wire == BYTES:
            size, at = _varint(data, at)
        elif wire in {FIXED64, FIXED32}:
            size = 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"proto: illegal wireType {wire}")
        if number == 0 or at + size > len(data):
            raise ValueError("proto: illegal tag 0" if number == 0 else "unexpected EOF")
        yield Field(number, wire, data[at : at + size])
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (1 << 64) - 1, at
    raise ValueError("proto: integer overflow")


def _message(data: bytes, name: str, place: Walker, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise ValueError(f"exceeded max depth: messages may be nested at most {MAX_DEPTH} deep")
    known = _tables().get(name, {})
    made: dict[str, Any] = {}
    for field in read_fields(data):
        meant = known.get(field.number)
        if meant is None:
            continue
        if meant.inline:
            made |= _message(_bytes(field), meant.inline, place, depth + 1)
        elif place.declares(meant.name):
            _put(made, meant.name, field, place, depth)
    return made


def _put(made: dict[str, Any], name: str, field: Field, place: Walker, depth: int) -> None:
    """Adds one field to the object: an element of its list, an entry of its map, or its value."""
    child = place.field(name)
    kind = child.types[0] if child.types else ""
    if kind == "array":
        made.setdefault(name, []).extend(_elements(field, child.item, depth))
    elif kind == "object" and isinstance(child.target.additional, Schema):
        key, value = _entry(_bytes(field), child.field(""), depth)
        made.setdefault(name, {})[key] = value
    else:
        value = _value(field, child, depth)
        if value not in _EMPTY or _means_zero(name, place):
            made[name] = value


def _means_zero(name: str, place: Walker) -> bool:
    """Whether a zero, false or "" of this field is more than "not set"."""
    return name in place.target.required or (name in _POINTERS and not place.name.endswith("Status"))


def _elements(field: Field, item: Walker, depth: int) -> list[Any]:
    """An element of a list; a list of numbers may come packed."""
    kind = item.types[0] if item.types else ""
    if field.wire == BYTES and kind in {"integer", "boolean"}:
        data, at, values = _bytes(field), 0, []
        while at < len(data):
            value, at = _varint(data, at)
            values.append(_value(Field(field.number, VARINT, value), item, depth))
        return values
    return [_value(field, item, depth)]


def _entry(data: bytes, value_place: Walker, depth: int) -> tuple[str, Any]:
    """An entry of a map: {1: key, 2: value}; a value that is a list comes as a message of its elements."""
    key, value = "", _zero(value_place)
    for field in read_fields(data):
        if field.number == 1:
            key = _text(_bytes(field))
        elif field.number == 2 and value_place.types[:1] == ("array",):
            value = [_value(item, value_place.item, depth + 1) for item in read_fields(_bytes(field))]
        elif field.number == 2:
            value = _value(field, value_place, depth + 1)
    return key, value


def _zero(place: Walker) -> Any:
    if place.name.endswith(".Quantity"):
        return "0"
    return {"integer": 0, "boolean": False, "array": [], "string": ""}.get((*place.types, "")[0], {})


def _value(field: Field, place: Walker, depth: int) -> Any:
    special = _SPECIAL.get(place.name.rpartition(".")[2]) if place.name else None
    if special is not None:
        return special(_bytes(field))
    kind = place.types[0] if place.types else "object"
    if kind in _WIRES and field.wire != _WIRES[kind]:
        raise ValueError(f"proto: wrong wireType = {field.wire} for field {field.number}")
    match kind:
        case "integer":
            return _signed(field)
        case "boolean":
            return _number(field) != 0
        case "number":
            return struct.unpack("<d", _bytes(field))[0]
        case "string":
            data = _bytes(field)
            return base64.b64encode(data).decode() if place.target.format == "byte" else _text(data)
        case _:
            return _message(_bytes(field), place.name, place, depth + 1)


def _bytes(field: Field) -> bytes:
    if isinstance(field.value, int):
        raise ValueError(f"proto: wrong wireType = {field.wire} for field {field.number}")  # noqa: TRY004
    return field.value


def _number(field: Field) -> int:
    if not isinstance(field.value, int):
        raise ValueError(f"proto: wrong wireType = {field.wire} for field {field.number}")  # noqa: TRY004
    return field.value


def _signed(field: Field) -> int:
    value = _number(field)
    return value - (1 << 64) if value >= 1 << 63 else value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError("proto: a text field contains invalid UTF-8") from error


def _parts(data: bytes) -> dict[int, Field]:
    return {field.number: field for field in read_fields(data)}


def _time(data: bytes) -> str | None:
    """RFC 3339 of {1: seconds, 2: nanoseconds}; an empty message is no time."""
    return _moment(data, "seconds")


def _micro_time(data: bytes) -> str | None:
    return _moment(data, "microseconds")


def _moment(data: bytes, precision: str) -> str | None:
    parts = _parts(data)
    if not parts:
        return None
    seconds = _signed(parts[1]) if 1 in parts else 0
    nanos = _signed(parts[2]) if 2 in parts else 0
    try:
        moment = _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError as error:
        raise ValueError("proto: a time is outside the years 1 to 9999") from error
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _quantity(data: bytes) -> str:
    parts = _parts(data)
    return _text(_bytes(parts[1])) if 1 in parts else "0"


def _int_or_string(data: bytes) -> int | str:
    """{1: which, 2: int, 3: string}."""
    parts = _parts(data)
    if 1 in parts and _number(parts[1]) == 1:
        return _text(_bytes(parts[3])) if 3 in parts else ""
    return _signed(parts[2]) if 2 in parts else 0


def _raw(data: bytes) -> Any:
    """JSON inside a message {1: bytes}."""
    parts = _parts(data)
    try:
        return msgspec.json.decode(_bytes(parts[1])) if 1 in parts and parts[1].value else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"proto: an embedded object is no JSON: {error}") from error


_SPECIAL: Final = {
    "Time": _time,
    "MicroTime": _micro_time,
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "FieldsV1": _raw,
    "RawExtension": _raw,
}
