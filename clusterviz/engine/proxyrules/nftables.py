"""What ``nft list table ip kube-proxy`` shows on a node (NFT)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.addresses import family as version_of
from clusterviz.engine.addresses import in_cidr, listed, network
from clusterviz.engine.objects import Node
from clusterviz.engine.proxyrules.detector import detector
from clusterviz.engine.proxyrules.iptables import NoRuleTextError
from clusterviz.engine.proxyrules.nftframe import frame
from clusterviz.engine.proxyrules.nftservice import NftPortal, put_cluster_ip, put_others, write_chains
from clusterviz.engine.proxyrules.portals import Only, node_port_addresses, of_version, portals

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def nftables(cluster: Cluster, node: Node, family: int = 4, *, only: Only = None) -> str:
    """The table ``kube-proxy`` of one address family on ``node``, as nft lists it and ``nft -f`` loads it.

    ``only`` leaves out every Service but one, (namespace, name), or but these. Raises `NoRuleTextError` when the
    cluster's kube-proxy does not use nftables.
    """
    settings = cluster.settings
    if settings.proxy_mode != "nftables":
        raise NoRuleTextError(
            f"kube-proxy of this cluster runs in {settings.proxy_mode} mode: it keeps no nftables table of its own"
        )
    ports = [
        NftPortal(portal, detector(cluster, node, family), settings.masquerade_all)
        for portal in portals(cluster, node, family, only)
    ]
    service_cidrs = of_version(listed(settings.service_cidr), family)
    networks = tuple(str(network(cidr)) for cidr in service_cidrs)
    table = frame(family, networks, _node_ports(cluster, node, family))
    for put in (put_cluster_ip, put_others):
        for port in ports:
            put(port, table)
    for port in ports:
        write_chains(port, node, table)
    return table.text()


def _node_ports(cluster: Cluster, node: Node, version: int) -> tuple[str, ...] | None:
    """Addresses node ports answer on: the primary one unless CIDRs are given, loopback never (PX-12)."""
    if cluster.settings.nodeport_addresses in ((), ("primary",)):
        return next(((ip,) for ip in node.ips if version_of(ip) == version), None)
    found = node_port_addresses(cluster, node, version)
    return None if found is None else tuple(ip for ip in found if not in_cidr(ip, "127.0.0.0/8"))
