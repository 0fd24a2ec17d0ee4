"""hostPort: a node's port that leads to a pod of that node, as the CNI portmap plugin does it (NET-02).

Its rules stand behind kube-proxy's in PREROUTING and OUTPUT and are asked for every address of the
node, 127.0.0.1 included. The source is kept, except for a sender of the pod's own block and for
127.0.0.1, whose answer would not come back this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.addresses import family, in_cidr
from clusterviz.engine.datapath.lookup import is_local
from clusterviz.engine.datapath.place import own_block
from clusterviz.engine.host_ports import ANY
from clusterviz.engine.objects import ContainerPort, Node, Pod
from clusterviz.engine.trace import Rule

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

NEIGHBOUR = "sender and pod are neighbours: the answer would not pass the node's rules"
LOCALHOST = "an answer to 127.0.0.1 would never leave the pod"
MASQUERADE = Rule(
    name="CNI-HOSTPORT-MASQ",
    text="-m mark --mark 0x2000/0x2000 -j MASQUERADE",
    made_by="portmap",
    rules=("NET-02", "PX-09"),
)


class HostPort(msgspec.Struct, frozen=True, kw_only=True):
    """Where a port of a node leads: ``ip``:``port`` of a pod. ``masquerade`` says why the source is rewritten."""

    pod: Pod
    declared: ContainerPort
    ip: str
    port: int
    masquerade: str = ""


def host_port_of(cluster: Cluster, node: Node, source: str, ip: str, proto: str, port: int) -> HostPort | None:
    """The pod behind ``ip``:``port`` of the node; None when no container's hostPort is it.

    Of two pods with the port the younger has it: its rules are put before the others.
    """
    found = _declared(cluster, node, proto, port)
    if not found or not cluster.settings.host_ports or ip == "::1" or not is_local(cluster, node, ip):
        return None
    for pod, declared in found:
        if declared.host_ip not in ANY and declared.host_ip != ip:
            continue
        own = next((one for one in pod.ips if family(one) == family(ip)), "")
        wrong = declared.host_ip in ANY - {""} and family(declared.host_ip) != family(ip)
        if own and not wrong:
            why = _masquerade(node, source, own)
            return HostPort(pod=pod, declared=declared, ip=own, port=declared.port, masquerade=why)
    return None


def _declared(cluster: Cluster, node: Node, proto: str, port: int) -> list[tuple[Pod, ContainerPort]]:
    """Pods of the node with the port; a pod that has only an IP is on the first node."""
    by_port = cluster.pods_by_host_port
    found = by_port.get((node.name, proto, port), [])
    if not by_port or next(iter(cluster.nodes)) != node.name:
        return found
    return [*found, *by_port.get(("", proto, port), [])]


def _masquerade(node: Node, source: str, own: str) -> str:
    block = own_block(node, own)
    if source == own or (block and in_cidr(source, block)):
        return NEIGHBOUR
    return LOCALHOST if source == "127.0.0.1" else ""
