"""Schemas, read when first asked for: Kubernetes's from the package that ships them, the few others from `own.yaml`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec
import yaml

from clusterviz.kubeapi.schema.model import ANY, REF_PREFIX, Definitions, Schema, Walker

__all__ = ["KUBERNETES_VERSION", "definitions", "kinds", "published", "schema_for"]

KUBERNETES_VERSION: Final = "1.37"
KINDS: Final = "x-kubernetes-group-version-kind"
GroupVersionKindKey = tuple[str, str, str]


def published() -> dict[str, Any]:
    """Every definition by its name, such as "io.k8s.api.core.v1.Pod", descriptions included; not kept: it is large."""
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{KUBERNETES_VERSION}.0-local"
    found: dict[str, Any] = msgspec.json.decode((folder / "_definitions.json").read_bytes())["$defs"]
    return found | _own()


def _own() -> dict[str, Any]:
    """The definitions of `own.yaml`, those of kinds once for each group and version."""
    text = (files("clusterviz.kubeapi.schema") / "own.yaml").read_text()
    found = {}
    for name, node in yaml.safe_load(text)["$defs"].items():
        prefix, _, last = name.rpartition(".")
        for gvk in node.get(KINDS, ()):
            found[f"{prefix}.{gvk['version']}.{last}"] = {**node, KINDS: [gvk]}
        if KINDS not in node:
            found[name] = node
    return found


@cache
def definitions() -> Definitions:
    """The part of every definition that patches and validation look at."""
    return msgspec.convert(published(), Definitions)


@cache
def kinds() -> dict[GroupVersionKindKey, str]:
    """(group, version, kind) to the definition's name. Only kinds that belong to one group and version."""
    found = {}
    for name, schema in definitions().items():
        if len(schema.kinds) == 1:
            gvk = schema.kinds[0]
            found[gvk.group, gvk.version, gvk.kind] = name
    return found


def schema_for(gvk: GroupVersionKindKey) -> Walker:
    """The schema's root for ("apps", "v1", "Deployment"); a place that knows nothing for any other kind."""
    name = kinds().get(gvk)
    return Walker(definitions(), Schema(ref=REF_PREFIX + name)) if name else ANY
