"""Under which key the cluster keeps what a path or an owner reference names, and how it is shown there."""

from __future__ import annotations

from clusterviz.cluster.keys import stored_kind
from clusterviz.engine.objects import CLUSTER_SCOPED, Key, Obj
from clusterviz.kubeapi.conversion import asked
from clusterviz.kubeapi.registry import Resource


def owner_key(namespace: str, owner: Obj) -> Key:
    """The key of the object an owner reference means."""
    group, slash, _ = str(owner.get("apiVersion", "")).rpartition("/")
    kind = stored_kind(str(owner.get("kind", "")), group) if slash else str(owner.get("kind", ""))
    return kind, "" if kind in CLUSTER_SCOPED else namespace, str(owner.get("name", ""))


def key_for(resource: Resource, namespace: str, name: str) -> Key:
    """Where the cluster keeps an object; what it does not know to be cluster-scoped lies in ``default``."""
    if resource.stored in CLUSTER_SCOPED:
        return resource.stored, "", name
    return resource.stored, namespace if resource.namespaced else "default", name


def belongs(resource: Resource, obj: Obj) -> bool:
    """Whether an object of this kind is of this group too."""
    group, slash, _ = str(obj.get("apiVersion", "")).rpartition("/")
    return (group if slash else "") == resource.group


def shown(resource: Resource, obj: Obj) -> Obj:
    """A dressed object under the version it was asked for."""
    obj = asked(resource, obj)
    meta = obj["metadata"]
    if not resource.namespaced and "namespace" in meta:
        meta = {name: value for name, value in meta.items() if name != "namespace"}
    return {**obj, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
