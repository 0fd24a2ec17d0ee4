"""A stored cluster, and a client that speaks to the API without a network."""

import asyncio
import json
from functools import partial

import pytest

from clusterviz.cluster import services
from clusterviz.kubeapi import asgi, tokens
from clusterviz.live import instance
from clusterviz.live.access import Role
from tests.live.conftest import SHOP


def pytest_terminal_summary(terminalreporter):
    """How long the battery of kubectl commands took, also when it ran in a worker."""
    told = {words for report in terminalreporter.getreports("passed") for name, words in report.user_properties
            if name == "battery"}  # fmt: skip
    for words in sorted(told):
        terminalreporter.write_line(words)


class Connection:
    """Daphne's request, as far as it tells a producer that the client reads too slowly."""

    channel = object()

    def registerProducer(self, producer, streaming):  # noqa: N802
        """Note who writes."""
        assert streaming
        self.producer = producer

    def unregisterProducer(self):  # noqa: N802
        """Nobody writes any more."""
        self.producer = None


class Stream:
    """A watch: its lines as they come."""

    def __init__(self, scope):
        self.connection = Connection()
        self._sent = asyncio.Queue()
        self._gone = asyncio.Event()
        self._asked = False
        self._text = b""
        self.task = asyncio.create_task(asgi.answer(scope, self._receive, partial(self._reply, self.connection)))

    async def _reply(self, _connection, message):
        self._sent.put_nowait(message)

    @property
    def waiting(self):
        """Whether something was sent that the test has not taken."""
        return not self._sent.empty()

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b""}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def head(self):
        """Status code and headers, once they are flushed by a first piece of the body."""
        start = await asyncio.wait_for(self._sent.get(), 5)
        first = await asyncio.wait_for(self._sent.get(), 5)
        assert first["type"] == "http.response.body", first
        self._text += first["body"]
        return start["status"], dict(start["headers"])

    async def event(self, within=60):
        """The next event."""
        async with asyncio.timeout(within):
            while b"\n" not in self._text:
                message = await self._sent.get()
                if message["type"] != "http.response.body":
                    continue
                if not message.get("more_body") and not message["body"]:
                    return None
                self._text += message["body"]
        line, _, self._text = self._text.partition(b"\n")
        return json.loads(line)

    async def rest(self):
        """All that is sent until the end."""
        await asyncio.wait_for(self.task, 60)
        while not self._sent.empty():
            self._text += self._sent.get_nowait()["body"]
        return self._text

    async def close(self):
        """Go away."""
        self._gone.set()
        await asyncio.wait_for(self.task, 5)


class Client:
    """Requests under a token."""

    def __init__(self, token):
        self.token = token

    def scope(self, method, path, headers):
        """What a server would hand to the application."""
        path, _, query = path.partition("?")
        raw = f"/k8s/{self.token}{path}"
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return {"type": "http", "method": method, "path": raw, "query_string": query.encode(), "headers": pairs}

    async def ask(self, method, path, body=None, accept="application/json", media="application/json", **headers):
        """Status code and decoded body."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = []

        asked = iter([{"type": "http.request", "body": raw}])

        async def receive():
            return next(asked, None) or await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        scope = self.scope(method, path, {"Accept": accept, "Content-Type": media, **headers})
        await asgi.answer(scope, receive, send)
        text = b"".join(message.get("body", b"") for message in sent[1:])
        self.headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        is_json = dict(self.headers)["Content-Type"].startswith("application/json")
        return sent[0]["status"], json.loads(text) if is_json else text

    async def get(self, path, **options):
        """A body that must come with 200."""
        code, body = await self.ask("GET", path, **options)
        assert code == 200, body
        return body

    def watch(self, path, accept="application/json"):
        """Begin a watch."""
        return Stream(self.scope("GET", path, {"Accept": accept}))


@pytest.fixture
def shop(transactional_db):
    """A stored cluster: web calls api."""
    cluster = services.create_cluster("shop", nodes=3, actor="test")
    services.apply_objects(cluster, SHOP, actor="test")
    return cluster


@pytest.fixture
async def live(shop):
    """The hub and crew of this test's loop, ended with it, or those that came after them."""
    yield instance.current()
    await instance.current().crew.stop()
    instance.reset()


@pytest.fixture
async def editor(shop, live):
    """Somebody who may change the cluster."""
    return Client(await asyncio.to_thread(tokens.token_for, shop, Role.EDITOR))


@pytest.fixture
async def viewer(shop, live):
    """Somebody who may look."""
    return Client(await asyncio.to_thread(tokens.token_for, shop, Role.VIEWER))
