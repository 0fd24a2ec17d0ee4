"""Services whose ports or policies lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusterviz.engine.endpoints import pods_behind
from clusterviz.engine.lint.finding import Finding
from clusterviz.engine.objects import Key, Pod, Service

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def services(cluster: Cluster) -> Iterator[Finding]:
    """Findings about every Service."""
    for service in cluster.services.values():
        key: Key = ("Service", service.namespace, service.name)
        pods = pods_behind(cluster, service)
        if not service.headless:
            yield from _ports(service, key, pods)
            yield from _local(cluster, service, key)


def _ports(service: Service, key: Key, pods: list[Pod]) -> Iterator[Finding]:
    declared = {(port.port, port.protocol) for pod in pods for port in pod.ports}
    if not all(pod.ports and pod.listen is None for pod in pods):
        return  # who declares nothing, or says what it listens on, is not judged by declarations
    for index, port in enumerate(service.ports):
        if pods and isinstance(port.target, int) and (port.target, port.protocol) not in declared:
            known = ", ".join(sorted(f"{number} {protocol}" for number, protocol in declared))
            text = f"No selected pod declares {port.target} {port.protocol}; they declare {known} (SVC-10, IMP-04)."
            field = f"spec.ports[{index}].targetPort"
            yield Finding(code="port-not-declared", key=key, field=field, text=text)


def _local(cluster: Cluster, service: Service, key: Key) -> Iterator[Finding]:
    endpoints = [one for one in cluster.endpoints(service) if one.ready]
    local = {one.node for one in endpoints}
    empty = [node.name for node in cluster.nodes.values() if node.ready and node.name not in local]
    assumed = any(one.code == "nodes-assumed" for one in cluster.fill_warnings)
    if not endpoints or not empty or assumed or cluster.settings.proxy_mode == "ipvs":
        return  # nodes of our own making say nothing, and IPVS falls back to all endpoints (IPV-01)
    names = ", ".join(empty[:5]) + (f" and {len(empty) - 5} more" if len(empty) > 5 else "")
    if service.external_policy == "Local" and service.type == "NodePort":
        text = (
            f"externalTrafficPolicy Local: node ports of {names}, without ready endpoint, drop packets (PX-05, PX-07)."
        )
        yield Finding(code="local-nodes-empty", key=key, field="spec.externalTrafficPolicy", text=text)
    if service.internal_policy == "Local":
        text = f"internalTrafficPolicy Local: pods on {names}, without ready endpoint, get no answer (PX-03, PX-07)."
        yield Finding(code="local-nodes-empty", key=key, field="spec.internalTrafficPolicy", text=text)
