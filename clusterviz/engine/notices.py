"""Legal and useless: what loads but does not do what its author hoped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.datapath.controllers import controller_of, host_nodes
from clusterviz.engine.gateway.notices import useless

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Notice(msgspec.Struct, frozen=True):
    """A warning; ``ref`` is a picture id, or "" for the cluster as a whole."""

    code: str
    ref: str
    text: str


def collect(cluster: Cluster) -> tuple[Notice, ...]:
    """Warnings about a snapshot, ordered by object."""
    found = [*_services(cluster), *_policies(cluster), *_ingresses(cluster)]
    found += [Notice(*one) for one in useless(cluster)]
    return tuple(sorted(found, key=lambda warning: (warning.ref, warning.code)))


def _services(cluster: Cluster) -> list[Notice]:
    found = []
    for service in cluster.services.values():
        if service.type == "LoadBalancer" and not service.load_balancer:
            found.append(Notice("no-lb-provider", service.ref, "EXTERNAL-IP stays <pending>: no provider (SVC-06)."))
        if service.selector and service.type != "ExternalName" and not cluster.endpoints(service):
            labels = ",".join(f"{key}={value}" for key, value in service.selector.items())
            found.append(Notice("no-endpoints", service.ref, f"No pod with an address matches {labels} (EPS-01)."))
        for port in service.ports if service.selector and not service.headless else ():
            endpoints = cluster.endpoints(service)
            offered = any((port.name, port.protocol) == (name, proto) for e in endpoints for name, _, proto in e.ports)
            if isinstance(port.target, str) and endpoints and not offered:
                text = f"No selected pod has a container port {port.target!r} of {port.protocol} (SVC-10)."
                found.append(Notice("no-such-port", service.ref, text))
    return found


def _policies(cluster: Cluster) -> list[Notice]:
    found = []
    for policy in cluster.policies.values():
        if not cluster.settings.enforce_policies:
            found.append(Notice("not-enforced", policy.ref, "No plugin here enforces NetworkPolicy (NP-24)."))
        selected = any(
            pod.namespace == policy.namespace and policy.selector.matches(pod.labels) for pod in cluster.pods.values()
        )
        if not selected:
            found.append(
                Notice("selects-nothing", policy.ref, f"podSelector {policy.selector} matches no pod (NP-02).")
            )
    return found


def _ingresses(cluster: Cluster) -> list[Notice]:
    return [
        Notice("no-controller", ingress.ref, "No controller serves its class: it does nothing (ING-01).")
        for ingress in cluster.ingresses.values()
        if controller_of(cluster, ingress) is None and not host_nodes(cluster, ingress)
    ]
