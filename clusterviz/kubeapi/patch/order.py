"""The order of a merged list: the patch's elements in its order, the others where they stood."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["in_order"]


def in_order(merged: list[Any], wanted: list[Any], former: list[Any], key: str) -> list[Any]:
    """`merged` sorted: elements of `wanted` in that order, the others as in `former`, interleaved as `former` was.

    Elements are told apart by the value of `key`, or by themselves when it is "".
    """
    wish = _positions(wanted, key)
    before = _positions(former, key)
    ours = sorted((item for item in merged if _name(item, key) in wish), key=lambda item: wish[_name(item, key)])
    theirs = [item for item in merged if _name(item, key) not in wish]
    theirs.sort(key=lambda item: before.get(_name(item, key), len(former)))
    result: list[Any] = []
    at = 0
    for item in ours:
        place = before.get(_name(item, key))
        while place is not None and at < len(theirs) and before.get(_name(theirs[at], key), len(former)) < place:
            result.append(theirs[at])
            at += 1
        result.append(item)
    return result + theirs[at:]


def _positions(items: list[Any], key: str) -> dict[bytes, int]:
    positions: dict[bytes, int] = {}
    for at, item in enumerate(items):
        positions.setdefault(_name(item, key), at)
    return positions


def _name(item: Any, key: str) -> bytes:
    """A hashable identity: 1 and true differ, and no value of a list is mistaken for another."""
    return msgspec.json.encode(item.get(key) if key and isinstance(item, dict) else item, order="sorted")
