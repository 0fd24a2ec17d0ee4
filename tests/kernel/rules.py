"""What is loaded into a node: kube-proxy's rules as the engine writes them out, the plugins', and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clusterviz.engine import Cluster
from clusterviz.engine.addresses import family
from clusterviz.engine.objects import Node
from clusterviz.engine.proxyrules import iptables, nftables
from tests.kernel.netpol import policy_table
from tests.kernel.plugin import flannel, portmap

Stage = list[list[Any]]
DEAD = """table inet dead {
chain in { type filter hook prerouting priority -300; meta l4proto != ipv6-icmp drop; }
chain out { type filter hook output priority -300; meta l4proto != ipv6-icmp drop; }
}
"""


def versions(node: Node) -> list[int]:
    """The address families of a node."""
    return sorted({family(ip) for ip in node.ips} | {family(cidr) for cidr in node.pod_cidrs})


def restore(version: int) -> str:
    """The program that loads iptables rules of a family."""
    return "iptables-restore" if version == 4 else "ip6tables-restore"


def node_rules(cluster: Cluster) -> list[Stage]:
    """Stages in the order in which a node would get them."""
    nodes = list(cluster.nodes.values())
    proxy = [line for node in nodes for line in proxy_rules(cluster, node)]
    ports, masquerade = (
        [
            [node.ref, [restore(version), "--noflush"], text]
            for node in nodes
            for version in versions(node)
            if (text := write(cluster, node, version))
        ]
        for write in (portmap, flannel)
    )
    policies = [[node.ref, ["nft", "-f", "-"], policy_table(cluster, node)] for node in nodes]
    dead = [[node.ref, ["nft", "-f", "-"], DEAD] for node in nodes if node.down]
    return [proxy, ports, masquerade, policies, dead]


def proxy_rules(cluster: Cluster, node: Node) -> Iterator[list[Any]]:
    """kube-proxy's rules in the mode of the cluster."""
    for version in versions(node):
        if cluster.settings.proxy_mode == "nftables":
            yield [node.ref, ["nft", "-f", "-"], nftables(cluster, node, version)]
        else:
            yield [node.ref, [restore(version)], iptables(cluster, node, version, accounting=False)]
