"""kube-proxy's decision on one node: is this packet for a Service, and which endpoint gets it (PX).

`decide` can be asked alone: it needs a cluster, the node that sees the packet, and the packet's
addresses. It answers for the first packet of a connection; later ones follow conntrack.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import msgspec

from clusterviz.engine.addresses import family, in_any, in_cidr
from clusterviz.engine.datapath.draw import draw
from clusterviz.engine.datapath.place import of_family
from clusterviz.engine.datapath.topology import Choice, cluster_list, has_any, local_list
from clusterviz.engine.objects import Endpoint, Node, Service, ServicePort
from clusterviz.engine.trace import Candidate

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Via = Literal["cluster", "external", "lb", "nodeport"]


class Lookup(msgspec.Struct, frozen=True):
    """Which Service port an address leads to, and as what."""

    service: Service
    port: ServicePort
    via: Via


class ServiceDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What kube-proxy's rules on ``node`` do with the packet.

    ``verdict``: accept (DNAT to ``endpoint``), reject, drop, source_range (dropped), unknown_port.
    ``masquerade`` says why the source is rewritten, "" when it is kept. ``rules`` are rule ids.
    """

    verdict: Literal["accept", "reject", "drop", "source_range", "unknown_port"]
    service: Service
    port: ServicePort | None
    via: Via
    node: str
    choice: str = ""
    endpoint: Endpoint | None = None
    target_port: int = 0
    candidates: tuple[Candidate, ...] = ()
    masquerade: str = ""
    random: float = 0.0
    rules: tuple[str, ...] = ()


def is_pod_source(cluster: Cluster, ip: str) -> bool:
    """Whether kube-proxy's detector takes the source for a pod (PX-08)."""
    if not cluster.settings.detect_local:
        return True
    return in_any(ip, cluster.settings.cluster_cidr)


def chain_hash(service: Service, port: ServicePort, extra: str = "") -> str:
    """The 16 characters of a chain name (IPT-14)."""
    return _hashed(f"{port_name(service, port)}{port.protocol.lower()}{extra}")


@lru_cache(maxsize=16384)
def _hashed(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:16]


def port_name(service: Service, port: ServicePort) -> str:
    """``namespace/name:portname`` (SVC-19)."""
    suffix = f":{port.name}" if port.name else ""
    return f"{service.namespace}/{service.name}{suffix}"


def lookup(cluster: Cluster, node: Node, ip: str, proto: str, port: int) -> Lookup | ServiceDecision | None:
    """The destination lookup in kube-proxy's order (PX-01): cluster IP, LB or external IP, node port.

    None: the packet is not for a Service. A decision ``unknown_port``: the address is a Service's,
    and nobody else's, but not this port (PX-11).
    """
    entries = cluster.services_by_ip.get(ip, ())
    for service, via in sorted(entries, key=lambda entry: entry[1] != "cluster"):
        for one in service.ports:
            if one.port == port and one.protocol == proto:
                return Lookup(service, one, via)  # type: ignore[arg-type]
    if is_nodeport_address(cluster, node, ip):
        found = cluster.services_by_node_port.get((proto, port))
        if found and any(family(own) == family(ip) for own in found[0].cluster_ips):
            return Lookup(found[0], found[0].ports[found[1]], "nodeport")
    if not entries or ip in cluster.node_by_ip:
        return None
    service, via = entries[0]
    return ServiceDecision(
        verdict="unknown_port",
        service=service,
        port=None,
        via=via,  # type: ignore[arg-type]
        node=node.name,
        rules=("PX-11",),
    )


def is_nodeport_address(cluster: Cluster, node: Node, ip: str) -> bool:
    """Whether node ports answer on this address of this node (PX-12)."""
    settings = cluster.settings
    loopback = ip.startswith("127.")
    if loopback and (settings.proxy_mode != "iptables" or not settings.localhost_nodeports):
        return False
    local = loopback or ip in node.ips or ip in (*cluster.bridge_ips(node), *cluster.overlay_ips(node))
    if not local:
        return False
    primary = ip == of_family(node.ips, ip)
    if settings.nodeport_addresses:
        return any(primary if cidr == "primary" else in_cidr(ip, cidr) for cidr in settings.nodeport_addresses)
    return primary or settings.proxy_mode != "nftables"


def decide(
    cluster: Cluster,
    node: Node,
    source: str,
    ip: str,
    proto: str,
    port: int,
    *,
    from_node: bool = False,
    seed: int = 0,
) -> ServiceDecision | None:
    """What the rules on ``node`` do with a new connection ``source`` -> ``ip``:``port``.

    ``from_node`` is True when a process of this very node opened it. None: not for a Service.
    """
    found = lookup(cluster, node, ip, proto, port)
    if found is None or isinstance(found, ServiceDecision):
        return found
    service = found.service
    known = every(cluster, service, found.port, family(ip))
    guarded = cluster.settings.proxy_mode == "nftables" or has_any([e for e in known if _number(e, found.port)])
    if guarded and found.via == "lb" and not _in_ranges(service, source, ip, node):
        return ServiceDecision(
            verdict="source_range",
            service=service,
            port=found.port,
            via="lb",
            node=node.name,
            rules=("SVC-17", "PX-01"),
        )
    choice, masquerade, rules = _policy(cluster, node, found, known, source, from_node=from_node)
    return _pick(node, found, known, choice, masquerade, rules, source, seed)


def every(cluster: Cluster, service: Service, port: ServicePort, version: int = 0) -> tuple[Endpoint, ...]:
    """Endpoints of one family (0: of both), each address and port once though it may stand in two slices (EPS-01)."""
    found: dict[tuple[str, int], Endpoint] = {}
    for endpoint in cluster.endpoints(service):
        if not version or family(endpoint.ip) == version:
            key = endpoint.ip, _number(endpoint, port)
            if key not in found or (endpoint.ready and not found[key].ready):
                found[key] = endpoint
    usable = {ip for ip, number in found if number}
    return tuple(endpoint for (ip, number), endpoint in found.items() if number or ip not in usable)


def _in_ranges(service: Service, source: str, ip: str, node: Node) -> bool:
    ranges = [cidr for cidr in service.source_ranges if family(cidr) == family(ip)]
    if not ranges or any(in_cidr(source, cidr) for cidr in ranges):
        return True
    return source == ip and any(in_cidr(own, cidr) for own in node.ips for cidr in ranges)


def _policy(
    cluster: Cluster, node: Node, found: Lookup, known: tuple[Endpoint, ...], source: str, *, from_node: bool
) -> tuple[Choice, str, tuple[str, ...]]:
    """Which list applies and whether the source is masqueraded (PX-03..05, PX-08)."""
    settings, service = cluster.settings, found.service
    endpoints = [e for e in known if _number(e, found.port)]
    if found.via == "cluster":
        masquerade = ""
        if settings.masquerade_all:
            masquerade = "masquerade-all is on"
        elif not is_pod_source(cluster, source):
            masquerade = "the source is not a pod"
        if service.internal_policy == "Local":
            return local_list(endpoints, node), masquerade, ("PX-03", "PX-08")
        return cluster_list(endpoints, node, service), masquerade, ("PX-03", "PX-08")
    if service.external_policy != "Local":
        why = "externalTrafficPolicy Cluster always hides the source"
        return cluster_list(endpoints, node, service), why, ("PX-04",)
    if from_node:
        return cluster_list(endpoints, node, service), "the node itself is the client", ("PX-05",)
    if settings.detect_local and is_pod_source(cluster, source):
        return cluster_list(endpoints, node, service), "", ("PX-05",)
    return local_list(endpoints, node), "", ("PX-05",)


def _number(endpoint: Endpoint, port: ServicePort) -> int:
    """The endpoint's port for a Service port, matched by name and protocol; 0 when it has none."""
    for name, number, protocol in endpoint.ports:
        if name == port.name and protocol == port.protocol:
            return number
    return 0


def _pick(
    node: Node,
    found: Lookup,
    known: tuple[Endpoint, ...],
    choice: Choice,
    masquerade: str,
    rules: tuple[str, ...],
    source: str,
    seed: int,
) -> ServiceDecision:
    service, port = found.service, found.port
    usable = choice.endpoints
    if not usable:
        able = [endpoint for endpoint in known if _number(endpoint, port)]
        verdict: Literal["drop", "reject"] = "drop" if has_any(able) else "reject"
        return ServiceDecision(
            verdict=verdict,
            service=service,
            port=port,
            via=found.via,
            node=node.name,
            choice=choice.name,
            candidates=_candidates(known, port, choice, None),
            rules=(*rules, "PX-07"),
        )
    random = draw(seed, "endpoint", service.namespace, service.name, port.name, port.port, node.name)
    if service.affinity:
        random = draw(0, "affinity", service.namespace, service.name, port.name, port.port, source, node.name)
        rules = (*rules, "SVC-14")
    picked = usable[min(int(random * len(usable)), len(usable) - 1)]
    if picked.ip == source:
        masquerade = masquerade or "the pod reaches itself through its own Service (hairpin)"
        rules = (*rules, "PX-06")
    return ServiceDecision(
        verdict="accept",
        service=service,
        port=port,
        via=found.via,
        node=node.name,
        choice=choice.name,
        endpoint=picked,
        target_port=_number(picked, port),
        candidates=_candidates(known, port, choice, picked),
        masquerade=masquerade,
        random=random,
        rules=(*rules, "PX-16"),
    )


def _candidates(
    known: tuple[Endpoint, ...], port: ServicePort, choice: Choice, picked: Endpoint | None
) -> tuple[Candidate, ...]:
    share = 1 / len(choice.endpoints) if choice.endpoints else 0.0
    chosen = {id(endpoint) for endpoint in choice.endpoints}
    return tuple(
        Candidate(
            address=endpoint.ip,
            port=_number(endpoint, port),
            pod=endpoint.pod,
            node=endpoint.node,
            probability=share if id(endpoint) in chosen else 0.0,
            picked=endpoint is picked,
            why="" if id(endpoint) in chosen else _excluded(endpoint, port, choice),
        )
        for endpoint in known
    )


def _excluded(endpoint: Endpoint, port: ServicePort, choice: Choice) -> str:
    if not _number(endpoint, port):
        return "has no port for this Service port"
    if endpoint.terminating and not endpoint.serving:
        return "terminating"
    if not endpoint.ready and not endpoint.serving:
        return "not ready"
    if choice.name.startswith("local") and endpoint.node != choice.node:
        return "on another node, and the policy is Local"
    if endpoint.terminating:
        return "terminating, and others are ready"
    if not endpoint.ready:
        return "not ready"
    return "in another zone, and the Service prefers near ones"
