"""``ip route`` on a node: its own networks, one line for each other node's pods, the default (NET-09, NET-11).

Every way to another node's pods is the datapath's own answer (`route_for`) for an address among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.addresses import family, in_cidr, listed, network, nth
from clusterviz.engine.datapath.place import route_for
from clusterviz.engine.objects import Node

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

CARD, BRIDGE = "eth0", "cni0"
# Ways to other nodes' pods; where there is none the packet takes the default route and is lost (NET-11, NET-14).
ROUTED = ("overlay", "direct")


def routes(cluster: Cluster, node: Node, version: int = 4) -> list[str]:
    """The main table of one address family, as ``ip route`` and ``ip -6 route`` print it."""
    lines = [*_default(cluster, node, version), *_segments(cluster, node, version)]
    for cidr in _of(node.pod_cidrs, version):
        bridge = next((ip for ip in cluster.bridge_ips(node) if in_cidr(ip, cidr)), "")
        if bridge:
            lines.append(_connected(cidr, BRIDGE, bridge))
    for other in cluster.nodes.values():
        if other.name != node.name:
            found = [route_for(cluster, node, nth(cidr, 1)) for cidr in _of(other.pod_cidrs, version)]
            lines += [route.text for route in found if route.kind in ROUTED]
    return [*lines, *_strays(cluster, node, version)]


def local_routes(cluster: Cluster, node: Node, version: int = 4) -> list[str]:
    """The node's own addresses: what ``ip route show table local`` has for them, broadcast lines left out."""
    lines = ["local 127.0.0.0/8 dev lo"] if version == 4 else ["local ::1 dev lo"]
    devices = [(ip, CARD) for ip in node.ips]
    devices += [(ip, BRIDGE) for ip in cluster.bridge_ips(node)]
    devices += [(ip, cluster.settings.overlay_device) for ip in cluster.overlay_ips(node)]
    return [*lines, *(f"local {ip} dev {device}" for ip, device in devices if family(ip) == version)]


def segment(cluster: Cluster, ip: str) -> str:
    """The node network an address lies in, "" when it is in none (NET-11)."""
    return next((str(network(cidr)) for cidr in listed(cluster.settings.node_cidr) if in_cidr(ip, cidr)), "")


def gateway(cluster: Cluster, node: Node, version: int) -> str:
    """The way out of the node network: its first address; the objects do not say which it is."""
    for ip in _of(node.ips, version):
        cidr = segment(cluster, ip)
        if cidr and network(cidr).num_addresses > 2:
            return nth(cidr, 1)
    return ""


def _default(cluster: Cluster, node: Node, version: int) -> list[str]:
    way = gateway(cluster, node, version)
    if way:
        return [f"default via {way} dev {CARD}"]
    return [f"default dev {CARD}"] if _of(node.ips, version) else []


def _segments(cluster: Cluster, node: Node, version: int) -> list[str]:
    """Networks the node's card is on; neighbours whose address is in none of them get a line each."""
    mine = _of(node.ips, version)
    own = {cidr: ip for ip in reversed(mine) if (cidr := segment(cluster, ip))}
    others = {ip for other in cluster.nodes.values() if other.name != node.name for ip in _of(other.ips, version)}
    beside = [ip for ip in sorted(others) if segment(cluster, ip) not in own]
    adjacent = [ip for ip in beside if any(cluster.settings.one_segment(one, ip) for one in mine)]
    return [
        *(_connected(cidr, CARD, ip) for cidr, ip in sorted(own.items())),
        *(f"{ip} dev {CARD} scope link" for ip in adjacent),
    ]


def _connected(cidr: str, device: str, source: str) -> str:
    return f"{network(cidr)} dev {device} proto kernel scope link src {source}"


def _strays(cluster: Cluster, node: Node, version: int) -> list[str]:
    """Pods whose address is in no pod CIDR of their node: a line for each."""
    lines = []
    for ip in _of(tuple(sorted(cluster.strays)), version):
        route = route_for(cluster, node, ip)
        lines += [route.text] if route.kind in ("bridge", *ROUTED) else []
    return lines


def _of(addresses: tuple[str, ...], version: int) -> tuple[str, ...]:
    return tuple(one for one in addresses if family(one) == version)
