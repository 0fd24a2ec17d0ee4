"""What the engine needs to answer for a moment that is over: its snapshots, and the connections it decided.

A snapshot is kept whole only now and then; between those the changed objects are kept, and `Moments.cluster`
applies them again. Times are seconds since 1970, versions count the snapshots.
"""

from __future__ import annotations

import bisect
import zlib
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from clusterviz.engine import Cluster, Probe
from clusterviz.engine.cluster import Change
from clusterviz.engine.objects import Key, Obj

# Bytes, as measured on the demo: the tables of a whole snapshot for each object, and one change without its object.
BASE_OBJECT = 400
CHANGE = 700
# A decoded object takes about this many times its JSON.
UNFOLDED = 4
BLOCK = 500


class Version(NamedTuple):
    """What led from one snapshot to the next."""

    number: int
    time: float
    changes: dict[Key, Obj | None]
    size: int


class Published(NamedTuple):
    """The picture of ``seq`` showed snapshot ``number``."""

    time: float
    epoch: int
    seq: int
    number: int


class Block(NamedTuple):
    """Connections ``first`` to ``last`` of an epoch, compressed."""

    epoch: int
    first: int
    last: int
    time: float
    data: bytes


Decided = tuple[int, int, Probe]  # number of the connection, version of the snapshot, question
_decoder = msgspec.msgpack.Decoder(list[Decided])


class Moments:
    """The snapshots of the last minutes. Written by the loop, read from any thread after `copy`."""

    def __init__(self) -> None:
        self.number = 0
        self._bases: deque[tuple[int, float, Cluster]] = deque()
        self._versions: deque[Version] = deque()
        self._published: deque[Published] = deque()
        self._blocks: deque[Block] = deque()
        self._open: list[Decided] = []
        self._epoch = 0
        self._since_base = 0
        self.grown = 0
        self._recent: list[tuple[Cluster, int]] = []
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes kept beside the oldest whole snapshot, estimated."""
        return self._size + 200 * len(self._open) + 120 * len(self._published)

    def begin(self, epoch: int, time: float, cluster: Cluster) -> None:
        """A new epoch starts with this snapshot."""
        self._close(time)
        self._epoch = epoch
        self.number += 1
        self._keep_base(time, cluster)
        self._recent = [(cluster, self.number)]

    def change(self, time: float, cluster: Cluster, keys: Iterable[Key]) -> None:
        """The snapshot after a change of the objects with these keys."""
        self.number += 1
        changes = {key: cluster.objects.get(key) for key in keys}
        size = CHANGE + UNFOLDED * sum(len(msgspec.json.encode(obj)) for obj in changes.values() if obj is not None)
        self._versions.append(Version(self.number, time, changes, size))
        self._grow(size)
        self._recent.append((cluster, self.number))
        self._since_base += size
        # Once the changes are as dear as a whole snapshot, one is kept.
        if self._since_base > BASE_OBJECT * len(cluster.objects):
            self._keep_base(time, cluster)

    def _keep_base(self, time: float, cluster: Cluster) -> None:
        if self._bases:
            self._grow(BASE_OBJECT * len(cluster.objects))
        self._bases.append((self.number, time, cluster))
        self._since_base = 0

    def _grow(self, size: int) -> None:
        self._size += size
        self.grown += size

    def publish(self, time: float, seq: int) -> None:
        """The picture of this sequence number shows the newest snapshot."""
        self._published.append(Published(time, self._epoch, seq, self.number))

    def decided(self, time: float, connections: Iterable[tuple[str, Cluster, Probe]]) -> None:
        """Connections that were drawn since the last call, each with the snapshot it was decided in."""
        versions = {id(cluster): number for cluster, number in self._recent}
        for connection, cluster, probe in connections:
            number = versions.get(id(cluster))
            if number is not None:
                self._open.append((int(connection.partition(".")[2]), number, probe))
        self._recent = self._recent[-1:]
        if len(self._open) >= BLOCK:
            self._close(time)

    def _close(self, time: float) -> None:
        if self._open:
            data = zlib.compress(msgspec.msgpack.encode(self._open), 3)
            self._blocks.append(Block(self._epoch, self._open[0][0], self._open[-1][0], time, data))
            self._grow(len(data))
            self._open = []

    def forget(self, horizon: float) -> None:
        """Drop what is only needed for moments before ``horizon``."""
        while len(self._published) > 1 and self._published[1].time <= horizon:
            self._published.popleft()
        needed = self._published[0].number if self._published else self.number
        while self._blocks and self._blocks[0].time < horizon:
            self._size -= len(self._blocks.popleft().data)
        while len(self._bases) > 1 and self._bases[1][0] <= needed:
            self._bases.popleft()
            self._size -= BASE_OBJECT * len(self._bases[0][2].objects)
        while self._versions and self._versions[0].number <= self._bases[0][0]:
            self._size -= self._versions.popleft().size

    def copy(self) -> Moments:
        """The same, to be read while the loop goes on."""
        other = Moments()
        other.number, other._epoch, other._open = self.number, self._epoch, list(self._open)
        other._bases, other._versions = deque(self._bases), deque(self._versions)
        other._published, other._blocks = deque(self._published), deque(self._blocks)
        return other

    def at(self, time: float) -> Published | None:
        """What the picture showed at a moment; None before the first kept one."""
        place = bisect.bisect_right(self._published, time, key=lambda one: one.time)
        return self._published[place - 1] if place else None

    def cluster(self, number: int) -> Cluster | None:
        """A snapshot by its version; None when it is forgotten."""
        base = max((base for base in self._bases if base[0] <= number), key=lambda base: base[0], default=None)
        if base is None or number > self.number:
            return None
        changes: dict[Key, Obj | None] = {}
        for version in self._versions:
            if base[0] < version.number <= number:
                changes.update(version.changes)
        known = base[2].objects
        return base[2].apply(
            Change("unset", key) if obj is None else Change("set", obj)
            for key, obj in changes.items()
            if obj is not known.get(key)
        )

    def connection(self, name: str) -> tuple[int, Probe] | None:
        """Version and question of a connection that was drawn; None when it is forgotten."""
        epoch, _, number = name.partition(".")
        if not (epoch.isdecimal() and number.isdecimal() and len(name) < 40):
            return None
        wanted = int(number)
        kept: list[Decided] = self._open if int(epoch) == self._epoch else []
        for block in self._blocks:
            if block.epoch == int(epoch) and block.first <= wanted <= block.last:
                kept = _decoder.decode(zlib.decompress(block.data))
        return next(((version, probe) for one, version, probe in kept if one == wanted), None)
