"""The OpenAPI documents: every reference leads somewhere, and clients find what they look for."""

import pytest

from clusterviz.kubeapi.schema import Row, openapi_v2, openapi_v3

APPS = [Row("deployments", "Deployment", True)]
CORE = [Row("pods", "Pod", True), Row("nodes", "Node", False)]
WIDGETS = [Row("widgets", "Widget", True), Row("gadgets", "Gadget", False)]


def nodes(schemas):
    """Every schema and every property of one."""
    return [*schemas.values(), *(child for node in schemas.values() for child in node.get("properties", {}).values())]


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


@pytest.mark.parametrize(("version", "rows"), [("apps/v1", APPS), ("v1", CORE), ("example.com/v1", WIDGETS)])
def test_every_reference_leads_to_a_schema(version, rows):
    document = openapi_v3(version, rows)
    schemas = document["components"]["schemas"]
    assert {ref.removeprefix("#/components/schemas/") for ref in references(document)} <= schemas.keys()
    assert all(isinstance(node.get("type", ""), str) for node in nodes(schemas))


def test_patch_takes_field_validation_and_names_its_kind():
    path = openapi_v3("apps/v1", APPS)["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    assert path["patch"]["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}} in path[
        "patch"
    ]["parameters"]
    assert "application/apply-patch+yaml" in path["patch"]["requestBody"]["content"]


def test_every_kind_is_explained_where_old_and_new_clients_look():
    paths = openapi_v3("v1", CORE)["paths"]
    for place, kind in (
        ("/api/v1/pods", "Pod"),
        ("/api/v1/namespaces/{namespace}/pods", "Pod"),
        ("/api/v1/nodes", "Node"),
    ):
        assert paths[place]["get"]["x-kubernetes-group-version-kind"]["kind"] == kind
    assert "post" in paths["/api/v1/nodes"] and "post" not in paths["/api/v1/pods"]


def test_a_schema_says_how_it_merges_and_what_it_means():
    schemas = openapi_v3("v1", CORE)["components"]["schemas"]
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert containers["type"] == "array"
    assert containers["description"]
    assert schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["format"] == "int-or-string"


def test_a_custom_kind_has_its_own_schema_or_takes_anything():
    own = {"type": "object", "properties": {"spec": {"type": "object"}}}
    document = openapi_v3("example.com/v1", WIDGETS, {"Widget": own, "Gadget": None})
    widget = document["components"]["schemas"]["com.example.v1.Widget"]
    assert widget["properties"]["spec"] == {"type": "object"}
    assert widget["x-kubernetes-group-version-kind"] == [{"group": "example.com", "version": "v1", "kind": "Widget"}]
    assert document["components"]["schemas"]["com.example.v1.Gadget"]["x-kubernetes-preserve-unknown-fields"] is True
    assert own == {"type": "object", "properties": {"spec": {"type": "object"}}}


def fields(data):
    """(number, value) of every field of a protobuf message."""
    at = 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 2:
            size = varint()
            yield key >> 3, data[at : at + size]
            at += size
        else:
            yield key >> 3, varint()


def named(data):
    """{name: value} of a message of NamedX messages."""
    return {dict(fields(item))[1].decode(): dict(fields(item))[2] for _number, item in fields(data)}


def test_the_old_document_reads_back():
    document = dict(fields(openapi_v2({"apps/v1": APPS, "v1": CORE, "example.com/v1": WIDGETS})))
    assert document[1] == b"2.0"
    paths = named(document[8])
    assert set(paths) == {
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
        "/api/v1/namespaces/{namespace}/pods/{name}",
        "/api/v1/nodes/{name}",
        "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}",
        "/apis/example.com/v1/gadgets/{name}",
    }
    patch = dict(fields(paths["/api/v1/nodes/{name}"]))[8]
    assert b"fieldValidation" in patch
    assert b'{"group":"","version":"v1","kind":"Node"}' in patch
    definitions = named(document[9])
    spec = dict(fields(definitions["io.k8s.api.core.v1.PodSpec"]))
    containers = dict(fields(named(spec[25])["containers"]))
    assert dict(fields(containers[22]))[1] == b"array"
    assert b"#/definitions/io.k8s.api.core.v1.Container" in containers[23]
