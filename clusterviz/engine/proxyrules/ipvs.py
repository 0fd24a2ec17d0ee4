"""What ``ipvsadm -Ln`` and ``ipset list`` show on a node in IPVS mode (IPV-01).

Unlike the texts of iptables and nftables these are reports, not rules that could be loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusterviz.engine.addresses import family, in_cidr
from clusterviz.engine.objects import Node
from clusterviz.engine.proxyrules.backends import Backend
from clusterviz.engine.proxyrules.names import socket
from clusterviz.engine.proxyrules.portals import is_local_address, local_addresses, node_port_addresses, portals
from clusterviz.engine.proxyrules.service import Portal

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

IPVS_DEVICE = "kube-ipvs0"
HEAD = ("IP Virtual Server version 1.2.1 (size=4096)", "Prot LocalAddress:Port Scheduler Flags")
COLUMNS = "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn"
SETS = {
    "CLUSTER-IP": "hash:ip,port",
    "EXTERNAL-IP": "hash:ip,port",
    "EXTERNAL-IP-LOCAL": "hash:ip,port",
    "HEALTH-CHECK-NODE-PORT": "bitmap:port",
    "IPVS-IPS": "hash:ip",
    "LOAD-BALANCER": "hash:ip,port",
    "LOAD-BALANCER-FW": "hash:ip,port",
    "LOAD-BALANCER-LOCAL": "hash:ip,port",
    "LOAD-BALANCER-SOURCE-CIDR": "hash:ip,port,net",
    "LOAD-BALANCER-SOURCE-IP": "hash:ip,port,ip",
    "LOOP-BACK": "hash:ip,port,ip",
    "NODE-PORT-LOCAL-SCTP-HASH": "hash:ip,port",
    "NODE-PORT-LOCAL-TCP": "bitmap:port",
    "NODE-PORT-LOCAL-UDP": "bitmap:port",
    "NODE-PORT-SCTP-HASH": "hash:ip,port",
    "NODE-PORT-TCP": "bitmap:port",
    "NODE-PORT-UDP": "bitmap:port",
}
LONGEST_SET = 31


def virtual_servers(cluster: Cluster, node: Node, version: int = 4, *, only: tuple[str, str] | None = None) -> str:
    """``ipvsadm -Ln``: a virtual server for each address and port, its real servers below it.

    A Local policy lists this node's endpoints; where there are none, all of them. Connections are not counted.
    """
    lines = [*HEAD, COLUMNS]
    for portal in portals(cluster, node, version, only):
        for address, backends in _servers(cluster, node, portal, version):
            sticky = f" persistent {portal.service.affinity_timeout}" if portal.service.affinity else ""
            lines.append(f"{portal.port.protocol:<4} {address} {cluster.settings.ipvs_scheduler}{sticky}")
            lines += [f"  -> {one.address:<28} Masq    1      0          0" for one in backends]
    return "\n".join([*lines, ""])


def virtual_addresses(cluster: Cluster, node: Node, version: int = 4) -> tuple[str, ...]:
    """The addresses on kube-ipvs0: ClusterIPs, external ones and those of balancers; none that the node has anyway."""
    found = [ip for one in portals(cluster, node, version) for ip in _virtual(one)]
    return tuple(ip for ip in dict.fromkeys(found) if not is_local_address(cluster, node, ip))


def ip_sets(cluster: Cluster, node: Node, version: int = 4, *, only: tuple[str, str] | None = None) -> str:
    """``ipset list``: the sets that a handful of iptables rules ask, whatever the number of Services."""
    members: dict[str, dict[str, None]] = {name: {} for name in SETS}
    for portal in portals(cluster, node, version, only):
        for name, member in _members(cluster, node, portal, version):
            members[name].setdefault(member)
    prefix = "KUBE-6-" if version == 6 else "KUBE-"
    blocks = []
    for name, found in members.items():
        kind = SETS[name]
        header = "range 0-65535" if kind == "bitmap:port" else f"family inet{'6' * (version == 6)}"
        blocks.append(
            "\n".join(
                [
                    f"Name: {(prefix + name)[:LONGEST_SET]}",
                    f"Type: {kind}",
                    f"Header: {header}",
                    f"Number of entries: {len(found)}",
                    "Members:",
                    *found,
                ]
            )
        )
    return "\n\n".join(blocks) + "\n"


def _servers(cluster: Cluster, node: Node, portal: Portal, version: int) -> Iterator[tuple[str, tuple[Backend, ...]]]:
    port, lists = portal.port, portal.lists
    inside = (lists.local or lists.cluster) if portal.internal_local else lists.cluster
    outside = (lists.local or lists.cluster) if portal.external_local else lists.cluster
    yield socket(portal.cluster_ip, port.port), inside
    for ip in (*portal.external_ips, *portal.lb_ips):
        yield socket(ip, port.port), outside
    if port.node_port:
        for ip in _node_ports(cluster, node, version):
            yield socket(ip, port.node_port), outside


def _virtual(portal: Portal) -> tuple[str, ...]:
    return (portal.cluster_ip, *portal.external_ips, *portal.lb_ips)


def _node_ports(cluster: Cluster, node: Node, version: int) -> tuple[str, ...]:
    """Every local address unless CIDRs are given; loopback never (PX-12)."""
    found = node_port_addresses(cluster, node, version)
    known = local_addresses(cluster, node, version) if found is None else found
    return tuple(ip for ip in known if not in_cidr(ip, "127.0.0.0/8"))


def _members(cluster: Cluster, node: Node, portal: Portal, version: int) -> Iterator[tuple[str, str]]:
    protocol, port = portal.protocol, portal.port.port
    suffix = "-LOCAL" if portal.external_local else ""
    yield "CLUSTER-IP", f"{portal.cluster_ip},{protocol}:{port}"
    for ip in portal.external_ips:
        yield f"EXTERNAL-IP{suffix}", f"{ip},{protocol}:{port}"
    for ip in _virtual(portal):
        yield "IPVS-IPS", ip
    yield from _balancer_members(node, portal)
    for backend in portal.lists.reachable:
        if backend.endpoint.node == node.name:
            ip = backend.endpoint.ip
            yield "LOOP-BACK", f"{ip},{protocol}:{backend.port},{ip}"
    number = portal.port.node_port
    if number and protocol == "sctp":
        for ip in _node_ports(cluster, node, version):
            for kind in {"", suffix}:
                yield f"NODE-PORT{kind}-SCTP-HASH", f"{ip},sctp:{number}"
    elif number:
        for kind in {"", suffix}:
            yield f"NODE-PORT{kind}-{protocol.upper()}", str(number)
    if portal.service.health_check_port:
        yield "HEALTH-CHECK-NODE-PORT", str(portal.service.health_check_port)


def _balancer_members(node: Node, portal: Portal) -> Iterator[tuple[str, str]]:
    """The sets behind a load balancer's address and its source ranges (SVC-17, PX-20)."""
    own = next((ip for ip in node.ips if family(ip) == family(portal.cluster_ip)), "")
    for ip in portal.lb_ips:
        key = f"{ip},{portal.protocol}:{portal.port.port}"
        yield "LOAD-BALANCER", key
        if portal.external_local:
            yield "LOAD-BALANCER-LOCAL", key
        if portal.ranges:
            yield "LOAD-BALANCER-FW", key
        for cidr in portal.ranges:
            yield "LOAD-BALANCER-SOURCE-CIDR", f"{key},{cidr}"
        if any(in_cidr(own, cidr) for cidr in portal.ranges):
            yield "LOAD-BALANCER-SOURCE-IP", f"{key},{ip}"
