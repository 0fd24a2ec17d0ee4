"""What `clusterviz.engine.ask` answers where no mechanism has a record of its own."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from clusterviz.engine.addresses import host_port
from clusterviz.engine.datapath.affinity import Affinity


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint a Service decision can pick. ``masquerade`` is true for a hairpin, too (PX-06)."""

    address: str
    port: int
    probability: float
    masquerade: bool
    pod: str = ""
    node: str = ""

    @property
    def endpoint(self) -> str:
        """``address:port``, an IPv6 address in brackets."""
        return host_port(self.address, self.port)


class ServiceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What kube-proxy's rules of one node do with the first packet of a connection.

    ``verdict``: those of `datapath.service.ServiceDecision`, or not_a_service. ``effect`` is what becomes of
    the packet: dnat, reject, drop or none. ``excluded`` are endpoints that cannot be picked, with why.
    ``masquerade`` says why the source of every connection is rewritten, "" when it is kept; hairpins only
    show in ``targets``. ``rules`` are ids of docs/rules.md.
    """

    verdict: str
    effect: Literal["dnat", "reject", "drop", "none"]
    service: str = ""
    via: str = ""
    targets: tuple[Target, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    masquerade: str = ""
    rules: tuple[str, ...] = ()

    @property
    def endpoints(self) -> tuple[str, ...]:
        """``address:port`` of every endpoint that can be picked."""
        return tuple(target.endpoint for target in self.targets)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return {**found, "endpoints": list(self.endpoints)}


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One of several connections: who made it when, and the endpoint it got, "" when none.

    ``sticky``: new or kept where the Service has session affinity (SVC-14).
    """

    source: str
    at: float
    verdict: str
    endpoint: str = ""
    sticky: Literal["", "new", "kept"] = ""


class AffinityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Connections in their order, and what the node remembers after the last."""

    connections: tuple[Connection, ...]
    remembered: Affinity

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """HTTP ``status`` 200 or 503, and how many ready endpoints of ``service`` (namespace/name) the node has."""

    service: str
    status: int
    local_endpoints: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found
