"""Rates over the last seconds."""

from __future__ import annotations

from collections import deque

from clusterviz.live.protocol import FlowTotals, Totals

WINDOW = 5.0
OUTCOMES = {"allowed": 0, "rewritten": 0, "refused": 1, "dropped": 2}


class Meter:
    """Counts connections by flow and outcome over a sliding window."""

    def __init__(self) -> None:
        self._entries: deque[tuple[float, str, int, int]] = deque()
        self._counts: dict[str, list[int]] = {}
        self._taken = [0, 0, 0]

    def add(self, time: float, flow: str, effect: str, count: int) -> None:
        """One connection more."""
        outcome = OUTCOMES[effect]
        self._entries.append((time, flow, outcome, count))
        self._counts.setdefault(flow, [0, 0, 0])[outcome] += count
        self._taken[outcome] += count

    def take(self) -> list[int]:
        """Connections delivered, refused and dropped since the last call."""
        taken, self._taken = self._taken, [0, 0, 0]
        return taken

    def totals(self, now: float) -> Totals:
        """Rates at this moment."""
        while self._entries and self._entries[0][0] <= now - WINDOW:
            _, flow, outcome, count = self._entries.popleft()
            self._counts[flow][outcome] -= count
            if not any(self._counts[flow]):
                del self._counts[flow]
        flows = {
            flow: FlowTotals(*(round(number / WINDOW, 2) for number in (sum(counts), *counts)))
            for flow, counts in sorted(self._counts.items())
        }
        return Totals(round(sum(totals.rps for totals in flows.values()), 2), flows)
