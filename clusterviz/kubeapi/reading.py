"""Get, list and watch. Everything comes from the `Store`; nothing here asks the database."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi import listing, logs, scale
from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.listing import Form, Moment, form_of, number
from clusterviz.kubeapi.naming import belongs, shown
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.selectors import Wanted, selection
from clusterviz.kubeapi.session import Session, Target
from clusterviz.kubeapi.status import Refusal, bad_request, expired, not_found
from clusterviz.kubeapi.store import Entry
from clusterviz.kubeapi.tables import partial, table

BOOKMARK_SECONDS = 15.0
_LONGEST = (1800, 3600)
_encode = msgspec.json.Encoder().encode


async def answer(request: Request, session: Session, target: Target, verb: str) -> Answer:
    """Answer a request that changes nothing."""
    if verb == "get":
        return await _get(request, session, target)
    if verb == "watch":
        return watch(request, session, target)
    return await listing.answer(request, session.store, target)


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
    return Answer(_formed(form, resource, obj), media=form.media)


def _formed(form: Form, resource: Resource, obj: Obj) -> dict[str, Any]:
    if form.kind == "Table":
        found = table(resource, [obj], include=form.include, now=time.time())
        found["metadata"] = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return found | {"apiVersion": f"meta.k8s.io/{form.version}"}
    return partial(obj) if form.kind else obj


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
        self.asked = number(request, "resourceVersion")
        self.initial = request.flag("sendInitialEvents")
        if self.initial and not self.bookmarks:
            raise bad_request("sendInitialEvents is only allowed together with allowWatchBookmarks=true")
        seconds = number(request, "timeoutSeconds") or random.randint(*_LONGEST)  # noqa: S311 - spreads load
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

    async def present(self, version: int) -> AsyncIterator[bytes]:
        """Everything there was at a version, as additions."""
        moment = Moment(self.store, self.resource, self.namespace, self.wanted, version)
        async for objects, _ in moment.slices():
            yield b"".join(self.event("ADDED", obj) for obj in objects)

    async def lines(self) -> AsyncIterator[bytes]:
        """All events until the time is over, the token is revoked or the client is too far behind."""
        store, version = self.store, self.asked or self.store.head
        if not self.asked or self.initial:
            version = store.head
            try:
                async for lines in self.present(version):
                    yield lines
            except Refusal as refusal:
                yield self.line("ERROR", refusal.to_status())
                return
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
