"""Delete objects as Kubernetes does: pods take leave, what belongs to a deleted object follows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from clusterviz.cluster import store
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, describe
from clusterviz.cluster.models import OBJECT_MODELS, Cluster, EndpointSlice, OtherObject, Pod, ReplicaSet
from clusterviz.cluster.models.base import NamespacedRow
from clusterviz.cluster.services import journal
from clusterviz.cluster.services.errors import Invalid
from clusterviz.engine.controllers.board import FOREGROUND
from clusterviz.engine.objects import WORKLOAD_KINDS

GRACE_SECONDS = 30
PROTECTED_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


@transaction.atomic
def delete_objects(
    cluster: Cluster,
    keys: Iterable[Key],
    *,
    actor: str,
    grace: int | None = None,
    orphan: bool = False,
    foreground: bool = False,
) -> list[Key]:
    """Delete objects; answers the keys that are gone at once.

    Pods, and the pods of deleted workloads and nodes, are only marked: the simulator ends them, after ``grace``
    seconds where it is given; pods that were named go at once when it is 0. So are namespaces, which the simulator
    empties first, what has finalizers, and with ``foreground`` everything that may own others. With ``orphan`` nothing
    else follows. Raises `Invalid` for a key that does not exist.
    """
    keys = list(dict.fromkeys(keys))
    found = store.find(cluster, keys)
    missing = [key for key in keys if key not in found]
    if missing:
        raise Invalid(f"{describe(missing[0])} not found")
    unsets: dict[Key, None] = {}
    dying: dict[Key, Obj] = {}
    marked: list[Obj] = []
    for key in keys:
        if (stays := _awaited(cluster, key, found[key], foreground=foreground)) is not None:
            marked.append(stays)
            continue
        if (key[0] == "Pod" and grace == 0) or (orphan and key[0] not in ("Pod", "Namespace", "Node")):
            unsets[key] = None
            continue
        _follow(cluster, key, found[key], unsets, dying)
    for key in unsets:
        dying.pop(key, None)
    marked += [mark_deleted(pod, grace) for pod in dying.values()]
    store.remove(cluster, unsets)
    store.write(cluster, marked)
    journal.record(cluster, actor=actor, unsets=unsets, sets=marked)
    return list(unsets)


def _awaited(cluster: Cluster, key: Key, obj: Obj, *, foreground: bool) -> Obj | None:
    """An object that stays for a while after its deletion was asked for, as it then is; None of any other."""
    if key[0] == "Namespace":
        if key[2] in PROTECTED_NAMESPACES:
            raise Invalid(f'namespaces "{key[2]}" is forbidden: this namespace may not be deleted')
        if _is_empty(cluster, key[2]) and not obj["metadata"].get("finalizers"):
            return None
        return {**_ending(obj), "status": {**(obj.get("status") or {}), "phase": "Terminating"}}
    finalizers = list(obj["metadata"].get("finalizers") or ())
    if foreground and key[0] not in ("Pod", "Node") and FOREGROUND not in finalizers:
        finalizers.append(FOREGROUND)
    if not finalizers:
        return None
    if key[0] == "Pod":
        return mark_deleted(obj)
    marked = _ending(obj)
    return {**marked, "metadata": {**marked["metadata"], "finalizers": finalizers}}


def _is_empty(cluster: Cluster, namespace: str) -> bool:
    """Whether nothing is in a namespace."""
    models = [model for model in OBJECT_MODELS if issubclass(model, (NamespacedRow, OtherObject))]
    return not any(model.objects.filter(cluster=cluster, namespace__name=namespace).exists() for model in models)


def _ending(obj: Obj) -> Obj:
    """An object with the time at which its deletion was asked for first."""
    stamp = obj["metadata"].get("deletionTimestamp") or timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**obj, "metadata": {**obj["metadata"], "deletionTimestamp": stamp, "deletionGracePeriodSeconds": 0}}


def mark_deleted(pod: Obj, grace: int | None = None) -> Obj:
    """A pod whose deletion was asked for; asking twice changes nothing."""
    metadata = pod["metadata"]
    if metadata.get("deletionTimestamp"):
        return pod
    if grace is None:
        grace = int((pod.get("spec") or {}).get("terminationGracePeriodSeconds", GRACE_SECONDS))
    at = timezone.now() + timedelta(seconds=grace)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**pod, "metadata": {**metadata, "deletionTimestamp": stamp, "deletionGracePeriodSeconds": grace}}


@transaction.atomic
def delete_cluster(cluster: Cluster) -> None:
    """Delete a cluster with everything in it, journal included."""
    cluster.delete()


def pods_of(cluster: Cluster, key: Key) -> dict[Key, Obj]:
    """Pods whose owner references lead to a workload, through ReplicaSets for a Deployment."""
    kind, namespace, name = key
    rows = Pod.objects.filter(cluster=cluster, namespace__name=namespace).values_list("name", "owners")
    mine = [("Pod", namespace, pod) for pod, owners in rows if any(_owns(kind, name, owner) for owner in owners or ())]
    return store.find(cluster, mine)


def _owns(kind: str, name: str, owner: Obj) -> bool:
    if kind == "Deployment" and owner.get("kind") == "ReplicaSet":
        return str(owner.get("name", "")).rpartition("-")[0] == name
    return owner.get("kind") == kind and owner.get("name") == name


def _follow(cluster: Cluster, key: Key, obj: Obj, unsets: dict[Key, None], dying: dict[Key, Obj]) -> None:
    """What goes with an object."""
    kind, namespace, name = key
    if kind == "Pod":
        dying[key] = obj
        return
    if kind == "Node":
        dying.update(store.pods_on(cluster, name))
    elif kind == "Service":
        rows = EndpointSlice.objects.filter(cluster=cluster, namespace__name=namespace).values_list("name", "labels")
        unsets.update(
            {
                ("EndpointSlice", namespace, row): None
                for row, labels in rows
                if labels.get("kubernetes.io/service-name") == name
            }
        )
    elif kind in WORKLOAD_KINDS:
        dying.update(pods_of(cluster, key))
        unsets.update(dict.fromkeys(_replica_sets(cluster, key)))
    unsets[key] = None


def _replica_sets(cluster: Cluster, key: Key) -> list[Key]:
    if key[0] != "Deployment":
        return []
    rows = ReplicaSet.objects.filter(cluster=cluster, namespace__name=key[1]).values_list("name", "owners")
    return [
        ("ReplicaSet", key[1], row)
        for row, owners in rows
        if any(_owns("Deployment", key[2], owner) for owner in owners or ())
    ]
