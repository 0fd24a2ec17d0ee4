"""Which endpoints of a Service a node may use (EPS-05..07, TD)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from clusterviz.engine.objects import Endpoint, Node, Service

PREFER_ZONE = ("PreferClose", "PreferSameZone", "PreferSameNode")


class Choice(msgspec.Struct, frozen=True):
    """A choice list and how it came about: cluster, cluster-terminating, zone, node, local, local-terminating."""

    name: str
    endpoints: tuple[Endpoint, ...]
    node: str


def has_any(endpoints: Sequence[Endpoint]) -> bool:
    """Ready or serving-terminating ones on any node (EPS-07)."""
    return any(e.ready or (e.serving and e.terminating) for e in endpoints)


def cluster_list(endpoints: Sequence[Endpoint], node: Node, service: Service) -> Choice:
    """All ready ones, narrowed by topology; if none, those serving and terminating (EPS-05)."""
    ready = tuple(e for e in endpoints if e.ready)
    if not ready:
        return Choice("cluster-terminating", tuple(e for e in endpoints if e.serving and e.terminating), node.name)
    return _near(ready, node, service)


def local_list(endpoints: Sequence[Endpoint], node: Node) -> Choice:
    """Ready ones on this node; if none here, serving-terminating ones here (EPS-06)."""
    here = [e for e in endpoints if e.node == node.name]
    ready = tuple(e for e in here if e.ready)
    if ready:
        return Choice("local", ready, node.name)
    return Choice("local-terminating", tuple(e for e in here if e.serving and e.terminating), node.name)


def _near(ready: tuple[Endpoint, ...], node: Node, service: Service) -> Choice:
    """Hints are used only if every ready endpoint has one and one is for here (TD-03, TD-04)."""
    # no controller hints the slices of a Service without a selector (SVC-12)
    given = service.selector is None or any(e.zone_hints or e.node_hints for e in ready)
    nodes = [(e.node_hints if given else _own_node(e, service), e) for e in ready]
    if all(hint for hint, _ in nodes):
        near = tuple(e for hint, e in nodes if node.name in hint)
        if near:
            return Choice("node", near, node.name)
    zones = [(e.zone_hints if given else _own_zone(e, service), e) for e in ready]
    if node.zone and all(hint for hint, _ in zones):
        near = tuple(e for hint, e in zones if node.zone in hint)
        if near:
            return Choice("zone", near, node.name)
    return Choice("cluster", ready, node.name)


def _own_zone(endpoint: Endpoint, service: Service) -> tuple[str, ...]:
    """The hint the EndpointSlice controller would set where no slice carries any (TD-01, TD-02)."""
    return (endpoint.zone,) if service.distribution in PREFER_ZONE and endpoint.zone else ()


def _own_node(endpoint: Endpoint, service: Service) -> tuple[str, ...]:
    return (endpoint.node,) if service.distribution == "PreferSameNode" and endpoint.node else ()
