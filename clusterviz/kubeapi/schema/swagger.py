"""The OpenAPI v2 document as protobuf (openapi.v2.Document), for clients up to kubectl 1.28."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from clusterviz.kubeapi.schema.published import (
    Json,
    Row,
    closure,
    collection,
    definition_names,
    plain,
)
from clusterviz.kubeapi.schema.source import KUBERNETES_VERSION, published

__all__ = ["openapi_v2"]

V2_PREFIX: Final = "#/definitions/"
# What the unions of the published conversion are in a document that knows none.
_TEXTS: Final[dict[str, Json]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": "string", "format": "int-or-string"},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
}


def openapi_v2(served: Mapping[str, Sequence[Row]]) -> bytes:
    """The document for the kinds of each group version, such as {"apps/v1": [Row("deployments", "Deployment", True)]}.

    Kinds that are not Kubernetes's own have a path and no definition.
    """
    found = published()
    names: list[str] = []
    paths = []
    for group_version, rows in served.items():
        group, _, version = group_version.rpartition("/")
        names += definition_names(group, version, (row.kind for row in rows), found)
        for row in rows:
            place = f"{collection(group_version, row)}/{{name}}"
            paths.append(_named(2, place, _path({"group": group, "version": version, "kind": row.kind})))
    schemas = [
        _named(1, name, _schema(_TEXTS.get(name) or plain(found[name], V2_PREFIX))) for name in closure(names, found)
    ]
    info = _text(1, "Kubernetes") + _text(2, f"v{KUBERNETES_VERSION}.0")
    head = _text(1, "2.0") + _part(2, info)
    return head + _part(8, b"".join(paths)) + _part(9, b"".join(schemas))


def _path(gvk: Json) -> bytes:
    """A PathItem whose PATCH takes fieldValidation: that is what clients look for."""
    queries = ("dryRun", "fieldManager", "fieldValidation", "force")
    operation = b"".join(_part(8, _query(name)) for name in queries) + _extension(13, _GVK, gvk)
    return _part(8, operation)


_GVK: Final = "x-kubernetes-group-version-kind"


def _query(name: str) -> bytes:
    """ParametersItem{Parameter{NonBodyParameter{QueryParameterSubSchema}}}."""
    query = _text(2, "query") + _text(4, name) + _text(6, "string") + _flag(20)
    return _part(1, _part(2, _part(3, query)))


def _schema(node: Json) -> bytes:
    made = [_text(1, node.get("$ref", "")), _text(2, node.get("format", "")), _text(4, node.get("description", ""))]
    made += [_text(19, name) for name in node.get("required", ())]
    additional = node.get("additionalProperties")
    if isinstance(additional, dict):
        made.append(_part(21, _part(1, _schema(additional))))
    if "type" in node:
        made.append(_part(22, _text(1, node["type"])))
    if "items" in node:
        made.append(_part(23, _part(1, _schema(node["items"]))))
    if node.get("properties"):
        made.append(_part(25, b"".join(_named(1, key, _schema(child)) for key, child in node["properties"].items())))
    made += [_extension(31, key, value) for key, value in node.items() if key.startswith("x-kubernetes-")]
    return b"".join(made)


def _extension(number: int, name: str, value: Any) -> bytes:
    """NamedAny{name, Any{yaml}}; JSON is YAML."""
    return _named(number, name, _text(2, msgspec.json.encode(value).decode()))


def _named(number: int, name: str, value: bytes) -> bytes:
    return _part(number, _text(1, name) + _part(2, value))


def _text(number: int, text: str) -> bytes:
    return _part(number, text.encode()) if text else b""


def _part(number: int, data: bytes) -> bytes:
    """A field of wire type 2: number, length, bytes."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _flag(number: int) -> bytes:
    return _varint(number << 3) + b"\x01"


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)
