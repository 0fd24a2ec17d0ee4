"""The hub: one per process, it takes a cluster's stream to every browser that watches it.

A message is encoded once for all browsers. State messages must arrive: a browser that fell behind
is served from a ring, or told to resync when the ring no longer reaches back. Of traffic frames
only the newest is kept. A channel layer would copy each message for each browser, and the one in
memory slows down with the square of their number.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from autobahn.exception import Disconnected

from clusterviz.live.flow import TransportFlow, innermost, transport_of
from clusterviz.live.protocol import (
    CLOSE_UNKNOWN_CLUSTER,
    MOST_WATCHED,
    STATE_RING,
    Call,
    Error,
    MassTraffic,
    Resync,
    Route,
    ServerMessage,
    State,
    Totals,
    Traffic,
    encode,
)

logger = logging.getLogger(__name__)

# The websocket library closes a connection that is sent more than 1 MiB at once.
MAX_TEXT = 512 * 1024
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Frame:
    """The newest traffic of a topic; encoded once for each set of routes browsers still lack."""

    def __init__(
        self, topic: Topic, time: float, calls: list[Call], totals: Totals, mass: MassTraffic | None = None
    ) -> None:
        self._topic, self._time, self._calls, self._totals, self._mass = topic, time, calls, totals, mass
        self._texts: dict[int, str] = {}

    def text(self, known: int) -> str:
        """The message for a browser that knows the routes up to number ``known``."""
        if known not in self._texts:
            topic = self._topic
            routes = [route for number, route in topic.routes.values() if number > known]
            self._texts[known] = encode(
                Traffic(
                    epoch=topic.epoch,
                    seq=topic.seq,
                    time=self._time,
                    routes=routes,
                    calls=self._calls,
                    totals=self._totals,
                    mass=self._mass,
                )
            )
            topic.counts.encoded += 1
        return self._texts[known]


class Counts:
    """What a topic did since the process began, for those who operate it; times are seconds."""

    def __init__(self) -> None:
        self.encoded = 0
        self.sent = 0
        self.characters = 0
        self.dropped = 0
        self.resyncs = 0
        self.steps = 0
        self.stepping = 0.0
        self.slowest = 0.0

    def stepped(self, took: float) -> None:
        """The simulator of the cluster made a step."""
        self.steps += 1
        self.stepping += took
        self.slowest = max(self.slowest, took)


class Topic:
    """The stream of one cluster: where it stands, what was said last, and who listens."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = 0
        self.seq = 0
        self.time = 0.0
        self.ring: deque[tuple[int, str]] = deque(maxlen=STATE_RING)
        self.routes: dict[str, tuple[int, Route]] = {}
        self.route_number = 0
        self.rps = 0.0
        self.clients: set[Client] = set()
        self.watched: frozenset[str] = frozenset()
        self.looks = 0
        self.counts = Counts()

    def look(self) -> None:
        """Gather what the browsers look at; of very much the ids of those who said so last."""
        watching = sorted((client for client in self.clients if client.watched), key=lambda client: -client.looked)
        ids = dict.fromkeys(ref for client in watching for ref in client.watched)
        self.watched = frozenset(list(ids)[:MOST_WATCHED])

    def since(self, seq: int) -> list[tuple[int, str]] | None:
        """State messages after ``seq``, or None when the ring does not reach back that far."""
        if seq == self.seq:
            return []
        first = self.ring[0][0] if self.ring else self.seq + 1
        if not first - 1 <= seq < self.seq:
            return None
        return [entry for entry in self.ring if entry[0] > seq]


class Client:
    """One browser. Nothing is queued for it: ``seq`` says how far it is, the topic has the rest."""

    def __init__(self, topic: Topic, send: Any) -> None:
        self.topic = topic
        self._send: Send = innermost(send)
        self.seq = topic.seq
        self.epoch = topic.epoch
        self.routes_known = topic.route_number
        self.wants_traffic = True
        self.watched: tuple[str, ...] = ()
        self.looked = 0
        self._frame: Frame | None = None
        self._resync = ""
        # Nothing is sent before the greeting.
        self.held = True
        self._paused = self._busy = self.closed = False
        transport = transport_of(self._send)
        self.flow = TransportFlow(transport, self._pause, self._resume) if transport else None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def paused(self) -> bool:
        """Whether the browser does not read at the moment."""
        return self._paused or (self.flow is None and self._busy)

    def _pause(self) -> None:
        self._paused = True

    def _resume(self) -> None:
        self._paused = False
        self.wake()

    def start(self) -> None:
        """Begin with the present; the browser fetches everything before it as a snapshot."""
        self.epoch, self.seq = self.topic.epoch, self.topic.seq
        self.routes_known = self.topic.route_number

    def resume(self, epoch: int, seq: int) -> bool:
        """Go on after ``seq``; False when that is not possible any more."""
        if epoch != self.topic.epoch or self.topic.since(seq) is None:
            return False
        self.seq = seq
        # Routes sent while nobody listened are unknown to the browser: send all again.
        self.routes_known = 0
        return True

    def watch(self, ids: list[str]) -> None:
        """What this browser looks at closely from now on."""
        self.topic.looks += 1
        self.watched, self.looked = tuple(dict.fromkeys(ids)), self.topic.looks
        self.topic.look()

    def offer(self, frame: Frame) -> None:
        """The newest traffic; an older frame that was not sent yet is dropped and counted."""
        if not self.wants_traffic or self.held:
            return
        if self._frame is not None:
            self.topic.counts.dropped += 1
        self._frame = frame

    def resync(self, reason: str) -> None:
        """Make the browser fetch the snapshot again."""
        self._resync = reason
        self._frame = None

    def _next(self) -> str | None:
        if not self._resync and self.epoch == self.topic.epoch and self.topic.since(self.seq) is None:
            self._resync = "changes were missed"
        if self._resync:
            text = encode(Resync(self._resync))
            self._resync = ""
            self.topic.counts.resyncs += 1
            self.start()
            return text
        if behind := self.topic.since(self.seq):
            self.seq, text = behind[0]
            return text
        if self._frame is not None:
            text = self._frame.text(self.routes_known)
            self.routes_known, self._frame = self.topic.route_number, None
            if len(text) <= MAX_TEXT:
                return text
            self.resync("too many new routes for one message")
            return self._next()
        return None

    async def pump(self) -> None:
        """Send what is due, until the browser has everything or stops reading."""
        if self._busy or self.held:
            return
        self._busy = True
        try:
            while not self._paused and not self.closed and (text := self._next()) is not None:
                await self._send({"type": "websocket.send", "text": text})
                self.topic.counts.sent += 1
                self.topic.counts.characters += len(text)
        except Disconnected:  # people close pages, also while they are written to
            self.close()
        except Exception:
            logger.exception("A browser of cluster %s could not be written to", self.topic.name)
            self.close()
        finally:
            self._busy = False

    async def release(self) -> None:
        """The browser is greeted: from now on it gets the stream."""
        self.held = False
        await self.pump()

    async def say(self, message: ServerMessage) -> None:
        """Send one message to this browser alone."""
        await self._send({"type": "websocket.send", "text": encode(message)})

    async def end(self, code: int, reason: str) -> None:
        """Send the browser away."""
        with contextlib.suppress(Exception):
            await self.say(Error("unknown_cluster", reason))
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        self.close()

    def wake(self) -> None:
        """Pump in a task of its own."""
        if not self._busy and not self.held and not self.closed:
            task = asyncio.ensure_future(self.pump())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Forget the browser."""
        if self.closed:
            return
        self.closed = True
        self.topic.clients.discard(self)
        if self.watched:
            self.topic.look()
        if self.flow is not None:
            self.flow.close()


class Hub:
    """All topics of this process."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}
        self.joined: Callable[[str], None] = lambda _name: None

    @property
    def topics(self) -> dict[str, Topic]:
        """Every topic by the name of its cluster."""
        return dict(self._topics)

    def topic(self, name: str) -> Topic:
        """The topic of a cluster, made on first use."""
        return self._topics.setdefault(name, Topic(name))

    def join(self, name: str, send: Any) -> Client:
        """A browser begins to listen."""
        client = Client(self.topic(name), send)
        client.topic.clients.add(client)
        self.joined(name)
        return client

    def watched(self, name: str) -> bool:
        """Whether anybody wants this cluster's traffic."""
        topic = self._topics.get(name)
        return topic is not None and any(client.wants_traffic for client in topic.clients)

    def watching(self, name: str) -> frozenset[str]:
        """What browsers look at closely."""
        topic = self._topics.get(name)
        return topic.watched if topic is not None else frozenset()

    async def open(self, name: str, epoch: int, seq: int, time: float) -> None:
        """A new epoch begins; whoever listens must fetch the snapshot again."""
        topic = self.topic(name)
        topic.epoch, topic.seq, topic.time = epoch, seq, time
        topic.ring.clear()
        topic.routes, topic.route_number, topic.rps = {}, 0, 0.0
        for client in list(topic.clients):
            client.resync("the simulator started anew")
        await self._pump(topic)

    async def close(self, name: str, reason: str) -> None:
        """The cluster is gone: its browsers are told and sent away."""
        topic = self._topics.pop(name, None)
        for client in list(topic.clients) if topic else ():
            await client.end(CLOSE_UNKNOWN_CLUSTER, reason)

    async def publish_state(self, name: str, message: State) -> str:
        """A change of the picture, for everybody; returns what was sent."""
        topic = self.topic(name)
        topic.seq, topic.time = message.seq, message.time
        text = encode(message)
        topic.counts.encoded += 1
        if len(text) > MAX_TEXT:
            topic.ring.clear()  # everybody is behind the ring now and fetches the snapshot
        else:
            topic.ring.append((message.seq, text))
        await self._pump(topic)
        return text

    async def publish_traffic(
        self,
        name: str,
        time: float,
        routes: list[Route],
        calls: list[Call],
        totals: Totals,
        mass: MassTraffic | None = None,
    ) -> str:
        """What is on the wires, for everybody who can read it now; returns it as for who knew all earlier routes."""
        topic = self.topic(name)
        topic.time, topic.rps = time, totals.rps
        known = topic.route_number
        for route in routes:
            topic.route_number += 1
            topic.routes[route.id] = (topic.route_number, route)
        frame = Frame(topic, time, calls, totals, mass)
        for client in topic.clients:
            client.offer(frame)
        await self._pump(topic)
        return frame.text(known)

    def forget_routes(self, name: str, ids: list[str]) -> None:
        """Routes nobody takes any more need not be told to newcomers."""
        topic = self.topic(name)
        for route_id in ids:
            topic.routes.pop(route_id, None)

    async def _pump(self, topic: Topic) -> None:
        for client in list(topic.clients):
            if client.flow is None:
                client.wake()
            elif not client.paused:
                await client.pump()
