"""Which Service ports an address leads to on one node (PX-01, PX-12, SVC-11).

The families are two kube-proxies that know nothing of each other: a Service exists for one when it
has a ClusterIP of that family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from clusterviz.engine.addresses import family, in_cidr, is_loopback, listed, network
from clusterviz.engine.objects import Node, Service, ServicePort

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Via = Literal["cluster", "external", "lb", "nodeport"]
Origin = Literal["pod", "node", "outside"]
BY_INTERFACE = ("BridgeInterface", "InterfaceNamePrefix")
# The devices by which packets of a node's own pods, and others, reach its netfilter hooks (NET-04).
BRIDGE = "cni0"
CARD = "eth0"


class Lookup(msgspec.Struct, frozen=True):
    """Which Service port an address leads to, and as what."""

    service: Service
    port: ServicePort
    via: Via


def matches(cluster: Cluster, node: Node, ip: str, proto: str, port: int) -> tuple[Lookup, ...]:
    """Every Service port with this address, in kube-proxy's order: ClusterIP, other addresses, node port (PX-01).

    A node port stands here for every address of the node, also those it does not answer on.
    """
    found: list[Lookup] = [
        Lookup(service, one, via)  # type: ignore[arg-type]
        for service, via in owners(cluster, ip)
        for one in service.ports
        if one.port == port and one.protocol == proto
    ]
    if len(found) > 1:
        found.sort(key=lambda one: one.via != "cluster")
    by_port = cluster.services_by_node_port.get((proto, port))
    if by_port and is_local(cluster, node, ip) and serves(by_port[0], family(ip)):
        found.append(Lookup(by_port[0], by_port[0].ports[by_port[1]], "nodeport"))
    return tuple(found)


def owners(cluster: Cluster, ip: str) -> list[tuple[Service, str]]:
    """Services with this address, in the family's own kube-proxy (SVC-16)."""
    return [entry for entry in cluster.services_by_ip.get(ip, ()) if serves(entry[0], family(ip))]


def serves(service: Service, version: int) -> bool:
    """Whether the kube-proxy of an address family knows the Service (SVC-16)."""
    return any(family(ip) == version for ip in service.cluster_ips)


def is_local(cluster: Cluster, node: Node, ip: str) -> bool:
    """Whether the address is the node's own, as ``addrtype LOCAL`` and ``fib type local`` see it."""
    return is_loopback(ip) or ip in node.ips or ip in cluster.bridge_ips(node) or ip in cluster.overlay_ips(node)


def answers(cluster: Cluster, node: Node, ip: str) -> bool:
    """Whether node ports answer on this address of this node (PX-12); on IPv6's loopback never."""
    settings, version = cluster.settings, family(ip)
    if is_loopback(ip) and (version == 6 or settings.proxy_mode != "iptables" or not settings.localhost_nodeports):
        return False
    own = node_port_ips(cluster, node, version)
    return is_local(cluster, node, ip) if own is None else ip in own


def node_port_ips(cluster: Cluster, node: Node, version: int) -> tuple[str, ...] | None:
    """The node's addresses that ``--nodeport-addresses`` picks, None when all (PX-12).

    It counts for a family only when it names a CIDR of it; CIDRs pick addresses of interfaces, so of
    127.0.0.0/8 only 127.0.0.1.
    """
    settings = cluster.settings
    given = settings.nodeport_addresses
    if given == ("primary",) or (not given and settings.proxy_mode == "nftables"):
        own = primary(node, version)
        return (own,) if own else None
    cidrs = [cidr for cidr in given if cidr != "primary" and family(cidr) == version]
    if not cidrs or any(not network(cidr).prefixlen for cidr in cidrs):
        return None
    loopback = "127.0.0.1" if version == 4 else "::1"
    every = (*node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node), loopback)
    return tuple(ip for ip in dict.fromkeys(every) if any(in_cidr(ip, cidr) for cidr in cidrs))


def primary(node: Node, version: int) -> str:
    """The node's address of a family that kube-proxy knows it by, "" when it has none."""
    return next((ip for ip in node.ips if family(ip) == version), "")


def detector(cluster: Cluster, node: Node, version: int) -> str:
    """What kube-proxy on ``node`` knows pods of a family by: a CIDR or an interface, "" when by nothing (PX-08).

    The first cluster CIDR or pod CIDR of the family; a node without one has no detector.
    """
    settings = cluster.settings
    if not settings.detect_local:
        return ""
    if settings.detect_local_mode in BY_INTERFACE:
        return settings.detect_local_interface
    by_node = settings.detect_local_mode == "NodeCIDR"
    cidrs = node.pod_cidrs if by_node else listed(settings.cluster_cidr)
    return next((cidr for cidr in cidrs if family(cidr) == version), "")


def is_pod(cluster: Cluster, node: Node, source: str, *, from_node: bool, to: str = "") -> bool:
    """Whether kube-proxy's detector takes the sender for a pod (PX-08).

    By interface it is whoever comes in by one of that name: pods of the node by the bridge, since netfilter sees the
    bridge and not the veth behind it (NET-05), everybody else where a setting names another device.
    """
    known = detector(cluster, node, family(source))
    mode = cluster.settings.detect_local_mode
    if not known or mode not in BY_INTERFACE:
        return bool(known) and in_cidr(source, known)
    came = "" if from_node else came_in_by(cluster, node, source, to)
    return bool(came) and (came == known if mode == "BridgeInterface" else came.startswith(known))


def came_in_by(cluster: Cluster, node: Node, source: str, to: str) -> str:
    """The device a packet for ``to`` reaches the node's hooks by: bridge, overlay or card (NET-04, NET-06)."""
    if behind_bridge(cluster, node, source):
        return BRIDGE
    own = (*cluster.bridge_ips(node), *cluster.overlay_ips(node))
    if cluster.settings.encapsulated and to in own:
        return cluster.settings.overlay_device
    return CARD


def behind_bridge(cluster: Cluster, node: Node, source: str) -> bool:
    """Whether the address is that of a pod of this node, or of nobody known but in the node's block (NET-04)."""
    pod = cluster.pod_by_ip.get(source)
    if pod is not None:
        return pod.node == node.name
    return not is_local(cluster, node, source) and any(in_cidr(source, cidr) for cidr in node.pod_cidrs)


def origin_of(cluster: Cluster, node: Node, source: str, *, from_node: bool, to: str = "") -> Origin:
    """Who kube-proxy takes the sender for: its detector is asked first, then whether the address is the node's.

    Without a detector nobody is a pod to it (PX-05, PX-08). ``to`` is the address the packet came for.
    """
    if is_pod(cluster, node, source, from_node=from_node, to=to):
        return "pod"
    return "node" if from_node or is_local(cluster, node, source) else "outside"
