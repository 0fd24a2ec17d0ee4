"""What the simulator made, written down. Nobody else calls this, and no wish is ever overruled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from clusterviz.cluster import store
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, key_of
from clusterviz.cluster.models import Change, Cluster

# Kinds that controllers create by themselves; of any other kind only existing objects are updated.
MADE_BY_CONTROLLERS = frozenset({"Pod", "ReplicaSet", "ControllerRevision", "Job", "EndpointSlice"})
_DELETION = ("deletionTimestamp", "deletionGracePeriodSeconds", "finalizers")
CONTROLLERS_NOTES = "deployment.kubernetes.io/"


@transaction.atomic
def checkpoint(
    cluster: Cluster,
    set: Iterable[Obj] = (),  # noqa: A002  the verb of the journal
    unset: Iterable[Key] = (),
    *,
    seen: int | None = None,
) -> None:
    """Write objects in bulk, without journal.

    Of an object that exists only what controllers own is taken over: status, the node of a pod,
    taints. With ``seen``, the last wish the simulator knows of, objects wished for later are left alone.
    """
    objects = {key_of(obj): obj for obj in set}
    gone: list[Key] = [(kind, namespace, name) for kind, namespace, name in unset]
    later = _later(cluster, seen)
    spaces = _staying(cluster, {key[1] for key in objects})
    before = store.find(cluster, objects)
    writes = []
    for key, obj in objects.items():
        old = before.get(key)
        if key in later and (old is None or key[0] not in ("Pod", "Node")):
            continue
        if old is None and (key[0] not in MADE_BY_CONTROLLERS or key[1] not in spaces):
            continue
        merged = obj if old is None else _merge(old, obj)
        if merged != old:
            writes.append(merged)
    store.write(cluster, writes)
    store.remove(cluster, [key for key in gone if key not in later])


def _staying(cluster: Cluster, names: Iterable[str]) -> frozenset[str]:
    """Those of these namespaces that exist and are not being deleted."""
    found = store.find(cluster, [("Namespace", "", name) for name in names if name])
    return frozenset(key[2] for key, obj in found.items() if not obj["metadata"].get("deletionTimestamp"))


def _later(cluster: Cluster, seen: int | None) -> frozenset[Key]:
    """Keys wished for after ``seen``."""
    if seen is None:
        return frozenset()
    rows = Change.objects.filter(cluster=cluster, sequence__gt=seen)
    return frozenset(rows.values_list("kind", "namespace", "name"))


def _merge(old: Obj, new: Obj) -> Obj:
    """The object as people want it, with what controllers found out."""
    if _controlled(old):
        return _keep_wishes(old, new)
    merged = {**old}
    if "status" in new:
        merged["status"] = new["status"]
    if new["metadata"].get("deletionTimestamp") and not old["metadata"].get("deletionTimestamp"):
        ending = {name: new["metadata"][name] for name in _DELETION if name in new["metadata"]}
        merged["metadata"] = {**old["metadata"], **ending}
    spec = new.get("spec") or {}
    if old["kind"] == "Pod":
        merged = _keep_wishes(old, {**merged, "metadata": new["metadata"]})
        for name in ("nodeName", "priority", "preemptionPolicy"):
            _take(merged, spec, name)
    elif old["kind"] == "Node":
        _take(merged, spec, "taints", replace=True)
    elif old["kind"] == "Deployment":
        merged = {**merged, "metadata": _with_notes(old["metadata"], new["metadata"])}
    return merged


def _controlled(obj: Obj) -> bool:
    """Whether a controller owns the whole object."""
    if obj["kind"] not in MADE_BY_CONTROLLERS:
        return False
    metadata = obj["metadata"]
    managed = (metadata.get("labels") or {}).get("endpointslice.kubernetes.io/managed-by", "")
    return managed == "endpointslice-controller.k8s.io" or bool(metadata.get("ownerReferences"))


def _keep_wishes(old: Obj, new: Obj) -> Obj:
    """Labels and annotations are edited by people, and a deletion once asked for stays asked for."""
    metadata = {**new["metadata"]}
    for name in ("labels", "annotations"):
        metadata.pop(name, None)
        if name in old["metadata"]:
            metadata[name] = old["metadata"][name]
    metadata = _with_notes(metadata, new["metadata"])
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if name in old["metadata"]:
            metadata[name] = old["metadata"][name]
    return {**new, "metadata": metadata}


def _with_notes(metadata: Obj, new: Obj) -> Obj:
    """With what the Deployment controller notes in annotations: revisions, and the scale they were made for."""
    notes = {k: v for k, v in (new.get("annotations") or {}).items() if k.startswith(CONTROLLERS_NOTES)}
    return {**metadata, "annotations": {**(metadata.get("annotations") or {}), **notes}} if notes else metadata


def _take(merged: Obj, spec: Obj, name: str, *, replace: bool = False) -> None:
    value: Any = spec.get(name)
    current = (merged.get("spec") or {}).get(name)
    if value == current or (current and not replace):
        return
    merged["spec"] = {key: item for key, item in (merged.get("spec") or {}).items() if key != name}
    if value is not None:
        merged["spec"][name] = value
