"""The pods of a large cluster as columns: one index a pod, one column a property.

`MassTable` is written by the loop alone. `MassTable.columns` gives what is as bytes that nobody changes any
more, for other threads. Indexes and levels mean the same as in static/js/model/mass.js.
"""

from __future__ import annotations

import heapq
import re
import struct
from array import array
from collections import Counter, deque
from collections.abc import Collection, Iterable

import msgspec

from clusterviz.engine import Cluster
from clusterviz.engine.objects import Key, Pod

# A cluster above the first is streamed in form mass, until it falls below the second.
MASS_PODS, FULL_PODS = 3_000, 2_500
NOWHERE = 0xFFFFFFFF
GONE, READY, PENDING, FAILING, TERMINATING, SUCCEEDED = range(6)
STATES = ("", "ready", "pending", "failing", "terminating", "succeeded")
# Connections a second from which each level of heat begins; a level is left below this share of its beginning.
HEAT_SCALE = (0.0, 0.05, 0.2, 0.8, 3.0, 12.0, 50.0, 200.0)
STICKY = 0.7
# Seconds before the index of a pod that is gone is another's: late answers must not name the wrong one.
REST = 60.0
# Seconds for which it is known which index a pod had that is gone: as long as the history is; and of how many.
REMEMBERED, MOST_REMEMBERED = 1_000.0, 200_000
_FAILED = re.compile("BackOff|Err|OOM")

Name = tuple[str, str]
Place = tuple[int, int, int, int]  # index, node or -1, state, workload


def state_of(pod: Pod) -> int:
    """What is the matter with a pod; the same as ``stateOf`` of static/js/model/massfull.js."""
    if pod.terminating:
        return TERMINATING
    if pod.phase == "Failed" or _FAILED.search(pod.reason):
        return FAILING
    if not pod.node:
        return PENDING
    if pod.phase == "Succeeded":
        return SUCCEEDED
    return READY if pod.phase == "Running" and pod.ready else PENDING


def level_of(rate: float, level: int) -> int:
    """The level of heat from now on, for ``rate`` connections a second and the level until now."""
    while level < len(HEAT_SCALE) - 1 and rate >= HEAT_SCALE[level + 1]:
        level += 1
    while level and rate < HEAT_SCALE[level] * STICKY:
        level -= 1
    return level


class Columns(msgspec.Struct, frozen=True):
    """A moment of the table: little endian u32 (``node``, ``workload``) and bytes."""

    count: int
    node: bytes
    state: bytes
    heat: bytes
    workload: bytes
    workloads: tuple[Key | None, ...]


class MassTable:
    """Index, node, state, heat and workload of every pod, with counts by state and by namespace."""

    def __init__(self) -> None:
        self.names: list[Name | None] = []
        self.indexes: dict[Name, int] = {}
        self.node, self.workload = array("I"), array("I")
        self.state, self.heat = bytearray(), bytearray()
        self.nodes: dict[str, int] = {}
        self.workloads: list[Key | None] = [None]
        self.states: Counter[int] = Counter()
        self.spaces: dict[str, Counter[int]] = {}
        self._workloads: dict[Key, int] = {}
        self._free: list[int] = []
        self._fresh: list[int] = []
        self._resting: deque[tuple[float, int]] = deque()
        # When each pod left, and the index it had until then; tuples, because other threads look.
        self._left: dict[Name, tuple[tuple[float, int], ...]] = {}
        self._leavers: deque[tuple[float, Name]] = deque()
        # From when on it is remembered.
        self._since: float | None = None
        self._columns: Columns | None = None

    @property
    def count(self) -> int:
        """The highest index there was, plus one."""
        return len(self.names)

    @property
    def pods(self) -> int:
        """How many there are."""
        return len(self.indexes)

    def node_index(self, name: str) -> int:
        """Index of a node, for as long as the table lives; a name that comes back gets its own again."""
        return self.nodes.setdefault(name, len(self.nodes))

    def index_at(self, name: Name, time: float) -> int:
        """The index at a moment of a pod that was there; -1 when it is forgotten or was never known."""
        if self._since is None or time < self._since:
            return -1
        had = (index for until, index in self._left.get(name, ()) if until > time)
        return next(had, self.indexes.get(name, -1))

    def on(self, nodes: Collection[str]) -> list[Name]:
        """Names of the pods on these nodes, by index."""
        wanted = {self.nodes[name] for name in nodes if name in self.nodes}
        if not wanted:
            return []
        return [name for name, node in zip(self.names, self.node, strict=True) if node in wanted and name]

    def update(self, cluster: Cluster, names: Iterable[Name], now: float) -> list[int]:
        """Follow pods with these names; returns the indexes of those that look different now."""
        self._wake(now)
        self._forget(now)
        self._since = now if self._since is None else self._since
        self._columns = None
        found = []
        for name in names:
            pod = cluster.pods.get(name)
            index = self._set(cluster, name, pod) if pod is not None else self._drop(name, now)
            if index is not None:
                found.append(index)
        return found

    def places(self, indexes: Iterable[int]) -> list[Place]:
        """Rows as messages carry them."""
        return [
            (one, -1 if self.node[one] == NOWHERE else self.node[one], self.state[one], self.workload[one])
            for one in indexes
        ]

    def _set(self, cluster: Cluster, name: Name, pod: Pod) -> int | None:
        index = self.indexes.get(name)
        node = self.node_index(pod.node) if pod.node else NOWHERE
        workload, state = self._workload_index(cluster, pod), state_of(pod)
        if index is None:
            index = self._take(name)
        elif (node, state, workload) == (self.node[index], self.state[index], self.workload[index]):
            return None
        self._count(name[0], self.state[index], state)
        self.node[index], self.state[index], self.workload[index] = node, state, workload
        return index

    def _drop(self, name: Name, now: float) -> int | None:
        index = self.indexes.pop(name, None)
        if index is None:
            return None
        self._count(name[0], self.state[index], GONE)
        self.names[index] = None
        self.node[index], self.state[index], self.heat[index], self.workload[index] = NOWHERE, GONE, 0, 0
        self._resting.append((now + REST, index))
        self._left[name] = (*self._left.get(name, ()), (now, index))
        self._leavers.append((now, name))
        return index

    def _take(self, name: Name) -> int:
        """The smallest free index."""
        if self._free:
            index = heapq.heappop(self._free)
            self.names[index] = name
        else:
            index = len(self.names)
            self.names.append(name)
            self.node.append(NOWHERE)
            self.workload.append(0)
            self.state.append(GONE)
            self.heat.append(0)
        self.indexes[name] = index
        return index

    def _wake(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            heapq.heappush(self._free, self._resting.popleft()[1])

    def _forget(self, now: float) -> None:
        while self._leavers and (self._leavers[0][0] < now - REMEMBERED or len(self._leavers) > MOST_REMEMBERED):
            self._since, name = self._leavers.popleft()
            rest = self._left.pop(name)[1:]
            if rest:
                self._left[name] = rest

    def _workload_index(self, cluster: Cluster, pod: Pod) -> int:
        found = cluster.workload_of(pod) if pod.owner[1] else None
        if found is None:
            return 0
        key = (found.kind, found.namespace, found.name)
        index = self._workloads.get(key)
        if index is None:
            index = self._workloads[key] = len(self.workloads)
            self.workloads.append(key)
            self._fresh.append(index)
        return index

    def _count(self, namespace: str, old: int, new: int) -> None:
        space = self.spaces.get(namespace)
        if space is None:
            space = self.spaces[namespace] = Counter()
        for counter in (self.states, space):
            if old:
                counter[old] -= 1
            if new:
                counter[new] += 1

    def take_fresh(self) -> list[int]:
        """Indexes of workloads nobody was told of yet."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def warm(self, index: int, level: int) -> None:
        """Another level of heat."""
        self.heat[index] = level
        self._columns = None

    def columns(self) -> Columns:
        """Everything as it is now."""
        if self._columns is None:
            self._columns = Columns(
                count=self.count,
                node=_little(self.node),
                state=bytes(self.state),
                heat=bytes(self.heat),
                workload=_little(self.workload),
                workloads=tuple(self.workloads),
            )
        return self._columns


def _little(numbers: array[int]) -> bytes:
    """Four bytes each, the lowest first, on any machine."""
    if numbers.itemsize == 4 and struct.pack("=I", 1) == struct.pack("<I", 1):
        return numbers.tobytes()
    return struct.pack(f"<{len(numbers)}I", *numbers)


def counted(counter: Counter[int]) -> dict[str, int]:
    """States by name, and all of them as ``pods``."""
    named = {name: counter[state] for state, name in enumerate(STATES) if name}
    return {"pods": sum(named.values()), **named}
