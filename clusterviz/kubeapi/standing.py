"""What stands in every cluster though nobody wrote it: ServiceAccounts and ConfigMaps of namespaces, Leases of nodes.

The API server has no address in the simulated network, so its Endpoints are empty.
"""

from __future__ import annotations

import time

from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.objects import Key, Obj

LEASES = "kube-node-lease"
AUTHORITY = "kube-root-ca.crt"
API_SERVER: Key = ("Service", "default", "kubernetes")
_LASTS = 40


def keys_beside(key: Key) -> tuple[Key, ...]:
    """The keys of what stands beside a namespace, a node or the API server's Service; none for anything else."""
    if key[0] == "Namespace":
        return ("ServiceAccount", key[2], "default"), ("ConfigMap", key[2], AUTHORITY)
    if key == API_SERVER:
        return (("Endpoints", *key[1:]),)
    return (("Lease", LEASES, key[2]),) if key[0] == "Node" else ()


def parent_of(key: Key) -> Key | None:
    """What something stands beside, None for anything else."""
    kind, namespace, name = key
    if (kind, name) in (("ServiceAccount", "default"), ("ConfigMap", AUTHORITY)):
        return "Namespace", "", namespace
    if key == ("Endpoints", *API_SERVER[1:]):
        return API_SERVER
    return ("Node", "", name) if kind == "Lease" and namespace == LEASES else None


def beside(key: Key, obj: Obj, *, again: bool = False) -> Obj:
    """What stands beside ``obj`` under ``key``: as old as it is, or made again just now."""
    kind, namespace, name = key
    made = obj["metadata"].get("creationTimestamp") or "1970-01-01T00:00:00Z"
    meta = {
        "name": name,
        "namespace": namespace,
        "creationTimestamp": timestamp(time.time()) if again else made,
    }
    if kind == "ConfigMap":
        meta["annotations"] = {"kubernetes.io/description": "Empty: nothing is encrypted in a simulated cluster."}
        return {"apiVersion": "v1", "kind": kind, "metadata": meta, "data": {"ca.crt": ""}}
    if kind != "Lease":
        return {"apiVersion": "v1", "kind": kind, "metadata": meta}
    owner = {"apiVersion": "v1", "kind": "Node", "name": name}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": kind,
        "metadata": {**meta, "ownerReferences": [owner]},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": _LASTS},
    }


def renewed(lease: Obj, node: Obj | None) -> Obj:
    """A node's Lease as its kubelet keeps it: renewed now, or when the node was last heard of."""
    ready = [one for one in ((node or {}).get("status") or {}).get("conditions") or () if one.get("type") == "Ready"]
    alive = any(one.get("status") == "True" for one in ready)
    silent = next((str(one["lastTransitionTime"]) for one in ready if one.get("lastTransitionTime")), "")
    stamp = timestamp(time.time()) if alive or not silent else silent
    return {**lease, "spec": {**lease["spec"], "renewTime": stamp.replace("Z", ".000000Z")}}
