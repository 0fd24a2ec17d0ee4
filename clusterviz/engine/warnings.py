"""Legal and useless: what loads but does not do what its author hoped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster, Warning_


def collect(cluster: Cluster) -> tuple[Warning_, ...]:
    """Warnings about a snapshot, ordered by object."""
    found = [*_services(cluster), *_policies(cluster), *_ingresses(cluster)]
    return tuple(sorted(found, key=lambda warning: (warning.ref, warning.code)))


def _services(cluster: Cluster) -> list[Warning_]:
    from clusterviz.engine.cluster import Warning_

    found = []
    for service in cluster.services.values():
        if service.type == "LoadBalancer" and not service.load_balancer:
            found.append(
                Warning_("no-lb-provider", service.ref, "EXTERNAL-IP stays <pending>: no provider (SVC-06).")
            )
        if service.selector and service.type != "ExternalName" and not cluster.endpoints(service):
            labels = ",".join(f"{key}={value}" for key, value in service.selector.items())
            found.append(
                Warning_("no-endpoints", service.ref, f"No pod with an address matches {labels} (EPS-01).")
            )
    return found


def _policies(cluster: Cluster) -> list[Warning_]:
    from clusterviz.engine.cluster import Warning_

    found = []
    for policy in cluster.policies.values():
        if not cluster.settings.enforce_policies:
            found.append(
                Warning_("not-enforced", policy.ref, "No plugin here enforces NetworkPolicy (NP-24).")
            )
        selected = any(
            pod.namespace == policy.namespace and policy.selector.matches(pod.labels)
            for pod in cluster.pods.values()
        )
        if not selected:
            found.append(
                Warning_("selects-nothing", policy.ref, f"podSelector {policy.selector} matches no pod (NP-02).")
            )
    return found


def _ingresses(cluster: Cluster) -> list[Warning_]:
    from clusterviz.engine.cluster import Warning_
    from clusterviz.engine.datapath.controllers import controller_of

    return [
        Warning_("no-controller", ingress.ref, "No controller serves its class: it does nothing (ING-01).")
        for ingress in cluster.ingresses.values()
        if controller_of(cluster, ingress) is None
    ]
