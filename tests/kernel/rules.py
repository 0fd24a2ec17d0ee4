"""What is loaded into a node: kube-proxy's rules as the engine writes them out, flannel's, and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clusterviz.engine import Cluster
from clusterviz.engine.addresses import family, network
from clusterviz.engine.objects import Node
from clusterviz.engine.proxyrules import iptables, nftables
from tests.kernel.netpol import policy_table

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
    masquerade = [
        [node.ref, [restore(version), "--noflush"], text]
        for node in nodes
        for version in versions(node)
        if (text := flannel(cluster, node, version))
    ]
    policies = [[node.ref, ["nft", "-f", "-"], policy_table(cluster, node)] for node in nodes]
    dead = [[node.ref, ["nft", "-f", "-"], DEAD] for node in nodes if node.down]
    return [proxy, masquerade, policies, dead]


def proxy_rules(cluster: Cluster, node: Node) -> Iterator[list[Any]]:
    """kube-proxy's rules in the mode of the cluster."""
    for version in versions(node):
        if cluster.settings.proxy_mode == "nftables":
            yield [node.ref, ["nft", "-f", "-"], nftables(cluster, node, version)]
        else:
            yield [node.ref, [restore(version)], iptables(cluster, node, version, accounting=False)]


def flannel(cluster: Cluster, node: Node, version: int) -> str:
    """Flannel's rules of POSTROUTING (EGR-02), "" when it does not masquerade."""
    settings = cluster.settings
    pods = [cidr for cidr in settings.cluster_cidr.split(",") if cidr and family(cidr) == version]
    blocks = [cidr for cidr in node.pod_cidrs if family(cidr) == version]
    if not settings.egress_nat or not pods or not blocks:
        return ""
    everything, own = str(network(pods[0])), str(network(blocks[0]))
    multicast = "224.0.0.0/4" if version == 4 else "ff00::/8"
    rules = [
        "-m mark --mark 0x4000/0x4000 -j RETURN",
        f"-s {own} -d {everything} -j RETURN",
        f"-s {everything} -d {own} -j RETURN",
        f"! -s {everything} -d {own} -j RETURN",
        f"-s {everything} ! -d {multicast} -j MASQUERADE --random-fully",
        f"! -s {everything} -d {everything} -j MASQUERADE --random-fully",
    ]
    chain = "FLANNEL-POSTRTG"
    lines = ["*nat", f":{chain} - [0:0]", f"-A POSTROUTING -j {chain}", *(f"-A {chain} {rule}" for rule in rules)]
    return "\n".join([*lines, "COMMIT", ""])
