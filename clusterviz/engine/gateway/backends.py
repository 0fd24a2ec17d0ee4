"""Backends of a rule: which references hold, and what share of the requests each gets (GW-08 to GW-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.gateway.answer import Backend, Forwarded
from clusterviz.engine.gateway.objects import BackendRef, HTTPRoute, RouteMatch
from clusterviz.engine.gateway.refs import BackendReason, fault
from clusterviz.engine.gateway.rewrite import forwarded, response

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


def backend(cluster: Cluster, route: HTTPRoute, ref: BackendRef, request: Forwarded) -> Backend:
    """A reference with its fault and the request it gets; its share is still to be set."""
    reason, why, ready = fault(cluster, route, ref)
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
