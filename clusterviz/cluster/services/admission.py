"""What kube-apiserver adds to an object when it is created or replaced."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, is_foreign
from clusterviz.cluster.models import Cluster, Namespace
from clusterviz.engine.fill import fill_nodes, fill_services
from clusterviz.engine.settings import Settings

_KEPT_METADATA = ("creationTimestamp", "uid", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
_SCALED = ("Deployment", "ReplicaSet", "StatefulSet")


def now() -> str:
    """This moment as Kubernetes writes it."""
    return timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def admit(obj: Obj) -> Obj:
    """Stamp the time of creation."""
    if not obj["metadata"].get("creationTimestamp"):
        obj = {**obj, "metadata": {**obj["metadata"], "creationTimestamp": now()}}
    return obj


def counted(obj: Obj, old: Obj | None) -> Obj:
    """Another generation when the spec is another; the first one, 1, is not written."""
    if old is None or obj.get("spec") == old.get("spec"):
        return obj
    before = old["metadata"].get("generation")
    generation = (before if isinstance(before, int) else 1) + 1
    return {**obj, "metadata": {**obj["metadata"], "generation": generation}}


def carry_over(obj: Obj, old: Obj | None) -> Obj:
    """Keep what the author of a manifest does not write: status, allocated addresses, the node."""
    kind = "" if is_foreign(obj) else obj["kind"]
    if kind == "Namespace":
        obj = _labelled(obj)
    if old is None:
        if kind in _SCALED:
            _default(obj, "spec", replicas=1)
        return obj
    metadata = {name: old["metadata"][name] for name in _KEPT_METADATA if name in old["metadata"]}
    obj = {**obj, "metadata": {**metadata, **obj["metadata"]}}
    if old.get("status") and not any((obj.get("status") or {}).values()):
        obj["status"] = copy.deepcopy(old["status"])
    before = old.get("spec") or {}
    if kind in _SCALED:
        _default(obj, "spec", replicas=before.get("replicas", 1))
    elif kind == "Pod":
        _default(obj, "spec", nodeName=before.get("nodeName"))
    elif kind == "Node":
        _default(obj, "spec", podCIDR=before.get("podCIDR"), podCIDRs=before.get("podCIDRs"))
    elif kind == "Service":
        _keep_service(obj, before)
    return obj


def _keep_service(obj: Obj, before: Obj) -> None:
    spec = obj["spec"]
    if spec.get("type") != "ExternalName" and before.get("type") != "ExternalName":
        _default(obj, "spec", clusterIP=before.get("clusterIP"))
        if spec.get("clusterIP") == before.get("clusterIP"):
            _default(obj, "spec", clusterIPs=before.get("clusterIPs"))
    if spec.get("type") not in ("NodePort", "LoadBalancer"):
        return
    numbers = {
        (port.get("protocol"), port.get("port")): port["nodePort"]
        for port in before.get("ports") or []
        if port.get("nodePort")
    }
    for port in spec.get("ports") or []:
        number = numbers.get((port.get("protocol"), port.get("port")))
        if number and not port.get("nodePort"):
            port["nodePort"] = number


def _default(obj: Obj, part: str, **values: Any) -> None:
    """Set fields that are absent or null."""
    target = obj.get(part)
    if target is None:
        target = obj[part] = {}
    for name, value in values.items():
        if value is not None and target.get(name) is None:
            target[name] = value


def new_namespaces(cluster: Cluster, names: set[str], wishes: Iterable[Key]) -> list[Obj]:
    """Namespaces that objects name and nobody made."""
    given = {key[2] for key in wishes if key[0] == "Namespace"}
    known = set(Namespace.objects.filter(cluster=cluster, name__in=names).values_list("name", flat=True))
    return [namespace(name) for name in sorted(names - known - given)]


def namespace(name: str) -> Obj:
    """A namespace, labelled with its own name (NP-11)."""
    return admit(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        }
    )


def fill(world: dict[Key, Obj], settings: Settings, wished: Iterable[Key]) -> dict[Key, Obj]:
    """Addresses for the Services and nodes among ``wished``. Raises `AddressError`."""
    wished = [key for key in wished if key[0] in ("Service", "Node")]
    for key in wished:
        ip = (world[key].get("spec") or {}).get("clusterIP")
        if key[0] == "Service" and ip and not world[key]["spec"].get("clusterIPs"):
            world[key] = {**world[key], "spec": {**world[key]["spec"], "clusterIPs": [ip]}}
    fill_services(world, settings, wished)
    if any(key[0] == "Node" for key in wished):
        fill_nodes(world, settings, [])
    return {key: _ready(world[key]) for key in wished}


def _ready(obj: Obj) -> Obj:
    """A new node reports Ready."""
    if obj["kind"] != "Node" or (obj.get("status") or {}).get("conditions"):
        return obj
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return {**obj, "status": {**(obj.get("status") or {}), "conditions": [ready]}}


def _labelled(obj: Obj) -> Obj:
    """A namespace from a manifest gets the label with its name (NP-11)."""
    labels = {**(obj["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": obj["metadata"]["name"]}
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}
