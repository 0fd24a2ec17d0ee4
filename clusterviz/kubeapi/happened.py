"""The simulator's events as Event objects."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.objects import CLUSTER_SCOPED, Key, Obj
from clusterviz.kubeapi.registry import BUILTIN
from clusterviz.live.protocol import Event

if TYPE_CHECKING:
    from clusterviz.kubeapi.store import Store

KEPT = 1000
_KINDS = {one.kind.lower(): one for one in reversed(BUILTIN)} | {
    {"NetworkPolicy": "policy", "TrafficFlow": "flow"}.get(one.kind, one.kind.lower()): one for one in reversed(BUILTIN)
}
_BY_KIND = {one.kind: one for one in reversed(BUILTIN)}
# Who tells of it in a real cluster, by reason.
_SOURCES = {
    "Scheduled": "default-scheduler",
    "FailedScheduling": "default-scheduler",
    "ScalingReplicaSet": "deployment-controller",
    "Preempted": "default-scheduler",
    "TaintManagerEviction": "taint-eviction-controller",
    "NodeNotReady": "node-controller",
    "NodeNotSchedulable": "kubelet",
    "NodeSchedulable": "kubelet",
    "NodeReady": "kubelet",
}
_BY_OWNER = {
    "Pod": "kubelet",
    "Node": "node-controller",
    "ReplicaSet": "replicaset-controller",
    "Deployment": "deployment-controller",
    "StatefulSet": "statefulset-controller",
    "DaemonSet": "daemonset-controller",
    "Job": "job-controller",
    "CronJob": "cronjob-controller",
    "Service": "service-controller",
    "PodDisruptionBudget": "controllermanager",
}


def event_object(store: Store, event: Event) -> Obj:
    """A core/v1 Event; what happened twice has the same name."""
    ref = event.about or event.ref
    kind, namespace, name = about(ref)
    key: Key = (kind, namespace, name)
    obj = store.cluster.objects.get(key)
    resource = _BY_KIND.get(kind)
    involved: Obj = {"kind": kind, "name": name, "apiVersion": resource.api_version if resource else "v1"}
    if namespace:
        involved["namespace"] = namespace
    if obj is not None:
        involved["uid"] = store.uid(key, obj)
    digest = hashlib.blake2b(f"{ref} {event.reason} {event.message}".encode(), digest_size=8).hexdigest()
    component = _SOURCES.get(event.reason) or _BY_OWNER.get(kind, "clusterviz")
    stamp = timestamp(event.wall)
    host = (obj or {}).get("spec", {}).get("nodeName") if component == "kubelet" and kind == "Pod" else None
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{digest}", "namespace": namespace or "default", "creationTimestamp": stamp},
        "involvedObject": involved,
        "reason": event.reason,
        "message": event.message,
        "type": event.type,
        "source": {"component": component, **({"host": host} if host else {})},
        "reportingComponent": component,
        "reportingInstance": host or "",
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "eventTime": None,
        "count": 1,
    }


def again(old: Obj, new: Obj) -> Obj:
    """It has happened once more."""
    return {
        **new,
        "metadata": old["metadata"],
        "firstTimestamp": old["firstTimestamp"],
        "count": old["count"] + 1,
    }


def about(ref: str) -> Key:
    """The key behind a picture id."""
    kind, _, rest = ref.partition(":")
    if kind == "workload":
        kind, namespace, name = [*rest.split("/"), "", ""][:3]
        return kind, namespace, name
    found = _KINDS.get(kind)
    kind = found.kind if found else kind.capitalize()
    namespace, slash, name = rest.partition("/")
    if not slash or kind in CLUSTER_SCOPED:
        return kind, "", rest
    return kind, namespace, name
