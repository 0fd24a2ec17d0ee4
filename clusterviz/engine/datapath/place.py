"""Where a packet is between two stages of the walk, and how a node would send it on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal, NamedTuple

from clusterviz.engine.addresses import family, in_any, in_cidr, is_loopback, listed, network
from clusterviz.engine.datapath.public import unroutable
from clusterviz.engine.objects import Node, Pod

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Stage = Literal["pod_out", "node", "pod_in", "node_in", "wire", "outside_in", "outside_out"]


class At(NamedTuple):
    """The next stage: ``came`` is pod, local (a process of the node) or wire; ``sender`` the node before a wire."""

    stage: Stage
    node: Node | None = None
    pod: Pod | None = None
    came: str = ""
    iface: str = ""
    sender: Node | None = None


class Route(NamedTuple):
    """The line of ``ip route`` that decides.

    ``kind``: local, bridge, overlay, direct (host-gw), onlink (node network), default, unreachable. What is on the
    node network and no node is of kind default, too: outside the cluster.
    """

    kind: str
    prefix: str
    dev: str
    via: str = ""
    node: Node | None = None
    pod: Pod | None = None
    why: str = ""  # of an unreachable one

    @property
    def text(self) -> str:
        """As ``ip route`` prints it."""
        via = f" via {self.via}" if self.via else ""
        return f"{self.prefix}{via} dev {self.dev}" + (" onlink" if self.kind == "overlay" and self.via else "")


def veth(pod: Pod) -> str:
    """Name of the node's end of the pod's veth pair."""
    return "veth" + hashlib.blake2b(pod.ref.encode(errors="surrogatepass"), digest_size=4).hexdigest()


def home(cluster: Cluster, pod: Pod) -> Node | None:
    """The node a pod is on; the first one when the objects do not say (pods that have only an IP)."""
    node = cluster.nodes.get(pod.node)
    if node is None and not pod.node:
        return next(iter(cluster.nodes.values()), None)
    return node


def of_family(ips: tuple[str, ...], ip: str) -> str:
    """The first address of the family of ``ip``, else the first, else ""."""
    if len(ips) == 1:
        return ips[0]
    same = [one for one in ips if family(one) == family(ip)]
    return same[0] if same else (ips[0] if ips else "")


def route_for(cluster: Cluster, node: Node, ip: str) -> Route:
    """How ``node`` sends a packet for ``ip`` on (NET-05..11)."""
    if is_loopback(ip):
        return Route("local", ip, "lo", node=node)
    if unroutable(ip):
        return Route("unreachable", ip, "eth0")
    pod, owner = cluster.pod_by_ip.get(ip), cluster.node_by_ip.get(ip)
    if owner is not None and owner.name == node.name and (pod is None or ip in node.ips):
        return Route("local", ip, "lo", node=node)
    place = home(cluster, pod) if pod is not None else None
    if pod is not None and place is not None:
        if place.name == node.name:
            return Route("bridge", own_block(node, ip) or ip, "cni0", node=node, pod=pod)
        return _to_node(cluster, node, place, ip, pod)
    if owner is not None and ip in owner.ips:
        return _onlink(cluster, node, ip, owner)
    found = cluster.block_of(ip)
    if found is not None and found[0].name == node.name:
        return Route("bridge", found[1], "cni0", node=node)
    if found is not None:
        return _to_node(cluster, node, found[0], ip, None)
    if in_any(ip, cluster.settings.service_cidr) or in_any(ip, cluster.settings.cluster_cidr):
        return Route("unreachable", "default", "eth0")
    beside = segment_of(cluster, node, ip)
    return Route("default", beside, "eth0") if beside else Route("default", "default", "eth0", via="the node's gateway")


def _onlink(cluster: Cluster, node: Node, ip: str, owner: Node) -> Route:
    """The route to another node: its segment, a line of its own, or the router between segments (NET-11)."""
    segment = segment_of(cluster, node, ip)
    if segment:
        return Route("onlink", segment, "eth0", node=owner)
    mine = [own for own in node.ips if family(own) == family(ip)]
    beside = any(cluster.settings.one_segment(own, ip) for own in mine)
    return Route("onlink", ip if beside else "default", "eth0", node=owner)


def segment_of(cluster: Cluster, node: Node, ip: str) -> str:
    """The node network that holds the address and that the node is on, "" when there is none."""
    for cidr in listed(cluster.settings.node_cidr):
        if in_cidr(ip, cidr) and any(in_cidr(own, cidr) for own in node.ips):
            return str(network(cidr))
    return ""


def own_block(node: Node, ip: str) -> str:
    """The pod CIDR of the node that holds the address, "" when none does."""
    return next((cidr for cidr in node.pod_cidrs if in_cidr(ip, cidr)), "")


def _to_node(cluster: Cluster, near: Node, node: Node, ip: str, pod: Pod | None) -> Route:
    """The route of node ``near`` to a pod address on another node (NET-09, NET-11, NET-14)."""
    settings = cluster.settings
    block = own_block(node, ip) or ip
    for one in (near, node):
        if not one.network_ready:
            return Route("unreachable", block, "eth0", why=f"the network of node {one.name} is not ready (NET-14)")
    via = of_family(node.ips, ip)
    adjacent = settings.one_segment(of_family(near.ips, via), via)
    if settings.encapsulated and not (settings.direct_routing and adjacent):
        gateway = of_family(cluster.overlay_ips(node), ip)
        if not settings.carries_frames:  # WireGuard and UDP take no gateway, IP-in-IP the node (NET-12)
            gateway = via if settings.network == "ipip" else ""
        return Route("overlay", block, settings.overlay_device, gateway, node, pod)
    if not adjacent:
        why = f"nodes {near.name} and {node.name} share no layer-2 segment, which plain routes need (NET-11)"
        return Route("unreachable", block, "eth0", why=why)
    return Route("direct", block, "eth0", via, node, pod)


def source_address(cluster: Cluster, node: Node, route: Route, ip: str, *, masqueraded: bool = False) -> str:
    """The address of the interface a packet for ``ip`` leaves by (PX-09, NET-10).

    On the node itself a process uses the very address it calls; a masquerade takes that of the
    node's card, since lo has none that may leave it.
    """
    if route.kind == "local" and not masqueraded:
        return "127.0.0.1" if ip.startswith("127.") else ip
    if route.kind == "bridge":
        return of_family(cluster.bridge_ips(node), ip) or of_family(node.ips, ip)
    if route.kind == "overlay":
        return of_family(cluster.overlay_ips(node), ip) or of_family(node.ips, ip)
    segment = segment_of(cluster, node, route.via if route.kind == "direct" else ip)
    beside = next((own for own in node.ips if segment and in_cidr(own, segment)), "")
    return beside or of_family(node.ips, ip)
