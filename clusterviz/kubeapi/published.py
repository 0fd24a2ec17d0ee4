"""`/openapi/v2` and `/openapi/v3`: what kubectl validates with and explains from."""

from __future__ import annotations

import asyncio
import hashlib
from functools import lru_cache

import msgspec

from clusterviz.kubeapi import schemas
from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.schema import Row, openapi_v2, openapi_v3
from clusterviz.kubeapi.status import Refusal, no_such_path, not_allowed
from clusterviz.kubeapi.store import Store

# The parameters of the media type clients ask for are not valid in a Content-Type.
V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
Rows = tuple[Row, ...]
Custom = tuple[tuple[str, bytes], ...]


async def answer(request: Request, store: Store, path: tuple[str, ...]) -> Answer:
    """One of the documents. Raises 404, 405 or 406."""
    if request.method not in ("GET", "HEAD"):
        raise not_allowed()
    if path == ("v2",):
        if "protobuf" not in request.accept and "*/*" not in request.accept:
            raise Refusal(406, "NotAcceptable", "version 2 is published as protobuf alone; see /openapi/v3")
        served = tuple((one, _rows(store, one)) for one in versions(store))
        return Answer(await asyncio.to_thread(_old_document, served), media=V2)
    if not path or path[0] != "v3":
        raise no_such_path()
    if len(path) == 1:
        return Answer(
            {"paths": {_path(one): {"serverRelativeURL": _link(store, request, one)} for one in versions(store)}}
        )
    named = "/".join(path[1:])
    found = next((one for one in versions(store) if _path(one) == named), None)
    if found is None:
        raise no_such_path()
    return Answer(await asyncio.to_thread(_document, found, _rows(store, found), _custom(store, found)))


def versions(store: Store) -> list[str]:
    """``v1``, ``apps/v1`` and so on."""
    return [f"{group}/{one}" if group else one for group, found in store.registry.groups().items() for one in found]


def _path(version: str) -> str:
    return f"apis/{version}" if "/" in version else f"api/{version}"


def _link(store: Store, request: Request, version: str) -> str:
    """Where a document is; clients keep what they fetched as long as the hash stays."""
    said = msgspec.json.encode((V2, version, _rows(store, version), _custom(store, version)))
    digest = hashlib.blake2b(said, digest_size=16).hexdigest().upper()
    return f"/k8s/{request.path[0]}/openapi/v3/{_path(version)}?hash={digest}"


def _rows(store: Store, version: str) -> Rows:
    group, _, name = version.rpartition("/")
    return tuple(
        Row(one.plural, one.kind, one.namespaced, one.defined) for one in store.registry.in_version(group, name)
    )


def _custom(store: Store, version: str) -> Custom:
    group, _, name = version.rpartition("/")
    found = {
        one.kind: schemas.custom_schema(store, one) for one in store.registry.in_version(group, name) if one.custom
    }
    return tuple((kind, msgspec.json.encode(schema)) for kind, schema in sorted(found.items()))


@lru_cache(maxsize=64)
def _document(version: str, rows: Rows, custom: Custom) -> bytes:
    return msgspec.json.encode(openapi_v3(version, rows, {kind: msgspec.json.decode(one) for kind, one in custom}))


@lru_cache(maxsize=4)
def _old_document(served: tuple[tuple[str, Rows], ...]) -> bytes:
    return openapi_v2(dict(served))
