"""Objects of a CustomResourceDefinition are cut to its schema, filled with its defaults and checked by it."""

import pytest

from clusterviz.cluster import custom

SIZES = {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}
ITEM = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["colour"],
            "properties": {
                "colour": {"type": "string", "enum": ["blue", "red"]},
                "size": SIZES,
                "note": {"type": "string", "nullable": True, "pattern": "^[a-z]+$", "maxLength": 4},
                "port": {"x-kubernetes-int-or-string": True},
                "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "items": {
                    "type": "array",
                    "maxItems": 2,
                    "items": ITEM,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                },
                "either": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            },
        }
    },
}
HEAD = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one", "anything": 1}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Cluster",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}],
    },
}


def test_an_object_is_cut_to_the_schema_and_filled_with_its_defaults():
    spec = {"colour": "red", "size": None, "note": None, "more": 1, "open": {"x": 1}, "labels": {"a": "b"}}
    wanted = {"colour": "red", "size": 3, "note": None, "open": {"x": 1}, "labels": {"a": "b"}}
    assert custom.shaped({**HEAD, "spec": spec, "other": 2}, SCHEMA) == {**HEAD, "spec": wanted}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "spec.colour: Required value"),
        ({"colour": "green"}, 'spec.colour: Unsupported value: "green": supported values: "blue", "red"'),
        ({"size": "big"}, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'),
        ({"size": 0}, "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        ({"size": 10}, "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9"),
        ({"note": "ABC"}, "spec.note: Invalid value: \"ABC\": spec.note in body should match '^[a-z]+$'"),
        ({"note": "abcde"}, "spec.note: Too long: may not be more than 4 bytes"),
        ({"port": True}, "spec.port in body must be of type integer,string"),
        ({"labels": {"a": 1}}, "spec.labels.a in body must be of type string"),
        ({"items": [{"name": "a"}] * 2}, 'spec.items[1]: Duplicate value: {"name": "a"}'),
        (
            {"items": [{"name": "a"}, {"name": "b"}, {"name": "c"}]},
            "spec.items: Too many: 3: must have at most 2 items",
        ),
        ({"items": [{}]}, "spec.items[0].name: Required value"),
        ({"either": {}}, '"spec.either" must validate one and only one schema (oneOf)'),
    ],
)
def test_what_the_schema_forbids_is_said_as_kube_apiserver_says_it(spec, words):
    obj = {**HEAD, "spec": {"colour": "blue"} | spec if spec else {}}
    found = [f"{one.field}: {one.message}" for one in custom.flaws(obj, SCHEMA)]
    assert len(found) == 1
    assert words in found[0]


def test_what_the_schema_allows_passes():
    spec = {"colour": "blue", "size": 9, "note": None, "port": "http", "items": [{"name": "a"}], "either": {"a": 1}}
    assert custom.flaws({**HEAD, "spec": spec}, SCHEMA) == []


async def test_a_custom_object_is_stored_with_defaults_and_refused_with_the_field(editor):
    code, _ = await editor.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION)
    assert code == 201
    place = "/apis/example.com/v1/widgets"
    meta = {"metadata": {"name": "one"}}
    code, made = await editor.ask("POST", place, {**meta, "spec": {"colour": "red", "sise": 2}})
    assert code == 201
    assert made["spec"] == {"colour": "red", "size": 3}
    code, said = await editor.ask(
        "PATCH", f"{place}/one", {"spec": {"size": "x"}}, media="application/merge-patch+json"
    )
    assert (code, said["reason"]) == (422, "Invalid")
    assert said["details"]["causes"][0]["field"] == "spec.size"
    document = await editor.get("/openapi/v3/apis/example.com/v1")
    media = document["paths"]["/apis/example.com/v1/widgets/{name}"]["patch"]["requestBody"]["content"]
    assert "application/strategic-merge-patch+json" not in media


async def test_kinds_without_published_schemas_are_explained_from_our_own(editor):
    for version, name in (
        ("gateway.networking.k8s.io/v1", "io.k8s.networking.gateway.v1.HTTPRoute"),
        ("gateway.networking.k8s.io/v1beta1", "io.k8s.networking.gateway.v1beta1.ReferenceGrant"),
        ("clusterviz.dev/v1", "dev.clusterviz.v1.TrafficFlow"),
    ):
        document = await editor.get(f"/openapi/v3/apis/{version}")
        spec = document["components"]["schemas"][name]["properties"]["spec"]
        assert all(field["description"] for field in spec["properties"].values())
