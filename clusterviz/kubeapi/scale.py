"""The sub-resource scale."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi.cells import at, jsonpath, selector
from clusterviz.kubeapi.registry import Resource


def scale_of(resource: Resource, obj: Obj) -> dict[str, Any]:
    """How many replicas a workload wants and has."""
    if resource.custom:
        wanted, has = (jsonpath(obj, path) for path in resource.scale)
        chosen = ""
    else:
        wanted, has = at(obj, "spec", "replicas"), at(obj, "status", "replicas")
        chosen = selector(obj)
    meta = {
        name: obj["metadata"][name]
        for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if name in obj["metadata"]
    }
    status: dict[str, Any] = {"replicas": has or 0}
    if chosen:
        status["selector"] = chosen
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": {"replicas": wanted or 0} if wanted else {},
        "status": status,
    }


def with_replicas(resource: Resource, obj: Obj, replicas: int) -> Obj:
    """The object with another number of replicas."""
    path = resource.scale[0].lstrip(".").split(".") if resource.custom else ["spec", "replicas"]
    return _set(obj, path, replicas)


def _set(obj: Obj, path: list[str], value: Any) -> Obj:
    if not path:
        return obj
    inner = obj.get(path[0])
    return {
        **obj,
        path[0]: value if len(path) == 1 else _set(inner if isinstance(inner, dict) else {}, path[1:], value),
    }
