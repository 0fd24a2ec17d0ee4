"""kube-proxy's answer on a Service's healthCheckNodePort: what a load balancer asks nodes (PX-14, PX-15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.addresses import family
from clusterviz.engine.datapath.lookup import node_port_ips
from clusterviz.engine.endpoints import number_of
from clusterviz.engine.objects import Node, Service

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class HealthAnswer(msgspec.Struct, frozen=True):
    """HTTP ``status`` 200 or 503, and how many ready endpoints of ``service`` the node has."""

    service: Service
    status: int
    local_endpoints: int


def health_answer(cluster: Cluster, node: Node, port: int, ip: str = "") -> HealthAnswer | None:
    """What the node says on ``ip``:``port`` (any of its addresses without ``ip``); None when no Service checks there.

    Only a LoadBalancer Service with externalTrafficPolicy Local has the port. It is bound where node
    ports are, and open in the firewall on every address.
    """
    checked = sorted(cluster.health_checks.get(port, ()), key=lambda one: (one.namespace, one.name))
    found = next((one for one in checked if has_health_check(one, port)), None)
    if found is None or (ip and not _bound(cluster, node, ip)):
        return None
    count = local_ready(cluster, node, found)
    return HealthAnswer(found, 200 if count else 503, count)


def has_health_check(service: Service, port: int) -> bool:
    """Whether the Service's health is asked on this port of every node."""
    checked = service.type == "LoadBalancer" and service.external_policy == "Local"
    return bool(port) and checked and service.health_check_port == port


def local_ready(cluster: Cluster, node: Node, service: Service) -> int:
    """Addresses of ready endpoints on the node; one that terminates is not ready (EPS-02)."""
    ready = {
        endpoint.ip
        for endpoint in cluster.endpoints(service)
        if endpoint.ready and endpoint.node == node.name and any(number_of(endpoint, port) for port in service.ports)
    }
    return len(ready)


def _bound(cluster: Cluster, node: Node, ip: str) -> bool:
    own = node_port_ips(cluster, node, family(ip))
    return own is None or ip in own
