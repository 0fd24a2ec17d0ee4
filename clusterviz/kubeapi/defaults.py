"""The defaults a server fills in; what is stored stays as it was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clusterviz.engine.objects import Obj
from clusterviz.engine.pod_defaults import CONTAINER, HTTP_GET, POD, PORT, PROBE, PROBES, pull_policy
from clusterviz.kubeapi.registry import GIT_VERSION

_NODE_INFO = {
    "architecture": "simulated",
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
_STATUSES = ("containerStatuses", "initContainerStatuses")
_CONTAINER_STATUS = {"image": "", "imageID": "", "ready": False, "restartCount": 0}
_ROLLING = {"maxUnavailable": "25%", "maxSurge": "25%"}


def with_defaults(obj: Obj) -> Obj:
    """The object with its kind's defaults; ``obj`` is taken over, what lies deeper is copied where it changes."""
    fill = _FILL.get(str(obj.get("kind")))
    spec = obj.get("spec")
    if fill is not None and isinstance(spec, dict):
        obj["spec"] = fill(spec)
    if obj.get("kind") == "Pod" and isinstance(status := obj.get("status"), dict):
        lists = {name: status[name] for name in _STATUSES if isinstance(status.get(name), list)}
        filled = {name: [_filled(one, **_CONTAINER_STATUS) for one in items] for name, items in lists.items()}
        obj["status"] = {**status, **filled}
    if obj.get("kind") == "Node":
        status = obj.get("status") or {}
        obj["status"] = {**status, "nodeInfo": {**_NODE_INFO, **(status.get("nodeInfo") or {})}}
    elif obj.get("kind") == "Secret":
        obj.setdefault("type", "Opaque")
    elif obj.get("kind") == "Namespace":
        obj["spec"] = {"finalizers": ["kubernetes"], **(spec or {})}
        obj["status"] = {"phase": "Active", **(obj.get("status") or {})}
    return obj


def _filled(part: Obj, **values: Any) -> Obj:
    """Fields that are absent."""
    missing = {name: value for name, value in values.items() if part.get(name) is None}
    return {**part, **missing} if missing else part


def _pod(spec: Obj) -> Obj:
    spec = _filled(spec, **POD)
    for field in ("containers", "initContainers"):
        if isinstance(spec.get(field), list):
            spec = {**spec, field: [_container(one) if isinstance(one, dict) else one for one in spec[field]]}
    if name := spec.get("serviceAccountName"):
        spec = _filled(spec, serviceAccount=name)
    return spec


def _container(one: Obj) -> Obj:
    one = _filled(one, imagePullPolicy=pull_policy(str(one.get("image", ""))), **CONTAINER)
    if isinstance(one.get("ports"), list):
        ports = [_filled(port, **PORT) if isinstance(port, dict) else port for port in one["ports"]]
        one = {**one, "ports": ports}
    for field in PROBES:
        if isinstance(probe := one.get(field), dict):
            probe = _filled(probe, **PROBE)
            if isinstance(get := probe.get("httpGet"), dict):
                probe = {**probe, "httpGet": _filled(get, **HTTP_GET)}
            one = {**one, field: probe}
    return one


def _template(spec: Obj) -> Obj:
    template = spec.get("template")
    if not isinstance(template, dict) or not isinstance(template.get("spec"), dict):
        return spec
    return {**spec, "template": {**template, "spec": _pod(template["spec"])}}


def _deployment(spec: Obj) -> Obj:
    spec = _filled(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    if isinstance(strategy, dict):
        strategy = _filled(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            strategy = _filled(strategy, rollingUpdate={})
            strategy = {**strategy, "rollingUpdate": _filled(strategy["rollingUpdate"], **_ROLLING)}
        spec = {**spec, "strategy": strategy}
    return _template(spec)


def _replica_set(spec: Obj) -> Obj:
    return _template(_filled(spec, replicas=1))


def _stateful_set(spec: Obj) -> Obj:
    update = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    spec = _filled(
        spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady", serviceName="", updateStrategy={}
    )
    return _template({**spec, "updateStrategy": spec["updateStrategy"] or update})


def _daemon_set(spec: Obj) -> Obj:
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    spec = _filled(spec, revisionHistoryLimit=10, updateStrategy={})
    return _template({**spec, "updateStrategy": spec["updateStrategy"] or update})


def _job(spec: Obj) -> Obj:
    return _template(_filled(spec, parallelism=1, completions=1, backoffLimit=6, completionMode="NonIndexed"))


def _service(spec: Obj) -> Obj:
    spec = _filled(spec, type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        families = ["IPv6" if ":" in str(ip) else "IPv4" for ip in spec.get("clusterIPs") or [spec.get("clusterIP")]]
        spec = _filled(
            spec,
            internalTrafficPolicy="Cluster",
            ipFamilies=families,
            ipFamilyPolicy="SingleStack" if len(families) == 1 else "RequireDualStack",
        )
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec = _filled(spec, externalTrafficPolicy="Cluster")
    if isinstance(spec.get("ports"), list):
        ports = [
            _filled(port, protocol="TCP", targetPort=port.get("port")) if isinstance(port, dict) else port
            for port in spec["ports"]
        ]
        spec = {**spec, "ports": ports}
    return spec


def _policy(spec: Obj) -> Obj:
    types = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return _filled(spec, policyTypes=types, podSelector={})


_FILL: dict[str, Callable[[Obj], Obj]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Service": _service,
    "NetworkPolicy": _policy,
}
