"""How many of what: what was asked for, whether that is possible, and how it is shared out."""

from __future__ import annotations

import math
from typing import Any

import msgspec

PODS_A_NODE = 110
MAX_NODES = 10_000
MAX_SERVICES = 20_000
SYSTEM_SERVICES = 2
# From here on the default ranges for nodes (a /24) and pods (a /16 of /24 blocks) are too small.
NODES_IN_DEFAULT_RANGES = 240


class Size(msgspec.Struct, frozen=True):
    """What is asked for; DaemonSet pods, DNS and the Services every cluster has count as well."""

    nodes: int
    pods: int
    services: int


def flaws(size: Size, most_pods: int) -> list[str]:
    """What is impossible about a size, one sentence each; empty when nothing is."""
    found = []
    for name, value, least, most in (
        ("nodes", size.nodes, 1, MAX_NODES),
        ("pods", size.pods, 3, most_pods),
        ("services", size.services, SYSTEM_SERVICES, MAX_SERVICES),
    ):
        if not least <= value <= most:
            found.append(f"{name}: Invalid value: {value}: must be between {least} and {most}, inclusive")
    if not found and size.pods > size.nodes * PODS_A_NODE:
        room = size.nodes * PODS_A_NODE
        found.append(
            f"pods: Invalid value: {size.pods}: {size.nodes} nodes take at most {room} pods, {PODS_A_NODE} each"
        )
    return found


def settings_for(size: Size) -> dict[str, Any]:
    """The settings such a cluster needs that are not the default: larger ranges for many nodes."""
    if size.nodes <= NODES_IN_DEFAULT_RANGES:
        return {}
    return {"node_cidr": "172.16.0.0/16", "cluster_cidr": "10.128.0.0/9"}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How the numbers are shared out. ``apps`` are ordinary workloads, ``app_pods`` all of their pods."""

    zones: int
    namespaces: int
    down: int
    cordoned: int
    dns: int
    edge: int
    daemons: int
    jobs: int
    job_pods: int
    unplaceable: int
    apps: int
    app_pods: int
    app_services: int
    aliases: int
    selecting_none: int
    policies: int
    ingresses: int
    flows: int
    load: float


def plan_for(size: Size) -> Plan:
    """Share out. A small cluster gets fewer kinds of things, never other numbers."""
    nodes, pods, services = size.nodes, size.pods, size.services
    left = pods
    dns = min(left - 1, max(2 if pods > 9 else 1, min(20, nodes // 250)))
    left -= dns
    edge = min(10, 1 + nodes // 500) if services > 3 and left > 4 else 0
    left -= edge
    daemons = min(3, left // (4 * nodes))
    left -= daemons * nodes
    jobs = min(12, left // 1000)
    left -= jobs * 3
    unplaceable = min(200, left // 400)
    left -= unplaceable
    app_services = services - SYSTEM_SERVICES - bool(edge)
    aliases = min(app_services, max(app_services // 100, app_services >= 6))
    selecting_none = app_services // 250
    behind = app_services - aliases - selecting_none
    apps = min(left, max(math.ceil(behind * 1.04), math.ceil(left / 200), 1))
    flows = min(4000, max(2, round(apps * 1.3)))
    return Plan(
        zones=6 if nodes >= 50 else min(3, nodes),
        namespaces=max(1, min(60, round(math.sqrt(apps)))),
        down=nodes // 1500 if pods < nodes * 90 else 0,
        cordoned=nodes // 400,
        dns=dns,
        edge=edge,
        daemons=daemons,
        jobs=jobs,
        job_pods=3,
        unplaceable=unplaceable,
        apps=apps,
        app_pods=left,
        app_services=app_services,
        aliases=aliases,
        selecting_none=selecting_none,
        policies=services // 10,
        ingresses=max(1, app_services // 40) if edge and behind > 0 else 0,
        flows=flows,
        load=min(3000.0, 2.5 * flows),
    )
