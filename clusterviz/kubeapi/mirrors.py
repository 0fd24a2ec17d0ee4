"""What follows from other objects: Endpoints beside EndpointSlices, which old kubectls read, addresses of Ingresses."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine import Cluster
from clusterviz.engine.datapath.controllers import controller_of
from clusterviz.engine.objects import Key, Obj

SERVICE = "kubernetes.io/service-name"

# What the address in front of an Ingress hangs on.
BEFORE_INGRESSES = frozenset({"Service", "IngressClass", "Pod"})


def fronts_of(cluster: Cluster, key: Key) -> tuple[str, ...]:
    """The outside addresses of the Service in front of an Ingress's controller."""
    record = cluster.ingresses.get(key[1:])
    front = controller_of(cluster, record) if record is not None else None
    return tuple(entry.ip for entry in front.load_balancer if entry.ip) if front is not None else ()


def fronts(cluster: Cluster) -> dict[Key, tuple[str, ...]]:
    """Those of every Ingress that has one, by its key."""
    keys: list[Key] = [("Ingress", *name) for name in sorted(cluster.ingresses)]
    return {key: ips for key in keys if (ips := fronts_of(cluster, key))}


def addressed(cluster: Cluster, key: Key, dressed: Obj) -> None:
    """Write down the address of an Ingress nobody wrote one for: that of the Service in front of its controller."""
    status = dressed.get("status") or {}
    if key[1:] in cluster.ingresses and not (status.get("loadBalancer") or {}).get("ingress"):
        ips = fronts_of(cluster, key)
        dressed["status"] = {**status, "loadBalancer": {"ingress": [{"ip": ip} for ip in ips]} if ips else {}}


def service_of(one: Obj) -> str:
    """The Service a slice belongs to, "" for none."""
    return str((one["metadata"].get("labels") or {}).get(SERVICE, ""))


def endpoints_of(namespace: str, service: str, slices: Iterable[Obj], since: str = "") -> Obj:
    """The Endpoints of a Service; a subset for each slice that has addresses. As old as its slices, or made then."""
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
    made_by = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    meta: Obj = {"name": service, "namespace": namespace, "labels": made_by}
    if stamp := since or min(filter(None, stamps), default=""):
        meta["creationTimestamp"] = stamp
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, **({"subsets": subsets} if subsets else {})}
