"""The API as an ASGI application of its own, beside Django: no session, no cookies, streams flushed at once."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from clusterviz.kubeapi.status import Refusal, bad_request, no_such_path, too_large
from clusterviz.live.flow import RequestFlow

logger = logging.getLogger(__name__)

PREFIX = "/k8s/"
# kube-apiserver's own limit of a request.
MAX_BODY = 3 * 1024 * 1024
MAX_PATH = 4096
MAX_QUERY = 32 * 1024
COMPRESSED_FROM = 128 * 1024
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
_encode = msgspec.json.Encoder().encode


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``path`` is what follows ``/k8s/``, in parts."""

    method: str
    path: tuple[str, ...]
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: bytes = b""

    @property
    def accept(self) -> str:
        """What the client wants to read."""
        return self.headers.get("accept", "")

    @property
    def media(self) -> str:
        """What the body is, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def manager(self) -> str:
        """Who manages the fields that are written."""
        agent = self.headers.get("user-agent", "").partition("/")[0]
        return (self.query.get("fieldManager") or agent or "unknown")[:128]

    def flag(self, name: str) -> bool:
        """Whether a query parameter is switched on."""
        return self.query.get(name, "").lower() in ("1", "true", "t")


class Answer(msgspec.Struct, frozen=True):
    """What is sent back: an object, bytes, or a stream of lines."""

    body: Any
    code: int = 200
    media: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def beside(http: Any) -> App:
    """Django, and the API under its prefix."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await (answer if scope["path"].startswith(PREFIX) else http)(scope, receive, send)

    return application


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """One request, whatever comes of it."""
    from clusterviz.kubeapi.handler import handle

    try:
        found = await handle(await read_request(scope, receive))
    except Refusal as refusal:
        retry = (("Retry-After", str(refusal.retry)),) if refusal.retry else ()
        found = Answer(refusal.to_status(), refusal.code, headers=retry)
    except Exception:  # whatever it is, kubectl must get a Status and a person no traceback
        logger.exception("%s of the Kubernetes API failed", scope["method"])
        words = "Internal error occurred: the log of the server says what"
        found = Answer(Refusal(500, "InternalError", words).to_status(), 500)
    if isinstance(found.body, AsyncIterator):
        await _stream(found, receive, send)
    else:
        await _send(found, "gzip" in _header(scope, b"accept-encoding"), scope["method"] == "HEAD", send)


async def read_request(scope: Scope, receive: Receive) -> Request:
    """The request with its body. Raises a `Refusal` for what is too large or cannot be read."""
    raw = scope.get("raw_path") or scope["path"].encode()
    if len(raw) > MAX_PATH or len(scope.get("query_string", b"")) > MAX_QUERY:
        raise Refusal(414, "RequestURITooLong", f"the path may have {MAX_PATH} bytes, the query {MAX_QUERY}")
    headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BODY:
        raise too_large(MAX_BODY)
    try:
        path = tuple(unquote(part, errors="strict") for part in raw.partition(b"?")[0].decode().split("/") if part)
        query = dict(parse_qsl(scope.get("query_string", b"").decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise bad_request("the address cannot be read") from None
    if any("/" in part or "\0" in part or part in (".", "..") for part in path):
        raise no_such_path()
    return Request(method=scope["method"], path=path[1:], query=query, headers=headers, body=await _body(receive))


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise bad_request("the client went away")
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise too_large(MAX_BODY)
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _header(scope: Scope, name: bytes) -> str:
    return b",".join(value for key, value in scope["headers"] if key.lower() == name).decode("latin1")


def _head(found: Answer, *more: tuple[str, str]) -> dict[str, Any]:
    headers = (
        ("Content-Type", found.media),
        ("Cache-Control", "no-cache, private"),
        ("X-Content-Type-Options", "nosniff"),
        *found.headers,
        *more,
    )
    return {
        "type": "http.response.start",
        "status": found.code,
        "headers": [(name.encode(), value.encode("latin1", "replace")) for name, value in headers],
    }


async def _send(found: Answer, zipped: bool, head: bool, send: Send) -> None:
    body = found.body if isinstance(found.body, bytes) else _encode(found.body)
    more: list[tuple[str, str]] = []
    if zipped and len(body) >= COMPRESSED_FROM:
        body = await asyncio.to_thread(gzip.compress, body, 1)
        more.append(("Content-Encoding", "gzip"))
    await send(_head(found, *more, ("Content-Length", str(len(body)))))
    await send({"type": "http.response.body", "body": b"" if head else body})


async def _stream(found: Answer, receive: Receive, send: Send) -> None:
    """Lines as they come, no faster than they are read, until they end or the client goes away."""
    lines: AsyncIterator[bytes] = found.body
    flow = RequestFlow(send)

    async def write() -> None:
        await send(_head(found))
        # Headers leave with the first piece of the body, and clients wait for them.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        async for line in lines:
            await flow.room()
            await send({"type": "http.response.body", "body": line, "more_body": True})
        flow.close()  # Daphne ends no answer that somebody still writes
        await send({"type": "http.response.body", "body": b""})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = {asyncio.create_task(write()), asyncio.create_task(gone())}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        flow.close()
        for result in results:
            if isinstance(result, Exception):
                logger.error("A stream of the Kubernetes API ended", exc_info=result)
        if isinstance(lines, AsyncGenerator):
            with contextlib.suppress(Exception):
                await lines.aclose()
