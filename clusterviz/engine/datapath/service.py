"""kube-proxy's decision on one node: is this packet for a Service, and which endpoint gets it (PX).

`decide` can be asked alone: it needs a cluster, the node that sees the packet, and the packet's
addresses. It answers for the first packet of a connection; later ones follow conntrack (PX-17). What
a node that has not synced yet does is told by the cluster as it last saw it (PX-18, PX-19).

`matches` looks the address up, `choose` lists the endpoints, `pick` draws one. Only `pick` knows the
single packet.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import msgspec

from clusterviz.engine.addresses import family, host_port, in_any, in_cidr
from clusterviz.engine.datapath.affinity import RECENT_SOURCES, Affinity, Seen
from clusterviz.engine.datapath.choose import Chosen, choose, every
from clusterviz.engine.datapath.draw import draw
from clusterviz.engine.datapath.lookup import (
    Lookup,
    Origin,
    Via,
    answers,
    is_local,
    matches,
    origin_of,
    owners,
    primary,
)
from clusterviz.engine.objects import Endpoint, Node, Service, ServicePort
from clusterviz.engine.trace import Branch, Candidate, branch_of

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

__all__ = [
    "Affinity",
    "Chosen",
    "Lookup",
    "ServiceDecision",
    "chain_hash",
    "choose",
    "decide",
    "every",
    "matches",
    "pick",
    "port_name",
]

ServiceVerdict = Literal["accept", "reject", "drop", "source_range", "unknown_port", "unallocated", "untouched"]
Effect = Literal["dnat", "reject", "drop", "none"]
EFFECTS: dict[ServiceVerdict, Effect] = {
    "accept": "dnat",
    "reject": "reject",
    "drop": "drop",
    "source_range": "drop",
    "unallocated": "drop",
    "untouched": "none",
}


# Lists kept of one Service; a few for each node where they differ.
MOST_CHOICES = 512
HAIRPIN = "the pod reaches itself through its own Service (hairpin)"
# Stands where no Service has the address.
NOBODY = Service(name="")


class ServiceDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What kube-proxy's rules on ``node`` do with the packet.

    ``verdict``: accept (DNAT to ``endpoint``); reject (no endpoint anywhere); drop (none that a Local
    policy allows); source_range (dropped); unknown_port (a Service's address, not this port);
    unallocated (an address of the Service CIDR that no Service has, ``service`` `NOBODY`);
    untouched (a Service's address and port, yet no rule on this packet's way says anything).
    ``effect`` is what happens to the packet: dnat, reject, drop or none.
    ``masquerade`` says why the source is rewritten, "" when it is kept. ``rules`` are rule ids.
    ``sticky``: "new" or "kept" under session affinity; ``affinity`` is the table after this connection.
    """

    verdict: ServiceVerdict
    service: Service
    port: ServicePort | None
    via: Via
    node: str
    choice: str = ""
    endpoint: Endpoint | None = None
    target_port: int = 0
    candidates: tuple[Candidate, ...] = ()
    branches: tuple[Branch, ...] = ()
    masquerade: str = ""
    random: float = 0.0
    rules: tuple[str, ...] = ()
    refused: bool = False
    sticky: Literal["", "new", "kept"] = ""
    affinity: Affinity | None = None

    @property
    def effect(self) -> Effect:
        """What becomes of the packet; an unknown port is refused or left alone by the proxy's mode (PX-11)."""
        return EFFECTS.get(self.verdict) or ("reject" if self.refused else "none")


def chain_hash(service: Service, port: ServicePort, extra: str = "") -> str:
    """The 16 characters of a chain name (IPT-14)."""
    return _hashed(f"{port_name(service, port)}{port.protocol.lower()}{extra}")


@lru_cache(maxsize=16384)
def _hashed(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode(errors="surrogatepass")).digest()).decode()[:16]


def port_name(service: Service, port: ServicePort) -> str:
    """``namespace/name:portname`` (SVC-19)."""
    suffix = f":{port.name}" if port.name else ""
    return f"{service.namespace}/{service.name}{suffix}"


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
    affinity: Affinity | None = None,
    now: float = 0.0,
) -> ServiceDecision | None:
    """What the rules on ``node`` do with a new connection ``source`` -> ``ip``:``port``.

    ``from_node`` is True when a process of this very node opened it. ``affinity`` is what the node
    remembers at ``now`` (seconds): with it a Service with session affinity answers as asked before and
    draws by ``seed`` else; without it a source always draws the same. None: not for a Service.
    """
    found = matches(cluster, node, ip, proto, port)
    if not found:
        return _unclaimed(cluster, node, ip)
    mode, origin = cluster.settings.proxy_mode, origin_of(cluster, node, source, from_node=from_node, to=ip)
    lists = [chosen(cluster, node, one, family(ip), origin) for one in found]
    barred: Chosen | None = None
    for one in lists:
        if not _admits(cluster, node, one, source, ip, from_node=from_node):
            barred = barred or one
            if mode != "iptables":
                break  # the guard stands before any translation; in iptables mode it is a fall through
        elif one.choice.endpoints and (one.found.via != "nodeport" or answers(cluster, node, ip)):
            picked = pick(one, source, seed, affinity=affinity, now=now, mode=mode)
            return _judged_again(cluster, node, picked, source, from_node=from_node) or picked
        elif mode == "nftables" and one.anywhere and one.found.via in ("external", "lb"):
            break  # a map has one element for an address and port: nobody else is asked (NFT-01)
    if barred is not None:
        return _refusal(barred, "source_range", ("SVC-17", "PX-01"))
    return _untranslated(cluster, node, lists, ip, from_node=from_node)


def chosen(cluster: Cluster, node: Node, found: Lookup, version: int, origin: Origin) -> Chosen:
    """`choose`, through the one place where its answers are kept: as long as the Service and its endpoints stay."""
    name = found.service.namespace, found.service.name
    kept = cluster.choices.get(name)
    if kept is None:
        kept = cluster.choices.put(name, {})
        kept[""] = _by_place(cluster, found.service)
    key = node.name if kept[""] else "", found.port, found.via, version, origin
    one: Chosen | None = kept.get(key)
    if one is None:
        if len(kept) >= MOST_CHOICES:
            kept = cluster.choices.put(name, {"": kept[""]})
        one = kept[key] = choose(cluster, node, found, version, origin)
    return one if one.node == node.name else msgspec.structs.replace(one, node=node.name)


def _by_place(cluster: Cluster, service: Service) -> bool:
    """Whether the list differs between nodes: a Local policy, hints of topology (TD-03), a detector of each node."""
    if cluster.settings.detect_local_mode == "NodeCIDR":
        return True
    if "Local" in (service.internal_policy, service.external_policy) or service.distribution:
        return True
    return any(endpoint.zone_hints or endpoint.node_hints for endpoint in cluster.endpoints(service))


def _admits(cluster: Cluster, node: Node, one: Chosen, source: str, ip: str, *, from_node: bool) -> bool:
    """loadBalancerSourceRanges let the packet through (SVC-17, PX-20).

    In iptables mode the guard stands only where some node has an endpoint. A balancer's address as
    source is let in where the node's own address is in the ranges: any of the Service's balancer
    addresses, in IPVS mode the one that is called.
    """
    service, mode, version = one.found.service, cluster.settings.proxy_mode, family(ip)
    if one.found.via != "lb" or (mode == "iptables" and not one.anywhere):
        return True
    ranges = [cidr for cidr in service.source_ranges if family(cidr) == version]
    if not ranges or any(in_cidr(source, cidr) for cidr in ranges):
        return True
    hands_back = source == ip or (from_node and mode == "ipvs")
    if mode != "ipvs":
        hands_back = source in service.lb_ips
    own = primary(node, version)
    return hands_back and any(in_cidr(own, cidr) for cidr in ranges)


def _untranslated(
    cluster: Cluster, node: Node, lists: list[Chosen], ip: str, *, from_node: bool
) -> ServiceDecision | None:
    """No rule translates it: what the filter rules on its way say (PX-07, IPT-01, IPT-11).

    In iptables mode OUTPUT has no rules for outside addresses, and a node port's rule stands for every
    local address. None when the packet is for the node itself, or for another node.
    """
    mode = cluster.settings.proxy_mode
    local = is_local(cluster, node, ip)
    for one in lists:
        heard = one.found.via != "nodeport" or answers(cluster, node, ip)
        if mode == "iptables":
            heard = (from_node or not local) if one.found.via == "cluster" else (local or not from_node)
        if heard and not one.open:
            return _refusal(one, one.refusal, (*one.rules, "PX-07"))
    outside = next((one for one in lists if one.found.via != "nodeport"), None)
    owned = local or ip in cluster.node_by_ip
    return None if outside is None or owned else _refusal(outside, "untouched", (*outside.rules, "IPT-01"))


def _judged_again(
    cluster: Cluster, node: Node, picked: ServiceDecision, source: str, *, from_node: bool
) -> ServiceDecision | None:
    """The filter rules see the endpoint's address: another Service's refusal may stand for it (IPT-01, IPT-11).

    So where an endpoint is at an address that is an externalIP or a node port of a Service without endpoints.
    """
    endpoint, port, mode = picked.endpoint, picked.port, cluster.settings.proxy_mode
    if endpoint is None or port is None or mode == "ipvs":
        return None
    found = matches(cluster, node, endpoint.ip, port.protocol, picked.target_port)
    if not found:
        return None
    origin = origin_of(cluster, node, source, from_node=from_node)
    lists = [chosen(cluster, node, one, family(endpoint.ip), origin) for one in found]
    barred = next(
        (one for one in lists if not _admits(cluster, node, one, source, endpoint.ip, from_node=from_node)), None
    )
    if barred is not None and mode == "iptables":
        return _refusal(barred, "source_range", ("SVC-17", "IPT-10"))
    forwarded = not from_node and not is_local(cluster, node, endpoint.ip)
    if mode == "iptables" and picked.masquerade and forwarded:
        return None  # KUBE-FORWARD accepts what is marked (IPT-13)
    refused = _untranslated(cluster, node, lists, endpoint.ip, from_node=from_node)
    return refused if refused is not None and refused.effect != "none" else None


def _refusal(one: Chosen, verdict: ServiceVerdict, rules: tuple[str, ...]) -> ServiceDecision:
    return ServiceDecision(
        verdict=verdict,
        service=one.found.service,
        port=one.found.port,
        via=one.found.via,
        node=one.node,
        choice=one.choice.name,
        candidates=tuple(_idle(candidate) for candidate in one.candidates),
        rules=rules,
    )


def _idle(candidate: Candidate) -> Candidate:
    """A candidate of a packet that is not sent to anybody."""
    if not candidate.probability:
        return candidate
    return msgspec.structs.replace(candidate, probability=0.0, why="the packet is stopped before one is drawn")


def _unclaimed(cluster: Cluster, node: Node, ip: str) -> ServiceDecision | None:
    """No Service has this port: nftables and IPVS refuse it on a ClusterIP, iptables does nothing (PX-11)."""
    if ip in cluster.node_by_ip:
        return None
    mode, known = cluster.settings.proxy_mode, sorted(owners(cluster, ip), key=lambda entry: entry[1] != "cluster")
    if known:
        service, via = known[0]
        return ServiceDecision(
            verdict="unknown_port",
            service=service,
            port=None,
            via=via,  # type: ignore[arg-type]
            node=node.name,
            rules=("PX-11",),
            refused=mode == "ipvs" or (mode == "nftables" and via == "cluster"),
        )
    if mode == "nftables" and in_any(ip, cluster.settings.service_cidr):
        return ServiceDecision(
            verdict="unallocated", service=NOBODY, port=None, via="cluster", node=node.name, rules=("PX-11",)
        )
    return None


def pick(
    one: Chosen, source: str, seed: int, *, affinity: Affinity | None = None, now: float = 0.0, mode: str = "iptables"
) -> ServiceDecision:
    """One of the chosen endpoints, drawn or remembered, and the hairpin masquerade (PX-06, PX-16, SVC-14).

    The list must not be empty.
    """
    service, port, usable = one.found.service, one.found.port, one.choice.endpoints
    rules, masquerade = one.rules, one.masquerade
    name = f"{port_name(service, port)}/{port.protocol}"
    names = [host_port(usable[i].ip, one.numbers[i]) for i in range(len(usable))] if service.affinity else []
    random = _random(one, source, seed, fixed=service.affinity and affinity is None)
    index, sticky = _place(random, usable), ""
    if service.affinity:
        rules, sticky = (*rules, "SVC-14"), "new"
        fresh = affinity.fresh(one.node, name, source, now, service.affinity_timeout) if affinity else frozenset()
        kept = sorted(fresh.intersection(names))  # the rules ask in the order of the text (IPT-16)
        if kept:
            index, sticky = names.index(kept[0]), "kept"
    if service.affinity and affinity is not None:
        limit = RECENT_SOURCES if mode == "iptables" else 0
        affinity = affinity.used(Seen(one.node, name, names[index], source, now), limit=limit)
    picked = usable[index]
    if picked.ip == source:
        masquerade = masquerade or HAIRPIN
        rules = (*rules, "PX-06")
    candidates, branches = marked(one, index)
    return ServiceDecision(
        verdict="accept",
        service=service,
        port=port,
        via=one.found.via,
        node=one.node,
        choice=one.choice.name,
        endpoint=picked,
        target_port=one.numbers[index],
        candidates=candidates,
        branches=branches,
        masquerade=masquerade,
        random=random,
        rules=(*rules, "PX-16"),
        sticky=sticky,  # type: ignore[arg-type]
        affinity=affinity,
    )


def marked(one: Chosen, index: int) -> tuple[tuple[Candidate, ...], tuple[Branch, ...]]:
    """Candidates and branches with the endpoint at this place of ``one.choice.endpoints`` picked."""
    place = one.places[index]
    picked = msgspec.structs.replace(one.candidates[place], picked=True)
    return (
        (*one.candidates[:place], picked, *one.candidates[place + 1 :]),
        (*one.branches[:index], branch_of(picked), *one.branches[index + 1 :]),
    )


def drawn(one: Chosen, source: str, seed: int) -> int:
    """The place `pick` draws in ``one.choice.endpoints`` for a Service without session affinity."""
    return _place(_random(one, source, seed, fixed=False), one.choice.endpoints)


def _place(random: float, usable: tuple[Endpoint, ...]) -> int:
    return min(int(random * len(usable)), len(usable) - 1)


def _random(one: Chosen, source: str, seed: int, *, fixed: bool) -> float:
    """A number in [0, 1): by the seed, or by an address where the scheduler or a missing memory fixes it."""
    service, port = one.found.service, one.found.port
    what = service.namespace, service.name, port.name, port.port
    if fixed or one.spread == "source":
        return draw(0, "affinity", *what, source, one.node)
    if one.spread == "destination":
        return draw(0, "destination", *what, one.found.via, one.node)
    return draw(seed, "endpoint", *what, one.node)
