"""How warm the pods of a large cluster are, and what passes between its zones: rates that fade with time."""

from __future__ import annotations

import base64
import math
from array import array
from collections.abc import Iterable

from clusterviz.live.mass import MassTable, level_of
from clusterviz.live.protocol import Trunk

# Seconds a rate is smoothed over; longer while only some connections are decided, or pods would flicker.
WINDOW, LONGEST = 5.0, 60.0
# Seconds in which every pod is looked at once and told once more.
ROUND = 15.0
AT_ONCE = 2_000
MOST_TRUNKS = 400
QUIET = 0.01


def window_of(sampled: float) -> float:
    """Seconds the rates of pods and flows are smoothed over when one connection in ``sampled`` is decided."""
    return min(LONGEST, WINDOW * math.sqrt(max(1.0, sampled)))


class Heat:
    """Rates of pods and trunks. Times are the simulator's seconds."""

    def __init__(self, table: MassTable, now: float) -> None:
        self._table, self._start = table, now
        self._rate, self._when = array("f"), array("f")
        self._changed: dict[int, None] = {}
        self._trunks: dict[tuple[str, str], list[float]] = {}
        self._told: list[Trunk] = []
        self._place = 0
        self.window = WINDOW

    def smooth(self, sampled: float) -> None:
        """One connection in ``sampled`` is decided."""
        self.window = window_of(sampled)

    def add(self, pods: Iterable[int], zones: tuple[str, str], count: float, now: float, *, failed: bool) -> None:
        """``count`` connections passed these pods, and led from one zone to another."""
        for index in pods:
            if index >= 0:
                self._warm(index, count / self.window, now)
        trunk = self._trunks.setdefault(zones, [0.0, 0.0, now])
        self._fade(trunk, now)
        trunk[0] += count / WINDOW
        if failed:
            trunk[1] += count / WINDOW

    def _fade(self, trunk: list[float], now: float) -> None:
        left = math.exp((trunk[2] - now) / WINDOW)
        trunk[0], trunk[1], trunk[2] = trunk[0] * left, trunk[1] * left, now

    def _warm(self, index: int, more: float, now: float) -> None:
        if index >= len(self._rate):
            missing = self._table.count - len(self._rate)
            self._rate.extend([0.0] * missing)
            self._when.extend([0.0] * missing)
        time = now - self._start
        rate = self._rate[index] * math.exp((self._when[index] - time) / self.window) + more
        self._rate[index], self._when[index] = rate, time
        level = level_of(rate, self._table.heat[index])
        if level != self._table.heat[index]:
            self._table.warm(index, level)
            self._changed[index] = None

    def take(self, now: float, passed: float) -> tuple[list[tuple[int, int]], tuple[int, str] | None]:
        """Levels that changed since the last call, and a part of all of them: after a round each was told."""
        part = self._look(now, passed)
        heat, table = [], self._table.heat
        for index in list(self._changed)[:AT_ONCE]:
            del self._changed[index]
            heat.append((index, table[index]))
        return heat, part

    def _look(self, now: float, passed: float) -> tuple[int, str] | None:
        """Let the next few cool down."""
        count = self._table.count
        if not count:
            return None
        start = self._place if self._place < count else 0
        end = min(count, start + max(1, math.ceil(count * min(1.0, passed / ROUND))))
        for index in range(start, min(end, len(self._rate))):
            if self._table.heat[index]:
                self._warm(index, 0.0, now)
        self._place = end
        return start, base64.b64encode(self._table.heat[start:end]).decode()

    def trunks(self, now: float) -> list[Trunk] | None:
        """What passes between zones, the busiest first; None when it is as it was told last."""
        for zones, trunk in list(self._trunks.items()):
            self._fade(trunk, now)
            if trunk[0] < QUIET:
                del self._trunks[zones]
        found = sorted(
            (Trunk(*zones, round(rps, 2), round(errors, 2)) for zones, (rps, errors, _) in self._trunks.items()),
            key=lambda trunk: (-trunk.rps, trunk.from_, trunk.to),
        )[:MOST_TRUNKS]
        if found == self._told:
            return None
        self._told = found
        return found

    @property
    def told(self) -> list[Trunk]:
        """The trunks as they were told last."""
        return self._told
