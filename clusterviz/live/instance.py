"""The hub and the crew of a running event loop.

They belong to the loop, not to the module: tests have a loop each. Threads (HTTP views) see the
newest one.
"""

from __future__ import annotations

import asyncio
import weakref

from clusterviz.live.crew import Crew
from clusterviz.live.hub import Hub


class Live:
    """What lives in one loop."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.crew = Crew(self.hub)


_lives: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Live] = weakref.WeakKeyDictionary()


def current() -> Live:
    """The one of the running loop, made on first use."""
    loop = asyncio.get_running_loop()
    if loop not in _lives:
        _lives[loop] = Live()
    return _lives[loop]


def serving() -> Live | None:
    """The one whose clusters are kept, for code that runs outside the loop."""
    for loop, live in list(_lives.items()):
        if live.crew.started and not loop.is_closed():
            return live
    return None


def reset() -> None:
    """Forget all of them; crews must have been stopped."""
    _lives.clear()
