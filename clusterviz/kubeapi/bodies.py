"""Bodies of requests: JSON, YAML or the protobuf envelope newer clients send."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi import protobuf
from clusterviz.kubeapi.asgi import Request
from clusterviz.kubeapi.patch.basics import PatchError, check_depth
from clusterviz.kubeapi.status import bad_request, unsupported

PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = ("application/json", "application/yaml", PROTOBUF)


def read_object(request: Request) -> Obj:
    """The object in a body. Raises a 400 or 415 `Refusal`."""
    found = read_body(request)
    if not isinstance(found, dict):
        raise bad_request("the body must be an object")
    return found


def read_body(request: Request) -> Any:
    """The body as plain data."""
    media = request.media or "application/json"
    if media == PROTOBUF:
        try:
            return protobuf.decode(request.body)
        except ValueError as error:
            raise bad_request(f"the body is not protobuf of a known kind: {error}") from None
    if media == "application/json" or media.endswith("+json"):
        return from_json(request.body)
    if media == "application/yaml" or media.endswith("+yaml"):
        return from_yaml(request.body)
    raise unsupported(media, ACCEPTED)


def from_json(data: bytes) -> Any:
    """Plain data from JSON."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise bad_request(f"the object provided is unrecognized: it is not JSON ({error})") from None
    return _shallow(found)


def from_yaml(data: bytes) -> Any:
    """Plain data from one YAML document; a JSON document is one too."""
    if data[:1] in (b"{", b"["):
        return from_json(data)
    try:
        found = yaml.load(data, Loader=_Loader)  # noqa: S506 - a SafeLoader that knows no aliases
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problem = " ".join(str(error).split())[:300]
        raise bad_request(f"the object provided is unrecognized: it is not YAML ({problem})") from None
    return _shallow(found)


class _Loader(yaml.SafeLoader):
    """Plain data only; aliases, with which a few bytes become gigabytes, are refused."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node."""
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed here")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _shallow(found: Any) -> Any:
    try:
        check_depth(found)
    except PatchError as error:
        raise bad_request(str(error)) from None
    return found
