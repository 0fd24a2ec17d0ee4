"""Answers of the engine, remembered while the snapshot they belong to lasts.

A snapshot never changes, so the same question has the same answer. When connections come faster
than they can be asked about, one that is alike (same flow, same source) is drawn instead.
"""

from __future__ import annotations

import msgspec

from clusterviz.engine.objects import Key
from clusterviz.engine.probe import Probe, Source
from clusterviz.engine.traffic import Connection

QUESTIONS_A_SECOND = 400.0
MOST = 20_000


class Decision(msgspec.Struct, frozen=True):
    """What became of a question: its route and effect."""

    route: str
    effect: str
    probe: Probe


class Decisions:
    """Decisions of one snapshot, and how many more questions may be asked at the moment."""

    def __init__(self) -> None:
        self._exact: dict[tuple[Key, Probe], Decision] = {}
        self._alike: dict[tuple[Key, Source], list[Decision]] = {}
        self._left, self._time = QUESTIONS_A_SECOND, 0.0

    def clear(self) -> None:
        """Another snapshot."""
        self._exact.clear()
        self._alike.clear()

    def find(self, connection: Connection) -> Decision | None:
        """A decision to go by; None means the engine is to be asked."""
        exact = self._exact.get((connection.flow, connection.probe))
        if exact is not None:
            return exact
        passed = max(0.0, connection.time - self._time)
        self._time = connection.time
        self._left = min(QUESTIONS_A_SECOND, self._left + passed * QUESTIONS_A_SECOND)
        alike = self._alike.get((connection.flow, connection.probe.source))
        if self._left < 1 and alike:
            return alike[connection.probe.seed % len(alike)]
        self._left -= 1
        return None

    def keep(self, connection: Connection, route: str, effect: str) -> Decision:
        """Remember what the engine said."""
        decision = Decision(route, effect, connection.probe)
        if len(self._exact) < MOST:
            self._exact[connection.flow, connection.probe] = decision
            self._alike.setdefault((connection.flow, connection.probe.source), []).append(decision)
        return decision
