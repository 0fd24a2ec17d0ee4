"""How full nodes are: pods on them, whose, and what these request."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping

from clusterviz.engine.controllers.room import requests
from clusterviz.engine.controllers.work import Owner
from clusterviz.engine.objects import Obj


def count(counter: Counter[str], name: str, step: int) -> None:
    """So many more or less; what there is none of is not in the counter."""
    counter[name] += step
    if not counter[name]:
        del counter[name]


class Usage:
    """How many pods each node has, in all and of each owner; nodes in the order of their load."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self.claimed: dict[str, Counter[str]] = {}
        self._families: dict[tuple[str, Owner], Counter[str]] = {}
        self._nodes: dict[str, None] = {}
        self._by_load: dict[int, list[str]] = {}

    def __contains__(self, node: str) -> bool:
        return node in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def add(self, node: str) -> None:
        """A node that exists."""
        self._nodes[node] = None
        insort(self._by_load.setdefault(self.total[node], []), node)

    def drop(self, node: str) -> None:
        """A node that is gone; its pods may still be there."""
        del self._nodes[node]
        self._leave(self.total[node], node)

    def count(self, node: str, family: tuple[str, Owner], step: int) -> None:
        """One pod of this owner more or less on a node."""
        before = self.total[node]
        count(self.total, node, step)
        if node in self._nodes:
            self._leave(before, node)
            insort(self._by_load.setdefault(before + step, []), node)
        some = self._families.setdefault(family, Counter())
        count(some, node, step)
        if not some:
            del self._families[family]

    def claim(self, node: str, pod: Obj, step: int) -> None:
        """What one pod more or less requests on a node."""
        asked = requests(pod)
        if asked:
            claimed = self.claimed.setdefault(node, Counter())
            for resource, amount in asked.items():
                count(claimed, resource, step * amount)

    def _leave(self, load: int, node: str) -> None:
        equals = self._by_load[load]
        del equals[bisect_left(equals, node)]
        if not equals:
            del self._by_load[load]

    def family(self, namespace: str, owner: Owner) -> Mapping[str, int]:
        """Pods of an owner by node; nodes without one are not in it."""
        return self._families.get((namespace, owner), {})

    def emptiest(self) -> Iterator[tuple[int, list[str]]]:
        """Loads that occur, the smallest first, with the nodes that have it, by name."""
        for load in sorted(self._by_load):
            yield load, self._by_load[load]
