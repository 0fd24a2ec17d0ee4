"""References of routes and Gateways: whether a ReferenceGrant allows them, and a backend can be used (GW-08, GW-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clusterviz.engine.endpoints import number_of
from clusterviz.engine.gateway.objects import GROUP, BackendRef, Gateway, HTTPRoute
from clusterviz.engine.objects import Endpoint, Service, ServicePort

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# "" can be used; the others are reasons of the condition ResolvedRefs, and the last one has no name there.
BackendReason = Literal["", "InvalidKind", "RefNotPermitted", "BackendNotFound", "NoReadyEndpoint"]


def judge(cluster: Cluster, route: HTTPRoute, ref: BackendRef) -> tuple[BackendReason, str]:
    """What is wrong with a reference, and why: kind, ReferenceGrant, Service, port, ready endpoints."""
    reason, why, _ = fault(cluster, route, ref)
    return reason, why


def fault(cluster: Cluster, route: HTTPRoute, ref: BackendRef) -> tuple[BackendReason, str, int | None]:
    """As `judge`, and how many endpoints are ready; None when that does not matter or is not known."""
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
        if endpoint.ready and (number := number_of(endpoint, port))
    }
    return list(found.values())


def granted(cluster: Cluster, owner: Gateway | HTTPRoute, kind: str, to: tuple[str, str, str, str]) -> bool:
    """Whether a ReferenceGrant of the target's namespace allows a reference (GW-10).

    ``to`` is (group, kind, namespace, name) of the target; ``kind`` is the owner's.
    """
    group, wanted, space, name = to
    return any(
        any((one.group, one.kind, one.namespace) == (GROUP, kind, owner.namespace) for one in grant.from_)
        and any((one.group, one.kind) == (group, wanted) and one.name in ("", name) for one in grant.to)
        for grant in cluster.grants.values()
        if grant.namespace == space
    )
