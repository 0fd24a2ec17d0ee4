"""What the network plugin masquerades where kube-proxy did not: flannel's POSTROUTING rules (EGR-01, EGR-02).

A pod whose address lies outside every pod CIDR (objects from elsewhere) counts as if it lay in its node's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.addresses import in_any, in_cidr, listed
from clusterviz.engine.datapath.place import home
from clusterviz.engine.objects import Node

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

MULTICAST = ("224.0.0.0/4", "ff00::/8")


class Masquerade(NamedTuple):
    """The rule that masquerades. ``leaves``: the packet is for somebody outside the pod network."""

    text: str
    why: str
    leaves: bool


def plugin_masquerade(cluster: Cluster, node: Node, source: str, destination: str) -> Masquerade | None:
    """The rule of the node's chain that rewrites the source; None when an earlier one lets the packet be.

    Asked for what kube-proxy has not marked and what passes POSTROUTING; INPUT is not asked.
    """
    if not cluster.settings.egress_nat:
        return None
    pods, known = cluster.settings.cluster_cidr, cluster.pod_by_ip
    from_pods = source in known or in_any(source, pods)
    to_pods = destination in known or in_any(destination, pods)
    if (to_pods and _here(cluster, node, source)) or _here(cluster, node, destination):
        return None
    if from_pods and not any(in_cidr(destination, cidr) for cidr in MULTICAST):
        text = f"-s {_of(pods, source)} ! -d {MULTICAST[':' in source]} -j MASQUERADE --random-fully"
        why = "it came from elsewhere in the pod network and goes on to another node"
        return Masquerade(text, "it leaves the pod network" if not to_pods else why, not to_pods)
    if to_pods and not from_pods:
        text = f"! -s {_of(pods, destination)} -d {_of(pods, destination)} -j MASQUERADE --random-fully"
        return Masquerade(text, "it comes from outside the pod network and goes on to another node", leaves=False)
    return None


def _here(cluster: Cluster, node: Node, ip: str) -> bool:
    pod = cluster.pod_by_ip.get(ip)
    if any(in_cidr(ip, cidr) for cidr in node.pod_cidrs):
        return True
    return pod is not None and home(cluster, pod) is node


def _of(cidrs: str, ip: str) -> str:
    return next((cidr for cidr in listed(cidrs) if in_cidr(ip, cidr)), cidrs)
