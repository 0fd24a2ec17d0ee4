"""Answers of the engine, remembered while the snapshot they belong to lasts.

A snapshot never changes, so the same question has the same answer. When connections come faster
than they can be asked about, one that is alike (same flow, same source) is drawn instead.
"""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from clusterviz.engine.objects import Key
from clusterviz.engine.probe import Probe, Source
from clusterviz.engine.traffic import Connection

QUESTIONS_A_SECOND = 400.0
MOST = 20_000
# Of what is watched in a large cluster; a route stands for as long for connections alike.
TRACES_A_SECOND, WAY_AGE = 40.0, 60.0


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


class Ways:
    """Routes of watched connections of a large cluster: one trace for all that are alike, and so many a second."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, str]] = {}
        self._left, self._time = TRACES_A_SECOND, 0.0

    def find(self, alike: Hashable, now: float) -> str | None:
        """The route of connections like this one; None means a trace is due."""
        found = self._known.get(alike)
        return found[1] if found is not None and found[0] > now - WAY_AGE else None

    def may_ask(self, now: float) -> bool:
        """Whether one more trace is within the ration."""
        self._left = min(TRACES_A_SECOND, self._left + max(0.0, now - self._time) * TRACES_A_SECOND)
        self._time = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def keep(self, alike: Hashable, now: float, route: str) -> str:
        """Remember a route and return it."""
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[alike] = now, route
        return route
