"""Lists: whole or in pages, as they were at one moment, and however long without keeping others waiting."""

from __future__ import annotations

import asyncio
import base64
import binascii
import bisect
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.selectors import Wanted, selection
from clusterviz.kubeapi.session import Target
from clusterviz.kubeapi.status import Refusal, bad_request, expired
from clusterviz.kubeapi.store import Store
from clusterviz.kubeapi.tables import partial, table

# So long others wait for a slice of a list, in seconds.
SLICE = 0.01
# A list of more objects is sent as it is made.
WHOLE = 1000
# In a continue token: go on with the present, whatever happened since the first page.
_INCONSISTENT = -1
Name = tuple[str, str]
_encode = msgspec.json.Encoder().encode


class Form(msgspec.Struct, frozen=True):
    """How objects are wanted: whole, their metadata alone, or as rows of a Table."""

    kind: str = ""
    version: str = "v1"
    include: str = "Metadata"

    @property
    def media(self) -> str:
        """The media type that says so."""
        return f"application/json;as={self.kind};v={self.version};g=meta.k8s.io" if self.kind else "application/json"


def form_of(request: Request) -> Form:
    """The first form of the Accept header that can be had. Raises 406."""
    for media in request.accept.split(",") if request.accept else ["*/*"]:
        name, *rest = [part.strip() for part in media.split(";")]
        parts = dict(part.partition("=")[::2] for part in rest)
        kind = parts.get("as", "")
        if name not in ("application/json", "application/*", "*/*"):
            continue
        if kind in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            include = request.query.get("includeObject") or "Metadata"
            if include not in ("None", "Metadata", "Object"):
                raise bad_request(f"unrecognized includeObject value: {include[:40]!r}: None, Metadata or Object")
            return Form(kind, parts.get("v", "v1"), include)
        if not kind:
            return Form()
    message = (
        "only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io"
    )
    raise Refusal(406, "NotAcceptable", message)


class Moment:
    """The objects of a kind in a namespace as they were at a version, in the order of their names."""

    def __init__(
        self, store: Store, resource: Resource, space: str, wanted: Wanted | None, version: int, after: Name = ("", "")
    ) -> None:
        self._store, self._resource, self._space, self._wanted = store, resource, space, wanted
        self.version, self._head = version, store.head
        self._undone = store.undone(version, resource, space)
        present = store.names(resource, space)
        self.names = present[bisect.bisect_right(present, after) :]
        if undone := {name: one for name, one in self._undone.items() if name > after}:
            then = sorted(name for name, one in undone.items() if one.old is not None)
            self.names = sorted([*(name for name in self.names if name not in undone), *then])

    async def slices(self, limit: int = 0) -> AsyncIterator[tuple[list[Obj], int]]:
        """Objects that are wanted, and how many names are looked through; between two slices others have their turn.

        Ends when there are ``limit`` objects. Raises a 410 `Refusal` when too much happened meanwhile.
        """
        found: list[Obj] = []
        count, until = 0, time.monotonic() + SLICE
        for place, name in enumerate(self.names):
            if limit and count == limit:
                yield found, place
                return
            objects = list(self._objects(name))
            found += objects
            count += len(objects)
            if time.monotonic() > until:
                yield found, place + 1
                found = []
                await asyncio.sleep(0)
                self._catch_up()
                until = time.monotonic() + SLICE
        yield found, len(self.names)

    def _objects(self, name: Name) -> list[Obj]:
        entry = self._undone.get(name)
        if entry is None:
            return list(self._store.objects(self._resource, [name], self._wanted))
        return [obj for obj in self._store.before(self._resource, entry) if self._wanted is None or self._wanted(obj)]

    def _catch_up(self) -> None:
        if self._store.head == self._head:
            return
        if self.version < self._store.oldest:
            raise expired(self.version, self._store.oldest)
        self._head = self._store.head
        self._undone = self._store.undone(self.version, self._resource, self._space)


async def answer(request: Request, store: Store, target: Target) -> Answer:
    """All objects of a kind, or a page of them."""
    resource = target.resource
    wanted = selection(resource, request.query.get("labelSelector", ""), request.query.get("fieldSelector", ""))
    form, limit = form_of(request), number(request, "limit")
    space = target.namespace if resource.namespaced else ""
    version, after = _continued(request.query["continue"], store) if request.query.get("continue") else (0, ("", ""))
    moment = Moment(store, resource, space, wanted, version or store.head, after)
    pieces = _pieces(moment, resource, form, limit, remaining=wanted is None)
    if min(limit or len(moment.names), len(moment.names)) > WHOLE and request.method != "HEAD":
        return Answer(pieces, media=form.media)
    return Answer(b"".join([piece async for piece in pieces]), media=form.media)


async def _pieces(
    moment: Moment, resource: Resource, form: Form, limit: int, *, remaining: bool
) -> AsyncIterator[bytes]:
    """The body, what it says of itself last: only then it is known where the next page begins."""
    yield _opening(form, resource)
    comma, seen = b"", 0
    async for objects, place in moment.slices(limit):
        seen = place
        if objects:
            yield comma + _encode(_items(form, resource, objects))[1:-1]
            comma = b","
    meta: dict[str, Any] = {"resourceVersion": str(moment.version)}
    if seen < len(moment.names):
        meta["continue"] = _continue(moment.version, moment.names[seen - 1])
        if remaining:
            meta["remainingItemCount"] = len(moment.names) - seen
    yield b'],"metadata":' + _encode(meta) + b"}"


def _opening(form: Form, resource: Resource) -> bytes:
    """The body as far as its first item."""
    kind, version, items = f"{resource.kind}List", resource.api_version, "items"
    more: dict[str, Any] = {}
    if form.kind:
        kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
    if form.kind == "Table":
        kind, version, items = "Table", f"meta.k8s.io/{form.version}", "rows"
        empty = table(resource, [], include=form.include, now=0)
        more = {"columnDefinitions": empty["columnDefinitions"]}
    return _encode({"kind": kind, "apiVersion": version, **more, items: []})[:-2]


def _items(form: Form, resource: Resource, objects: list[Obj]) -> list[Any]:
    if form.kind == "Table":
        rows: list[Any] = table(resource, objects, include=form.include, now=time.time(), head=False)["rows"]
        return rows
    return [partial(obj) for obj in objects] if form.kind else objects


async def matching(request: Request, store: Store, target: Target) -> list[Obj]:
    """The objects a collection's selectors choose, as of one moment."""
    resource = target.resource
    wanted = selection(resource, request.query.get("labelSelector", ""), request.query.get("fieldSelector", ""))
    moment = Moment(store, resource, target.namespace if resource.namespaced else "", wanted, store.head)
    return [obj async for objects, _ in moment.slices() for obj in objects]


def _continue(version: int, after: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(_encode([version, *after])).decode()


def _continued(token: str, store: Store) -> tuple[int, tuple[str, str]]:
    try:
        version, namespace, name = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[int, str, str])
    except (msgspec.MsgspecError, binascii.Error, ValueError, UnicodeError):
        raise bad_request("continue key is not valid") from None
    if version == _INCONSISTENT:
        return 0, (namespace, name)
    if version < store.oldest or version > store.head:
        raise Refusal(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new "
            "list without the continue parameter, or use the continue token in this response to retrieve the remainder "
            "of the results. Continuing with the provided token results in an inconsistent list - objects that were "
            "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
            "list.",
            metadata={"continue": _continue(_INCONSISTENT, (namespace, name))},
        )
    return version, (namespace, name)


def number(request: Request, name: str) -> int:
    """A whole number of the query, 0 when it is not there. Raises 400."""
    text = request.query.get(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise bad_request(f"{name} must be a whole number from 0, not {text[:40]!r}")
    return int(text)
