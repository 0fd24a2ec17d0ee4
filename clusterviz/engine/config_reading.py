"""What is read from a cluster's configuration objects: values, where each came from, and what could not be used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from clusterviz.engine.objects import Key, Obj
from clusterviz.engine.settings_check import check_value

Objects = Mapping[Key, Obj]
LONGEST = 256 * 1024


class Reading:
    """Values of `Settings` by name, as plain data; the last source that tells one counts."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.notes: list[str] = []

    def take(self, source: str, name: str, value: Any) -> None:
        """Note a value; one that cannot be is told instead."""
        flaws = check_value(name, value)
        if flaws:
            self.note(source, f"{name} stays as it is: {flaws[0].message}")
            return
        self.values[name], self.origins[name] = value, source

    def note(self, source: str, text: str) -> None:
        """Something people should know."""
        self.notes.append(f"{source}: {text}")


def config_map(objects: Objects, name: str, *namespaces: str) -> tuple[str, dict[str, Any]]:
    """What a ConfigMap is called, and its data; empty when there is none in these namespaces."""
    for namespace in namespaces:
        found = objects.get(("ConfigMap", namespace, name))
        if found is not None:
            return f"ConfigMap {namespace}/{name}", mapping(found.get("data"))
    return "", {}


def of_kind(objects: Objects, kind: str) -> Iterator[tuple[Key, Obj]]:
    """Objects of a kind, also where another API group's kind is written ``Kind.group``."""
    for key, obj in objects.items():
        if key[0].partition(".")[0] == kind:
            yield key, obj


def mapping(value: Any) -> dict[str, Any]:
    """A mapping as it is, {} for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """A list as it is, [] for anything else."""
    return value if isinstance(value, list) else []


def inner_yaml(text: Any) -> dict[str, Any]:
    """The mapping a YAML text holds; {} when it holds none or cannot be read."""
    if not isinstance(text, str) or len(text) > LONGEST:
        return {}
    try:
        return mapping(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}


def inner_json(text: Any) -> dict[str, Any]:
    """The same for JSON."""
    if not isinstance(text, str) or len(text) > LONGEST:
        return {}
    try:
        return mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def switched_on(value: Any) -> bool:
    """How a ConfigMap writes true."""
    return str(value).lower() in ("true", "1", "yes", "on", "enabled")
