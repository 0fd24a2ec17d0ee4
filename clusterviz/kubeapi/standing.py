"""What stands in every cluster though nobody wrote it: each namespace's ServiceAccount, each node's Lease."""

from __future__ import annotations

import time

from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.objects import Key, Obj

LEASES = "kube-node-lease"
_LASTS = 40


def key_beside(kind: str, name: str) -> Key | None:
    """The key of what stands beside a namespace or a node, None for other kinds."""
    if kind == "Namespace":
        return "ServiceAccount", name, "default"
    return ("Lease", LEASES, name) if kind == "Node" else None


def parent_of(key: Key) -> Key | None:
    """The namespace or node something stands beside, None for anything else."""
    kind, namespace, name = key
    if kind == "ServiceAccount" and name == "default":
        return "Namespace", "", namespace
    return ("Node", "", name) if kind == "Lease" and namespace == LEASES else None


def beside(obj: Obj, *, again: bool = False) -> Obj:
    """What stands beside a namespace or a node: as old as they are, or made again just now."""
    name = str(obj["metadata"]["name"])
    made = obj["metadata"].get("creationTimestamp") or "1970-01-01T00:00:00Z"
    stamp = {"creationTimestamp": timestamp(time.time()) if again else made}
    if obj["kind"] == "Namespace":
        meta = {"name": "default", "namespace": name, **stamp}
        return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    owner = {"apiVersion": "v1", "kind": "Node", "name": name}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": LEASES, **stamp, "ownerReferences": [owner]},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": _LASTS},
    }


def renewed(lease: Obj, node: Obj | None) -> Obj:
    """A node's Lease as its kubelet keeps it: renewed now, or when the node was last heard of."""
    ready = [one for one in ((node or {}).get("status") or {}).get("conditions") or () if one.get("type") == "Ready"]
    alive = any(one.get("status") == "True" for one in ready)
    silent = next((str(one["lastTransitionTime"]) for one in ready if one.get("lastTransitionTime")), "")
    stamp = timestamp(time.time()) if alive or not silent else silent
    return {**lease, "spec": {**lease["spec"], "renewTime": stamp.replace("Z", ".000000Z")}}
