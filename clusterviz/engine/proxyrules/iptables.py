"""What ``iptables-save`` shows of kube-proxy on a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusterviz.engine.addresses import family, in_cidr, network
from clusterviz.engine.errors import EngineError
from clusterviz.engine.objects import Node, Service, ServicePort
from clusterviz.engine.proxyrules.backends import backends, lists
from clusterviz.engine.proxyrules.frame import filter_table, nat_table, node_port_rules
from clusterviz.engine.proxyrules.service import (
    PROXY_NAME_LABEL,
    Flags,
    Portal,
    uses_cluster_list,
    uses_local_list,
    write,
)

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

LARGE = 1000


class NoRuleTextError(EngineError):
    """The cluster's kube-proxy writes no rules that could be shown here."""


def iptables(
    cluster: Cluster, node: Node, family: int = 4, *, only: tuple[str, str] | None = None, accounting: bool = True
) -> str:
    """The filter and nat tables kube-proxy keeps on ``node``, for one address family.

    ``only`` leaves out every Service but one, (namespace, name). ``accounting`` False leaves out the
    nfacct counters, which must exist before ``iptables-restore`` accepts a rule that names them.
    Raises `NoRuleTextError` when the cluster's kube-proxy does not use iptables.
    """
    settings = cluster.settings
    if settings.proxy_mode != "iptables":
        raise NoRuleTextError(
            f"kube-proxy of this cluster runs in {settings.proxy_mode} mode: "
            "only the rules of iptables mode can be written out"
        )
    portals = list(_portals(cluster, node, family))
    flags = Flags(
        version=family,
        pods=_detector(cluster, family),
        masquerade_all=settings.masquerade_all,
        localhost=settings.localhost_nodeports and family == 4,
        accounting=accounting,
        large=sum(known for known, _ in portals) > LARGE,
    )
    filters, nat = filter_table(family, accounting=accounting), nat_table()
    for _, portal in portals:
        if only in (None, (portal.service.namespace, portal.service.name)):
            write(portal, node, flags, nat, filters)
    localhost = settings.localhost_nodeports
    node_port_rules(nat, family, _node_port_addresses(cluster, node, family), localhost=localhost)
    return "\n".join([*filters.lines(), *nat.lines(), ""])


def _portals(cluster: Cluster, node: Node, version: int) -> Iterator[tuple[int, Portal]]:
    """Every Service port of the family with the number of its endpoints, in the order of names."""
    for _, service in sorted(cluster.services.items()):
        if service.headless or service.type == "ExternalName" or PROXY_NAME_LABEL in service.labels:
            continue
        cluster_ip = next(iter(_of(service.cluster_ips, version)), "")
        if cluster_ip:
            for port in service.ports:
                yield _portal(cluster, node, service, port, cluster_ip)


def _portal(cluster: Cluster, node: Node, service: Service, port: ServicePort, cluster_ip: str) -> tuple[int, Portal]:
    version = family(cluster_ip)
    external_ips, lb_ips = _of(service.external_ips, version), _of(service.lb_ips, version)
    external = bool(port.node_port or external_ips or lb_ips)
    known = backends(cluster, service, port, version)
    return len(known), Portal(
        service=service,
        port=port,
        cluster_ip=cluster_ip,
        external_ips=external_ips,
        lb_ips=lb_ips,
        ranges=tuple(str(network(cidr)) for cidr in _of(service.source_ranges, version)),
        lists=lists(
            known,
            node,
            uses_cluster=uses_cluster_list(service, external=external),
            uses_local=uses_local_list(service, external=external),
        ),
    )


def _of(addresses: tuple[str, ...], version: int) -> tuple[str, ...]:
    return tuple(address for address in addresses if family(address) == version)


def _detector(cluster: Cluster, version: int) -> str:
    """The pods' CIDR of the family, "" when kube-proxy was given none (PX-08)."""
    if not cluster.settings.detect_local:
        return ""
    given = (cidr.strip() for cidr in cluster.settings.cluster_cidr.split(","))
    return next((str(network(cidr)) for cidr in given if cidr and family(cidr) == version), "")


def _node_port_addresses(cluster: Cluster, node: Node, version: int) -> tuple[str, ...] | None:
    """Local addresses that --nodeport-addresses picks; None when it is not given for this family (PX-12)."""
    settings = cluster.settings
    primary = next(iter(_of(node.ips, version)), "")
    if settings.nodeport_addresses == ("primary",):
        return (primary,) if primary else None
    wanted = [cidr for cidr in settings.nodeport_addresses if cidr != "primary" and family(cidr) == version]
    if not wanted or any(network(cidr).prefixlen == 0 for cidr in wanted):
        return None
    local = _of((*node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node)), version)
    if version == 4 and settings.localhost_nodeports:
        local = (*local, "127.0.0.1")
    return tuple(ip for ip in dict.fromkeys(local) if any(in_cidr(ip, cidr) for cidr in wanted))
