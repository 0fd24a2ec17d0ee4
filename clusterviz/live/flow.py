"""Backpressure: how the hub learns that a browser does not read as fast as it is written to.

Daphne's ``send`` never waits, so a stalled browser would grow the server's memory. Under Daphne the
client registers as the push producer of its own Twisted transport and is told when 64 KB lie
unsent. Behind another server ``send`` itself waits, which the client's pump notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer  # type: ignore[import-untyped]


class Transport(Protocol):
    """The part of a Twisted transport that is needed here."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        ...

    def unregisterProducer(self) -> None:  # noqa: N802
        ...


@implementer(IPushProducer)
class TransportFlow:
    """Twisted's three producer calls, turned into ``pause`` and ``resume`` of one client."""

    def __init__(self, transport: Transport, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._transport, self._pause, self._resume = transport, pause, resume
        # The HTTP channel is still registered after the upgrade; a transport has one producer.
        transport.unregisterProducer()
        transport.registerProducer(self, True)

    def pauseProducing(self) -> None:  # noqa: N802
        """The buffer is full."""
        self._pause()

    def resumeProducing(self) -> None:  # noqa: N802
        """The buffer is empty again."""
        self._resume()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is gone."""
        self._pause()

    def close(self) -> None:
        """Give the transport back, so that closing it does not wait for us."""
        self._transport.unregisterProducer()


def innermost(send: Any) -> Any:
    """The server's own ``send``, below Channels' session wrapper."""
    owner = getattr(send, "__self__", None)
    while owner is not None and hasattr(owner, "real_send"):
        send = owner.real_send
        owner = getattr(send, "__self__", None)
    return send


def transport_of(send: Any) -> Transport | None:
    """The Twisted transport behind Daphne's ``send``, or None behind another server."""
    if isinstance(send, partial) and send.args:
        transport = getattr(send.args[0], "transport", None)
        if hasattr(transport, "registerProducer"):
            return transport
    return None


@implementer(IPushProducer)
class RequestFlow:
    """An HTTP answer that is written only as fast as it is read: await `room` before each piece.

    ``send`` is an ASGI server's. Behind another server than Daphne there is always room: its ``send`` waits by itself.
    """

    def __init__(self, send: Any) -> None:
        self._room = asyncio.Event()
        self._room.set()
        request = send.args[0] if isinstance(send, partial) and send.args else None
        self._request = request if hasattr(request, "registerProducer") else None
        if self._request is not None:
            self._request.registerProducer(self, True)

    async def room(self) -> None:
        """Wait until the client has read most of what was sent."""
        await self._room.wait()

    def pauseProducing(self) -> None:  # noqa: N802
        """The buffer is full."""
        self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        """The buffer is empty again."""
        self._room.set()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is gone; whoever writes learns it otherwise."""

    def close(self) -> None:
        """Nothing more is written."""
        request, self._request = self._request, None
        if request is not None and request.channel is not None:  # a connection that is gone took it along
            request.unregisterProducer()
