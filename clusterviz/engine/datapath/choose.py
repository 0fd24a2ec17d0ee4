"""Which endpoints a Service port has on one node for one kind of sender (PX-03..08, EPS, TD).

Nothing here depends on the single packet, so an answer can be kept as long as the Service, its
endpoints and the node stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.datapath.lookup import Lookup, Origin, detector
from clusterviz.engine.datapath.topology import Choice, cluster_list, has_any, local_list
from clusterviz.engine.endpoints import number_of
from clusterviz.engine.objects import Endpoint, Node, Service, ServicePort
from clusterviz.engine.trace import Branch, Candidate, branch_of

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Spread = Literal["random", "source", "destination"]
ELSEWHERE = "on another node, and the policy is Local"
# The rule that made the list of a name (`topology.Choice`).
LISTS = {
    "cluster": "EPS-05",
    "cluster-terminating": "EPS-05",
    "zone": "TD-03",
    "node": "TD-04",
    "local": "EPS-06",
    "local-terminating": "EPS-06",
}
SPREADS: dict[str, Spread] = {"sh": "source", "dh": "destination"}


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The list of one Service port on one node for one kind of sender.

    ``numbers`` are the target ports of ``choice.endpoints``, ``places`` their indexes in
    ``candidates``, of which none is picked yet; ``branches`` are the same endpoints as a trace tells of
    them. ``masquerade`` says why the source is rewritten, ""
    when it is kept; hairpin is not in it. ``anywhere``: some node has a usable endpoint (EPS-07).
    ``open``: the list of the policy itself has one, whatever short cut the sender takes; when it is
    not, the filter rules say ``refusal``.
    """

    found: Lookup
    node: str
    choice: Choice
    numbers: tuple[int, ...]
    places: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    branches: tuple[Branch, ...]
    masquerade: str
    rules: tuple[str, ...]
    anywhere: bool
    open: bool
    refusal: Literal["reject", "drop"]
    spread: Spread = "random"


def choose(cluster: Cluster, node: Node, found: Lookup, version: int, origin: Origin) -> Chosen:
    """The endpoints of one family for one kind of sender, with those left out and why."""
    service, port = found.service, found.port
    known = every(cluster, service, port, version)
    usable = [endpoint for endpoint in known if number_of(endpoint, port)]
    local = service.internal_policy == "Local" if found.via == "cluster" else service.external_policy == "Local"
    anywhere = has_any(usable)
    here = local_list(usable, node) if local else None
    if cluster.settings.proxy_mode == "ipvs":
        choice, masquerade, rules = _ipvs(cluster, node, found, usable, version, origin, here)
        is_open, refusal = bool(choice.endpoints), "reject"
    else:
        choice, masquerade, rules = _policy(cluster, node, found, usable, version, origin, here)
        is_open = bool(here.endpoints) if here is not None else anywhere
        refusal = "drop" if anywhere else "reject"
    candidates = _candidates(cluster, service, port, known, choice, version)
    index = {id(endpoint): place for place, endpoint in enumerate(known)}
    return Chosen(
        found=found,
        node=node.name,
        choice=choice,
        numbers=tuple(number_of(endpoint, port) for endpoint in choice.endpoints),
        places=tuple(index[id(endpoint)] for endpoint in choice.endpoints),
        candidates=candidates,
        branches=tuple([branch_of(candidate) for candidate in candidates if candidate.probability]),
        masquerade=masquerade,
        rules=(*rules, LISTS[choice.name]),
        anywhere=anywhere,
        open=is_open,
        refusal=refusal,  # type: ignore[arg-type]
        spread=SPREADS.get(cluster.settings.ipvs_scheduler, "random")
        if cluster.settings.proxy_mode == "ipvs"
        else "random",
    )


def _policy(
    cluster: Cluster,
    node: Node,
    found: Lookup,
    usable: Sequence[Endpoint],
    version: int,
    origin: Origin,
    here: Choice | None,
) -> tuple[Choice, str, tuple[str, ...]]:
    """iptables and nftables: which list applies and whether the source is masqueraded (PX-03..05, PX-08)."""
    service = found.service
    if found.via == "cluster":
        choice = here or cluster_list(usable, node, service)
        return choice, _cluster_masquerade(cluster, node, version, origin), ("PX-03", "PX-08")
    if here is None:
        why = "externalTrafficPolicy Cluster always hides the source"
        return cluster_list(usable, node, service), why, ("PX-04",)
    if origin == "outside":
        return here, "", ("PX-05",)
    why = "the node itself is the client" if origin == "node" else ""
    return cluster_list(usable, node, service), why, ("PX-05",)


def _ipvs(
    cluster: Cluster,
    node: Node,
    found: Lookup,
    usable: Sequence[Endpoint],
    version: int,
    origin: Origin,
    here: Choice | None,
) -> tuple[Choice, str, tuple[str, ...]]:
    """IPVS: one list a virtual server whoever calls; a Local policy without local ones uses all (IPV-01).

    A Service that is Local and cannot be reached from outside keeps no list of all (EPS-08).
    """
    service = found.service
    choice = here or cluster_list(usable, node, service)
    if here is not None and not here.endpoints and _keeps_cluster_list(found):
        choice = cluster_list(usable, node, service)
    if found.via == "cluster":
        masquerade = _cluster_masquerade(cluster, node, version, origin)
        if not masquerade and origin == "node":
            masquerade = "the node itself is the client"  # its source is the virtual IP on kube-ipvs0
        return choice, masquerade, ("PX-03", "PX-08", "IPV-01")
    why = "" if here is not None else "externalTrafficPolicy Cluster always hides the source"
    return choice, why, ("PX-05" if here is not None else "PX-04", "IPV-01")


def _cluster_masquerade(cluster: Cluster, node: Node, version: int, origin: Origin) -> str:
    """What comes for a ClusterIP and not from a pod is masqueraded, everything with masquerade-all (PX-08)."""
    if cluster.settings.masquerade_all:
        return "masquerade-all is on"
    return "the source is not a pod" if origin != "pod" and detector(cluster, node, version) else ""


def _keeps_cluster_list(found: Lookup) -> bool:
    service = found.service
    outside = found.port.node_port or service.external_ips or service.lb_ips
    return service.internal_policy != "Local" or bool(outside)


def every(cluster: Cluster, service: Service, port: ServicePort, version: int = 0) -> tuple[Endpoint, ...]:
    """Endpoints of one family (0: of both), each address and port once though it may stand in two slices (EPS-01).

    As kube-proxy's cache does it: one that stays is preferred to one that terminates, of an entry with
    several addresses only the first is used, and the order is that of the text ``ip:port`` (IPT-16).
    """
    found: dict[tuple[str, int], Endpoint] = {}
    for endpoint in cluster.endpoints(service):
        if endpoint.leading and (not version or family(endpoint.ip) == version):
            key = endpoint.ip, number_of(endpoint, port)
            if key not in found or not endpoint.terminating:
                found[key] = endpoint
    usable = {ip for ip, number in found if number}
    order = sorted(found, key=lambda key: host_port(*key))
    return tuple(found[ip, number] for ip, number in order if number or ip not in usable)


def _candidates(
    cluster: Cluster, service: Service, port: ServicePort, known: tuple[Endpoint, ...], choice: Choice, version: int
) -> tuple[Candidate, ...]:
    """Every endpoint with its odds; those of the other family stand last."""
    share = 1 / len(choice.endpoints) if choice.endpoints else 0.0
    chosen = {id(endpoint) for endpoint in choice.endpoints}
    others = [endpoint for endpoint in every(cluster, service, port) if family(endpoint.ip) != version]
    return tuple(
        _candidate(endpoint, port, share if id(endpoint) in chosen else 0.0, _excluded(endpoint, port, choice))
        for endpoint in known
    ) + tuple(
        _candidate(endpoint, port, 0.0, f"has an IPv{family(endpoint.ip)} address, the call is IPv{version}")
        for endpoint in others
    )


def _candidate(endpoint: Endpoint, port: ServicePort, probability: float, why: str) -> Candidate:
    return Candidate(
        address=endpoint.ip,
        port=number_of(endpoint, port),
        pod=endpoint.pod,
        node=endpoint.node,
        probability=probability,
        why="" if probability else why,
    )


def _excluded(endpoint: Endpoint, port: ServicePort, choice: Choice) -> str:
    if not number_of(endpoint, port):
        return "has no port for this Service port"
    if not endpoint.ready and endpoint.terminating and not endpoint.serving:
        return "terminating"
    if not endpoint.ready and not endpoint.terminating:
        return "not ready"
    if choice.name.startswith("local") and endpoint.node != choice.node:
        return ELSEWHERE
    if not endpoint.ready:
        return "terminating, and others are ready"
    if choice.name == "node":
        return "on another node, and the Service prefers its own"
    return "in another zone, and the Service prefers near ones"
