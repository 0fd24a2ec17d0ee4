"""One browser's websocket: a greeting, the cluster's stream, and the few things a browser may say."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from clusterviz.live import instance
from clusterviz.live.access import is_editor
from clusterviz.live.hub import Client
from clusterviz.live.protocol import (
    CLOSE_TOO_BIG,
    CLOSE_UNKNOWN_CLUSTER,
    MAX_MESSAGE,
    BrowserMessage,
    Error,
    Hello,
    Ping,
    Pong,
    ProtocolError,
    Resume,
    Watch,
    decode,
    encode,
)

PATIENCE = 0.2


class BareConsumer(AsyncWebsocketConsumer):
    """A websocket without channel layer: messages one after the other, and `_leave` at the end, whatever happened."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Handle messages one after the other; no channel layer is joined, frames come from the hub."""
        self.scope, self.base_send = scope, send
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler; Channels' own also cleans database connections, for every message."""
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"no handler for message type {message['type']}")
        await handler(message)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:  # noqa: ARG002 - Channels' signature
        """The browser is gone."""
        raise StopConsumer

    def _leave(self) -> None:
        """Clean up."""


class LiveConsumer(BareConsumer):
    """Serves docs/protocol.md. The database is asked once, on connect, who the user is."""

    client: Client | None = None
    editor = False
    greeting: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Greet the browser, or say that there is no such cluster."""
        name = self.scope["url_route"]["kwargs"]["name"]
        live = instance.current()
        await self.accept()
        if not await live.crew.ensure(name):
            reason = f"There is no cluster {name!r}."
            await self._error("unknown_cluster", reason)
            await self.close(code=CLOSE_UNKNOWN_CLUSTER, reason=reason)
            return
        user = self.scope.get("user")
        self.editor = bool(user) and await database_sync_to_async(is_editor)(user)
        self.client = live.hub.join(name, self.base_send)
        # A browser that comes back says so at once; one that says nothing is greeted as new.
        self.greeting = asyncio.create_task(self._greet_later())

    async def _greet_later(self) -> None:
        await asyncio.sleep(PATIENCE)
        await self._greet(resumed=False)

    async def _greet(self, *, resumed: bool) -> None:
        """Say hello, once, and begin the stream."""
        client = self.client
        if client is None or not client.held:
            return
        topic = client.topic
        if not resumed:
            client.start()
        hello = Hello(
            cluster=topic.name,
            epoch=topic.epoch,
            seq=topic.seq,
            time=topic.time,
            editor=self.editor,
            resumed=resumed,
        )
        await client.say(hello)
        await client.release()

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Answer what a browser says; what cannot be read changes nothing."""
        text = message.get("text")
        size = len(text.encode("utf-8", "surrogatepass")) if text else len(message.get("bytes") or b"")
        if size > MAX_MESSAGE:
            await self._error("too_large", f"{size} bytes; at most {MAX_MESSAGE} are read.")
            await self.close(code=CLOSE_TOO_BIG, reason="message too large")
            return
        try:
            request = decode(text)
        except ProtocolError as error:
            await self._greet(resumed=False)
            await self._error(error.code, str(error)[:400])
            return
        if self.client is not None:
            await self._answer(self.client, request)

    async def _answer(self, client: Client, request: BrowserMessage) -> None:
        if isinstance(request, Resume):
            if not client.held:
                await self._error("unexpected", "resume is only allowed as the first message.")
            await self._greet(resumed=client.held and client.resume(request.epoch, request.seq))
            return
        await self._greet(resumed=False)
        if isinstance(request, Ping):
            # Who asks without reading the answers would fill the server's memory with them.
            if not client.paused:
                await client.say(Pong(client.topic.time))
        elif isinstance(request, Watch):
            client.watch(request.ids)
            instance.current().crew.poke_cluster(client.topic.name)
        else:
            client.wants_traffic = request.traffic

    async def _error(self, code: str, message: str) -> None:
        if self.client is None or not self.client.paused:
            await self.base_send({"type": "websocket.send", "text": encode(Error(code, message))})

    def _leave(self) -> None:
        if self.greeting is not None:
            self.greeting.cancel()
        if self.client is not None:
            self.client.close()
            self.client = None


class NowhereConsumer(AsyncWebsocketConsumer):
    """Any other address: said politely, so that the log stays free of tracebacks."""

    async def connect(self) -> None:
        """A browser only sees the code of a connection that was accepted."""
        await self.accept()
        await self.close(code=CLOSE_UNKNOWN_CLUSTER, reason="There is nothing at this address.")
