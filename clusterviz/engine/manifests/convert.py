"""One shape for what comes in: current API versions, namespaces filled in, label values as text."""

from __future__ import annotations

import copy
from typing import Any

from clusterviz.engine.objects import CLUSTER_SCOPED, WORKLOAD_KINDS, Obj
from clusterviz.engine.selectors import text

OLD_VERSIONS = {
    **dict.fromkeys([(kind, "extensions/v1beta1") for kind in WORKLOAD_KINDS], "apps/v1"),
    **dict.fromkeys([(kind, "apps/v1beta1") for kind in WORKLOAD_KINDS], "apps/v1"),
    **dict.fromkeys([(kind, "apps/v1beta2") for kind in WORKLOAD_KINDS], "apps/v1"),
    ("Ingress", "extensions/v1beta1"): "networking.k8s.io/v1",
    ("Ingress", "networking.k8s.io/v1beta1"): "networking.k8s.io/v1",
    ("IngressClass", "networking.k8s.io/v1beta1"): "networking.k8s.io/v1",
    ("NetworkPolicy", "extensions/v1beta1"): "networking.k8s.io/v1",
    ("EndpointSlice", "discovery.k8s.io/v1beta1"): "discovery.k8s.io/v1",
}


def normalize(obj: Obj) -> tuple[Obj, list[str]]:
    """A tidied copy of an object and what was done to it; doing it twice changes nothing.

    Fields of a wrong type are left for `validation` to complain about.
    """
    obj = copy.deepcopy(obj)
    notes: list[str] = []
    kind = str(obj.get("kind"))
    _metadata(obj, kind)
    _version(obj, notes)
    spec = obj.get("spec")
    if kind in WORKLOAD_KINDS and isinstance(spec, dict):
        _workload(obj, spec, notes)
    elif kind == "NetworkPolicy" and isinstance(spec, dict):
        _policy(spec)
    elif kind == "Service" and isinstance(spec, dict) and obj.get("apiVersion") == "v1":
        _service(spec)
    return obj, notes


def _metadata(obj: Obj, kind: str) -> None:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        return
    if kind in CLUSTER_SCOPED:
        metadata.pop("namespace", None)
    elif not metadata.get("namespace"):
        metadata["namespace"] = "default"
    _texts(metadata, "labels")
    _texts(metadata, "annotations")


def _texts(parent: Obj, field: str) -> None:
    """Map values as text; a null map is no map (IMP-03)."""
    values = parent.get(field, "")
    if values is None:
        del parent[field]
    elif isinstance(values, dict):
        parent[field] = {key: v if isinstance(v, dict | list) else text(v) for key, v in values.items()}


def _version(obj: Obj, notes: list[str]) -> None:
    before = obj.get("apiVersion")
    after = OLD_VERSIONS.get((str(obj.get("kind")), str(before)))
    if after is None:
        return
    obj["apiVersion"] = after
    notes.append(f"converted from {before} to {after}")
    spec = obj.get("spec")
    if obj["kind"] == "Ingress" and isinstance(spec, dict):
        _old_ingress(spec, notes)


def _old_ingress(spec: Obj, notes: list[str]) -> None:
    """The form with serviceName and servicePort and without pathType (IMP-06)."""
    if "backend" in spec:
        spec["defaultBackend"] = spec.pop("backend")
        _old_backend(spec, "defaultBackend")
    for rule in _dicts(spec.get("rules")):
        http = rule.get("http")
        for path in _dicts(http.get("paths") if isinstance(http, dict) else None):
            if not path.get("pathType"):
                path["pathType"] = "ImplementationSpecific"
                notes.append(f"path {path.get('path') or '/'} has no pathType: ImplementationSpecific assumed")
            _old_backend(path, "backend")


def _old_backend(owner: Obj, field: str) -> None:
    backend = owner.get(field)
    if not isinstance(backend, dict) or "serviceName" not in backend:
        return
    port = backend.get("servicePort")
    if isinstance(port, str) and port.isdecimal():
        port = int(port)
    reference: Obj = {"number": port} if isinstance(port, int) else {"name": port}
    owner[field] = {"service": {"name": backend["serviceName"], "port": reference}}


def _workload(obj: Obj, spec: Obj, notes: list[str]) -> None:
    template = spec.get("template")
    labels = None
    if isinstance(template, dict) and isinstance(template.get("metadata"), dict):
        _texts(template["metadata"], "labels")
        _texts(template["metadata"], "annotations")
        labels = template["metadata"].get("labels")
    _selector(spec, "selector")
    if notes and not spec.get("selector") and labels:
        spec["selector"] = {"matchLabels": dict(labels)}
        notes.append("spec.selector was left out: the template's labels are used")
    if obj.pop("status", None):
        notes.append("status left out: it is not desired state (IMP-05)")


def _policy(spec: Obj) -> None:
    _selector(spec, "podSelector")
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for rule in _dicts(spec.get(field)):
            for peer in _dicts(rule.get(peers)):
                _selector(peer, "podSelector")
                _selector(peer, "namespaceSelector")


def _selector(parent: Obj, field: str) -> None:
    """A null selector that is there is the empty one; so is a null matchLabels (IMP-03)."""
    if field not in parent:
        return
    if parent[field] is None:
        parent[field] = {}
    if isinstance(parent[field], dict):
        _texts(parent[field], "matchLabels")


def _service(spec: Obj) -> None:
    _texts(spec, "selector")
    if not spec.get("type"):
        spec["type"] = "ClusterIP"
    for port in _dicts(spec.get("ports")):
        if not port.get("protocol"):
            port["protocol"] = "TCP"


def _dicts(items: Any) -> list[Obj]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
