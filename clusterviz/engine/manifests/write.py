"""Objects -> YAML that kubectl accepts and `read` reads back to the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from clusterviz.engine.manifests import scalars
from clusterviz.engine.objects import WORKLOAD_KINDS, Key, Obj, key_of

# What is named by others comes first, so that the file can be applied from top to bottom.
ORDER = (
    "ClusterSettings",
    "Namespace",
    "CustomResourceDefinition",
    "Node",
    "IngressClass",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "Service",
    "EndpointSlice",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Pod",
    "Ingress",
    "NetworkPolicy",
    "TrafficFlow",
)
_RANK = {kind: index for index, kind in enumerate(ORDER)}
_SERVER_METADATA = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
_SERVER_ANNOTATIONS = frozenset(
    {"deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration"}
)
_TOP = ("apiVersion", "kind", "metadata", "type", "addressType", "data", "spec")
# Line breaks to some readers and not to others.
_SPECIAL = frozenset("\x85\u2028\u2029\ufeff\r")
_METADATA = ("name", "namespace", "labels", "annotations")


def write(objects: Iterable[Obj], *, flows: bool = False) -> str:
    """Manifests of what people made: no status, nothing that a controller makes anew.

    ``flows`` adds our own TrafficFlow objects, which a real cluster does not know.
    """
    return dump(manifests(objects, flows=flows))


def manifests(objects: Iterable[Obj], *, flows: bool = False) -> Iterator[Obj]:
    """The objects that `write` writes, tidied and in its order."""
    keyed = {key_of(obj): obj for obj in objects}
    for key, obj in sorted(keyed.items(), key=lambda item: place_of(item[0])):
        if not is_made(obj, keyed) and (flows or key[0] != "TrafficFlow"):
            yield _tidy(obj)


def dump(objects: Iterable[Obj]) -> str:
    """Plain data as YAML documents."""
    documents = list(objects)
    if not documents:
        return ""
    text: str = yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=110
    )
    return text


def in_order(obj: Obj) -> Obj:
    """The object as kubectl prints it: apiVersion, kind, metadata, spec, the rest."""
    return _sorted({**obj, "metadata": _sorted(obj.get("metadata") or {}, _METADATA)}, _TOP)


def is_made(obj: Obj, keyed: dict[Key, Obj]) -> bool:
    """Whether a controller makes this object from another one that is there too."""
    metadata = obj.get("metadata") or {}
    kind, namespace, _ = key_of(obj)
    if kind == "EndpointSlice":
        managed = (metadata.get("labels") or {}).get("endpointslice.kubernetes.io/managed-by", "")
        return bool(managed.startswith("endpointslice"))
    if kind not in ("Pod", "ReplicaSet"):
        return False
    return any(_owner_exists(owner, namespace, keyed) for owner in metadata.get("ownerReferences") or [])


def _owner_exists(owner: Obj, namespace: str, keyed: dict[Key, Obj]) -> bool:
    """The owner, or the Deployment above a ReplicaSet that is not among the objects."""
    kind, name = str(owner.get("kind")), str(owner.get("name"))
    if (kind, namespace, name) in keyed and kind in WORKLOAD_KINDS:
        return True
    return kind == "ReplicaSet" and ("Deployment", namespace, name.rpartition("-")[0]) in keyed


def place_of(key: Key) -> tuple[int, Key]:
    """Where an object stands among the others that are written, as it sorts."""
    return _RANK.get(key[0], _RANK["ConfigMap"]), (key[1], key[0], key[2])


def _tidy(obj: Obj) -> Obj:
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _SERVER_METADATA}
    annotations = metadata.pop("annotations", None) or {}
    annotations = {key: value for key, value in annotations.items() if key not in _SERVER_ANNOTATIONS}
    if annotations:
        metadata["annotations"] = annotations
    result = {**obj, "metadata": _sorted(metadata, _METADATA)}
    status = result.pop("status", None)
    if obj.get("kind") == "Node" and isinstance(status, dict) and status.get("addresses"):
        result["status"] = {"addresses": status["addresses"]}
    return _sorted(result, _TOP)


def _sorted(data: Obj, first: tuple[str, ...]) -> Obj:
    """Well-known fields first, the others by name."""
    names = [name for name in first if name in data] + sorted(data.keys() - set(first))
    return {name: data[name] for name in names}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # libyaml is four times as fast
    """Safe YAML without aliases; text that kubectl would take for a number or a boolean is quoted."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Equal parts are written out twice."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = None
    if scalars.plain(value) != value or value in ("=", "<<") or _SPECIAL & set(value):
        style = '"'
    elif "\n" in value and not any(line != line.rstrip() for line in value.split("\n")) and value[0] not in " \n":
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
