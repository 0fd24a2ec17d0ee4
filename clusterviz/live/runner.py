"""Keeping clusters alive, as the server, commands and views ask for it."""

from __future__ import annotations

import time

from clusterviz.live import database, instance
from clusterviz.live.history import History
from clusterviz.live.keeper import Replica
from clusterviz.live.leader import Leadership, held
from clusterviz.live.simulator import Simulator

__all__ = ["held", "history", "replica", "settle", "start", "stop"]

PATIENCE = 600.0


async def start() -> None:
    """Keep every cluster of the database, in the running loop, until `stop`."""
    await instance.current().crew.start()


async def stop() -> None:
    """Save and end what `start` started."""
    await instance.current().crew.stop()


def replica(name: str) -> Replica | None:
    """A cluster as this process sees it now, from any thread; None when it is not kept here."""
    live = instance.serving()
    return live.crew.replica(name) if live is not None else None


def loading(name: str) -> str:
    """What this process still does before it has a picture of a cluster, in words; "" when that does not take long."""
    live = instance.serving()
    keeper = live.crew.keepers.get(name) if live is not None else None
    return keeper.loading if keeper is not None else ""


def history(name: str) -> History | None:
    """A cluster's past in this process, from any thread; None when it is not kept here."""
    live = instance.serving()
    keeper = live.crew.keepers.get(name) if live is not None else None
    return keeper.history if keeper is not None else None


def settle(name: str) -> bool:
    """Step a cluster nobody leads until its controllers rest, and save.

    False when somebody leads it, whose work it is then, or when it wants too many pods. Simulated time runs ahead
    without waiting, at most ten minutes of it.
    """
    leadership = Leadership(name)
    if not leadership.acquire():
        return False
    try:
        if database.weigh(name).too_heavy:
            return False
        stored = database.load(name)
        now = time.time()
        simulator = Simulator(
            name, stored.objects, settings=stored.settings, seed=f"{stored.seed}/{stored.head}", now=now
        )
        while (due := simulator.next_event) is not None and due <= now + PATIENCE:
            simulator.step(due, connections=False)
        database.checkpoint(name, stored.head, simulator.take_checkpoint())
        return True
    finally:
        leadership.release()
