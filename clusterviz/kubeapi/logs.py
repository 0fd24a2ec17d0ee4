"""The log of a pod: its connections, as the simulator opens them.

No process runs in a simulated pod, so its log is what its network sees: a line a connection, or a line for
many alike within a frame. What was on the wires in the last minutes comes from the history; with ``follow``
the reader counts as somebody who watches, so that connections are opened.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from clusterviz.engine.controllers.work import seconds, timestamp
from clusterviz.engine.objects import Obj
from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.cells import at
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.session import Session
from clusterviz.kubeapi.status import Refusal, bad_request

WORDS = {
    "exec": "no process runs in a simulated pod, so there is nothing to execute; ask the network instead: "
    "`manage.py trace --from {name} --to URL`, or `manage.py nodeview` for ip, bridge and resolv.conf",
    "attach": "no process runs in a simulated pod, so there is nothing to attach to; "
    "`kubectl logs -f` shows its connections",
    "portforward": "no process listens in a simulated pod, so no bytes can be forwarded; add a TrafficFlow to send it "
    "connections, or follow one packet with `manage.py trace`",
    "ephemeralcontainers": "no process runs in a simulated pod, so a container to debug from has nothing to look at; "
    "ask the network instead: `manage.py trace --from {name} --to URL`, or `manage.py nodeview`",
    "token": "there are no tokens: the address in the kubeconfig is the credential",
}
TEXT = "text/plain; charset=utf-8"
# Without a past to show, this long somebody watches before the log is answered.
LOOK = 1.2
MOST_LINES = 100_000
MOST_BYTES = 64 * 1024 * 1024
WAITING = 200


def no_processes(resource: Resource, name: str, sub: str) -> Refusal:
    """403 in friendly words, which kubectl prints."""
    words = WORDS[sub].format(name=name)
    return Refusal(
        403, "Forbidden", f'{resource.plural} "{name}" {sub}: {words}', details={"name": name, "kind": resource.plural}
    )


class Wanted(msgspec.Struct, frozen=True):
    """Which lines."""

    ref: str
    since: float
    tail: int | None
    stamps: bool
    limit: int | None


async def answer(request: Request, session: Session, pod: Obj) -> Answer:
    """The log of a pod, to its end or for as long as the client listens. Raises 400."""
    wanted = read(request, pod)
    if request.flag("follow"):
        return Answer(follow(session, wanted), media=TEXT)
    lines = await asyncio.to_thread(past, session, wanted)
    if not lines:
        lines = [line async for line in live(session, wanted, LOOK)]
    text = "".join(lines if wanted.tail is None else lines[max(0, len(lines) - wanted.tail) :]).encode()
    return Answer(text if wanted.limit is None else text[: wanted.limit], media=TEXT)


def read(request: Request, pod: Obj) -> Wanted:
    """The options of a log. Raises 400 as kube-apiserver does for what cannot be had."""
    meta, query = pod["metadata"], request.query
    names = [str(one.get("name")) for field in ("initContainers", "containers") for one in at(pod, "spec", field) or ()]
    container = query.get("container") or ""
    if container and container not in names:
        raise bad_request(f"container {container[:80]} is not valid for pod {meta['name']}")
    if request.flag("previous"):
        raise bad_request(f'previous terminated container "{container or names[0]}" in pod "{meta["name"]}" not found')
    if not at(pod, "status", "podIP"):
        where = f'container "{container or (names or [""])[0]}" in pod "{meta["name"]}"'
        raise bad_request(f"{where} is waiting to start: {at(pod, 'status', 'phase') or 'Pending'}")
    now = time.time()
    back = _number(query, "sinceSeconds")
    since = now - back if back is not None else seconds(query.get("sinceTime", "")) or 0.0
    return Wanted(
        ref=f"pod:{meta.get('namespace', 'default')}/{meta['name']}",
        since=since,
        tail=_number(query, "tailLines"),
        stamps=request.flag("timestamps"),
        limit=_number(query, "limitBytes"),
    )


def _number(query: dict[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None or text == "-1":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise bad_request(f"{name} must be a whole number from 0, not {text[:40]!r}")
    return int(text)


class Reader:
    """Traffic messages in, lines about one pod out."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._routes: dict[str, dict[str, Any]] = {}

    def know(self, routes: list[dict[str, Any]]) -> None:
        """Routes by id, as a keyframe or a message names them."""
        for route in routes:
            self._routes[route["id"]] = route

    def lines(self, message: dict[str, Any]) -> Iterator[str]:
        """What a traffic message says of the pod."""
        self.know(message.get("routes") or [])
        if message["time"] < self.wanted.since:
            return
        for call in message.get("calls") or ():
            route = self._routes.get(call[0])
            if route is not None and (line := self._line(route, call, message["time"])):
                yield line

    def _line(self, route: dict[str, Any], call: list[Any], when: float) -> str:
        points = route["waypoints"]
        if self.wanted.ref not in points:
            return ""
        mine = points.index(self.wanted.ref)
        way = "->" if mine == 0 else "<-" if mine == len(points) - 1 else "--"
        other = points[-1] if mine == 0 else points[0]
        stamp = f"{timestamp(when)} " if self.wanted.stamps else ""
        count = f" x{call[1]}" if call[1] > 1 else ""
        return f"{stamp}{_clock(when)} {way} {other} {route['effect']}{count}: {route['reason']}\n"


def _clock(when: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(when)) + f".{int(when * 10) % 10}"


def past(session: Session, wanted: Wanted) -> list[str]:
    """What the history has, oldest first; blocks, since it is kept compressed."""
    reader, found = Reader(wanted), deque[str](maxlen=MOST_LINES)
    piece = session.keeper.history.piece(wanted.since, time.time() + 60, MOST_BYTES)
    for text in (piece.keyframe, *(line.text for line in piece.lines)):
        message = msgspec.json.decode(text) if text else {}
        if message.get("type") == "keyframe":
            reader.know(message["snapshot"].get("routes") or [])
        elif message.get("type") == "traffic":
            found.extend(reader.lines(message))
    return list(found)


async def live(session: Session, wanted: Wanted, within: float) -> AsyncIterator[str]:
    """What is on the wires from now on; the reader counts as a browser."""
    queue: asyncio.Queue[str] = asyncio.Queue(WAITING)

    async def receive(message: dict[str, Any]) -> None:
        if queue.full():
            queue.get_nowait()  # who reads slowly misses the oldest
        queue.put_nowait(str(message.get("text", "")))

    name, reader = session.claim.cluster, Reader(wanted)
    client = session.live.hub.join(name, receive)
    client.watch([wanted.ref])
    client.routes_known = 0
    await client.release()
    until = time.monotonic() + within
    try:
        while (left := until - time.monotonic()) > 0 and session.valid:
            try:
                async with asyncio.timeout(min(left, 1.0)):
                    text = await queue.get()
            except TimeoutError:
                continue
            message = msgspec.json.decode(text)
            if message["type"] == "traffic":
                for line in reader.lines(message):
                    yield line
    finally:
        client.close()


async def follow(session: Session, wanted: Wanted) -> AsyncIterator[bytes]:
    """The past, then the present until the pod is gone or the client leaves."""
    lines = await asyncio.to_thread(past, session, wanted)
    for line in lines if wanted.tail is None else lines[max(0, len(lines) - wanted.tail) :]:
        yield line.encode()
    namespace, _, name = wanted.ref.removeprefix("pod:").partition("/")
    now = msgspec.structs.replace(wanted, since=0.0)
    while ("Pod", namespace, name) in session.store.cluster.objects and session.valid:
        async for line in live(session, now, 5.0):
            yield line.encode()
