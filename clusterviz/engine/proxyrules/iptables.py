"""What ``iptables-save`` shows of kube-proxy on a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.errors import EngineError
from clusterviz.engine.objects import Node
from clusterviz.engine.proxyrules.detector import detector
from clusterviz.engine.proxyrules.frame import filter_table, nat_table, node_port_rules
from clusterviz.engine.proxyrules.portals import Only, is_large, node_port_addresses, portals
from clusterviz.engine.proxyrules.service import Flags, write

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class NoRuleTextError(EngineError):
    """The cluster's kube-proxy writes no rules that could be shown here."""


def iptables(cluster: Cluster, node: Node, family: int = 4, *, only: Only = None, accounting: bool = True) -> str:
    """The filter and nat tables kube-proxy keeps on ``node``, for one address family.

    ``only`` leaves out every Service but one, (namespace, name), or but these. ``accounting`` False leaves out the
    nfacct counters, which must exist before ``iptables-restore`` accepts a rule that names them.
    Raises `NoRuleTextError` when the cluster's kube-proxy does not use iptables.
    """
    settings = cluster.settings
    if settings.proxy_mode != "iptables":
        raise NoRuleTextError(
            f"kube-proxy of this cluster runs in {settings.proxy_mode} mode: it keeps no iptables rules for Services"
        )
    flags = flags_of(cluster, node, family, accounting=accounting, large=is_large(cluster, family))
    filters, nat = filter_table(family, accounting=accounting), nat_table()
    for portal in portals(cluster, node, family, only):
        write(portal, node, flags, nat, filters)
    localhost = settings.localhost_nodeports
    node_port_rules(nat, family, node_port_addresses(cluster, node, family), localhost=localhost)
    return "\n".join([*filters.lines(), *nat.lines(), ""])


def flags_of(cluster: Cluster, node: Node, family: int, *, accounting: bool, large: bool) -> Flags:
    """What the node's kube-proxy was started with."""
    settings = cluster.settings
    return Flags(
        version=family,
        pods=detector(cluster, node, family),
        masquerade_all=settings.masquerade_all,
        localhost=settings.localhost_nodeports and family == 4,
        accounting=accounting,
        large=large,
    )
