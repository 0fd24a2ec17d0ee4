"""JSON patch and JSON merge patch: the examples of RFC 6902 and RFC 7386, and their laws."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.kubeapi.patch import PatchError, json_patch, merge_patch

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab/~", max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3)
)

# RFC 6902, appendix A: document, operations, result (None: an error).
RFC_6902 = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
    (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    ({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], None),
    (
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 1}], {"foo": "bar", "baz": "qux"}),
    ({"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], None),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], None),
    ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}], {"foo": ["bar", ["abc", "def"]]}),
]
# RFC 7386, appendix A.
RFC_7386 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("document", "operations", "expected"), RFC_6902)
def test_rfc_6902(document, operations, expected):
    before = json.dumps(document)
    if expected is None:
        with pytest.raises(PatchError):
            json_patch(document, operations)
    else:
        assert json_patch(document, operations) == expected
    assert json.dumps(document) == before


@pytest.mark.parametrize(("document", "patch", "expected"), RFC_7386)
def test_rfc_7386(document, patch, expected):
    before = json.dumps(document)
    assert merge_patch(document, patch) == expected
    assert json.dumps(document) == before


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        ({"op": "add"}, "must be an array"),
        (["add"], "must be an object"),
        ([{"op": "swap", "path": "/a"}], "swap"),
        ([{"op": "add", "path": "a", "value": 1}], '"path" must be a JSON pointer'),
        ([{"op": "add", "path": "/a~2", "value": 1}], "~0"),
        ([{"op": "add", "path": "/a"}], 'no "value"'),
        ([{"op": "remove", "path": "/nix"}], 'doc is missing path: "/nix": missing value'),
        ([{"op": "add", "path": "/list/01", "value": 1}], "invalid index referenced: 01"),
        ([{"op": "add", "path": "/list/9", "value": 1}], "invalid index referenced: 9"),
        ([{"op": "replace", "path": "/list/-", "value": 1}], "invalid index referenced: -"),
        ([{"op": "move", "from": "/list", "path": "/list/0"}], "into itself"),
        ([{"op": "test", "path": "/one", "value": True}], "test failed"),
        ([{"op": "test", "path": "/one", "value": 1}] * 10_001, "10000, got 10001"),
    ],
)
def test_what_a_json_patch_may_not_be(operations, words):
    with pytest.raises(PatchError, match=None) as caught:
        json_patch({"list": [0], "one": 1}, operations)
    assert words in str(caught.value)


def test_a_short_patch_cannot_make_a_huge_object():
    double = [{"op": "copy", "from": "", "path": f"/x{at}"} for at in range(40)]
    with pytest.raises(PatchError, match="copy operations may add"):
        json_patch({"a": 1}, double)


def test_a_short_patch_cannot_make_a_bottomless_object():
    nest = [{"op": "add", "path": "/n0", "value": {}}]
    for at in range(1, 300):
        nest += [
            {"op": "add", "path": f"/n{at}", "value": {}},
            {"op": "move", "from": f"/n{at - 1}", "path": f"/n{at}/in"},
        ]
    with pytest.raises(PatchError, match="max depth"):
        json_patch({}, nest)


def difference(old, new):
    """The merge patch that makes `new` of `old`, by the RFC's own rules."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    patch = {key: None for key in old if key not in new}
    return patch | {key: difference(old.get(key), value) for key, value in new.items() if old.get(key) != value}


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


@given(VALUES.map(without_nulls), VALUES.map(without_nulls))
def test_merging_the_difference_gives_the_target(old, new):
    assert merge_patch(old, difference(old, new)) == new


@given(VALUES, st.dictionaries(st.text("ab/~", max_size=2), VALUES, min_size=1, max_size=3))
def test_what_is_added_can_be_tested_moved_and_removed(value, document):
    key = next(iter(document)).replace("~", "~0").replace("/", "~1")
    operations = [
        {"op": "add", "path": "/new", "value": value},
        {"op": "test", "path": "/new", "value": value},
        {"op": "copy", "from": f"/{key}", "path": "/kept"},
        {"op": "move", "from": "/new", "path": "/moved"},
        {"op": "remove", "path": "/moved"},
    ]
    assert json_patch(document, operations) == document | {"kept": next(iter(document.values()))}
