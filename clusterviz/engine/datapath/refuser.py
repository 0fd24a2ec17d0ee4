"""What no rule leads to anybody: who says no to it, or that it is lost (PX-07, PX-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.datapath.lookup import is_local
from clusterviz.engine.datapath.place import route_for, source_address
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node
from clusterviz.engine.packet import IP

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def refuser(cluster: Cluster, node: Node, ip: IP) -> str:
    """Whose address the node's ICMP error carries.

    It is the one that was called if the node has it, as in IPVS mode every Service's; else the node's towards the
    sender.
    """
    if cluster.settings.proxy_mode == "ipvs" or is_local(cluster, node, ip.dst):
        return ip.dst
    return source_address(cluster, node, route_for(cluster, node, ip.src), ip.src)


def lost_outside(j: Journey) -> None:
    """Note what is taken for granted of a packet that falls through to the default route."""
    j.assume(
        "vip-not-routed",
        f"Routers outside are taken to know no way to {j.packet.ip.dst}: on the default route it is lost without an "
        "answer (PX-11).",
    )
