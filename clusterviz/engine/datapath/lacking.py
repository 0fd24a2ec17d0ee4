"""Why nobody is behind a Service, in words (EPS-01, EPS-02, SVC-10, SVC-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.addresses import family
from clusterviz.engine.endpoints import number_of, target_port
from clusterviz.engine.objects import Endpoint, EndpointSlice, Pod, Service, ServicePort

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def is_managed(one: EndpointSlice) -> bool:
    """Whether the EndpointSlice controller looks after a slice (EPS-01); others were written by hand (SVC-12)."""
    return one.labels.get("endpointslice.kubernetes.io/managed-by", "").startswith("endpointslice")


def lacking(cluster: Cluster, service: Service, port: ServicePort | None, version: int) -> str:
    """What a Service without a usable endpoint lacks for this port and family: a clause that follows its name."""
    slices = cluster.slices_by_service.get((service.namespace, service.name), [])
    if slices and not all(map(is_managed, slices)):
        return _of_endpoints(cluster.endpoints(service), port, version)
    if not service.selector:
        return "it has no selector and nobody gave it endpoints"
    pods = [pod for pod in cluster.pods_selected(service.namespace, service.selector) if not pod.ended]
    if not pods:
        said = ",".join(f"{name}={value}" for name, value in service.selector.items())
        return f"its selector {said} matches no pod"
    return _of_pods([pod for pod in pods if pod.ips], port, version)


def _of_endpoints(endpoints: tuple[Endpoint, ...], port: ServicePort | None, version: int) -> str:
    """What addresses written by hand lack."""
    if not endpoints:
        return "its EndpointSlices hold no address"
    own = [endpoint for endpoint in endpoints if family(endpoint.ip) == version]
    if not own:
        return f"its EndpointSlices hold no IPv{version} address"
    if port is not None and not any(number_of(endpoint, port) for endpoint in own):
        named = f"named {port.name}" if port.name else "without a name"
        return f"its EndpointSlices have no {port.protocol} port {named}"
    return "no address in its EndpointSlices is ready"


def _of_pods(pods: list[Pod], port: ServicePort | None, version: int) -> str:
    if not pods:
        return "no pod behind it has an address yet"
    pods = [pod for pod in pods if any(family(ip) == version for ip in pod.ips)]
    if not pods:
        return f"no pod behind it has an IPv{version} address"
    if port is not None and not any(target_port(port, pod) for pod in pods):
        return f"no pod behind it has a {port.protocol} port named {port.target}"
    return f"none of the {len(pods)} pods behind it is ready" if len(pods) > 1 else "the pod behind it is not ready"
