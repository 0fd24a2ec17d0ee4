"""The messages: the list in Python, in JavaScript and in the documentation are one list."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.live import protocol

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def fields(message):
    """Names on the wire without the type."""
    return [field.encode_name for field in msgspec.structs.fields(message)]


@pytest.fixture
def document(repository):
    return (repository / "docs" / "protocol.md").read_text()


@pytest.mark.parametrize("message", protocol.SERVER_MESSAGES)
def test_the_documentation_lists_every_server_message_with_its_fields(document, message):
    tag = message.__struct_config__.tag
    row = next(line for line in document.splitlines() if line.startswith(f"| `{tag}` |"))
    named = set(re.findall(r"[`\s](\w+)(?=[`:,( ])", row.split("|")[2]))
    assert set(fields(message)) <= named, row


@pytest.mark.parametrize("message", protocol.BROWSER_MESSAGES)
def test_the_documentation_lists_every_browser_message(document, message):
    assert f'"type":"{message.__struct_config__.tag}"' in document


def test_the_documentation_describes_routes_and_events(document):
    route = document[document.index("### route") : document.index("### call")]
    event = document[document.index("### event") : document.index("## Entities")]
    assert set(fields(protocol.Route)) <= set(re.findall(r"\w+", route))
    assert set(fields(protocol.Event)) <= set(re.findall(r"\w+", event))


def test_javascript_mirrors_the_list(repository):
    path = repository / "static" / "js" / "net" / "protocol.js"
    text = path.read_text()
    for message in (*protocol.SERVER_MESSAGES, *protocol.BROWSER_MESSAGES):
        tag = message.__struct_config__.tag
        found = re.search(rf"\b{tag}: \[(.*?)\]", text, re.DOTALL)
        assert found, f"{path.name} does not list {tag}"
        assert set(re.findall(r'"(\w+)"', found[1])) == set(fields(message)), tag


def test_equal_messages_are_equal_texts():
    message = protocol.State(epoch=1, seq=2, base=1, time=3.0, set=[{"b": 1, "a": 2}], unset=[], events=[])
    twin = protocol.State(epoch=1, seq=2, base=1, time=3.0, set=[{"a": 2, "b": 1}], unset=[], events=[])
    assert protocol.encode(message) == protocol.encode(twin)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"ping"}', protocol.Ping()),
        ('{"type":"subscribe","traffic":false}', protocol.Subscribe(traffic=False)),
        ('{"seq":7,"type":"resume","epoch":1}', protocol.Resume(epoch=1, seq=7)),
        ('{"type":"watch","ids":["pod:a/b"]}', protocol.Watch(ids=["pod:a/b"])),
    ],
)
def test_what_browsers_may_say(text, message):
    assert protocol.decode(text) == message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        ("[" * 10000, "invalid"),
        ("\ud800", "malformed"),
        ("null", "invalid"),
        ("[]", "invalid"),
        ("{}", "invalid"),
        ('{"type":"delete"}', "invalid"),
        ('{"type":"ping","x":1}', "invalid"),
        ('{"type":"resume","epoch":"1","seq":1}', "invalid"),
        ('{"type":"resume","epoch":1}', "invalid"),
        ('{"type":"subscribe","traffic":"yes"}', "invalid"),
        ('{"type":["ping"]}', "invalid"),
        ('{"type":"watch","ids":"pod:a/b"}', "invalid"),
        (json.dumps({"type": "watch", "ids": ["x"] * 201}), "invalid"),
        (json.dumps({"type": "watch", "ids": ["x" * 601]}), "invalid"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text, code):
    with pytest.raises(protocol.ProtocolError) as caught:
        protocol.decode(text)
    assert caught.value.code == code
    assert str(caught.value)


OBJECTS = st.dictionaries(st.sampled_from(["type", "epoch", "seq"]), JSON)


@given(st.text() | JSON.map(json.dumps) | OBJECTS.map(json.dumps))
def test_no_text_does_more_than_raise_a_protocol_error(text):
    try:
        message = protocol.decode(text)
    except protocol.ProtocolError:
        return
    assert isinstance(message, protocol.BROWSER_MESSAGES)
