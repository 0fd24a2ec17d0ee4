"""The hash of all objects of a snapshot, which follows changes when it is read and not at each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from clusterviz.engine.objects import Key, Obj, encoded
from clusterviz.engine.overlay import GONE

# So many changes wait for a reader at most: what they replaced stays in memory meanwhile.
MOST_BEHIND = 512


class Behind(NamedTuple):
    """What a change replaced: `GONE` where nothing was; and the changes before it that are not hashed either."""

    replaced: dict[Key, Any]
    before: Behind | None
    waiting: int


class Hashed(NamedTuple):
    """The hashes of all objects of a snapshot combined, and what has changed since."""

    total: int
    behind: Behind | None = None

    @classmethod
    def of(cls, objects: Mapping[Key, Obj]) -> Hashed:
        """Every object hashed."""
        total = 0
        for key, obj in objects.items():
            total ^= digest(key, obj)
        return cls(total)

    def after(self, objects: Mapping[Key, Obj], wanted: Mapping[Key, Any]) -> Hashed:
        """For the snapshot in which these entries are set or `GONE`; ``objects`` are those before."""
        known = self
        if self.behind is not None and self.behind.waiting >= MOST_BEHIND:
            known = self.caught_up(objects)
        waiting = known.behind.waiting if known.behind is not None else 0
        replaced = {key: objects.get(key, GONE) for key in wanted}
        return Hashed(known.total, Behind(replaced, known.behind, waiting + len(replaced)))

    def caught_up(self, objects: Mapping[Key, Obj]) -> Hashed:
        """With every change hashed, once for an object that changed often; ``objects`` are those of this snapshot."""
        first: dict[Key, Any] = {}
        step = self.behind
        while step is not None:
            first.update(step.replaced)  # from the newest to the oldest: what was hashed last stays
            step = step.before
        total = self.total
        for key, obj in first.items():
            total ^= digest(key, obj) ^ digest(key, objects.get(key, GONE))
        return Hashed(total)


def digest(key: Key, obj: Any) -> int:
    """Hash of one object, 0 for `GONE`; the key is in it, as a namespace may be left out and defaulted."""
    if obj is GONE:
        return 0
    data = repr(key).encode() + encoded(obj)
    return int.from_bytes(hashlib.blake2b(data, digest_size=16).digest())
