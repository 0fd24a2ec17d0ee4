"""Which schema a kind follows: the published one, or that of its CustomResourceDefinition."""

from __future__ import annotations

from typing import Any

from clusterviz.cluster import custom
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.schema import ANY, Walker, crd_walker, definitions, schema_for
from clusterviz.kubeapi.store import Store


def gvk(resource: Resource) -> tuple[str, str, str]:
    """Group, version and kind."""
    return resource.group, resource.version, resource.kind


def custom_schema(store: Store, resource: Resource) -> dict[str, Any] | None:
    """The openAPIV3Schema of a custom kind, None when it has none."""
    for obj in store.definitions():
        spec = obj.get("spec") or {}
        if spec.get("group") != resource.group or (spec.get("names") or {}).get("plural") != resource.plural:
            continue
        return custom.schema_of(custom.version_of(obj, resource.version))
    return None


def walker(store: Store, resource: Resource) -> Walker:
    """Where to look up the fields of a kind; `ANY` when nothing is published."""
    found = custom_schema(store, resource)
    if found is None:
        return ANY if resource.custom else schema_for(gvk(resource))
    try:
        return crd_walker(found, definitions())
    except ValueError:
        return ANY
