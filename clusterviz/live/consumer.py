"""One browser's websocket: a greeting, the cluster's stream, and three things a browser may say."""

from __future__ import annotations

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
    Error,
    Hello,
    Ping,
    Pong,
    ProtocolError,
    Resume,
    Subscribe,
    decode,
    encode,
)


class LiveConsumer(AsyncWebsocketConsumer):
    """Serves docs/protocol.md. The database is asked once, on connect, who the user is."""

    client: Client | None = None
    editor = False
    spoken = False

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
        await self.client.say(self._hello(self.client, resumed=False))

    def _hello(self, client: Client, *, resumed: bool) -> Hello:
        topic = client.topic
        return Hello(
            cluster=topic.name,
            epoch=topic.epoch,
            seq=topic.seq,
            time=topic.time,
            editor=self.editor,
            resumed=resumed,
        )

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Answer what a browser says; what cannot be read changes nothing."""
        text = message.get("text")
        size = len(text.encode("utf-8", "surrogatepass")) if text else len(message.get("bytes") or b"")
        if size > MAX_MESSAGE:
            await self._error("too_large", f"{size} bytes; at most {MAX_MESSAGE} are read.")
            await self.close(code=CLOSE_TOO_BIG, reason="message too large")
            return
        if text is None:
            await self._error("binary", "Binary messages are not understood; send JSON text.")
            return
        try:
            request = decode(text)
        except ProtocolError as error:
            await self._error(error.code, str(error)[:400])
            return
        first, self.spoken = not self.spoken, True
        if self.client is not None:
            await self._answer(self.client, request, first=first)

    async def _answer(
        self, client: Client, request: Resume | Ping | Subscribe, *, first: bool
    ) -> None:
        if isinstance(request, Ping):
            await client.say(Pong(client.topic.time))
        elif isinstance(request, Subscribe):
            client.wants_traffic = request.traffic
        elif not first:
            await self._error("unexpected", "resume is only allowed as the first message.")
        elif client.resume(request.epoch, request.seq):
            await client.say(self._hello(client, resumed=True))
            await client.pump()
        else:
            client.resync("the stream no longer reaches back that far")
            await client.pump()

    async def _error(self, code: str, message: str) -> None:
        await self.base_send({"type": "websocket.send", "text": encode(Error(code, message))})

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:  # noqa: ARG002 - Channels' signature
        """The browser is gone."""
        raise StopConsumer

    def _leave(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None
