"""What kube-apiserver fills into the spec of a pod, and templates without it.

A client may write a template back with its defaults spelled out. That is no other template: nothing is rolled out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clusterviz.engine.objects import Obj

POD: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
CONTAINER: Mapping[str, Any] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
PROBE: Mapping[str, Any] = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
PORT: Mapping[str, Any] = {"protocol": "TCP"}
HTTP_GET: Mapping[str, Any] = {"scheme": "HTTP", "path": "/"}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def pull_policy(image: str) -> str:
    """``imagePullPolicy`` of a container that says nothing: Always for a moving tag."""
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent"


def plain_template(template: Obj) -> Obj:
    """A pod template without fields that say what is so anyway; two that mean the same become equal."""
    metadata = {name: value for name, value in (template.get("metadata") or {}).items() if value}
    spec = _without(template.get("spec") or {}, POD)
    if spec.get("serviceAccount") == spec.get("serviceAccountName"):
        spec.pop("serviceAccount", None)
    for field in ("containers", "initContainers"):
        if isinstance(spec.get(field), list):
            spec[field] = [_container(one) if isinstance(one, dict) else one for one in spec[field]]
    return {**template, "metadata": metadata, "spec": spec}


def _container(one: Obj) -> Obj:
    one = _without(one, {**CONTAINER, "imagePullPolicy": pull_policy(str(one.get("image", "")))})
    if isinstance(one.get("ports"), list):
        one["ports"] = [_without(port, PORT) if isinstance(port, dict) else port for port in one["ports"]]
    for field in PROBES:
        if isinstance(probe := one.get(field), dict):
            probe = _without(probe, PROBE)
            if isinstance(get := probe.get("httpGet"), dict):
                probe["httpGet"] = _without(get, HTTP_GET)
            one[field] = probe
    return one


def _without(part: Obj, defaults: Mapping[str, Any]) -> Obj:
    return {
        name: value
        for name, value in part.items()
        if value is not None and not (name in defaults and defaults[name] == value)
    }
