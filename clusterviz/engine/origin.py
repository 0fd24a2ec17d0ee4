"""Who sends a probe: a pod, a node, or an address outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.endpoints import pods_behind
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.objects import WORKLOAD_KINDS, Node, Pod
from clusterviz.engine.probe import Source

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Origin(NamedTuple):
    """Who sends: a pod, a node, or an outside address; ``asker`` is the pod whose resolver is used."""

    pod: Pod | None = None
    node: Node | None = None
    ip: str = ""
    asker: Pod | None = None

    @property
    def ips(self) -> tuple[str, ...]:
        """Addresses the sender has."""
        return self.pod.ips if self.pod else self.node.ips if self.node else (self.ip,)


def find_origin(cluster: Cluster, source: Source) -> Origin:
    """Raises `ProbeError` when the sender does not exist or cannot send."""
    if source.kind == "external":
        ip = source.ip or cluster.settings.client_ip
        pod = cluster.pod_by_ip.get(ip)
        if pod is not None:
            return Origin(pod=pod, asker=pod)
        node = cluster.node_by_ip.get(ip)
        return Origin(node=node) if node is not None else Origin(ip=ip)
    if source.kind == "node":
        node = cluster.nodes.get(source.name)
        if node is None:
            raise ProbeError(
                f'nodes "{source.name}" not found', field="from", allowed=", ".join(list(cluster.nodes)[:20])
            )
        return Origin(node=node)
    pod = find_pod(cluster, source)
    if pod.ended:
        raise ProbeError(f"pod {pod.namespace}/{pod.name} has ended ({pod.phase}) and sends nothing", field="from")
    if not pod.ips:
        raise ProbeError(f"pod {pod.namespace}/{pod.name} has no address yet ({pod.phase})", field="from")
    if source.container and source.container not in [c.name for c in pod.containers]:
        raise ProbeError(
            f"container {source.container} is not valid for pod {pod.name}",
            field="from",
            allowed=", ".join(c.name for c in pod.containers),
        )
    if not pod.host_network:
        return Origin(pod=pod, asker=pod)
    node = cluster.nodes.get(pod.node) or cluster.node_by_ip.get(pod.ip)
    if node is None:
        raise ProbeError(f"the node of hostNetwork pod {pod.namespace}/{pod.name} is not in the cluster", field="from")
    return Origin(node=node, asker=pod)


def pods_named(cluster: Cluster, source: Source) -> list[Pod]:
    """The pod named, else all of the workload, of the Service, or of the workload whose pods begin so; [] for none."""
    exact = cluster.pods.get((source.namespace, source.name))
    if exact is not None or source.kind == "pod":
        return [exact] if exact is not None else []
    for kind in WORKLOAD_KINDS:
        if owned := cluster.pods_of_workload.get((kind, source.namespace, source.name)):
            return owned
    service = cluster.services.get((source.namespace, source.name))
    if service is not None and (found := pods_behind(cluster, service)):
        return found
    start = source.name + "-"
    return [pod for pod in cluster.pods.values() if pod.namespace == source.namespace and pod.name.startswith(start)]


def find_pod(cluster: Cluster, source: Source) -> Pod:
    """The first ready of `pods_named`. Raises `ProbeError`."""
    if found := pods_named(cluster, source):
        return _first(found)
    for kind, namespace, name in cluster.workloads:
        if source.kind != "pod" and (namespace, name) == (source.namespace, source.name):
            raise ProbeError(f"{kind} {namespace}/{name} has no pod that could send", field="from")
    why = f'pods "{source.name}" not found in namespace {source.namespace}'
    raise ProbeError(why, field="from", allowed=_senders(cluster, source) or "no pod is in this namespace")


def _senders(cluster: Cluster, source: Source) -> str:
    """What could have been meant: that name in another namespace, else every pod of this one (of all, for default)."""
    known = [*cluster.pods, *(key[1:] for key in cluster.workloads if cluster.pods_of_workload.get(key))]
    found = [one for one in known if one[1] == source.name] or [
        one for one in cluster.pods if source.namespace in (one[0], "default")
    ]
    return ", ".join("/".join(one) for one in found[:20])


def _first(pods: list[Pod]) -> Pod:
    return min(pods, key=lambda pod: (not pod.ready, not pod.ips, pod.terminating, pod.name))
