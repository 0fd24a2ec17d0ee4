"""What kubelets and controllers report that changes nothing in the network: filled in where it is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from clusterviz.engine.complete import job_labels
from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.objects import Obj
from clusterviz.kubeapi.registry import GIT_VERSION

_NODE_INFO = {
    "architecture": "amd64",
    "bootID": "",
    "containerRuntimeVersion": "clusterviz://simulated",
    "kernelVersion": "simulated",
    "kubeProxyVersion": "",
    "kubeletVersion": GIT_VERSION,
    "machineID": "",
    "operatingSystem": "linux",
    "osImage": "ClusterViz (simulated)",
    "systemUUID": "",
}
# What a kubelet says beside Ready while it is alive.
_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
_SILENT = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
_STATUSES = ("containerStatuses", "initContainerStatuses")
_CONTAINER_STATUS = {"image": "", "imageID": "", "ready": False, "restartCount": 0}
_EARLY = ("PodReadyToStartContainers", "Initialized")


def with_status(obj: Obj) -> Obj:
    """The object with what its status would say besides; ``obj`` is taken over, what lies deeper is copied."""
    fill = _FILL.get(str(obj.get("kind")))
    if fill is not None:
        found = obj.get("status")
        obj["status"] = fill(obj, found if isinstance(found, dict) else {})
    return obj


def _pod(obj: Obj, status: Obj) -> Obj:
    lists = {name: status[name] for name in _STATUSES if isinstance(status.get(name), list)}
    filled = {name: [{**_CONTAINER_STATUS, **one} for one in items] for name, items in lists.items()}
    status = {"qosClass": qos_class(obj.get("spec") or {}), **status, **filled}
    if "hostIP" in status:
        status.setdefault("hostIPs", [{"ip": status["hostIP"]}])
    conditions = status.get("conditions")
    if status.get("podIP") and isinstance(conditions, list):
        known = {one.get("type") for one in conditions}
        when = status.get("startTime") or obj["metadata"].get("creationTimestamp")
        early = [_condition(kind, "True", when) for kind in _EARLY if kind not in known]
        status["conditions"] = [*early, *conditions]
    return status


def _condition(kind: str, value: str, when: Any, **more: str) -> Obj:
    return {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": when, **more}


def qos_class(spec: Obj) -> str:
    """Guaranteed where every container limits CPU and memory to what it requests, BestEffort where none asks."""
    containers = [one for field in ("containers", "initContainers") for one in spec.get(field) or ()]
    asked, equal = False, bool(containers)
    for one in containers:
        resources = one.get("resources") or {}
        limits = resources.get("limits") or {}
        requests = {**limits, **(resources.get("requests") or {})}
        asked = asked or any(requests.get(name) for name in ("cpu", "memory"))
        equal = equal and all(limits.get(name) and limits[name] == requests[name] for name in ("cpu", "memory"))
    return "Guaranteed" if asked and equal else "Burstable" if asked else "BestEffort"


def _node(obj: Obj, status: Obj) -> Obj:
    status = {**status, "nodeInfo": {**_NODE_INFO, **(status.get("nodeInfo") or {})}}
    conditions = {str(one.get("type")): one for one in status.get("conditions") or ()}
    ready = conditions.get("Ready")
    if ready is not None:
        since = ready.get("lastTransitionTime") or obj["metadata"].get("creationTimestamp")
        heard = timestamp(time.time()) if ready.get("status") == "True" else since
        times = {"lastHeartbeatTime": heard, "lastTransitionTime": since}
        silent = ready.get("status") == "Unknown"
        found = []
        for kind, reason, message in _PRESSURES:
            said = _SILENT if silent else {"reason": reason, "message": message}
            found.append(
                conditions.pop(kind, None)
                or {"type": kind, "status": "Unknown" if silent else "False", **times, **said}
            )
        words = {"message": "kubelet is posting ready status"} if ready.get("status") == "True" else {}
        conditions["Ready"] = {**times, **words, **{name: value for name, value in ready.items() if value}}
        status["conditions"] = [*found, *conditions.values()]
    if status.get("allocatable"):
        status.setdefault("capacity", status["allocatable"])
    return status


def _job(obj: Obj, status: Obj) -> Obj:
    if not (obj.get("spec") or {}).get("suspend"):
        status = {"startTime": obj["metadata"].get("creationTimestamp"), **status}
    return status


def job_selector(name: str) -> Obj:
    """How a Job finds its pods: by the label the Job controller writes on them."""
    return {"matchLabels": {key: value for key, value in job_labels(name).items() if "/" in key}}


def _quota(obj: Obj, status: Obj) -> Obj:
    return {"hard": (obj.get("spec") or {}).get("hard") or {}, **status}


def _definition(obj: Obj, status: Obj) -> Obj:
    spec, when = obj.get("spec") or {}, obj["metadata"].get("creationTimestamp")
    versions = [one for one in spec.get("versions") or () if isinstance(one, dict)]
    said = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    return {
        "acceptedNames": spec.get("names") or {},
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": when, "reason": reason, "message": message}
            for kind, reason, message in said
        ],
        "storedVersions": [str(one.get("name")) for one in versions if one.get("storage")],
        **status,
    }


def _namespace(_obj: Obj, status: Obj) -> Obj:
    return {"phase": "Active", **status}


_FILL: dict[str, Callable[[Obj, Obj], Obj]] = {
    "CustomResourceDefinition": _definition,
    "Pod": _pod,
    "Node": _node,
    "Job": _job,
    "ResourceQuota": _quota,
    "Namespace": _namespace,
}
