"""Gateway API objects as frozen records, already defaulted."""

from __future__ import annotations

from typing import Literal

import msgspec

from clusterviz.engine.objects import Record
from clusterviz.engine.selectors import Selector

GROUP = "gateway.networking.k8s.io"
KINDS = ("GatewayClass", "Gateway", "HTTPRoute", "ReferenceGrant")
Name = tuple[str, str]


class GatewayClass(Record, frozen=True, kw_only=True):
    """Which controller serves a class of Gateways (GW-13)."""

    controller: str = ""


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """One port of a Gateway. ``hostname`` "" is any; ``kinds`` () is what the protocol supports.

    ``namespaces`` is Same, All, Selector or None; a Selector without ``selector`` admits nobody.
    ``certificates`` are (namespace, name) of Secrets.
    """

    name: str
    port: int
    protocol: str = "HTTP"
    hostname: str = ""
    mode: str = "Terminate"
    certificates: tuple[Name, ...] = ()
    namespaces: str = "Same"
    selector: Selector | None = None
    kinds: tuple[tuple[str, str], ...] = ()
    index: int = 0

    @property
    def http(self) -> bool:
        """Whether HTTPRoutes can attach at all: HTTP, or HTTPS that ends here."""
        return self.protocol == "HTTP" or (self.protocol == "HTTPS" and self.mode == "Terminate")

    @property
    def scheme(self) -> str:
        """The scheme of its URLs."""
        return "https" if self.protocol in ("HTTPS", "TLS") else "http"


class Gateway(Record, frozen=True, kw_only=True):
    """A Gateway. ``addresses`` are those of its status, ``wanted`` those of its spec."""

    gateway_class: str = ""
    listeners: tuple[Listener, ...] = ()
    addresses: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"gateway:{self.namespace}/{self.name}"


class ParentRef(msgspec.Struct, frozen=True, kw_only=True):
    """What a route wants to attach to; ``section`` "" and ``port`` 0 are any listener (GW-01)."""

    name: str
    namespace: str
    group: str = GROUP
    kind: str = "Gateway"
    section: str = ""
    port: int = 0


class Condition(msgspec.Struct, frozen=True):
    """A header or query parameter a request must carry; ``type`` Exact or RegularExpression."""

    name: str
    value: str
    type: str = "Exact"


class RouteMatch(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions that must all hold (GW-07)."""

    path: str = "/"
    path_type: str = "PathPrefix"
    method: str = ""
    headers: tuple[Condition, ...] = ()
    params: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        """In words, as a line of a list of rules."""
        parts = [f"{self.path_type} {self.path}", self.method]
        parts += [f"header {one.name}: {one.value}" for one in self.headers]
        parts += [f"query {one.name}={one.value}" for one in self.params]
        return ", ".join(part for part in parts if part)


class PathChange(msgspec.Struct, frozen=True):
    """A new path: ReplaceFullPath or ReplacePrefixMatch with its value."""

    type: Literal["ReplaceFullPath", "ReplacePrefixMatch"]
    value: str


class HeaderChange(msgspec.Struct, frozen=True, kw_only=True):
    """Headers to set, add and remove (GW-12)."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


class BackendRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a share of the requests goes; ``port`` 0 when none was given."""

    name: str
    namespace: str
    group: str = ""
    kind: str = "Service"
    port: int = 0
    weight: int = 1
    filters: tuple[Filter, ...] = ()


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One filter of a rule or backend; the fields of other types stay at their defaults.

    ``status`` 0 stands for no redirect; ``percent`` is the share of requests a mirror gets.
    """

    type: str
    headers: HeaderChange = HeaderChange()
    scheme: str = ""
    hostname: str = ""
    path: PathChange | None = None
    port: int = 0
    status: int = 0
    mirror: BackendRef | None = None
    percent: float = 100.0
    extension: tuple[str, str, str] = ("", "", "")


class RouteRule(msgspec.Struct, frozen=True, kw_only=True):
    """Matches are ORed; none given is the prefix / (GW-07)."""

    name: str = ""
    matches: tuple[RouteMatch, ...] = (RouteMatch(),)
    filters: tuple[Filter, ...] = ()
    backends: tuple[BackendRef, ...] = ()


class HTTPRoute(Record, frozen=True, kw_only=True):
    """An HTTPRoute; ``hostnames`` () is any host of the listener."""

    parents: tuple[ParentRef, ...] = ()
    hostnames: tuple[str, ...] = ()
    rules: tuple[RouteRule, ...] = ()

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"httproute:{self.namespace}/{self.name}"


class GrantFrom(msgspec.Struct, frozen=True):
    """Who may refer: (group, kind) of a namespace."""

    group: str
    kind: str
    namespace: str


class GrantTo(msgspec.Struct, frozen=True):
    """What may be referred to; ``name`` "" is every object of the kind."""

    group: str
    kind: str
    name: str = ""


class ReferenceGrant(Record, frozen=True, kw_only=True):
    """Allows references into its own namespace (GW-10)."""

    from_: tuple[GrantFrom, ...] = ()
    to: tuple[GrantTo, ...] = ()
