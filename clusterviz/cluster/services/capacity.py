"""How many pods a cluster may have: more would keep the simulator busy instead of alive."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q

from clusterviz.cluster import store
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key
from clusterviz.cluster.models import (
    Cluster,
    DaemonSet,
    Deployment,
    Node,
    OtherObject,
    Pod,
    ReplicaSet,
    StatefulSet,
)
from clusterviz.cluster.services.errors import Invalid
from clusterviz.engine.complete import parallelism

MAX_PODS = 200_000
_SCALED = {"Deployment": Deployment, "ReplicaSet": ReplicaSet, "StatefulSet": StatefulSet}
_UNOWNED = Q(owners__isnull=True)
# What somebody asked for by name: replicas of workloads that are nobody's, and bare pods.
_COUNTED = frozenset({*_SCALED, "DaemonSet", "Job", "Node", "Pod"})


def check(cluster: Cluster, after: Mapping[Key, Obj]) -> None:
    """Refuse wishes that would take the cluster beyond its limit; one that is beyond may shrink.

    Raises `Invalid`.
    """
    if not any(key[0] in _COUNTED for key in after):
        return
    wanted = wanted_pods(cluster, after)
    if wanted > MAX_PODS and wanted > wanted_pods(cluster):
        raise Invalid(
            f"{wanted} pods are too many: this simulator runs at most {MAX_PODS} pods in a cluster "
            "(replicas, one pod a node for each DaemonSet, the parallelism of Jobs, and pods of their own)"
        )


def wanted_pods(cluster: Cluster, after: Mapping[Key, Obj] | None = None) -> int:
    """How many pods there will be once the controllers are done; ``after`` replaces what is stored."""
    after = after or {}
    total = sum(_scaled(cluster, kind, after) for kind in _SCALED)
    nodes = set(Node.objects.filter(cluster=cluster).values_list("name")) | _keys("Node", after)
    rows = DaemonSet.objects.filter(cluster=cluster).values_list("namespace__name", "name")
    daemons = set(rows) | _keys("DaemonSet", after)
    rows = Pod.objects.filter(_UNOWNED, cluster=cluster).values_list("namespace__name", "name")
    bare = {("Pod", *row) for row in rows}
    for key, obj in after.items():
        if key[0] == "Pod":
            (bare.discard if _owned(obj) else bare.add)(key)
    return total + len(nodes) * len(daemons) + len(bare) + _jobs(cluster, after)


def remove_made_pods(cluster: Cluster, count: int) -> int:
    """Delete some pods that controllers made, and will make again; answers how many."""
    ids = list(Pod.objects.filter(cluster=cluster).exclude(_UNOWNED).values_list("pk", flat=True)[:count])
    Pod.objects.filter(pk__in=ids).delete()
    return len(ids)


def _scaled(cluster: Cluster, kind: str, after: Mapping[Key, Obj]) -> int:
    rows = _SCALED[kind].objects.filter(_UNOWNED, cluster=cluster).values_list("namespace__name", "name", "replicas")
    replicas = {(kind, space, name): number for space, name, number in rows}
    for key, obj in after.items():
        if key[0] == kind:
            replicas[key] = 0 if _owned(obj) else (obj.get("spec") or {}).get("replicas")
    return sum(1 if number is None else int(number) for number in replicas.values())


def _jobs(cluster: Cluster, after: Mapping[Key, Obj]) -> int:
    rows = OtherObject.objects.filter(cluster=cluster, kind="Job").select_related("namespace")
    found = {**store.find(cluster, [row.key for row in rows]), **{k: v for k, v in after.items() if k[0] == "Job"}}
    return sum(map(parallelism, found.values()))


def _keys(kind: str, after: Mapping[Key, Obj]) -> set[tuple[str, ...]]:
    """As the rows are: ``(namespace, name)``, or ``(name,)`` of what has no namespace."""
    return {key[1:] if key[1] else key[2:] for key in after if key[0] == kind}


def _owned(obj: Obj) -> bool:
    return bool(obj["metadata"].get("ownerReferences"))
