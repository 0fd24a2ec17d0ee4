"""The entity of a Gateway: its listeners, and the rules of the routes attached to it."""

from __future__ import annotations

from typing import Any

from clusterviz.engine import Cluster
from clusterviz.engine.datapath.gateways import address, front
from clusterviz.engine.gateway import Attachment, Gateway, attachments
from clusterviz.engine.gateway.objects import KINDS, Filter, RouteRule

# Changes of these may change any Gateway's entity.
AFFECT = frozenset({*KINDS, "Namespace", "Secret"})


def gateway_fields(cluster: Cluster, record: Gateway) -> dict[str, Any]:
    """What `docs/protocol.md` lists for kind gateway, besides what every entity has."""
    service = front(cluster, record)
    known = (*record.addresses, *(service.lb_ips if service else ()), address(cluster, record))
    mine = [one for one in attachments(cluster) if one.accepted and one.gateway == (record.namespace, record.name)]
    return {
        "class": record.gateway_class,
        "controller": service.ref if service else "",
        "address": next((one for one in known if one), ""),
        "listeners": [
            {"name": one.name, "port": one.port, "protocol": one.protocol, "hostname": one.hostname}
            for one in record.listeners
        ],
        "rules": _merged([rule for one in mine for rule in _rules(cluster, one)]),
    }


def _rules(cluster: Cluster, attached: Attachment) -> list[dict[str, Any]]:
    """One line a match and backend of a route, for each host its listener admits."""
    route = cluster.routes[attached.route]
    return [
        {
            "host": host,
            "path": match.path,
            "pathType": match.path_type,
            "when": str(match).partition(", ")[2],
            "route": f"{route.namespace}/{route.name}",
            "listener": attached.listener,
            **target,
        }
        for host in attached.hostnames
        for rule in route.rules
        for match in rule.matches
        for target in _targets(rule)
    ]


def _merged(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A rule that several listeners have stands once, with all their names."""
    found: list[dict[str, Any]] = []
    for rule in rules:
        same = next((one for one in found if {**one, "listener": ""} == {**rule, "listener": ""}), None)
        if same is None:
            found.append(rule)
        elif rule["listener"] not in same["listener"].split(", "):
            same["listener"] += f", {rule['listener']}"
    return found


def _targets(rule: RouteRule) -> list[dict[str, Any]]:
    """Backends with their share of the requests; a redirect has no Service."""
    turned = next((one for one in rule.filters if one.type == "RequestRedirect"), None)
    if turned is not None:
        return [{"service": "", "port": 0, "share": 1.0, "redirect": _where(turned)}]
    total = sum(one.weight for one in rule.backends)
    return [
        {
            "service": f"service:{one.namespace}/{one.name}" if one.kind == "Service" else "",
            "port": one.port,
            "share": round(one.weight / total, 4) if total else 0.0,
            "redirect": "",
        }
        for one in rule.backends
    ] or [{"service": "", "port": 0, "share": 0.0, "redirect": ""}]


def _where(one: Filter) -> str:
    """What a redirect changes, in a word or two."""
    place = "/".join(part for part in (one.scheme and f"{one.scheme}:/", one.hostname or "same host") if part)
    return f"{one.status} to {place}{f':{one.port}' if one.port else ''}{one.path.value if one.path else ''}"
