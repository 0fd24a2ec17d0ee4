"""The OpenAPI v3 document of a group version: what kubectl explains from, and where it finds fieldValidation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from clusterviz.kubeapi.schema.model import REF_PREFIX
from clusterviz.kubeapi.schema.source import KUBERNETES_VERSION, kinds, published

__all__ = ["Row", "closure", "collection", "definition_names", "openapi_v3", "operations", "plain"]

Json = dict[str, Any]


class Row(NamedTuple):
    """A kind in a document; a `defined` one takes no strategic merge patch."""

    plural: str
    kind: str
    namespaced: bool
    defined: bool = False


V3_PREFIX: Final = "#/components/schemas/"
META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
PATCH_TYPES: Final = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
STRATEGIC: Final = "application/strategic-merge-patch+json"
# The published conversion to JSON Schema has unions here; the API's own documents say it so.
_UNIONS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ("int-or-string", ("integer", "string")),
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("", ("string", "number")),
}
_QUERIES: Final = {"post": (), "put": (), "patch": ("force",)}


def openapi_v3(group_version: str, rows: Sequence[Row], custom: Mapping[str, Json | None] | None = None) -> Json:
    """The document of "v1" or "apps/v1" for the kinds in `rows`.

    `custom` has the openAPIV3Schema of kinds that are not Kubernetes's own, None for one without a schema.
    """
    group, _, version = group_version.rpartition("/")
    found = published()
    names = definition_names(group, version, (row.kind for row in rows), found)
    schemas = {name: _v3(name, found[name]) for name in closure(names, found)}
    paths: Json = {}
    for row in rows:
        kind = row.kind
        name = kinds().get((group, version, kind))
        if name is None:
            name = _reversed(group, version, kind)
            schemas[name] = _custom((group, version, kind), (custom or {}).get(kind))
        gvk = {"group": group, "version": version, "kind": kind}
        paths |= operations(collection(group_version, row), gvk, V3_PREFIX + name, row)
    info = {"title": "Kubernetes", "version": f"v{KUBERNETES_VERSION}.0"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def definition_names(group: str, version: str, wanted: Iterable[str], found: Mapping[str, Json]) -> list[str]:
    """The definitions of these kinds and of their lists, and what every answer may be."""
    named = [META + "Status", META + "DeleteOptions", META + "ObjectMeta"]
    for kind in wanted:
        name = kinds().get((group, version, kind))
        if name:
            named += [item for item in (name, f"{name}List") if item in found]
    return named


def closure(names: Iterable[str], known: Mapping[str, Json]) -> list[str]:
    """These definitions and all they refer to, in the order of their names."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name in known:
            found.add(name)
            _references(known[name], waiting)
    return sorted(found)


def _references(node: Any, into: list[str]) -> None:
    if isinstance(node, dict):
        ref = node.get("$ref")
        if isinstance(ref, str):
            into.append(ref.removeprefix(REF_PREFIX))
        for child in node.values():
            _references(child, into)
    elif isinstance(node, list):
        for child in node:
            _references(child, into)


def plain(node: Json, prefix: str) -> Json:
    """A published node as the API's own documents have it: no null among the types, references under `prefix`."""
    made = {key: value for key, value in node.items() if key != "enum"}
    if isinstance(made.get("type"), list):
        made["type"] = made["type"][0]
    if "$ref" in made:
        made["$ref"] = prefix + made["$ref"].removeprefix(REF_PREFIX)
    if "properties" in made:
        made["properties"] = {key: plain(child, prefix) for key, child in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = plain(made[key], prefix)
    return made


def _v3(name: str, node: Json) -> Json:
    if name in _UNIONS:
        form, types = _UNIONS[name]
        return ({"format": form} if form else {}) | {"oneOf": [{"type": item} for item in types]}
    return _all_of(plain(node, V3_PREFIX))


def _all_of(node: Json) -> Json:
    """OpenAPI v3 forbids anything beside a $ref: it moves into allOf."""
    made = dict(node)
    if "properties" in made:
        made["properties"] = {key: _all_of(child) for key, child in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _all_of(made[key])
    if "$ref" in made and len(made) > 1:
        made["allOf"] = [{"$ref": made.pop("$ref")}]
    return made


def collection(group_version: str, row: Row) -> str:
    """/apis/apps/v1/namespaces/{namespace}/deployments."""
    root = f"/{'apis' if '/' in group_version else 'api'}/{group_version}"
    return f"{root}/namespaces/{{namespace}}/{row.plural}" if row.namespaced else f"{root}/{row.plural}"


def operations(place: str, gvk: Json, ref: str, row: Row) -> Json:
    """What may be done at a collection and at one object of it."""
    content = {"application/json": {"schema": {"$ref": ref}}}
    done = {"responses": {"200": {"description": "OK", "content": content}}, "x-kubernetes-group-version-kind": gvk}

    def write(method: str, media: Iterable[str]) -> Json:
        queries = ("dryRun", "fieldManager", "fieldValidation", *_QUERIES[method])
        parameters = [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in queries
        ]
        body = {"required": True, "content": dict.fromkeys(media, content["application/json"])}
        return {"parameters": parameters, "requestBody": body, "x-kubernetes-action": method, **done}

    whole = ("application/json", "application/yaml")
    everywhere = place.replace("/namespaces/{namespace}", "")  # where kubectl 1.27 looks for every kind
    return {
        everywhere: {"get": {"x-kubernetes-action": "list", **done}},
        place: {"get": {"x-kubernetes-action": "list", **done}, "post": write("post", whole)},
        f"{place}/{{name}}": {
            "get": {"x-kubernetes-action": "get", **done},
            "put": write("put", whole),
            "patch": write("patch", PATCH_TYPES if row.defined else (*PATCH_TYPES, STRATEGIC)),
            "delete": {"x-kubernetes-action": "delete", **done},
        },
    }


def _reversed(group: str, version: str, kind: str) -> str:
    """com.example.v1.Widget for a kind of example.com."""
    return ".".join([*reversed(group.split(".")), version, kind])


def _custom(gvk: tuple[str, str, str], root: Json | None) -> Json:
    """The component of a custom kind: its own schema, with the fields that every object has."""
    node: Json = dict(root) if root else {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    own = {
        "apiVersion": {"type": "string", "description": "The group and version of this object's schema."},
        "kind": {"type": "string", "description": "The kind of this object."},
        "metadata": {"allOf": [{"$ref": f"{V3_PREFIX}{META}ObjectMeta"}], "description": "Standard object metadata."},
    }
    node["properties"] = {**(node.get("properties") or {}), **own}
    group, version, kind = gvk
    node["x-kubernetes-group-version-kind"] = [{"group": group, "version": version, "kind": kind}]
    return node
