"""CPU and memory: what pods request and what nodes have, in thousandths of a core and in bytes."""

from __future__ import annotations

import math
import re
from collections import Counter
from fractions import Fraction
from typing import Any

from clusterviz.engine.controllers.work import spec, status
from clusterviz.engine.objects import Obj

RESOURCES = ("cpu", "memory")
# Few digits: a number is worked out in full.
_NUMBER = re.compile(r"\d{1,18}(\.\d{0,9})?([eE][+-]?\d{1,2})?", re.ASCII)
_UNITS = {
    **{letter: Fraction(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Fraction(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
    "m": Fraction(1, 1000), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9), "": Fraction(1),
}  # fmt: skip


def amount(resource: str, text: object) -> int:
    """A quantity as a whole number, rounded up as the scheduler does; 0 of what cannot be read."""
    given = str(text).strip()
    number = given.rstrip("kKMGTPEimun")
    unit = _UNITS.get(given[len(number) :])
    if unit is None or not _NUMBER.fullmatch(number):
        return 0
    value = Fraction(number) * unit
    return math.ceil(value * 1000 if resource == "cpu" else value)


def requests(pod: Obj) -> Counter[str]:
    """What a pod asks for: all containers together, or one init container if that asks for more."""
    total = sum(map(_asked, spec(pod).get("containers") or ()), Counter[str]())
    for one in spec(pod).get("initContainers") or ():
        if one.get("restartPolicy") == "Always":
            total += _asked(one)
        else:
            total |= _asked(one)
    for resource, text in (spec(pod).get("overhead") or {}).items():
        total[resource] += amount(resource, text)
    return total


def _asked(container: dict[str, Any]) -> Counter[str]:
    given = container.get("resources") or {}
    if not given:
        return Counter()
    asked = {**(given.get("limits") or {}), **(given.get("requests") or {})}
    return Counter({name: amount(name, asked[name]) for name in RESOURCES if asked.get(name)})


def lacking(node: Obj, used: Counter[str], wanted: Counter[str]) -> list[str]:
    """Resources a node has too little of for a pod; one that does not say what it has has enough."""
    has = status(node).get("allocatable") or {}
    asked = [resource for resource in RESOURCES if wanted[resource] and has.get(resource)]
    return [one for one in asked if used[one] + wanted[one] > amount(one, has[one])]
