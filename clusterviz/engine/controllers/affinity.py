"""Node affinity: which nodes a pod says it must run on, and which it would rather."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clusterviz.engine.controllers.work import spec
from clusterviz.engine.objects import Obj


def node_terms(pod: Obj) -> list[dict[str, Any]] | None:
    """The terms of which a node must match one; None when a pod says nothing."""
    affinity = (spec(pod).get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else list(required.get("nodeSelectorTerms") or ())


def pinned(pod: Obj, node: str) -> dict[str, Any]:
    """The spec of a pod, or of a template, that may run on one node alone: its terms hold for that node only."""
    affinity = spec(pod).get("affinity") or {}
    only = [{"key": "metadata.name", "operator": "In", "values": [node]}]
    required = {"nodeSelectorTerms": [{"matchFields": only}]}
    near = {**(affinity.get("nodeAffinity") or {}), "requiredDuringSchedulingIgnoredDuringExecution": required}
    return {**spec(pod), "affinity": {**affinity, "nodeAffinity": near}}


def pinned_to(pod: Obj) -> str:
    """The one node a pod may run on by its name, "" when its terms do not say so."""
    if not spec(pod).get("affinity"):
        return ""
    named = sorted({_name_in(term) for term in node_terms(pod) or ()})
    return named[0] if len(named) == 1 else ""


def _name_in(term: dict[str, Any]) -> str:
    for one in term.get("matchFields") or ():
        values = list(one.get("values") or ())
        if one.get("key") == "metadata.name" and one.get("operator") == "In" and len(values) == 1:
            return str(values[0])
    return ""


def preferred_terms(pod: Obj) -> list[dict[str, Any]]:
    """The terms that make a node liked, each with a ``weight`` and a ``preference``."""
    affinity = (spec(pod).get("affinity") or {}).get("nodeAffinity") or {}
    return list(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ())


def preference(pod: Obj, name: str, labels: Mapping[str, str]) -> int:
    """The weights of the preferred terms a node with these labels matches, added up."""
    terms = preferred_terms(pod)
    return sum(int(one.get("weight") or 0) for one in terms if _matches(one.get("preference") or {}, name, labels))


def may_run_on(pod: Obj, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels matches one of the terms; an empty term matches none."""
    terms = node_terms(pod)
    return terms is None or any(_matches(term, name, labels) for term in terms)


def _matches(term: dict[str, Any], name: str, labels: Mapping[str, str]) -> bool:
    by_label, by_field = term.get("matchExpressions") or (), term.get("matchFields") or ()
    fields = {"metadata.name": name}
    return bool(by_label or by_field) and all(
        [*(_meets(one, labels) for one in by_label), *(_meets(one, fields) for one in by_field)]
    )


def _meets(one: dict[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(str(one.get("key"))), [str(given) for given in one.get("values") or ()]
    match one.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            if len(values) != 1 or value is None or not (_is_number(value) and _is_number(values[0])):
                return False
            return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])
        case _:
            return False


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
