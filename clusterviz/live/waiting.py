"""Waiting that ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib


async def wait_set(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, or the time is over.

    `asyncio.wait_for` of Python 3.11 swallows a cancellation that comes in the turn in which the event is set, and
    whoever cancelled waits forever; `asyncio.timeout` does not.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
