"""Backends of a rule: which references hold, and what share of the requests each gets (GW-08 to GW-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.gateway.answer import Backend, BackendReason, Forwarded
from clusterviz.engine.gateway.attach import granted
from clusterviz.engine.gateway.objects import BackendRef, HTTPRoute, RouteMatch
from clusterviz.engine.gateway.rewrite import forwarded, response
from clusterviz.engine.objects import Endpoint, Service, ServicePort

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

STATUS: dict[BackendReason, int] = {
    "": 0,
    "InvalidKind": 500,
    "RefNotPermitted": 500,
    "BackendNotFound": 500,
    "NoReadyEndpoint": 503,
}


def resolve(
    cluster: Cluster, route: HTTPRoute, refs: tuple[BackendRef, ...], match: RouteMatch, request: Forwarded
) -> tuple[Backend, ...]:
    """Every backendRef with its share of the weights, its fault and the request it gets."""
    total = sum(one.weight for one in refs)
    return tuple(
        msgspec.structs.replace(
            backend(cluster, route, one, forwarded(request, one.filters, match)),
            share=one.weight / total if total else 0.0,
            response=response(one.filters),
        )
        for one in refs
    )


def judge(cluster: Cluster, route: HTTPRoute, ref: BackendRef) -> tuple[BackendReason, str]:
    """What is wrong with a reference, and why: kind, ReferenceGrant, Service, port, ready endpoints."""
    reason, why, _ = _fault(cluster, route, ref)
    return reason, why


def backend(cluster: Cluster, route: HTTPRoute, ref: BackendRef, request: Forwarded) -> Backend:
    """A reference with its fault and the request it gets; its share is still to be set."""
    reason, why, ready = _fault(cluster, route, ref)
    return Backend(
        namespace=ref.namespace,
        name=ref.name,
        kind=ref.kind,
        port=ref.port,
        weight=ref.weight,
        reason=reason,
        why=why,
        status=STATUS[reason],
        ready=ready,
        request=request,
    )


def _fault(cluster: Cluster, route: HTTPRoute, ref: BackendRef) -> tuple[BackendReason, str, int | None]:
    if (ref.group, ref.kind) != ("", "Service"):
        return "InvalidKind", f"{ref.kind} of group {ref.group or 'core'} is no backend known here", None
    name = f"{ref.namespace}/{ref.name}"
    target = (ref.group, ref.kind, ref.namespace, ref.name)
    if ref.namespace != route.namespace and not granted(cluster, route, "HTTPRoute", target):
        why = f"no ReferenceGrant in {ref.namespace} lets an HTTPRoute of {route.namespace} use Service {ref.name}"
        return "RefNotPermitted", why, None
    service = cluster.services.get((ref.namespace, ref.name))
    if service is None:
        return "BackendNotFound", f"no Service {name}", None
    port = service_port(service, ref.port)
    if port is None:
        return "BackendNotFound", f"Service {name} has no TCP port {ref.port or '(none was given)'}", None
    if not endpoints_known(cluster):
        return "", "", None
    ready = len(usable(cluster, service, port))
    return ("", "", ready) if ready else ("NoReadyEndpoint", f"Service {name} has no ready endpoint", 0)


def service_port(service: Service, number: int) -> ServicePort | None:
    """The TCP port of a Service with this number."""
    return next((port for port in service.ports if port.port == number and port.protocol == "TCP"), None)


def endpoints_known(cluster: Cluster) -> bool:
    """Whether the objects say anything of endpoints: any pod or EndpointSlice at all."""
    return bool(cluster.pods) or bool(cluster.slices_by_service)


def usable(cluster: Cluster, service: Service, port: ServicePort) -> list[tuple[Endpoint, int]]:
    """Ready endpoints that have a number for this Service port, each once though it may stand in two slices."""
    found = {
        (endpoint.ip, number): (endpoint, number)
        for endpoint in cluster.endpoints(service)
        if endpoint.ready and (number := endpoint_port(endpoint, port))
    }
    return list(found.values())


def endpoint_port(endpoint: Endpoint, port: ServicePort) -> int:
    """The endpoint's number for a Service port, 0 when it has none."""
    return next(
        (number for name, number, protocol in endpoint.ports if name == port.name and protocol == port.protocol), 0
    )
