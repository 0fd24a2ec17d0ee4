"""What the published schema says of an object's values: their types, required fields, closed lists."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Final

from clusterviz.engine.validation import Flaw, Flaws
from clusterviz.kubeapi.schema.choices import CHOICES, FILLED_IN
from clusterviz.kubeapi.schema.model import Schema, Walker

__all__ = ["type_error", "validate"]

_INT_BITS: Final = {"int32": 31, "int64": 63}
_QUANTITY: Final = re.compile(r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
_GO_WORDS: Final = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
# A struct, not a pointer to one: when it is left out, what is missing is what it must hold.
_ALWAYS_THERE: Final = frozenset({"spec", "template", "jobTemplate", "backend", "preference", "podAffinityTerm"})


class _TypeError(Exception):
    """The first value of the wrong type."""


def type_error(obj: Any, schema: Walker) -> str:
    """Why an object cannot be decoded, in kube-apiserver's words, or ""."""
    try:
        _check_type(obj, schema, ("", ""))
    except _TypeError as error:
        return str(error)
    return ""


def _check_type(value: Any, place: Walker, where: tuple[str, str]) -> None:
    """`where` is the Go struct's name and the path of fields, without indexes, as encoding/json words them."""
    if value is None:
        return
    target = place.target
    if target.one_of or target.int_or_string:
        _check_union(value, place, where)
        return
    types = place.types
    if not types and not target.properties:
        return
    expected = types[0] if types else "object"
    if not _fits(value, expected, target):
        word = _GO_WORDS[type(value)]
        if word == "number" and expected == "integer":
            word = f"number {json.dumps(value)}"
        where_words = f"Go struct field {where[0]}.{where[1]}" if where[1] else "Go value"
        raise _TypeError(f"json: cannot unmarshal {word} into {where_words} of type {_go_type(place)}")
    if target.format == "byte":
        _check_base64(value)
    elif isinstance(value, list):
        for item in value:
            _check_type(item, place.item, where)
    elif isinstance(value, dict):
        struct = place.name.rpartition(".")[2] or where[0]
        for key, item in value.items():
            named = place.declares(key)
            path = f"{where[1]}.{key}" if where[1] else key
            _check_type(item, place.field(key), (struct, path) if named else where)


def _fits(value: Any, expected: str, target: Schema) -> bool:
    match expected:
        case "integer":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole and -(2 ** _INT_BITS.get(target.format, 63)) <= value < 2 ** _INT_BITS.get(target.format, 63)
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


def _check_union(value: Any, place: Walker, where: tuple[str, str]) -> None:
    """A port or percentage, or a quantity."""
    if place.name.endswith(".Quantity"):
        text = value if isinstance(value, str) else json.dumps(value)
        if not _QUANTITY.match(text):
            pattern = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
            raise _TypeError(f"quantities must match the regular expression '{pattern}'")
    elif isinstance(value, (bool, float, list, dict)):
        word = _GO_WORDS[type(value)]
        raise _TypeError(f"json: cannot unmarshal {word} into Go struct field {where[0]}.{where[1]} of type int32")


def _check_base64(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        bad = re.search(r"[^A-Za-z0-9+/]", text)
        raise _TypeError(f"illegal base64 data at input byte {bad.start() if bad else len(text) // 4 * 4}") from error


def _go_type(place: Walker) -> str:
    """The Go type of a value: int32, []v1.Container, map[string]string."""
    target = place.target
    if place.name:
        *_, package, name = place.name.split(".")
        return "v1.Time" if name in {"Time", "MicroTime"} else f"{package}.{name}"
    match place.types[0] if place.types else "object":
        case "integer":
            return target.format or "int64"
        case "number":
            return "float64"
        case "boolean":
            return "bool"
        case "string":
            return "[]uint8" if target.format == "byte" else "string"
        case "array":
            return f"[]{_go_type(place.item)}"
        case _:
            return f"map[string]{_go_type(place.field(''))}" if isinstance(target.additional, Schema) else "object"


def validate(obj: dict[str, Any], schema: Walker) -> list[Flaw]:
    """Required fields that are missing and values outside their closed list, status apart.

    The types must be right (`type_error`); what a kind asks beyond its schema is the engine's to say.
    """
    flaws = Flaws()
    below = {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
    _validate(below, schema, "", flaws)
    return flaws


def _validate(value: Any, place: Walker, path: str, flaws: Flaws) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            _validate(item, place.item, f"{path}[{index}]", flaws)
        return
    if not isinstance(value, dict):
        return
    struct = place.name.rpartition(".")[2]
    target = place.target
    for key in target.required:
        if f"{struct}.{key}" in FILLED_IN or key in _ALWAYS_THERE:
            continue
        if value.get(key) in (None, "", []) and (path or key not in {"metadata", "status"}):
            flaws.required(f"{path}.{key}" if path else key)
    absent: dict[str, Any] = {key: {} for key in _ALWAYS_THERE if key not in value and _needed(key, place)}
    for key, item in (value | absent).items():
        at = f"{path}.{key}" if path else key
        if f"{struct}.{key}" in CHOICES:
            _check_choice(item, CHOICES[f"{struct}.{key}"], at, flaws)
        _validate(item, place.field(key), at, flaws)


def _needed(key: str, place: Walker) -> bool:
    """Whether leaving this struct out leaves out something required."""
    return key in place.target.properties and (key in place.target.required or key == "spec")


def _check_choice(value: Any, allowed: tuple[str, ...], path: str, flaws: Flaws) -> None:
    if isinstance(value, list):
        for at, item in enumerate(value):
            _check_choice(item, allowed, f"{path}[{at}]", flaws)
    elif value is not None and value != "" and value not in allowed:
        flaws.unsupported(path, value, allowed)
