"""Label and field selectors as they stand in a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from clusterviz.engine.selectors import Requirement
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.status import bad_request

Obj = Mapping[str, Any]
Wanted = Callable[[Obj], bool]
MOST = 64 * 1024
_TERM = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<not>[^\s,()=!<>]+)"
    r"|(?P<key>[^\s,()=!<>]+)\s*(?:(?P<op>==|=|!=)\s*(?P<value>[^\s,()=!<>]*)"
    r"|\s(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)
_FIELD = re.compile(r"([^=!,]+?)(==|=|!=)((?:\\.|[^,\\])*)(?:,|$)")


def label_selector(text: str) -> tuple[Requirement, ...]:
    """``app=web,tier in (a, b),!old`` as requirements. Raises a 400 `Refusal`."""
    found, place = [], 0
    if len(text) > MOST:
        raise bad_request(f"labelSelector is longer than {MOST} characters")
    while place < len(text.rstrip()):
        match = _TERM.match(text, place)
        if match is None or match.end() == place:
            raise bad_request(
                f"unable to parse requirement: found {text[place : place + 40]!r}, expected: "
                "KEY, !KEY, KEY=VALUE, KEY!=VALUE, KEY in (A,B) or KEY notin (A,B)"
            )
        found.append(_requirement(match))
        place = match.end()
    return tuple(found)


def _requirement(match: re.Match[str]) -> Requirement:
    if match["absent"]:
        return Requirement(match["not"], "DoesNotExist")
    if match["set"]:
        values = tuple(value.strip() for value in match["values"].split(","))
        return Requirement(match["key"], "In" if match["set"] == "in" else "NotIn", values)
    if match["op"]:
        return Requirement(match["key"], "NotIn" if match["op"] == "!=" else "In", (match["value"],))
    return Requirement(match["key"], "Exists")


def _at(*path: str, default: str = "") -> Callable[[Obj], str]:
    def read(obj: Obj) -> str:
        value: Any = obj
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return str(value).lower()
        return default if value is None else str(value)

    return read


_META = {"metadata.name": _at("metadata", "name"), "metadata.namespace": _at("metadata", "namespace")}
# Which fields a kind can be selected by, besides name and namespace: those of kube-apiserver.
_FIELDS: dict[str, dict[str, Callable[[Obj], str]]] = {
    "Pod": {
        "spec.nodeName": _at("spec", "nodeName"),
        "spec.restartPolicy": _at("spec", "restartPolicy", default="Always"),
        "spec.schedulerName": _at("spec", "schedulerName", default="default-scheduler"),
        "spec.serviceAccountName": _at("spec", "serviceAccountName", default="default"),
        "spec.hostNetwork": _at("spec", "hostNetwork", default="false"),
        "status.phase": _at("status", "phase"),
        "status.podIP": _at("status", "podIP"),
        "status.nominatedNodeName": _at("status", "nominatedNodeName"),
    },
    "Node": {"spec.unschedulable": _at("spec", "unschedulable", default="false")},
    "Namespace": {"status.phase": _at("status", "phase", default="Active")},
    "Secret": {"type": _at("type", default="Opaque")},
    "Service": {
        "spec.clusterIP": _at("spec", "clusterIP"),
        "spec.type": _at("spec", "type", default="ClusterIP"),
    },
    "ReplicaSet": {"status.replicas": _at("status", "replicas", default="0")},
    "Job": {"status.successful": _at("status", "succeeded", default="0")},
    "Event": {
        **{
            f"involvedObject.{name}": _at("involvedObject", name)
            for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        },
        "reason": _at("reason"),
        "reportingComponent": _at("reportingComponent"),
        "source": _at("source", "component"),
        "type": _at("type"),
    },
}


def field_selector(resource: Resource, text: str) -> Wanted | None:
    """``spec.nodeName=n1,status.phase!=Failed`` as a test, None for an empty one. Raises a 400 `Refusal`."""
    if not text.strip():
        return None
    fields = {**_META, **_FIELDS.get("" if resource.custom else resource.kind, {})}
    terms, place = [], 0
    while place < len(text):
        match = _FIELD.match(text, place)
        if match is None:
            raise bad_request(f"invalid selector: {text[place : place + 80]!r}; can't understand it")
        name, operator, value = match[1].strip(), match[2], re.sub(r"\\(.)", r"\1", match[3])
        if name not in fields:
            raise bad_request(f"field label not supported: {name[:100]}; supported are {', '.join(sorted(fields))}")
        terms.append((fields[name], operator == "!=", value))
        place = match.end()
    return lambda obj: all((read(obj) != value) == negated for read, negated, value in terms)


def selection(resource: Resource, labels: str, fields: str) -> Wanted | None:
    """Both selectors as one test, None when everything is wanted."""
    requirements = label_selector(labels)
    by_field = field_selector(resource, fields)
    if not requirements and by_field is None:
        return None

    def wanted(obj: Obj) -> bool:
        mine = obj["metadata"].get("labels") or {}
        return all(one.matches(mine) for one in requirements) and (by_field is None or by_field(obj))

    return wanted
