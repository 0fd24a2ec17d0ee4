"""The defaults a server fills in; what is stored stays as it was written.

A pod's are in `engine.pod_defaults`, for controllers must know them too; the table of other kinds is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clusterviz.engine.objects import Obj
from clusterviz.engine.pod_defaults import CONTAINER, HTTP_GET, POD, PORT, PROBE, PROBES, pull_policy
from clusterviz.kubeapi.statuses import job_selector, with_status

_ROLLING = {"maxUnavailable": "25%", "maxSurge": "25%"}
# What admission adds to pods, not to templates.
_ADMITTED = {"serviceAccountName": "default", "enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority"}
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_ALSO_BY_DAEMONS = tuple(
    f"node.kubernetes.io/{what}" for what in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
)
_CLAIM = {"volumeMode": "Filesystem"}
_RBAC = "rbac.authorization.k8s.io"
_WEBHOOK = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}
# Fields of a spec, by kind, and fields beside it.
_SPEC: Mapping[str, Mapping[str, Any]] = {
    "CSIDriver": {
        "attachRequired": True,
        "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "podInfoOnMount": False,
        "requiresRepublish": False,
        "storageCapacity": False,
        "volumeLifecycleModes": ["Persistent"],
    },
    "HorizontalPodAutoscaler": {"minReplicas": 1},
    "Namespace": {"finalizers": ["kubernetes"]},
    "PersistentVolume": {"persistentVolumeReclaimPolicy": "Retain", **_CLAIM},
    "PersistentVolumeClaim": _CLAIM,
}
_ROOT: Mapping[str, Mapping[str, Any]] = {
    "PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    "Secret": {"type": "Opaque"},
    "StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
}


def with_defaults(obj: Obj) -> Obj:
    """The object with its kind's defaults; ``obj`` is taken over, what lies deeper is copied where it changes."""
    kind, spec = str(obj.get("kind")), obj.get("spec")
    if kind in _ROOT:
        obj = filled(obj, **_ROOT[kind])
    if kind in _SPEC and (isinstance(spec, dict) or kind == "Namespace"):
        obj["spec"] = filled(spec or {}, **_SPEC[kind])
    elif (fill := _FILL.get(kind)) is not None and isinstance(spec, dict):
        obj["spec"] = fill(spec)
    elif (whole := _WHOLE.get(kind)) is not None:
        obj = whole(obj)
    if kind == "Job" and isinstance(spec, dict):
        obj["spec"] = filled(obj["spec"], selector=job_selector(str(obj["metadata"].get("name"))))
    return with_status(obj)


def filled(part: Obj, **values: Any) -> Obj:
    """The same with the fields that are absent."""
    missing = {name: value for name, value in values.items() if part.get(name) is None}
    return {**part, **missing} if missing else part


def _each(part: Obj, field: str, change: Callable[[Obj], Obj]) -> Obj:
    """The same with every object in a list changed."""
    items = part.get(field)
    if not isinstance(items, list):
        return part
    return {**part, field: [change(one) if isinstance(one, dict) else one for one in items]}


def _inner(part: Obj, field: str, change: Callable[[Obj], Obj]) -> Obj:
    """The same with the object in a field changed."""
    return {**part, field: change(part[field])} if isinstance(part.get(field), dict) else part


def _pod_spec(spec: Obj) -> Obj:
    spec = filled(spec, **POD)
    for field in ("initContainers", "containers"):
        spec = _each(spec, field, _container)
    if name := spec.get("serviceAccountName"):
        spec = filled(spec, serviceAccount=name)
    return _each(spec, "volumes", _volume)


def _pod(obj: Obj) -> Obj:
    """A pod has more than its template: what the admission of pods adds, or the DaemonSet controller."""
    owners = obj["metadata"].get("ownerReferences") or ()
    daemon = any(one.get("kind") == "DaemonSet" and one.get("controller") for one in owners)
    return _inner(obj, "spec", lambda spec: _pod_spec(_tolerant(filled(spec, **_ADMITTED, priority=0), daemon=daemon)))


def _tolerant(spec: Obj, *, daemon: bool) -> Obj:
    found = list(spec.get("tolerations") or ())
    wanted: list[Obj] = [{"key": key, "operator": "Exists", "effect": "NoExecute"} for key in _TOLERATED]
    if daemon:
        wanted += [{"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in _ALSO_BY_DAEMONS]
    else:
        wanted = [{**one, "tolerationSeconds": 300} for one in wanted]
    for one in wanted:
        if not any(
            had.get("key") in (one["key"], None, "") and had.get("effect") in (one["effect"], None, "") for had in found
        ):
            found.append(one)
    return {**spec, "tolerations": found}


def _container(one: Obj) -> Obj:
    one = filled(one, imagePullPolicy=pull_policy(str(one.get("image", ""))), **CONTAINER)
    one = _each(one, "ports", lambda port: filled(port, **PORT))
    one = _each(one, "env", lambda var: _inner(var, "valueFrom", lambda source: _inner(source, "fieldRef", _field_ref)))
    for field in PROBES:
        if isinstance(probe := one.get(field), dict):
            probe = _inner(filled(probe, **PROBE), "httpGet", lambda get: filled(get, **HTTP_GET))
            one = {**one, field: probe}
    return one


def _field_ref(ref: Obj) -> Obj:
    return filled(ref, apiVersion="v1")


def _volume(volume: Obj) -> Obj:
    for field in ("configMap", "secret", "projected", "downwardAPI"):
        volume = _inner(volume, field, lambda source: filled(source, defaultMode=420))
    return _inner(volume, "hostPath", lambda source: filled(source, type=""))


def _template(spec: Obj) -> Obj:
    return _inner(spec, "template", lambda template: _inner(template, "spec", _pod_spec))


def _deployment(spec: Obj) -> Obj:
    spec = filled(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    if isinstance(strategy, dict):
        strategy = filled(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            strategy = filled(strategy, rollingUpdate={})
            strategy = {**strategy, "rollingUpdate": filled(strategy["rollingUpdate"], **_ROLLING)}
        spec = {**spec, "strategy": strategy}
    return _template(spec)


def _replica_set(spec: Obj) -> Obj:
    return _template(filled(spec, replicas=1))


def _update_strategy(spec: Obj, **rolling: int) -> Obj:
    strategy = filled(spec.get("updateStrategy") or {}, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy = {**strategy, "rollingUpdate": filled(strategy.get("rollingUpdate") or {}, **rolling)}
    return {**spec, "updateStrategy": strategy}


def _stateful_set(spec: Obj) -> Obj:
    spec = filled(
        spec,
        replicas=1,
        revisionHistoryLimit=10,
        podManagementPolicy="OrderedReady",
        serviceName="",
        persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"},
    )
    spec = _each(spec, "volumeClaimTemplates", _claim_template)
    return _template(_update_strategy(spec, partition=0))


def _claim_template(claim: Obj) -> Obj:
    claim = filled(claim, apiVersion="v1", kind="PersistentVolumeClaim", status={"phase": "Pending"})
    return _inner(claim, "spec", lambda spec: filled(spec, **_CLAIM))


def _daemon_set(spec: Obj) -> Obj:
    return _template(_update_strategy(filled(spec, revisionHistoryLimit=10), maxUnavailable=1, maxSurge=0))


def _job(spec: Obj) -> Obj:
    spec = filled(
        spec,
        backoffLimit=6 if spec.get("backoffLimitPerIndex") is None else 2**31 - 1,
        completionMode="NonIndexed",
        suspend=False,
        podReplacementPolicy="TerminatingOrFailed",
    )
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec = filled(spec, completions=1)
    return _template(filled(spec, parallelism=1))


def _cron_job(spec: Obj) -> Obj:
    spec = filled(
        spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1
    )
    return _inner(spec, "jobTemplate", lambda job: _inner(job, "spec", _template))


def _service(spec: Obj) -> Obj:
    spec = filled(spec, type="ClusterIP", sessionAffinity="None")
    if spec["sessionAffinity"] == "ClientIP":
        spec = filled(spec, sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}})
    if spec["type"] != "ExternalName":
        families = ["IPv6" if ":" in str(ip) else "IPv4" for ip in spec.get("clusterIPs") or [spec.get("clusterIP")]]
        policy = "SingleStack" if len(families) == 1 else "RequireDualStack"
        spec = filled(spec, internalTrafficPolicy="Cluster", ipFamilies=families, ipFamilyPolicy=policy)
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec = filled(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        spec = filled(spec, allocateLoadBalancerNodePorts=True)
    return _each(spec, "ports", lambda port: filled(port, protocol="TCP", targetPort=port.get("port")))


def _policy(spec: Obj) -> Obj:
    types = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    spec = filled(spec, policyTypes=types, podSelector={})
    for way in ("ingress", "egress"):
        spec = _each(spec, way, lambda rule: _each(rule, "ports", lambda port: filled(port, **PORT)))
    return spec


def _ingress_class(spec: Obj) -> Obj:
    return _inner(spec, "parameters", lambda found: filled(found, scope="Cluster"))


def _definition(spec: Obj) -> Obj:
    names = dict(spec.get("names") or {})
    kind = str(names.get("kind", ""))
    names = filled(names, singular=kind.lower(), listKind=f"{kind}List")
    return filled({**spec, "names": names}, conversion={"strategy": "None"})


def _http_route(spec: Obj) -> Obj:
    group = "gateway.networking.k8s.io"
    spec = _each(spec, "parentRefs", lambda ref: filled(ref, group=group, kind="Gateway"))
    rules = spec.get("rules") or [{}]

    def rule(one: Obj) -> Obj:
        one = filled(one, matches=[{}])
        one = _each(one, "matches", lambda match: filled(match, path={"type": "PathPrefix", "value": "/"}))
        return _each(one, "backendRefs", lambda ref: filled(ref, group="", kind="Service", weight=1))

    return _each({**spec, "rules": rules}, "rules", rule)


def _gateway(spec: Obj) -> Obj:
    allowed = {"namespaces": {"from": "Same"}}
    return _each(spec, "listeners", lambda one: _inner(filled(one, allowedRoutes=allowed), "tls", _tls))


def _tls(found: Obj) -> Obj:
    return filled(found, mode="Terminate")


def _binding(obj: Obj) -> Obj:
    obj = _inner(obj, "roleRef", lambda ref: filled(ref, apiGroup=_RBAC))
    return _each(
        obj, "subjects", lambda one: one if one.get("kind") == "ServiceAccount" else filled(one, apiGroup=_RBAC)
    )


def _webhooks(obj: Obj) -> Obj:
    more = {"reinvocationPolicy": "Never"} if str(obj.get("kind")).startswith("Mutating") else {}

    def webhook(one: Obj) -> Obj:
        one = _each(filled(one, **_WEBHOOK, **more), "rules", lambda rule: filled(rule, scope="*"))
        return _inner(one, "clientConfig", lambda config: _inner(config, "service", lambda to: filled(to, port=443)))

    return _each(obj, "webhooks", webhook)


def _slice(obj: Obj) -> Obj:
    return _each(obj, "ports", lambda port: filled(port, name="", **PORT))


def _endpoints(obj: Obj) -> Obj:
    return _each(obj, "subsets", lambda subset: _each(subset, "ports", lambda port: filled(port, **PORT)))


_FILL: dict[str, Callable[[Obj], Obj]] = {
    "CronJob": _cron_job,
    "CustomResourceDefinition": _definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Gateway": _gateway,
    "HTTPRoute": _http_route,
    "IngressClass": _ingress_class,
    "Job": _job,
    "NetworkPolicy": _policy,
    "ReplicaSet": _replica_set,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
_WHOLE: dict[str, Callable[[Obj], Obj]] = {
    "ClusterRoleBinding": _binding,
    "EndpointSlice": _slice,
    "Endpoints": _endpoints,
    "MutatingWebhookConfiguration": _webhooks,
    "Pod": _pod,
    "RoleBinding": _binding,
    "ValidatingWebhookConfiguration": _webhooks,
}
