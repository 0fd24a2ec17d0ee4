"""YAML and JSON in, objects with lines out; whatever is wrong gets one clear sentence."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.engine.manifests import Limits, ManifestError, read
from clusterviz.engine.manifests.read import read_value

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


def refused(text: str | bytes, **limits: int) -> str:
    with pytest.raises(ManifestError) as caught:
        read(text, "f.yaml", Limits(**limits))
    return str(caught.value)


def test_documents_lists_and_lines() -> None:
    """IMP-01: several documents, empty ones, comments only, a List of Lists, a DeploymentList."""
    text = """# nothing but a comment
---
kind: A
---
---
kind: List
apiVersion: v1
items:
- kind: B
- kind: List
  items:
  - kind: C
    spec:
      ports:
      - port: 80
        name: web
---
apiVersion: apps/v1
kind: DeploymentList
items:
- metadata: {name: d}
"""
    documents = read(text, "f.yaml")
    assert [(d.object["kind"], d.document, d.line) for d in documents] == [
        ("A", 1, 3),
        ("B", 3, 9),
        ("C", 3, 12),
        ("Deployment", 4, 21),
    ]
    assert documents[3].object["apiVersion"] == "apps/v1"
    assert documents[2].line_at("spec.ports[0].name") == 16
    assert documents[2].line_at("spec.ports[0].nodePort") == 15, "a missing field: the line of what is around it"
    assert documents[2].line_at("spec.ports[7].port") == 14


def test_a_crd_whose_kind_ends_in_list_is_one_object() -> None:
    """Only lists with items are unpacked."""
    assert [d.object["kind"] for d in read("kind: AllowList\nspec: {}")] == ["AllowList"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("=", "="),
        ("0644", 420),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("1.2.3", "1.2.3"),
        ("yes", True),
        ("off", False),
        ("~", None),
        ("", None),
        ("'yes'", "yes"),
        ("!!str 5", "5"),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        ("+.inf", "+.inf"),
        ("9" * 30, float("9" * 30)),
        ("-", "-"),
    ],
)
def test_scalars_mean_what_they_mean_to_kubectl(text: str, value: object) -> None:
    """IMP-02: a bare = is text; dates stay text; octal is octal."""
    if text == "-":
        text = "'-'"
    found = read(f"kind: X\nv: {text}")[0].object["v"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text() -> None:
    """As JSON has it: numbers, booleans and null become strings."""
    assert read("kind: X\n80: a\nyes: b\n~: c")[0].object == {"kind": "X", "80": "a", "true": "b", "null": "c"}


def test_anchors_aliases_and_merges() -> None:
    """An alias is a copy of its own; << fills in what is missing."""
    text = "kind: X\nbase: &b {a: 1, c: 3}\none: {<<: *b, a: 2}\ntwo: *b\nthree:\n  <<: [{d: 4}, *b]"
    obj = read(text)[0].object
    assert obj["one"] == {"a": 2, "c": 3}
    assert obj["three"] == {"d": 4, "a": 1, "c": 3}
    obj["two"]["a"] = 99
    assert obj["base"]["a"] == 1


def test_json_is_read_too() -> None:
    """With tabs, escapes and characters outside the basic plane."""
    data = {"kind": "X", "text": "😀 \u2028 é", "list": [1, 2.5, None, True]}
    assert read(json.dumps(data, indent="\t"))[0].object == data
    assert read(json.dumps(data, ensure_ascii=False))[0].object == data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1", "f.yaml:"),
        ("kind: X\n  b: 2", "f.yaml:2 (document 1): not YAML: mapping values are not allowed"),
        ("kind: X\nkind: Y", 'f.yaml:2 (document 1): key "kind" already set in map'),
        ("- a\n- b", "expected an object with apiVersion and kind, got a list"),
        ("just text", "got text"),
        ("5", "got a number"),
        ("kind: X\nv: *nope", "f.yaml:2 (document 1): found undefined alias 'nope'"),
        ("&a [*a]", "found undefined alias 'a'"),
        ("!!python/object/apply:os.system ['touch /tmp/owned']", "is not allowed in a manifest"),
        ("kind: !mine x", "tag !mine is not allowed"),
        ("? [a, b]\n: c", "a key must be a scalar"),
        ("kind: PodList\nitems: 3", "items of a PodList must be a list"),
        ("kind: X\nv: {<<: 5}", "map merge requires"),
        ("kind: X\nv: \x00", "f.yaml:2: not YAML: control characters are not allowed"),
        (b"kind: X\nv: caf\xe9", "f.yaml:2: not text: byte 0xe9 is not UTF-8"),
        ('{"kind": "X", "v": "\\ud83d\\ude00"', "not YAML"),
    ],
)
def test_what_cannot_be_read(text: str | bytes, expected: str) -> None:
    """One sentence with the place; nothing is executed."""
    assert expected in refused(text)


def test_a_billion_laughs_are_not_laughed() -> None:
    """Aliases are counted before they are copied."""
    start = time.perf_counter()
    assert "aliases expand to more than 500000 values" in refused(BOMB)
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("text", ["[" * 50_000, "{a: " * 50_000, "- " * 50_000, '{"a":' * 50_000])
def test_deep_nesting_is_refused(text: str) -> None:
    """Before anything recursive sees it."""
    assert "nested more than 100 levels deep" in refused(text)


def test_deep_json_that_yaml_cannot_read_is_refused_too() -> None:
    """The second reader has the same limit."""
    assert refused('{"kind": "\\ud83d\\ude00", "a": ' + "[" * 500 + "]" * 500 + "}")


def test_limits() -> None:
    """Bytes, documents and values are bounded."""
    assert "is too large: at most 0.0 MiB" in refused("kind: X" * 100, size=100)
    assert "more than 3 documents" in refused("---\nkind: X\n" * 4, documents=3)
    assert "4 objects are too many" in refused("kind: List\nitems: [{}, {}, {}, {}]", documents=3)
    assert "more than 50 values" in refused("kind: X\nv: [" + "1, " * 60 + "1]", nodes=50)


def test_a_value_for_a_form_field() -> None:
    """One document of any shape."""
    value, document = read_value("- a: 1\n- b: 2")
    assert value == [{"a": 1}, {"b": 2}]
    assert document.line_at("[1].b") == 2
    assert read_value("")[0] is None
    with pytest.raises(ManifestError, match="one YAML document"):
        read_value("a\n---\nb")


@given(st.text() | st.binary())
def test_any_input_is_read_or_refused(text: str | bytes) -> None:
    """Never another exception."""
    with contextlib.suppress(ManifestError):
        read(text, "f.yaml")
