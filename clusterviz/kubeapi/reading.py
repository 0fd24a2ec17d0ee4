"""Get, list and watch. Everything comes from the `Store`; nothing here asks the database."""

from __future__ import annotations

import base64
import binascii
import bisect
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi import logs, scale
from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.selectors import Wanted, selection
from clusterviz.kubeapi.session import Session, Target
from clusterviz.kubeapi.status import Refusal, bad_request, expired, not_found
from clusterviz.kubeapi.store import Entry, Store, belongs, shown
from clusterviz.kubeapi.tables import partial, table

BOOKMARK_SECONDS = 15.0
_LONGEST = (1800, 3600)
# In a continue token: go on with the present, whatever happened since the first page.
_INCONSISTENT = -1
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


async def answer(request: Request, session: Session, target: Target, verb: str) -> Answer:
    """Answer a request that changes nothing."""
    if verb == "get":
        return await _get(request, session, target)
    if verb == "watch":
        return watch(request, session, target)
    return listing(request, session.store, target)


async def _get(request: Request, session: Session, target: Target) -> Answer:
    resource, store = target.resource, session.store
    obj = store.find(resource, target.namespace, target.name)
    if obj is None:
        raise not_found(resource, target.name)
    match target.sub:
        case "log":
            return await logs.answer(request, session, obj)
        case "scale":
            return Answer(scale.scale_of(resource, obj))
        case sub if sub in logs.WORDS and sub != "ephemeralcontainers":
            raise logs.no_processes(resource, target.name, sub)
        case "eviction" | "finalize":
            raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    form = form_of(request)
    return Answer(_formed(form, resource, [obj], single=True), media=form.media)


def _formed(form: Form, resource: Resource, objects: list[Obj], *, single: bool) -> dict[str, Any]:
    if form.kind == "Table":
        found = table(resource, objects, include=form.include, now=time.time())
        if single:
            found["metadata"] = {"resourceVersion": objects[0]["metadata"]["resourceVersion"]}
        return found | {"apiVersion": f"meta.k8s.io/{form.version}"}
    if form.kind:
        objects = [partial(obj) for obj in objects]
        if not single:
            return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "items": objects}
    if single:
        return objects[0]
    return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "items": objects}


def listing(request: Request, store: Store, target: Target) -> Answer:
    """All objects of a kind, or a page of them."""
    resource = target.resource
    wanted = selection(resource, request.query.get("labelSelector", ""), request.query.get("fieldSelector", ""))
    form, limit = form_of(request), _number(request, "limit")
    space = target.namespace if resource.namespaced else ""
    version, after = _continued(request.query["continue"], store) if request.query.get("continue") else (0, ("", ""))
    version = version or store.head
    undone = {name: one for name, one in store.undone(version, resource, space).items() if name > after}
    present = store.names(resource, space)
    present = present[bisect.bisect_right(present, after) :]
    if undone:  # two sorted runs, which sort() merges
        then = sorted(name for name, one in undone.items() if one.old is not None)
        present = sorted([*(name for name in present if name not in undone), *then])
    found: list[Obj] = []
    more = ""
    for place, name in enumerate(present):
        if limit and len(found) == limit:
            more = _continue(version, present[place - 1])
            break
        entry = undone.get(name)
        objects = store.objects(resource, [name]) if entry is None else store.before(resource, entry)
        found += [obj for obj in objects if wanted is None or wanted(obj)]
    body = _formed(form, resource, found, single=False)
    body["metadata"] = {"resourceVersion": str(version)}
    if more:
        body["metadata"]["continue"] = more
        if wanted is None:
            body["metadata"]["remainingItemCount"] = len(present) - place
    return Answer(body, media=form.media)


def matching(request: Request, store: Store, target: Target) -> list[Obj]:
    """The objects a collection's selectors choose."""
    resource = target.resource
    wanted = selection(resource, request.query.get("labelSelector", ""), request.query.get("fieldSelector", ""))
    found = store.objects(resource, list(store.names(resource, target.namespace if resource.namespaced else "")))
    return [obj for obj in found if wanted is None or wanted(obj)]


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


def _number(request: Request, name: str) -> int:
    text = request.query.get(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise bad_request(f"{name} must be a whole number from 0, not {text[:40]!r}")
    return int(text)


# --- watch --------------------------------------------------------------------------------------


class Watch:
    """One watch: what it wants, and how far it is."""

    def __init__(self, request: Request, session: Session, target: Target) -> None:
        query = request.query
        self.session, self.store, self.target, self.resource = session, session.store, target, target.resource
        self.namespace = target.namespace if target.resource.namespaced else ""
        self.wanted: Wanted | None = selection(
            self.resource, query.get("labelSelector", ""), query.get("fieldSelector", "")
        )
        self.form = form_of(request)
        self.bookmarks = request.flag("allowWatchBookmarks")
        self.asked = _number(request, "resourceVersion")
        self.initial = request.flag("sendInitialEvents")
        if self.initial and not self.bookmarks:
            raise bad_request("sendInitialEvents is only allowed together with allowWatchBookmarks=true")
        seconds = _number(request, "timeoutSeconds") or random.randint(*_LONGEST)  # noqa: S311 - spreads load
        self.until = time.monotonic() + seconds
        self._head = True

    def line(self, what: str, obj: Obj) -> bytes:
        """One event."""
        return _encode({"type": what, "object": obj}) + b"\n"

    def event(self, what: str, obj: Obj) -> bytes:
        """A change in the wanted form; only the first Table names its columns."""
        if self.form.kind == "Table":
            head, self._head = self._head, False
            rows = table(self.resource, [obj], include=self.form.include, now=time.time(), head=head)
            rows["apiVersion"] = f"meta.k8s.io/{self.form.version}"
            rows["metadata"] = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return self.line(what, rows)
        return self.line(what, partial(obj) if self.form.kind else obj)

    def bookmark(self, version: int, *, end: bool = False) -> bytes:
        """How far the client is."""
        meta: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": None}
        if end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": meta}
        if self.form.kind == "Table":
            obj = table(self.resource, [], include="None", now=0, head=False) | {
                "metadata": {"resourceVersion": str(version)},
                "rows": [{"cells": [], "object": {**obj, "kind": "PartialObjectMetadata"}}],
            }
        return self.line("BOOKMARK", obj)

    def seen(self, entry: Entry) -> bytes | None:
        """What a change means to this watch; leaving a selection is a deletion, entering it an addition."""
        kind, namespace, _ = entry.key
        if kind != self.resource.stored or (self.namespace and namespace != self.namespace):
            return None
        if not belongs(self.resource, entry.obj):
            return None
        what = entry.type
        if self.wanted is not None:
            before = entry.old is not None and self.wanted(entry.old)
            after = what != "DELETED" and self.wanted(entry.obj)
            if not before and not after:
                return None
            what = "MODIFIED" if before and after else "ADDED" if after else "DELETED"
        return self.event(what, shown(self.resource, entry.obj))

    def present(self) -> list[bytes]:
        """Everything there is, as additions."""
        found = self.store.objects(self.resource, self.store.names(self.resource, self.namespace))
        return [self.event("ADDED", obj) for obj in found if self.wanted is None or self.wanted(obj)]

    async def lines(self) -> AsyncIterator[bytes]:
        """All events until the time is over, the token is revoked or the client is too far behind."""
        store, version = self.store, self.asked or self.store.head
        if not self.asked or self.initial:
            version = store.head
            for line in self.present():
                yield line
            if self.initial:
                yield self.bookmark(version, end=True)
        told = time.monotonic()
        while (now := time.monotonic()) < self.until and self.session.valid:
            if version < store.oldest or version > store.head:
                yield self.line("ERROR", expired(version, store.oldest).to_status())
                return
            entries = store.since(version)
            if found := b"".join(filter(None, map(self.seen, entries))):
                yield found
                told = now
            version = entries[-1].version if entries else version
            if self.bookmarks and now - told >= BOOKMARK_SECONDS:
                yield self.bookmark(version)
                told = now
            if version >= store.head:  # while a slow client read, more may have happened
                await store.more(min(self.until - now, BOOKMARK_SECONDS))


def watch(request: Request, session: Session, target: Target) -> Answer:
    """Changes as they come."""
    found = Watch(request, session, target)
    return Answer(found.lines(), media=found.form.media if found.form.kind else "application/json")
