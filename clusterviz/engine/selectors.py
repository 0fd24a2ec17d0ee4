"""Label selectors (NP-18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from clusterviz.engine.errors import ObjectError

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


class Requirement(msgspec.Struct, frozen=True):
    """One matchExpressions entry."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """In, NotIn (true when absent), Exists, DoesNotExist."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value is not None and value in self.values
            case "NotIn":
                return value is None or value not in self.values
            case "Exists":
                return value is not None
            case _:
                return value is None

    def unmet(self, labels: Mapping[str, str]) -> str:
        """Why labels do not match it, in words."""
        has = f"label {self.key} is {labels.get(self.key)!r}"
        match self.operator:
            case "In" if self.key in labels:
                return f"{has}, not one of {', '.join(self.values)}"
            case "In" | "Exists":
                return f"label {self.key} is missing"
            case "NotIn":
                return f"{has}, which is excluded"
            case _:
                return f"{has}, and it must not be there"

    def __str__(self) -> str:
        """As kubectl prints it."""
        match self.operator:
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"!{self.key}"
            case _:
                word = "in" if self.operator == "In" else "notin"
                return f"{self.key} {word} ({','.join(self.values)})"


class Selector(msgspec.Struct, frozen=True):
    """All labels and all expressions must hold; an empty one selects everything."""

    labels: tuple[tuple[str, str], ...] = ()
    expressions: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(labels.get(key) == value for key, value in self.labels) and all(
            requirement.matches(labels) for requirement in self.expressions
        )

    def missing(self, labels: Mapping[str, str]) -> list[str]:
        """The parts that do not hold, in words; empty when it matches."""
        parts = [
            f"label {key} is {labels[key]!r}, wanted {value!r}"
            if key in labels
            else f"label {key} is missing, wanted {value!r}"
            for key, value in self.labels
            if labels.get(key) != value
        ]
        return parts + [
            requirement.unmet(labels) for requirement in self.expressions if not requirement.matches(labels)
        ]

    def __str__(self) -> str:
        """As kubectl prints it."""
        return ",".join([f"{k}={v}" for k, v in self.labels] + [str(r) for r in self.expressions]) or "<all>"


EVERYTHING = Selector()


def parse_selector(data: Any, *, field: str, ref: str = "") -> Selector:
    """Read a LabelSelector; None and ``{}`` and null matchLabels select everything (IMP-03)."""
    data = data or {}
    if not isinstance(data, dict):
        raise ObjectError("Invalid value: must be a label selector", field=field, ref=ref)
    labels = data.get("matchLabels") or {}
    if not isinstance(labels, dict):
        raise ObjectError("Invalid value: must be a map", field=f"{field}.matchLabels", ref=ref)
    entries = data.get("matchExpressions") or []
    if not isinstance(entries, list):
        raise ObjectError("Invalid value: must be a list", field=f"{field}.matchExpressions", ref=ref)
    expressions = tuple(
        _requirement(entry, f"{field}.matchExpressions[{index}]", ref) for index, entry in enumerate(entries)
    )
    return Selector(tuple((str(k), text(v)) for k, v in labels.items()), expressions)


def _requirement(entry: Any, field: str, ref: str) -> Requirement:
    operator = entry.get("operator") if isinstance(entry, dict) else None
    if operator not in OPERATORS:
        raise ObjectError(
            f"Invalid value: {operator!r}: not a valid selector operator", field=f"{field}.operator", ref=ref
        )
    if not isinstance(entry.get("values") or [], list):
        raise ObjectError("Invalid value: must be a list", field=f"{field}.values", ref=ref)
    values = tuple(text(value) for value in entry.get("values") or ())
    if operator in ("In", "NotIn") and not values:
        raise ObjectError(
            "Required value: must be specified when `operator` is 'In' or 'NotIn'",
            field=f"{field}.values",
            ref=ref,
        )
    return Requirement(str(entry.get("key") or ""), operator, values)


def text(value: Any) -> str:
    """A label value as text: old files write numbers and booleans (IMP-03)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
