"""Why nobody is behind a Service, in words (EPS-01, EPS-02, SVC-10, SVC-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.endpoints import target_port
from clusterviz.engine.objects import EndpointSlice, Pod, Service, ServicePort

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def is_managed(one: EndpointSlice) -> bool:
    """Whether the EndpointSlice controller looks after a slice (EPS-01); others were written by hand (SVC-12)."""
    return one.labels.get("endpointslice.kubernetes.io/managed-by", "").startswith("endpointslice")


def lacking(cluster: Cluster, service: Service, port: ServicePort | None) -> str:
    """What a Service without a usable endpoint lacks for this port: a clause that follows its name."""
    slices = cluster.slices_by_service.get((service.namespace, service.name), [])
    if slices and not all(map(is_managed, slices)):
        return "no address in its EndpointSlices is ready"
    if not service.selector:
        return "it has no selector and nobody gave it endpoints"
    pods = [pod for pod in cluster.pods_selected(service.namespace, service.selector) if not pod.ended]
    if not pods:
        said = ",".join(f"{name}={value}" for name, value in service.selector.items())
        return f"its selector {said} matches no pod"
    return _of_pods([pod for pod in pods if pod.ips], port)


def _of_pods(pods: list[Pod], port: ServicePort | None) -> str:
    if not pods:
        return "no pod behind it has an address yet"
    if port is not None and not any(target_port(port, pod) for pod in pods):
        return f"no pod behind it has a {port.protocol} port named {port.target}"
    return f"none of the {len(pods)} pods behind it is ready" if len(pods) > 1 else "the pod behind it is not ready"
