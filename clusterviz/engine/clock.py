"""Simulated time: a heap of things that will happen."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Clock:
    """A heap of (time, priority, counter, event). Nothing moves unless somebody steps it.

    Equal times come by priority, equal priorities in the order they were asked for.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._heap: list[tuple[float, int, int, Any]] = []
        self._counter = 0

    def __len__(self) -> int:
        return len(self._heap)

    def schedule(self, time: float, event: Any, priority: int = 0) -> None:
        """Ask for an event; a time in the past means now."""
        self._counter += 1
        heapq.heappush(self._heap, (max(time, self.now), priority, self._counter, event))

    def peek(self) -> float | None:
        """When the next event comes, None when there is none."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> Any:
        """Move to the next event and return it. Raises `IndexError` when there is none."""
        time, _, _, event = heapq.heappop(self._heap)
        self.now = time
        return event

    def run_until(self, until: float, handle: Callable[[Any], None]) -> int:
        """Handle every event up to and including ``until``; time then stands at ``until``."""
        count = 0
        while self._heap and self._heap[0][0] <= until:
            handle(self.step())
            count += 1
        self.now = max(self.now, until)
        return count
