"""What a summary says beyond success: kept but not understood, legal but useless."""

from __future__ import annotations

from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import UNDERSTOOD, Key, is_foreign
from clusterviz.cluster.models import (
    MODEL_OF,
    Cluster,
    DaemonSet,
    Deployment,
    Pod,
    ReplicaSet,
    Service,
    StatefulSet,
)
from clusterviz.cluster.services.errors import Entry
from clusterviz.engine.config_objects import CONFIG_MAPS
from clusterviz.engine.manifests.read import Document
from clusterviz.engine.selectors import parse_selector

_WORKLOADS = (Deployment, ReplicaSet, StatefulSet, DaemonSet)


def why_ignored(key: Key, obj: Obj) -> str:
    """Why an object has no effect, "" when it has one."""
    if is_foreign(obj):
        return f"{obj['apiVersion']} {obj['kind']} is not the kind of that name we know; kept as it is"
    if key[0] == "ConfigMap" and key[2] in CONFIG_MAPS:
        return ""
    if key[0] in MODEL_OF or key[0] in UNDERSTOOD:
        return ""
    return f"{key[0]} has no effect on the simulated network; kept as it is"


def useless(cluster: Cluster, after: dict[Key, Obj], documents: dict[Key, Document]) -> list[Entry]:
    """Warnings about Services and policies whose selector matches nothing, and dangling backends."""
    wanted = [key for key in after if key[0] in ("Service", "NetworkPolicy", "Ingress")]
    if not wanted:
        return []
    spaces = {key[1] for key in wanted}
    labels = _pod_labels(cluster, after, spaces)
    rows = Service.objects.filter(cluster=cluster, namespace__name__in=spaces).values_list("namespace__name", "name")
    services = {("Service", *row) for row in rows} | set(after)
    found = []
    for key in wanted:
        why = _backend(after[key], key, services) if key[0] == "Ingress" else _selector(after[key], key, labels)
        if why:
            document = documents[key]
            found.append(
                Entry(
                    kind=key[0],
                    namespace=key[1],
                    name=key[2],
                    file=document.file,
                    document=document.document,
                    line=document.line,
                    why=why,
                )
            )
    return found


def _selector(obj: Obj, key: Key, labels: dict[str, list[dict[str, str]]]) -> str:
    spec = obj.get("spec") or {}
    if key[0] == "Service":
        if not spec.get("selector") or spec.get("type") == "ExternalName":
            return ""
        selector, field = parse_selector({"matchLabels": spec["selector"]}, field="spec.selector"), "selector"
    else:
        selector, field = parse_selector(spec.get("podSelector"), field="spec.podSelector"), "podSelector"
    if any(selector.matches(found) for found in labels.get(key[1], [])):
        return ""
    return f"spec.{field} {selector} matches no pod and no pod template in namespace {key[1]}"


def _backend(obj: Obj, key: Key, services: set[Key]) -> str:
    spec = obj.get("spec") or {}
    backends = [spec.get("defaultBackend")]
    for rule in spec.get("rules") or []:
        backends += [path.get("backend") for path in (rule.get("http") or {}).get("paths") or []]
    names = {str(((backend or {}).get("service") or {}).get("name", "")) for backend in backends} - {""}
    missing = sorted(name for name in names if ("Service", key[1], name) not in services)
    return f"backend Service {', '.join(missing)} does not exist in namespace {key[1]}" if missing else ""


def _pod_labels(cluster: Cluster, after: dict[Key, Obj], spaces: set[str]) -> dict[str, list[dict[str, str]]]:
    """Labels of the pods that are there or that workloads will make in some namespaces."""
    found: dict[str, list[dict[str, str]]] = {}
    there = {"cluster": cluster, "namespace__name__in": spaces}
    for namespace, labels in Pod.objects.filter(**there).values_list("namespace__name", "labels"):
        found.setdefault(namespace, []).append(labels)
    for model in _WORKLOADS:
        rows = model.objects.filter(**there).values_list("namespace__name", "template")
        for namespace, template in rows:
            found.setdefault(namespace, []).append(_template_labels(template))
    for (kind, namespace, _), obj in after.items():
        if kind == "Pod":
            found.setdefault(namespace, []).append(obj["metadata"].get("labels") or {})
        elif kind in MODEL_OF and MODEL_OF[kind] in _WORKLOADS:
            found.setdefault(namespace, []).append(_template_labels((obj.get("spec") or {}).get("template")))
    return found


def _template_labels(template: Obj | None) -> dict[str, str]:
    return ((template or {}).get("metadata") or {}).get("labels") or {}
