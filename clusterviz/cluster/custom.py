"""What the schema of a CustomResourceDefinition makes of an object: cut to it, filled with its defaults, checked.

Its rules in CEL (x-kubernetes-validations) are not run.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any, Final

import re2
from jsonschema import Draft4Validator, ValidationError, validators

from clusterviz.engine.validation import Flaw, Flaws

__all__ = ["flaws", "schema_of", "shaped", "version_of"]

Json = dict[str, Any]
_OPEN: Final = "x-kubernetes-preserve-unknown-fields"
_WHOLE: Final = ("apiVersion", "kind", "metadata")
_TYPES: Final = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_UNITS: Final = {
    "minLength": "should be at least {} chars long",
    "maxLength": "Too long: may not be more than {} bytes",
    "minItems": "should have at least {} items",
    "maxItems": "Too many: {}: must have at most {} items",
    "minProperties": "should have at least {} properties",
    "maxProperties": "Too many: {}: must have at most {} items",
    "multipleOf": "should be a multiple of {}",
}
_COMBINED: Final = {
    "anyOf": "must validate at least one schema (anyOf)",
    "allOf": "must validate all the schemas (allOf)",
    "oneOf": "must validate one and only one schema (oneOf)",
    "not": "must not validate the schema (not)",
}


def version_of(definition: Json, name: str) -> Json:
    """What a CustomResourceDefinition says of one of its versions; empty when it has no such."""
    versions = (definition.get("spec") or {}).get("versions") or []
    return next((one for one in versions if one.get("name") == name), {})


def schema_of(version: Json) -> Json | None:
    """Its openAPIV3Schema, None when it has none."""
    found = (version.get("schema") or {}).get("openAPIV3Schema")
    return found if isinstance(found, dict) else None


def shaped(obj: Json, schema: Json) -> Json:
    """A copy without the fields that the schema does not have, and with its defaults; metadata stays as it is."""
    whole = {name: obj[name] for name in _WHOLE if name in obj}
    found = _shaped({name: value for name, value in obj.items() if name not in _WHOLE}, schema)
    return {**whole, **found}


def _shaped(value: Any, schema: Any) -> Any:
    if not isinstance(schema, dict):
        return value
    if isinstance(value, list):
        return [_shaped(one, schema.get("items")) for one in value]
    if not isinstance(value, dict):
        return value
    fields, rest = schema.get("properties") or {}, schema.get("additionalProperties")
    closed = bool(fields) and not rest and not schema.get(_OPEN)
    found = {}
    for name, item in value.items():
        below = fields.get(name, rest)
        cleared = item is None and isinstance(below, dict) and not below.get("nullable")
        if not cleared and (name in fields or not closed):
            found[name] = _shaped(item, below)
    for name, field in fields.items():
        if name not in found and isinstance(field, dict) and "default" in field:
            found[name] = _shaped(copy.deepcopy(field["default"]), field)
    return found


def flaws(obj: Json, schema: Json) -> list[Flaw]:
    """What the schema forbids, in kube-apiserver's words; `obj` is as `shaped` left it."""
    found = Flaws()
    below = {name: value for name, value in obj.items() if name not in _WHOLE}
    for error in itertools.islice(_Validator(schema).iter_errors(below), 100):
        _say(found, error)
    return found


def _seen(error: ValidationError) -> tuple[Any, Any, Any]:
    """What the rule says, what the value is, and the schema with the rule."""
    return error.validator_value, error.instance, error.schema


def _say(found: Flaws, error: ValidationError) -> None:
    path = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in error.absolute_path).lstrip(".")
    rule, limit, value, schema = str(error.validator), *_seen(error)
    if rule == "required":
        found.required(f"{path}.{error.message}".lstrip("."))
    elif rule == "enum":
        found.unsupported(path, value, tuple(map(str, limit)))
    elif rule in ("type", "x-kubernetes-int-or-string"):
        kind = _TYPES.get(type(value), "null")
        wanted = limit if rule == "type" else "integer,string"
        found.invalid(path, kind, f'{path} in body must be of type {wanted}: "{kind}"')
    elif rule == "x-kubernetes-list-type":
        found.duplicate(f"{path}[{error.message}]", value[int(error.message)])
    elif rule in ("minimum", "maximum"):
        strict = "" if schema.get(f"exclusive{rule.capitalize()}") else " or equal to"
        word = "greater than" if rule == "minimum" else "less than"
        found.invalid(path, value, f"{path} in body should be {word}{strict} {limit}")
    elif rule in _COMBINED:
        found.invalid(path, "", f'"{path}" {_COMBINED[rule]}')
    elif rule == "pattern":
        found.invalid(path, value, f"{path} in body should match '{limit}'")
    elif rule == "maxLength":
        found.append(Flaw(path, _UNITS[rule].format(limit)))
    elif rule in ("maxItems", "maxProperties"):
        found.append(Flaw(path, _UNITS[rule].format(len(value), limit)))
    elif rule in _UNITS:
        shown = len(value) if rule in ("minItems", "minProperties") else value
        found.invalid(path, shown, f"{path} in body {_UNITS[rule].format(limit)}")
    else:
        found.invalid(path, value, error.message)


Errors = Iterator[ValidationError]


def _type(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if not (value is None and schema.get("nullable")) and not validator.is_type(value, wanted):
        yield ValidationError("")


def _either(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Errors:
    if wanted and (isinstance(value, bool) or not isinstance(value, int | str)):
        yield ValidationError("")


def _required(_validator: Any, names: Any, value: Any, _schema: Any) -> Errors:
    for name in names:
        if isinstance(value, dict) and name not in value:
            yield ValidationError(name)


def _pattern(_validator: Any, pattern: Any, value: Any, _schema: Any) -> Errors:
    try:
        wrong = isinstance(value, str) and not re2.search(pattern, value)
    except re2.error:
        return
    if wrong:
        yield ValidationError("")


def _distinct(_validator: Any, kind: Any, value: Any, schema: Any) -> Errors:
    """Of a list that is a set or a map, each element stands once."""
    if kind not in ("set", "map") or not isinstance(value, list):
        return
    seen = set()
    for index, one in enumerate(value):
        keys = schema.get("x-kubernetes-list-map-keys") or ()
        mark = repr([one.get(key) for key in keys] if kind == "map" and isinstance(one, dict) else one)
        if mark in seen:
            yield ValidationError(str(index))
        seen.add(mark)


# The rest of JSON Schema, $ref above all, has no place in the schema of a definition.
_SAME: Final = (
    *("additionalProperties", "allOf", "anyOf", "enum", "items", "maxItems", "maxLength", "maxProperties", "maximum"),
    *("minItems", "minLength", "minProperties", "minimum", "multipleOf", "not", "oneOf", "properties"),
)
_Validator = validators.create(
    meta_schema={},
    validators={
        **{name: Draft4Validator.VALIDATORS[name] for name in _SAME},
        "type": _type,
        "required": _required,
        "pattern": _pattern,
        "x-kubernetes-int-or-string": _either,
        "x-kubernetes-list-type": _distinct,
    },
    type_checker=Draft4Validator.TYPE_CHECKER,
)
