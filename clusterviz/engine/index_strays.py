"""Pods whose address lies in no pod CIDR of their node: the only ones a node's table has a line for (NET-09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clusterviz.engine.datapath.place import home, own_block
from clusterviz.engine.indexes import Delta, own_ips
from clusterviz.engine.objects import Node

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

_LAST = frozenset(map(str, range(256)))


def strays(cluster: Cluster) -> frozenset[str]:
    """Their addresses. Most blocks are /24, of which the text tells enough: parsing each address takes far longer."""
    plain = {node.name: _plain(node) for node in cluster.nodes.values()}
    found = set()
    for ip, pod in cluster.pod_by_ip.items():
        head, _, last = ip.rpartition(".")
        if last in _LAST and head in plain.get(pod.node, ()):
            continue
        if _astray(cluster, ip):
            found.add(ip)
    return frozenset(found)


def _plain(node: Node) -> tuple[str, ...]:
    """What addresses of its /24 blocks begin with."""
    return tuple([cidr.removesuffix(".0/24") for cidr in node.pod_cidrs if cidr.endswith(".0/24")])


def _astray(cluster: Cluster, ip: str) -> bool:
    pod = cluster.pod_by_ip.get(ip)
    place = home(cluster, pod) if pod is not None else None
    return place is not None and not own_block(place, ip)


def follow_strays(old: frozenset[str], deltas: Sequence[Delta], new: Cluster) -> frozenset[str] | None:
    """Addresses of the pods concerned are asked for again; other blocks or another first node change all."""
    touched: set[str] = set()
    for delta in deltas:
        if delta.kind == "Node":
            before, after = delta.old, delta.new
            if before is None or after is None or _blocks(before) != _blocks(after):
                return None
        else:
            touched.update(ip for pod, _ in delta.sides for ip in own_ips(pod))
    there = {ip for ip in touched if _astray(new, ip)}
    return old if there == old & touched else old - touched | there


def _blocks(node: Node) -> tuple[str, tuple[str, ...]]:
    return node.created, node.pod_cidrs
