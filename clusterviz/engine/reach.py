"""Who reaches whom, as a table: senders by row, ports and doors of Services by column, each cell a fate.

>>> from clusterviz.engine.reach import reach
>>> reach(cluster, Asked(senders=frozenset({"internet"}))).cells
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from clusterviz.engine.compare.connections import INTERNET, Asked, Fate, Pair, survey

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

By = Literal["workload", "namespace"]
Order = Literal["name", "reached"]


class Tally(NamedTuple):
    """How many connections of a cell arrive, arrive in part, and fail; ``fate`` when it stands for one alone."""

    arrives: int
    part: int
    fails: int
    fate: Fate | None = None

    @property
    def word(self) -> str:
        """arrives, fails, or in part."""
        return "fails" if not self.arrives + self.part else "in part" if self.part or self.fails else "arrives"

    @property
    def total(self) -> int:
        """How many connections it stands for."""
        return self.arrives + self.part + self.fails


class Reach(NamedTuple):
    """``rows`` and ``columns`` in the order asked for; a pair without a cell cannot be asked."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], Tally]


def reach(cluster: Cluster, asked: Asked, by: By = "workload", order: Order = "name") -> Reach:
    """The table of the connections asked about. Raises `TooManyError`."""
    return table(survey(cluster, asked), by, order)


def table(found: Mapping[Pair, Fate], by: By = "workload", order: Order = "name") -> Reach:
    """Fates as a table: by workloads and ports, or summed up by namespaces."""
    some: dict[tuple[str, str], list[Fate]] = {}
    for pair, fate in found.items():
        ends = (pair.sender, pair.target) if by == "workload" else (_space(pair.sender), _space(fate.service))
        some.setdefault(ends, []).append(fate)
    cells = {ends: _tally(fates, alone=by == "workload") for ends, fates in some.items()}
    rows, columns = ({ends[side]: 0 for ends in cells} for side in (0, 1))
    for (row, column), one in cells.items():
        rows[row] += one.arrives + one.part
        columns[column] += one.arrives + one.part
    return Reach(_ordered(rows, order), _ordered(columns, order), cells)


def _tally(fates: list[Fate], *, alone: bool) -> Tally:
    words = [fate.word for fate in fates]
    arrives, part = words.count("arrives"), words.count("arrives in part")
    return Tally(arrives, part, len(words) - arrives - part, fates[0] if alone else None)


def _ordered(counts: Mapping[str, int], order: Order) -> tuple[str, ...]:
    """The Internet first, then by name, or whoever reaches or is reached most first."""
    weight = 1 if order == "reached" else 0
    return tuple(sorted(counts, key=lambda name: (name != INTERNET, -weight * counts[name], name)))


def _space(name: str) -> str:
    return name.partition("/")[0]
