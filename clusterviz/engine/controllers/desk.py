"""What lies on the controllers' desks: which objects each has to look at, and when to look again.

A controller that looked at an object and found nothing to do need not look again before something it goes by changed
or the moment it waits for has come. `Controller.touched` says what a change concerns.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

import msgspec

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.work import Work

# A controller of these looks at objects of any kind.
EVERY_KIND = frozenset({"*"})
# Seconds by which local time in a zone is ahead of UTC at a moment; None of a zone nobody knows.
Zones = Callable[[str, float], int | None]
# What a controller looks at, as it sorts: mostly namespace and name.
Item = tuple[str, ...]


class Controller(msgspec.Struct, frozen=True):
    """Brings one item towards what is wanted, and knows which items a change of an object of ``kinds`` concerns.

    One that ``settles`` does in one look all there is to do: what it writes itself is no reason to look again.
    """

    name: str
    kinds: frozenset[str]
    sync: Callable[[Work, Item], None]
    touched: Callable[[Board, Touch], Iterable[Item]]
    settles: bool = False


class Pile:
    """The items one controller has to look at, the smallest first; and when it wants to look at others."""

    def __init__(self) -> None:
        self.items: set[Item] = set()
        self.wakes: dict[Item, float] = {}
        self._heap: list[Item] | None = None
        self.current: Item = ()

    @property
    def busy(self) -> bool:
        """Whether its controller is at work."""
        return self._heap is not None

    def add(self, item: Item) -> None:
        """Look at this: still in this pass when its turn has not passed."""
        if item not in self.items:
            self.items.add(item)
            if self._heap is not None and item > self.current:
                heapq.heappush(self._heap, item)

    def one_pass(self) -> Iterable[Item]:
        """Items in order, each taken off; what comes in meanwhile behind the present one waits for the next pass."""
        self._heap = sorted(self.items)
        while self._heap:
            self.current = heapq.heappop(self._heap)
            self.items.discard(self.current)
            self.wakes.pop(self.current, None)
            yield self.current
        self._heap = None


class Desk:
    """The piles of all controllers over one board."""

    def __init__(
        self, board: Board, controllers: tuple[Controller, ...], last_ip: dict[str, str], zones: Zones
    ) -> None:
        self.board, self.controllers, self.last_ip, self.zones = board, controllers, last_ip, zones
        self.piles = [Pile() for _ in controllers]
        self._by_kind: dict[str, list[tuple[Controller, Pile]]] = {}
        for controller, pile in zip(controllers, self.piles, strict=True):
            for kind in controller.kinds:
                self._by_kind.setdefault(kind, []).append((controller, pile))
        self._alarms: list[tuple[float, int, Item]] = []
        self._present = 0

    def touch(self, touch: Touch) -> None:
        """An object changed: everybody it concerns has to look."""
        for controller, pile in (*self._by_kind.get(touch.key[0], ()), *self._by_kind.get("*", ())):
            own = pile.current if controller.settles and pile.busy else None
            for item in controller.touched(self.board, touch):
                if item != own:
                    pile.add(item)

    def wake(self, at: float) -> None:
        """The controller at work wants to look at its present item again at this time."""
        pile = self.piles[self._present]
        known = pile.wakes.get(pile.current)
        if known is None or at < known:
            pile.wakes[pile.current] = at
            heapq.heappush(self._alarms, (at, self._present, pile.current))

    def ring(self, now: float) -> None:
        """Put on the piles what waited for this moment."""
        while self._alarms and self._alarms[0][0] <= now:
            at, place, item = heapq.heappop(self._alarms)
            if self.piles[place].wakes.get(item) == at:
                del self.piles[place].wakes[item]
                self.piles[place].add(item)

    @property
    def next_alarm(self) -> float | None:
        """When somebody wants to look at something again."""
        while self._alarms:
            at, place, item = self._alarms[0]
            if self.piles[place].wakes.get(item) == at:
                return at
            heapq.heappop(self._alarms)
        return None

    @property
    def empty(self) -> bool:
        """Whether nobody has anything to do now."""
        return not any(pile.items for pile in self.piles)

    def one_pass(self, work: Work) -> None:
        """Let every controller look at its pile once."""
        for place, (controller, pile) in enumerate(zip(self.controllers, self.piles, strict=True)):
            self._present = place
            for item in pile.one_pass():
                controller.sync(work, item)
