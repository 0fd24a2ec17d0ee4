"""All clusters of this process: one keeper each, and one look at the database for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import close_old_connections, connections

from clusterviz.live import database
from clusterviz.live.hub import Hub
from clusterviz.live.keeper import Keeper, Replica
from clusterviz.live.waiting import wait_set

logger = logging.getLogger(__name__)

POLL = 0.25
FIRST_PICTURE = 10.0


class Crew:
    """Starts and ends keepers as clusters come and go."""

    def __init__(self, hub: Hub) -> None:
        self.keepers: dict[str, Keeper] = {}
        self._hub = hub
        self._watch: asyncio.Task[None] | None = None
        self._poke: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._starting = asyncio.Lock()

    @property
    def started(self) -> bool:
        """Whether clusters are being kept."""
        return self._watch is not None

    async def start(self) -> None:
        """Keep every cluster of the database from now on."""
        async with self._starting:
            if self.started:
                return
            self._loop, self._poke = asyncio.get_running_loop(), asyncio.Event()
            # One thread of our own: a slow view or consumer cannot make a checkpoint wait.
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="clusterviz-database")
            database.listen(self.poke)
            self._hub.joined = self.poke_cluster
            await self._look()
            self._watch = asyncio.create_task(self._keep_looking(), name="clusters")

    async def stop(self) -> None:
        """Save and end everything."""
        if self._watch is None:
            return
        database.ignore(self.poke)
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)
        self._watch = None
        await asyncio.gather(*(keeper.stop() for keeper in self.keepers.values()))
        self.keepers.clear()
        await self.in_thread(connections.close_all)
        if self._thread is not None:
            self._thread.shutdown()

    def poke(self) -> None:
        """Look at the database now; may be called from any thread."""
        if self._loop is not None and self._poke is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._poke.set)

    def poke_cluster(self, name: str) -> None:
        """There may be something to do for one cluster."""
        if name in self.keepers:
            self.keepers[name].poke()

    async def ensure(self, name: str) -> bool:
        """Whether there is such a cluster; its first picture exists then, unless it takes long (`Keeper.loading`)."""
        if not self.started:
            await self.start()
        if name not in self.keepers:
            await self._look()
        keeper = self.keepers.get(name)
        if keeper is None:
            return False
        await wait_set(keeper.known, FIRST_PICTURE)
        return True

    def replica(self, name: str) -> Replica | None:
        """The cluster as it is now, None when it is not kept here."""
        keeper = self.keepers.get(name)
        return keeper.replica if keeper is not None else None

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run database work away from the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _fresh, function, *args)

    async def aside(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run something long in a thread of its own; checkpoints need not wait for it."""
        return await asyncio.to_thread(_closing, function, *args)

    async def _keep_looking(self) -> None:
        assert self._poke is not None
        while True:
            await wait_set(self._poke, POLL)
            self._poke.clear()
            try:
                await self._look()
            except Exception:
                logger.exception("The clusters could not be looked up")
                await asyncio.sleep(1)

    async def _look(self) -> None:
        heads = await self.in_thread(database.heads)
        for name, keeper in list(self.keepers.items()):
            if name not in heads or heads[name].identity != keeper.identity:
                del self.keepers[name]
                await keeper.stop()
                await self._hub.close(name, "the cluster was deleted")
        for name, head in heads.items():
            if name not in self.keepers:
                self.keepers[name] = Keeper(name, head.identity, self._hub, self.in_thread, self.aside)
                self.keepers[name].start()
            self.keepers[name].grants = head.grants
            self.keepers[name].notice(head.line, head.settings)


def _fresh(function: Callable[..., Any], *args: Any) -> Any:
    close_old_connections()
    return function(*args)


def _closing(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    finally:
        connections.close_all()
