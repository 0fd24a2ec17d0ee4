"""Which route is attached to which listener, and why another is not (GW-01 to GW-03, GW-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from clusterviz.engine.gateway.hosts import intersect
from clusterviz.engine.gateway.objects import GROUP, Gateway, HTTPRoute, Listener, ParentRef
from clusterviz.engine.gateway.refs import BackendReason, granted, judge

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# "" when attached; the first three are reasons of the route's condition Accepted, the rest of the listener's.
Reason = Literal[
    "",
    "NotAllowedByListeners",
    "NoMatchingListenerHostname",
    "NoMatchingParent",
    "InvalidKind",
    "HostnameConflict",
    "ProtocolConflict",
    "UnsupportedProtocol",
    "RefNotPermitted",
    "InvalidCertificateRef",
]


# Kinds of which a change may attach a route or let go of it.
MADE_OF = frozenset({"Gateway", "HTTPRoute", "ReferenceGrant", "Namespace", "Secret", "Service"})


class Unresolved(msgspec.Struct, frozen=True):
    """A backendRef of a route that does not hold: indexes of rule and backend, reason of ResolvedRefs, why."""

    rule: int
    backend: int
    reason: BackendReason
    why: str


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """One route and one listener it asked for. ``hostnames`` are the hosts both admit ("" is any).

    ``listener`` is "" when the parentRef meets none. ``unresolved`` are the route's references that do not
    hold; they leave it attached, and their share of the requests gets 500 (GW-08).
    """

    route: tuple[str, str]
    gateway: tuple[str, str]
    listener: str = ""
    accepted: bool = False
    reason: Reason = ""
    why: str = ""
    hostnames: tuple[str, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    rules: tuple[str, ...] = ("GW-01",)


def attachments(cluster: Cluster) -> tuple[Attachment, ...]:
    """Every HTTPRoute with every listener its parentRefs point at, by route, then in the order given."""
    return cluster.attached.every


def attach_all(cluster: Cluster) -> tuple[Attachment, ...]:
    """`attachments`, worked out; what they are made of is in `MADE_OF`."""
    routes = sorted(cluster.routes.values(), key=lambda route: (route.namespace, route.name))
    return tuple(one for route in routes for one in _all(cluster, route))


def _all(cluster: Cluster, route: HTTPRoute) -> list[Attachment]:
    faults = (
        Unresolved(index, position, *judge(cluster, route, ref))
        for index, rule in enumerate(route.rules)
        for position, ref in enumerate(rule.backends)
    )
    broken = tuple(one for one in faults if one.reason not in ("", "NoReadyEndpoint"))
    return [
        msgspec.structs.replace(one, unresolved=broken)
        for parent in route.parents
        for one in _attach(cluster, route, parent)
    ]


def _attach(cluster: Cluster, route: HTTPRoute, parent: ParentRef) -> list[Attachment]:
    if (parent.group, parent.kind) != (GROUP, "Gateway"):
        why = f"parentRef is a {parent.kind} of group {parent.group or 'core'}; only Gateways are judged here"
        return [_refused(route, (parent.namespace, parent.name), "", "InvalidKind", why)]
    gateway = cluster.gateways.get((parent.namespace, parent.name))
    name = (parent.namespace, parent.name)
    if gateway is None:
        return [_refused(route, name, "", "NoMatchingParent", f"no Gateway {parent.namespace}/{parent.name}")]
    found = [
        listener
        for listener in gateway.listeners
        if parent.section in ("", listener.name) and parent.port in (0, listener.port)
    ]
    if not found:
        wanted = " and ".join(
            part
            for part in (f"name {parent.section}" * bool(parent.section), f"port {parent.port}" * bool(parent.port))
            if part
        )
        why = f"Gateway {parent.name} has no listener with {wanted}" if wanted else "the Gateway has no listener"
        return [_refused(route, name, "", "NoMatchingParent", why)]
    return [attach(cluster, route, gateway, listener) for listener in found]


def attach(cluster: Cluster, route: HTTPRoute, gateway: Gateway, listener: Listener) -> Attachment:
    """Whether a route that points at a listener is let in: kind, namespace, hostname."""
    name = (gateway.namespace, gateway.name)
    reason, why = fault(cluster, gateway, listener)
    if reason:
        return _refused(route, name, listener.name, reason, why)
    why = _kept_out(cluster, route, gateway, listener)
    if why:
        return _refused(route, name, listener.name, "NotAllowedByListeners", why)
    hosts = [both for host in route.hostnames or ("",) if (both := intersect(listener.hostname, host)) is not None]
    if not hosts:
        why = f"none of {', '.join(route.hostnames)} lies in the listener's {listener.hostname}"
        refused = _refused(route, name, listener.name, "NoMatchingListenerHostname", why)
        return msgspec.structs.replace(refused, rules=("GW-01", "GW-02", "GW-03"))
    return Attachment(
        route=(route.namespace, route.name),
        gateway=name,
        listener=listener.name,
        accepted=True,
        hostnames=tuple(dict.fromkeys(hosts)),
    )


def _refused(route: HTTPRoute, gateway: tuple[str, str], listener: str, reason: Reason, why: str) -> Attachment:
    return Attachment(route=(route.namespace, route.name), gateway=gateway, listener=listener, reason=reason, why=why)


def _kept_out(cluster: Cluster, route: HTTPRoute, gateway: Gateway, listener: Listener) -> str:
    """What allowedRoutes has against a route; "" when nothing."""
    if not listener.http or (listener.kinds and (GROUP, "HTTPRoute") not in listener.kinds):
        kinds = ", ".join(kind for _, kind in listener.kinds) or f"what {listener.protocol} {listener.mode} supports"
        return f"the listener takes only {kinds}"
    space = route.namespace
    match listener.namespaces:
        case "All":
            return ""
        case "Same":
            return "" if space == gateway.namespace else f"only routes of namespace {gateway.namespace} may attach"
        case "Selector":
            if listener.selector is None:
                return "allowedRoutes has from: Selector and no selector: nobody may attach"
            missing = listener.selector.missing(cluster.namespace_labels(space))
            return f"namespace {space}: {'; '.join(missing)}" if missing else ""
        case _:
            return "no route may attach"


def fault(cluster: Cluster, gateway: Gateway, listener: Listener) -> tuple[Reason, str]:
    """What keeps a listener itself from working: a conflict, an unknown protocol, its certificate."""
    if listener.protocol not in ("HTTP", "HTTPS", "TLS", "TCP", "UDP"):
        return "UnsupportedProtocol", f"protocol {listener.protocol} is the controller's own"
    for other in gateway.listeners:
        if other.index == listener.index or other.port != listener.port:
            continue
        if other.protocol != listener.protocol and "UDP" not in (other.protocol, listener.protocol):
            if {other.protocol, listener.protocol} <= {"HTTPS", "TLS"} and other.hostname != listener.hostname:
                continue
            return "ProtocolConflict", f"listener {other.name} has port {other.port} with {other.protocol}"
        if other.protocol == listener.protocol and other.hostname == listener.hostname:
            return "HostnameConflict", f"listener {other.name} has the same port and hostname"
    if listener.protocol == "HTTPS":
        return _certificate(cluster, gateway, listener)
    return "", ""


def _certificate(cluster: Cluster, gateway: Gateway, listener: Listener) -> tuple[Reason, str]:
    """Secrets are judged only where the objects hold Secrets at all."""
    secrets = cluster.secrets
    for space, name in listener.certificates:
        if space != gateway.namespace and not granted(cluster, gateway, "Gateway", ("", "Secret", space, name)):
            return "RefNotPermitted", f"no ReferenceGrant in {space} lets this Gateway use Secret {name}"
        if secrets and (space, name) not in secrets:
            return "InvalidCertificateRef", f"no Secret {space}/{name}"
    return "", ""
