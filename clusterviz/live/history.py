"""The last minutes of a cluster: the very messages browsers got, and the pictures they build on.

Messages are numbered lines of JSON. They stand in chapters, each of which begins with a keyframe: the
whole picture at that moment. Old chapters go when they are older than `SECONDS` or when everything
kept takes more than the cap. Written by the loop, read from any thread.
"""

from __future__ import annotations

import bisect
import threading
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from clusterviz.engine import Cluster, Probe
from clusterviz.engine.objects import Key
from clusterviz.live.moments import Moments, Published

SECONDS = 900.0
# A chapter ends after this long if it holds more than its keyframe, at the latest after the longest time, and when
# it fills this share of the cap.
CHAPTER = 30.0
LONGEST = 300.0
SHARE = 8
BLOCK = 96 * 1024
LEVEL = 4
BUCKET_SIZE = 160
REBUILT = 4
KEYFRAME = b'{"type":"keyframe"'


class Line(NamedTuple):
    """One message as it was sent."""

    number: int
    time: float
    text: bytes


class Block(NamedTuple):
    """Lines from number ``first``, compressed together."""

    first: int
    times: tuple[float, ...]
    raw: int
    data: bytes

    def lines(self) -> list[Line]:
        """The lines again."""
        texts = zlib.decompress(self.data).split(b"\n")
        return [Line(self.first + i, self.times[i], text) for i, text in enumerate(texts)]


class Chapter:
    """A keyframe and the lines that build on it; ``breaks`` when nothing leads here from the chapter before."""

    def __init__(self, time: float, first: int, *, breaks: bool) -> None:
        self.time, self.first, self.breaks = time, first, breaks
        self.keyframe: bytes | None = None
        self.blocks: list[Block] = []
        self.size = 0


class Bucket(msgspec.Struct, array_like=True):
    """One second: connections by outcome, Warning events, and whether anybody looked."""

    time: int
    ok: int = 0
    refused: int = 0
    dropped: int = 0
    warnings: int = 0
    watched: bool = False


class Piece(NamedTuple):
    """A part of the past: lines in order, after a keyframe unless it goes on from another piece.

    What follows line ``last`` goes on from it.
    """

    keyframe: bytes | None
    lines: Sequence[Line]
    last: int
    more: bool


class Summary(NamedTuple):
    """What there is."""

    oldest: float | None
    capped: bool
    size: int
    buckets: list[Bucket]


class History:
    """The past of one cluster in this process. ``cap`` is in bytes; a restart begins anew."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.capped = False
        self.newest = 0.0
        self._lock = threading.Lock()
        self._moments = Moments()
        self._chapters: deque[Chapter] = deque()
        self._open: list[Line] = []
        self._open_size = 0
        self._number = 0
        self._size = 0
        self._mark = 0
        self._buckets: deque[Bucket] = deque()
        self._rebuilt: dict[int, Cluster] = {}
        self._breaks = False

    def begin(self, epoch: int, time: float, cluster: Cluster, seq: int = 0) -> None:
        """A new epoch starts; its chapter must be begun next."""
        with self._lock:
            self._moments.begin(epoch, time, cluster)
            self._moments.publish(time, seq)
            self.newest = time
            self._breaks = True

    def chapter(self, time: float) -> Chapter:
        """Begin a chapter with the present; the caller gives its keyframe to `keep` as soon as it is encoded."""
        with self._lock:
            self._close()
            chapter = Chapter(time, self._number + 1, breaks=self._breaks)
            self._breaks = False
            self._chapters.append(chapter)
            self._mark = self._moments.grown
            return chapter

    def keep(self, chapter: Chapter, keyframe: bytes) -> None:
        """The keyframe of a chapter; until then the one before is gone on with."""
        data = zlib.compress(keyframe, LEVEL)
        with self._lock:
            if chapter in self._chapters:
                chapter.keyframe = data
                chapter.size += len(data)
                self._size += len(data)

    def change(self, time: float, cluster: Cluster, keys: Iterable[Key]) -> None:
        """The engine has another snapshot."""
        with self._lock:
            self._moments.change(time, cluster, keys)

    def state(self, time: float, seq: int, text: str | None, warnings: int = 0) -> None:
        """A `state` message was sent; None when the picture shows the newest snapshot without one."""
        with self._lock:
            self._moments.publish(time, seq)
            if text is not None:
                self._add(time, text)
            if warnings:
                self._bucket(time).warnings += warnings
            self._forget(time)

    def traffic(
        self, time: float, text: str, counts: Sequence[int], connections: Iterable[tuple[str, Cluster, Probe]]
    ) -> None:
        """A `traffic` message was sent; ``counts`` are its delivered, refused and dropped connections."""
        with self._lock:
            self._moments.decided(time, connections)
            self._add(time, text)
            bucket = self._bucket(time)
            bucket.ok += counts[0]
            bucket.refused += counts[1]
            bucket.dropped += counts[2]
            bucket.watched = True
            self._forget(time)

    def due(self, time: float) -> bool:
        """Whether it is time for another chapter."""
        if not self._chapters:
            return True
        chapter = self._chapters[-1]
        size = chapter.size + self._open_size // 4 + self._moments.grown - self._mark
        if self._number < chapter.first:
            return False
        if chapter.keyframe is None:  # it is being encoded, or could not be
            return time - chapter.time > 2 * CHAPTER
        if size > self.cap // SHARE:
            return True
        age = time - chapter.time
        return age >= LONGEST or (age >= CHAPTER and size > 2 * len(chapter.keyframe))

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._size + self._open_size + self._moments.size + BUCKET_SIZE * len(self._buckets)

    def _add(self, time: float, text: str) -> None:
        self._number += 1
        self.newest = max(self.newest, time)
        line = Line(self._number, time, text.encode())
        self._open.append(line)
        self._open_size += len(line.text)
        if self._open_size >= BLOCK:
            self._close()

    def _close(self) -> None:
        if not self._open or not self._chapters:
            return
        data = zlib.compress(b"\n".join(line.text for line in self._open), LEVEL)
        times = tuple(line.time for line in self._open)
        self._chapters[-1].blocks.append(Block(self._open[0].number, times, self._open_size, data))
        self._chapters[-1].size += len(data) + 32 * len(times)
        self._size += len(data) + 32 * len(times)
        self._open, self._open_size = [], 0

    def _bucket(self, time: float) -> Bucket:
        if not self._buckets or self._buckets[-1].time < int(time):
            self._buckets.append(Bucket(int(time)))
        return self._buckets[-1]

    def _forget(self, now: float) -> None:
        """Drop chapters that are too old or too many; the newest with a keyframe stays."""
        while len(self._chapters) > 1 and self._chapters[1].keyframe is not None:
            old, heavy = self._chapters[1].time < now - SECONDS, self.size > self.cap
            if not (old or heavy):
                break
            self.capped = not old
            self._size -= self._chapters.popleft().size
            self._moments.forget(self._chapters[0].time)
        while self._buckets and self._buckets[0].time < now - SECONDS:
            self._buckets.popleft()
        self._moments.forget(max(self._chapters[0].time if self._chapters else now, now - SECONDS))

    def summary(self) -> Summary:
        """How far it reaches back, and what happened in each second."""
        with self._lock:
            first = next((chapter for chapter in self._chapters if chapter.keyframe is not None), None)
            oldest = max(first.time, self.newest - SECONDS) if first else None
            buckets = [msgspec.structs.replace(bucket) for bucket in self._buckets]
            return Summary(oldest, self.capped, self.size, buckets)

    def piece(self, start: float, end: float, most: int) -> Piece:
        """From the keyframe before ``start`` (or the oldest) up to ``end``, at most about ``most`` bytes of lines.

        Where a new epoch begins its keyframe stands between the lines.
        """
        with self._lock:
            kept = list(self._chapters)
            found = [place for place, chapter in enumerate(kept) if chapter.keyframe is not None]
            if not found:
                return Piece(None, [], 0, more=False)
            after = bisect.bisect_right(found, start, key=lambda place: kept[place].time)
            chapters, rest = kept[found[max(0, after - 1)] :], list(self._open)
            blocks = [list(chapter.blocks) for chapter in chapters]
        keyframe = keyframe_of(chapters[0])
        lines, more = _cut(_told(chapters, blocks, rest), chapters[0].first, end, most)
        return Piece(keyframe, lines, lines[-1].number if lines else chapters[0].first - 1, more)

    def after(self, number: int, end: float, most: int) -> Piece | None:
        """What follows line ``number`` up to ``end``; None when there is a gap by now."""
        with self._lock:
            if number > self._number or not self._chapters or number + 1 < self._chapters[0].first:
                return None
            kept = list(self._chapters)
            place = bisect.bisect_right(kept, number, key=lambda chapter: chapter.first)
            chapters, rest = kept[max(0, place - 1) :], list(self._open)
            blocks = [list(chapter.blocks) for chapter in chapters]
        lines, more = _cut(_told(chapters, blocks, rest), number + 1, end, most)
        return Piece(None, lines, lines[-1].number if lines else number, more)

    def keyframes(self) -> list[float]:
        """When the chapters begin."""
        with self._lock:
            return [chapter.time for chapter in self._chapters if chapter.keyframe is not None]

    def moment(self, time: float) -> tuple[Published, Cluster] | None:
        """The engine's snapshot that the picture showed at a moment; None when it is not kept."""
        with self._lock:
            published = self._moments.at(time)
        cluster = self._rebuild(published.number) if published else None
        return (published, cluster) if published and cluster else None

    def connection(self, name: str) -> tuple[Cluster, Probe] | None:
        """The snapshot and the question of a connection that was drawn; None when it is forgotten."""
        with self._lock:
            moments = self._moments.copy()
        found = moments.connection(name)
        cluster = self._rebuild(found[0]) if found else None
        return (cluster, found[1]) if found and cluster else None

    def _rebuild(self, number: int) -> Cluster | None:
        """A snapshot, made again from the one kept before it; the last few are remembered with their indexes."""
        with self._lock:
            found = self._rebuilt.get(number)
            moments = self._moments.copy() if found is None else None
        if moments is None:
            return found
        cluster = moments.cluster(number)
        if cluster is not None:
            with self._lock:
                while len(self._rebuilt) >= REBUILT:
                    self._rebuilt.pop(next(iter(self._rebuilt)))
                self._rebuilt[number] = cluster
        return cluster


def keyframe_of(chapter: Chapter) -> bytes:
    """The picture a chapter begins with, as a line of its own."""
    assert chapter.keyframe is not None
    return KEYFRAME + b',"snapshot":' + zlib.decompress(chapter.keyframe) + b"}"


def _told(chapters: Sequence[Chapter], blocks: Sequence[Sequence[Block]], rest: Sequence[Line]) -> Iterator[Line]:
    """All lines of these chapters, with the keyframe where one does not follow from the one before."""
    for number, (chapter, some) in enumerate(zip(chapters, blocks, strict=True)):
        if number and chapter.breaks and chapter.keyframe is not None:
            yield Line(chapter.first, chapter.time, keyframe_of(chapter))
        for block in some:
            yield from block.lines()
    yield from rest


def _cut(told: Iterable[Line], first: int, end: float, most: int) -> tuple[list[Line], bool]:
    """Lines from number ``first`` up to ``end``, and whether the size ended them."""
    lines: list[Line] = []
    size, more = 0, False
    for line in told:
        if line.number < first:
            continue
        if line.time > end:
            break
        if size > most:
            more = True
            break
        lines.append(line)
        size += len(line.text)
    # A keyframe shares its number with the line after it: the next piece brings both.
    while lines and lines[-1].text.startswith(KEYFRAME):
        lines.pop()
    return lines, more
