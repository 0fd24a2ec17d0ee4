"""Endpoints of a Service, derived from its selector as the EndpointSlice controller does (EPS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.datapath.place import home
from clusterviz.engine.objects import Endpoint, Pod, Service, ServicePort

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def derive_endpoints(cluster: Cluster, service: Service) -> tuple[Endpoint, ...]:
    """Endpoints of all pods the selector matches that have an IP and have not ended (EPS-01)."""
    if not service.selector or service.type == "ExternalName":
        return ()
    return tuple(
        endpoint
        for pod in cluster.pods_selected(service.namespace, service.selector)
        if not pod.ended and pod.ips
        for endpoint in pod_endpoints(cluster, service, pod)
    )


def pod_endpoints(cluster: Cluster, service: Service, pod: Pod) -> tuple[Endpoint, ...]:
    """One endpoint for each address of the pod in the Service's families (SVC-16)."""
    ready = service.publish_not_ready or (pod.ready and not pod.terminating)
    node = home(cluster, pod)
    wanted = [":" in ip for ip in service.cluster_ips] + [kind == "IPv6" for kind in service.families]
    wanted = wanted or [":" in pod.ip]
    ports = tuple([(port.name, number, port.protocol) for port in service.ports if (number := target_port(port, pod))])
    return tuple(
        [
            Endpoint(
                ip=ip,
                node=node.name if node else pod.node,
                zone=node.zone if node else "",
                pod=pod.ref,
                ready=ready,
                serving=pod.ready,
                terminating=pod.terminating,
                hostname=pod.hostname if pod.subdomain == service.name else "",
                ports=ports,
            )
            for ip in pod.ips
            if (":" in ip) in wanted
        ]
    )


def pod_name(ref: str) -> tuple[str, str]:
    """Namespace and name of the pod an endpoint's ``pod`` is the picture id of."""
    namespace, _, name = ref.removeprefix("pod:").partition("/")
    return namespace, name


def pods_behind(cluster: Cluster, service: Service) -> list[Pod]:
    """Pods that are endpoints of a Service, ready or not, each once."""
    names = dict.fromkeys(pod_name(endpoint.pod) for endpoint in cluster.endpoints(service) if endpoint.pod)
    return [cluster.pods[name] for name in names if name in cluster.pods]


def number_of(endpoint: Endpoint, port: ServicePort) -> int:
    """The endpoint's port for a Service port, matched by name and protocol; 0 when it has none (SVC-10, SVC-11)."""
    for name, number, protocol in endpoint.ports:
        if name == port.name and protocol == port.protocol:
            return number
    return 0


def target_port(port: ServicePort, pod: Pod) -> int:
    """The pod's port a Service port leads to; 0 when the pod lacks the name (SVC-10)."""
    if isinstance(port.target, int):
        return port.target
    for declared in pod.ports:
        if declared.name == port.target and declared.protocol == port.protocol:
            return declared.port
    return 0
