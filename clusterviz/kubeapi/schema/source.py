"""Kubernetes's published schemas, read from the package that ships them when first asked for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from clusterviz.kubeapi.schema.model import ANY, REF_PREFIX, Definitions, Schema, Walker

__all__ = ["KUBERNETES_VERSION", "definitions", "document", "schema_for"]

KUBERNETES_VERSION: Final = "1.37"
GroupVersionKindKey = tuple[str, str, str]


class _File(msgspec.Struct):
    defs: Definitions = msgspec.field(name="$defs")


def document() -> bytes:
    """The file of definitions as published: `{"$defs": {name: schema}}`, JSON of some 1.5 MB."""
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{KUBERNETES_VERSION}.0-local"
    return (folder / "_definitions.json").read_bytes()


@cache
def definitions() -> Definitions:
    """Every published definition by its name, such as "io.k8s.api.core.v1.Pod"."""
    return msgspec.json.decode(document(), type=_File).defs


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
