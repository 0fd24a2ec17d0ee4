"""Which lines of a node's rules a step of a trace used.

The text is walked as the packet would walk it; from the trace comes only which endpoint was drawn. Text and decision
stay two answers: a step whose endpoint the text does not lead to has no lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.objects import Node
from clusterviz.engine.packet import IP, L4
from clusterviz.engine.proxyrules.iptables import iptables
from clusterviz.engine.proxyrules.nftables import nftables
from clusterviz.engine.proxyrules.places import places
from clusterviz.engine.proxyrules.read_iptables import read_iptables
from clusterviz.engine.proxyrules.read_nftables import read_nftables
from clusterviz.engine.proxyrules.walk import Line, Packet, Ruleset, Way
from clusterviz.engine.trace import Action, Hop, Step

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Name = tuple[str, str]
Names = frozenset[Name]

PROXY = "kube-proxy"
ENDPOINT_CHAINS = ("KUBE-SEP-", "endpoint-")
TRANSLATING = ("prerouting", "output")
# With more Services than this only the rules of the one concerned are written out; what stands before them is counted.
MOST_SERVICES = 300
_rulesets: WeakKeyDictionary[Cluster, dict[tuple[str, int, Names | None], Ruleset]] = WeakKeyDictionary()


def lines_used(cluster: Cluster, hop: Hop, step: Step) -> tuple[Line, ...]:
    """The rules and map elements that ``step`` of ``hop`` used, in the order the packet met them.

    ``step`` is one of the forward way; ``cluster`` is the snapshot the trace was made in. Only steps of kube-proxy have
    lines: the choice of an endpoint, the translation, a refusal, the masquerade. A line's ``number`` counts from 1 in
    the whole text of the node (`iptables` or `nftables`). IPVS has no rules of this kind.
    """
    node = cluster.nodes.get(hop.node)
    if step.component != PROXY or node is None or cluster.settings.proxy_mode == "ipvs":
        return ()
    packet = _packet(cluster, node, hop)
    if packet is None:
        return ()
    only = None if len(cluster.services) <= MOST_SERVICES else _concerned(cluster, hop, step, packet)
    ruleset = _ruleset(cluster, node, family(packet.to), only)
    way = _way(ruleset.send(packet), _endpoint(hop, step), step)
    if way is None:
        return ()
    lines = _of_step(way.lines, step)
    return lines if only is None else _numbered(lines, cluster, node, family(packet.to), only)


def _concerned(cluster: Cluster, hop: Hop, step: Step, packet: Packet) -> Names:
    """The Services that want the address with this port: which of them has it, the text of all of them tells.

    Else the one whose rules the packet meets here.
    """
    wanted = packet.port, packet.protocol
    claims = {
        (one.namespace, one.name)
        for one, _ in cluster.services_by_ip.get(packet.to, ())
        if any((port.port, port.protocol.lower()) == wanted for port in one.ports)
    }
    return frozenset(claims) if len(claims) > 1 else _service(cluster, hop, step)


def _numbered(lines: tuple[Line, ...], cluster: Cluster, node: Node, version: int, mine: Names) -> tuple[Line, ...]:
    """Lines of the text of a few Services, numbered as in that of all."""
    found, counted, ruleset = [], places(cluster, node, version), _ruleset(cluster, node, version, mine)
    for line in lines:
        name = f"{line.table} {line.chain}" if line.table else line.chain
        chain = ruleset.chains.get(name)
        index = chain.place(line.number) if chain is not None else 0
        owner = _owner(cluster, node, version, mine, name)
        shift = counted.shift(mine, owner, line.table, line.chain, index, line.text)
        found.append(msgspec.structs.replace(line, number=line.number + shift))
    return tuple(found)


def _owner(cluster: Cluster, node: Node, version: int, mine: Names, chain: str) -> Name:
    """Which of a few Services a chain is written for; any of them where it is written for all."""
    if len(mine) < 2:
        return next(iter(mine), ("", ""))
    alone = (one for one in mine if chain in _ruleset(cluster, node, version, frozenset({one})).chains)
    return next(alone, ("", ""))


def _packet(cluster: Cluster, node: Node, hop: Hop) -> Packet | None:
    """The innermost packet as it came to the node: nothing rewrites it before kube-proxy sees it."""
    ip = next((header for header in reversed(hop.headers_in) if isinstance(header, IP)), None)
    if ip is None:
        return None
    l4 = next((header for header in reversed(hop.headers_in) if isinstance(header, L4)), None)
    return Packet(
        source=ip.src,
        to=ip.dst,
        protocol=ip.proto.lower(),
        port=l4.dport if l4 is not None else 0,
        local=frozenset((*node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node))),
        from_node=not hop.in_iface,
        interface="cni0" if hop.in_iface.startswith("veth") else hop.in_iface,  # netfilter sees the bridge (NET-05)
    )


def _service(cluster: Cluster, hop: Hop, step: Step) -> Names:
    """The Service whose rules the packet meets here: of the step, else of another of kube-proxy's; or none."""
    for one in (step, *hop.steps):
        kind, _, name = (one.rule.ref if one.component == PROXY and one.rule else "").partition(":")
        namespace, _, plain = name.partition("/")
        if kind == "service" and (namespace, plain) in cluster.services:
            return frozenset({(namespace, plain)})
    return frozenset()


def _ruleset(cluster: Cluster, node: Node, version: int, only: Names | None) -> Ruleset:
    known = _rulesets.setdefault(cluster, {})
    key = (node.name, version, only)
    if key not in known:
        if cluster.settings.proxy_mode == "nftables":
            known[key] = read_nftables(nftables(cluster, node, version, only=only))
        else:
            known[key] = read_iptables(iptables(cluster, node, version, only=only))
    return known[key]


def _endpoint(hop: Hop, step: Step) -> str:
    """``ip:port`` of the endpoint this hop translates to, "" when it does not."""
    for one in (step, *hop.steps):
        picked = next((candidate for candidate in one.candidates if candidate.picked), None)
        if one.component == PROXY and picked is not None:
            return host_port(picked.address, picked.port)
    return ""


def _way(ways: tuple[Way, ...], endpoint: str, step: Step) -> Way | None:
    """The way the trace says was taken, None when the text has no such way."""
    if step.action in (Action.DROPPED, Action.REJECTED):
        return next((way for way in ways if way.verdict != "accept"), None)
    return next((way for way in ways if endpoint and way.target == endpoint), None)


def _of_step(lines: tuple[Line, ...], step: Step) -> tuple[Line, ...]:
    """The part of a way that belongs to one step."""
    before = [line for line in lines if line.hook in TRANSLATING]
    cut = next((index for index, line in enumerate(before) if line.chain.startswith(ENDPOINT_CHAINS)), len(before))
    if step.action is Action.LOAD_BALANCED:
        return tuple(before[:cut])
    if step.action is Action.DNAT:
        return tuple(before[cut:])
    if step.action is Action.MASQUERADED:
        return tuple(line for line in lines if line.hook not in TRANSLATING)
    return lines
