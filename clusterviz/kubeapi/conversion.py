"""What becomes another while it is written: version 1 of HorizontalPodAutoscalers, the type of a Service."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi.registry import Resource

_CPU = "targetCPUUtilizationPercentage"


def _applies(resource: Resource, obj: Obj, version: str) -> bool:
    mine = (resource.group, resource.version) == ("autoscaling", "v1")
    return mine and obj.get("apiVersion") == version and isinstance(obj.get("spec"), dict)


def kept(resource: Resource, obj: Obj, raw: Obj | None) -> Obj:
    """An object as it is stored; metrics that version 1 cannot say stay as ``raw`` has them."""
    if not _applies(resource, obj, "autoscaling/v1"):
        return obj
    spec = {name: value for name, value in obj["spec"].items() if name != _CPU}
    metrics = [one for one in ((raw or {}).get("spec") or {}).get("metrics") or () if _percent(one) is None]
    if (wanted := obj["spec"].get(_CPU)) is not None:
        target = {"type": "Utilization", "averageUtilization": wanted}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    return {**obj, "apiVersion": "autoscaling/v2", "spec": {**spec, **({"metrics": metrics} if metrics else {})}}


def asked(resource: Resource, obj: Obj) -> Obj:
    """An object in the version it was asked for."""
    if not _applies(resource, obj, "autoscaling/v2"):
        return obj
    spec = {name: value for name, value in obj["spec"].items() if name not in ("metrics", "behavior")}
    found = [percent for one in obj["spec"].get("metrics") or () if (percent := _percent(one)) is not None]
    return {**obj, "apiVersion": "autoscaling/v1", "spec": {**spec, **({_CPU: found[0]} if found else {})}}


def _percent(metric: Obj) -> Any:
    resource = metric.get("resource") or {}
    return (resource.get("target") or {}).get("averageUtilization") if resource.get("name") == "cpu" else None


_EXPOSED = ("NodePort", "LoadBalancer")
_OF_TYPES = {
    "allocateLoadBalancerNodePorts": ("LoadBalancer",),
    "externalTrafficPolicy": _EXPOSED,
    "healthCheckNodePort": ("LoadBalancer",),
    "loadBalancerClass": ("LoadBalancer",),
}


def retyped(resource: Resource, before: Obj, after: Obj) -> Obj:
    """A Service without what belonged to the type it had, where the client left that as it was.

    kube-apiserver drops it too, so that one changed word is enough to change the type.
    """
    old, new = before.get("spec") or {}, after.get("spec")
    if resource.stored != "Service" or not isinstance(new, dict) or new.get("type") == old.get("type"):
        return after
    kind = new.get("type") or "ClusterIP"
    spec = {
        name: value
        for name, value in new.items()
        if name not in _OF_TYPES or kind in _OF_TYPES[name] or value != old.get(name)
    }
    if kind not in _EXPOSED and isinstance(spec.get("ports"), list):
        given = {port.get("nodePort") for port in old.get("ports") or ()}
        spec["ports"] = [
            {name: value for name, value in port.items() if name != "nodePort" or value not in given}
            for port in spec["ports"]
        ]
    if kind == "ExternalName":
        kept = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")
        spec = {name: value for name, value in spec.items() if name not in kept or value != old.get(name)}
    return {**after, "spec": spec}
