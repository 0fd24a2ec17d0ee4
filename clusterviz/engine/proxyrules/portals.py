"""Service ports as one node's kube-proxy sees them: what both rule texts are written from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusterviz.engine.addresses import family, in_cidr, network
from clusterviz.engine.objects import Node, Service, ServicePort
from clusterviz.engine.proxyrules.backends import backends, lists
from clusterviz.engine.proxyrules.service import PROXY_NAME_LABEL, Portal, uses_cluster_list, uses_local_list

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


LARGE = 1000
# One Service, (namespace, name), a few, or all.
Only = tuple[str, str] | frozenset[tuple[str, str]] | None


def portals(cluster: Cluster, node: Node, version: int, only: Only = None) -> Iterator[Portal]:
    """Every Service port of the family in the order of names, or those of one Service or a few."""
    for service in proxied(cluster, only):
        cluster_ip = next(iter(of_version(service.cluster_ips, version)), "")
        if cluster_ip:
            for port in service.ports:
                yield _portal(cluster, node, service, port, cluster_ip)


def is_large(cluster: Cluster, version: int) -> bool:
    """Whether so many endpoints stand behind Services that rules carry no comments (IPT-15)."""
    count = 0
    for service in proxied(cluster, None):
        if of_version(service.cluster_ips, version):
            count += sum(len(backends(cluster, service, port, version)) for port in service.ports)
        if count > LARGE:
            return True
    return False


def proxied(cluster: Cluster, only: Only) -> Iterator[Service]:
    """Services kube-proxy sees at all (SVC-08, SVC-09)."""
    few = {only} if isinstance(only, tuple) else only
    names = sorted(cluster.services if few is None else [name for name in few if name in cluster.services])
    for name in names:
        service = cluster.services[name]
        if not service.headless and service.type != "ExternalName" and PROXY_NAME_LABEL not in service.labels:
            yield service


def _portal(cluster: Cluster, node: Node, service: Service, port: ServicePort, cluster_ip: str) -> Portal:
    version = family(cluster_ip)
    external_ips, lb_ips = of_version(service.external_ips, version), of_version(service.lb_ips, version)
    external = bool(port.node_port or external_ips or lb_ips)
    return Portal(
        service=service,
        port=port,
        cluster_ip=cluster_ip,
        external_ips=external_ips,
        lb_ips=lb_ips,
        ranges=tuple(str(network(cidr)) for cidr in of_version(service.source_ranges, version)),
        lists=lists(
            backends(cluster, service, port, version),
            node,
            uses_cluster=uses_cluster_list(service, external=external),
            uses_local=uses_local_list(service, external=external),
        ),
    )


def of_version(addresses: tuple[str, ...], version: int) -> tuple[str, ...]:
    """The addresses or CIDRs of one family."""
    return tuple([address for address in addresses if family(address) == version]) if addresses else ()


def node_port_addresses(cluster: Cluster, node: Node, version: int) -> tuple[str, ...] | None:
    """Local addresses that --nodeport-addresses picks; None when it is not given for this family (PX-12)."""
    settings = cluster.settings
    primary = next(iter(of_version(node.ips, version)), "")
    if settings.nodeport_addresses == ("primary",):
        return (primary,) if primary else None
    wanted = [cidr for cidr in settings.nodeport_addresses if cidr != "primary" and family(cidr) == version]
    if not wanted or any(network(cidr).prefixlen == 0 for cidr in wanted):
        return None
    local = local_addresses(cluster, node, version)
    if version == 4 and settings.localhost_nodeports:
        local = (*local, "127.0.0.1")
    return tuple(ip for ip in dict.fromkeys(local) if any(in_cidr(ip, cidr) for cidr in wanted))


def local_addresses(cluster: Cluster, node: Node, version: int) -> tuple[str, ...]:
    """The node's own addresses of a family, loopback left out."""
    return of_version((*node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node)), version)


def is_local_address(cluster: Cluster, node: Node, ip: str) -> bool:
    """Whether the node has the address on another device than the one for virtual addresses."""
    return ip in local_addresses(cluster, node, family(ip))
