"""Which endpoints a Service port has on a node: the lists behind KUBE-SVC and KUBE-SVL (EPS, TD)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.addresses import family
from clusterviz.engine.objects import Endpoint, Node, Service, ServicePort
from clusterviz.engine.proxyrules.names import socket

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

ZONE_WISHES = frozenset({"PreferClose", "PreferSameZone", "PreferSameNode"})


class Backend(msgspec.Struct, frozen=True):
    """One endpoint of one Service port, with the hints kube-proxy reads.

    ``address`` is ``ip:port``: what the packet is sent to, and part of the chain's name.
    """

    endpoint: Endpoint
    port: int
    address: str
    zones: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()

    @property
    def leaving(self) -> bool:
        """Terminating, but still able to serve: the last resort."""
        return self.endpoint.serving and self.endpoint.terminating


class Lists(msgspec.Struct, frozen=True):
    """``cluster`` is the list of KUBE-SVC, ``local`` that of KUBE-SVL; empty when the Service never uses it."""

    cluster: tuple[Backend, ...]
    local: tuple[Backend, ...]
    anywhere: bool

    @property
    def reachable(self) -> tuple[Backend, ...]:
        """Each backend that some chain on this node leads to, once."""
        if not (self.cluster and self.local):
            return self.cluster or self.local
        return tuple({backend.address: backend for backend in (*self.cluster, *self.local)}.values())


def backends(cluster: Cluster, service: Service, port: ServicePort, version: int) -> tuple[Backend, ...]:
    """Endpoints of one address family that offer the port, in the order of ``ip:port`` (IPT-16).

    An address that stands in two slices counts once, a pod that stays before one that leaves; of the
    addresses of one entry only the first is read (EPS-01).
    """
    found: dict[str, Backend] = {}
    raw = cluster.endpoints(service)
    hinted = any(one.zone_hints or one.node_hints for one in raw)
    derive = not hinted and service.selector is not None
    for endpoint in raw:
        number = _number(endpoint, port)
        if not number or not endpoint.leading or family(endpoint.ip) != version:
            continue
        backend = _hinted(endpoint, number, service.distribution if derive else "")
        if backend.address not in found or not endpoint.terminating:
            found[backend.address] = backend
    return tuple(found[address] for address in sorted(found))


def lists(known: tuple[Backend, ...], node: Node, *, uses_cluster: bool, uses_local: bool) -> Lists:
    """The lists this node uses (EPS-05..08)."""
    everywhere = _usable(known)
    here = [backend for backend in known if backend.endpoint.node == node.name] if uses_local else []
    return Lists(
        cluster=_near(everywhere, node) if uses_cluster else (),
        local=_usable(tuple(here)),
        anywhere=bool(everywhere),
    )


def _number(endpoint: Endpoint, port: ServicePort) -> int:
    """The endpoint's number of a Service port, 0 when it has none (SVC-10, SVC-11)."""
    for name, number, protocol in endpoint.ports:
        if name == port.name and protocol == port.protocol:
            return number
    return 0


def _hinted(endpoint: Endpoint, number: int, distribution: str) -> Backend:
    """The endpoint with its hints, or with those the EndpointSlice controller sets for it (TD-01, TD-02)."""
    address = socket(endpoint.ip, number)
    if not (distribution or endpoint.zone_hints or endpoint.node_hints):
        return Backend(endpoint, number, address)
    zones, nodes = set(endpoint.zone_hints), set(endpoint.node_hints)
    if endpoint.ready and distribution in ZONE_WISHES:
        zones |= {endpoint.zone} - {""}
    if endpoint.ready and distribution == "PreferSameNode":
        nodes |= {endpoint.node} - {""}
    return Backend(endpoint, number, address, frozenset(zones), frozenset(nodes))


def _usable(backends: tuple[Backend, ...]) -> tuple[Backend, ...]:
    """The ready ones; without any, those that leave but still serve."""
    ready = tuple([backend for backend in backends if backend.endpoint.ready])
    return ready or tuple([backend for backend in backends if backend.leaving])


def _near(usable: tuple[Backend, ...], node: Node) -> tuple[Backend, ...]:
    """Those hinted for this node, else for its zone, when every ready one has such a hint (TD-03, TD-04)."""
    if not usable or not (usable[0].zones or usable[0].nodes):
        return usable  # one without any hint switches them off for all
    if not all(backend.endpoint.ready for backend in usable):
        return usable
    for here, hints in (
        (node.name, [backend.nodes for backend in usable]),
        (node.zone, [backend.zones for backend in usable]),
    ):
        if here and all(hints):
            near = tuple(backend for backend, hint in zip(usable, hints, strict=True) if here in hint)
            if near:
                return near
    return usable
