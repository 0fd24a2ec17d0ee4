"""A cluster of any size made to fit the lab, and what of it the lab cannot judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from clusterviz.engine import Change, Cluster
from clusterviz.engine.objects import Pod
from tests.kernel.world import live_pods

MODES = ("iptables", "nftables")
NETWORKS = ("vxlan", "host-gw")


def cannot(cluster: Cluster) -> str:
    """Why the lab cannot judge the cluster at all, "" when it can."""
    settings = cluster.settings
    if settings.proxy_mode not in MODES:
        return f"kube-proxy of this cluster runs in {settings.proxy_mode} mode; the lab judges {' and '.join(MODES)}"
    if settings.network not in NETWORKS or settings.direct_routing:
        network = "direct_routing" if settings.direct_routing else settings.network
        return f"the pod network is {network}; the lab builds {' and '.join(NETWORKS)}"
    if not live_pods(cluster):
        return "no pod of this cluster has an address: there is nobody to ask"
    if doubled := [ip for ip, count in Counter(_addresses(cluster)).items() if count > 1]:
        return f"two owners have the same address: {', '.join(sorted(doubled)[:5])}"
    return ""


def _addresses(cluster: Cluster) -> list[str]:
    return [ip for pod in live_pods(cluster) for ip in pod.ips] + [
        ip for node in cluster.nodes.values() for ip in node.ips
    ]


def fit(cluster: Cluster, most_pods: int, most_nodes: int) -> tuple[Cluster, list[str]]:
    """The cluster with at most so many pods and nodes, and sentences about what was left out.

    Nodes stay in their order; of pods with equal labels on one node the first stays longest.
    """
    notes: list[str] = []
    nodes = list(cluster.nodes.values())
    if len(nodes) > most_nodes:
        gone = {node.name for node in nodes[most_nodes:]}
        changes = [Change("unset", ("Node", "", name)) for name in gone]
        changes += [Change("unset", ("Pod", *name)) for name, pod in cluster.pods.items() if pod.node in gone]
        cluster = cluster.apply(changes)
        notes.append(f"Left out: {len(gone)} of {len(nodes)} nodes, and their pods")
    pods = live_pods(cluster)
    if len(pods) > most_pods:
        kept = {id(pod) for pod in sorted(pods, key=_rank(pods))[:most_pods]}
        left = [pod for pod in pods if id(pod) not in kept]
        cluster = cluster.apply([Change("unset", ("Pod", pod.namespace, pod.name)) for pod in left])
        notes.append(f"Left out: {len(left)} of {len(pods)} pods, equals of others first")
    return cluster, notes + _silent(cluster)


def _rank(pods: list[Pod]) -> Callable[[Pod], tuple[int, int]]:
    """How early a pod is taken: the first of its kind on its node before the second of any."""
    seen: Counter[tuple[object, ...]] = Counter()
    ranks: dict[int, tuple[int, int]] = {}
    for index, pod in enumerate(pods):
        kind = (pod.namespace, pod.node, *sorted(pod.labels.items()))
        ranks[id(pod)] = (seen[kind], index)
        seen[kind] += 1
    return lambda pod: ranks[id(pod)]


def _silent(cluster: Cluster) -> list[str]:
    """Parts that are there, and that nothing is asked of."""
    notes = []
    lost = [pod for pod in cluster.pods.values() if not pod.ips and not pod.ended]
    if lost:
        notes.append(f"Not asked: pods without an address ({len(lost)})")
    for name, count in (
        ("SCTP ports", sum(port.protocol == "SCTP" for one in cluster.services.values() for port in one.ports)),
        ("load balancer addresses of ipMode Proxy", _proxied(cluster)),
        ("nodes that are down, as callers", sum(node.down for node in cluster.nodes.values())),
    ):
        if count:
            notes.append(f"Not asked: {name} ({count})")
    if cluster.ingresses:
        notes.append("Ingresses route requests; the lab judges connections, those to the controller among them")
    return notes


def _proxied(cluster: Cluster) -> int:
    return sum(entry.mode == "Proxy" for service in cluster.services.values() for entry in service.load_balancer)
