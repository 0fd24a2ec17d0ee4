"""Endpoints objects as the old controller writes them beside EndpointSlices: old kubectls describe with them."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine.objects import Obj

SERVICE = "kubernetes.io/service-name"


def service_of(one: Obj) -> str:
    """The Service a slice belongs to, "" for none."""
    return str((one["metadata"].get("labels") or {}).get(SERVICE, ""))


def endpoints_of(namespace: str, service: str, slices: Iterable[Obj]) -> Obj:
    """The Endpoints of a Service; a subset for each slice that has addresses."""
    subsets, stamps = [], []
    for one in slices:
        stamps.append(str(one["metadata"].get("creationTimestamp") or ""))
        subset: Obj = {}
        for endpoint in one.get("endpoints") or ():
            ready = (endpoint.get("conditions") or {}).get("ready") is not False
            entries = subset.setdefault("addresses" if ready else "notReadyAddresses", [])
            more = {
                **({"nodeName": endpoint["nodeName"]} if endpoint.get("nodeName") else {}),
                **({"targetRef": endpoint["targetRef"]} if endpoint.get("targetRef") else {}),
            }
            entries += [{"ip": ip, **more} for ip in endpoint.get("addresses") or ()]
        if subset:
            subsets.append({**subset, "ports": one.get("ports") or []})
    meta: Obj = {"name": service, "namespace": namespace, "labels": {"endpoints.kubernetes.io/managed-by": "mirror"}}
    if stamp := min(filter(None, stamps), default=""):
        meta["creationTimestamp"] = stamp
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, **({"subsets": subsets} if subsets else {})}
