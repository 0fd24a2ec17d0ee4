"""Mappings that change cheaply: a large base everybody shares, and a few entries that differ.

An `Overlay` is what a snapshot holds after a change; a `Kept` holds answers that are worked out when they
are first asked for and outlive changes that do not concern them.
"""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

# A base of this size is copied as fast as its differences would be looked up.
FEW = 512
FEW_STALE = 128
GONE: Any = object()
_MISSING: Any = object()


class Overlay(Mapping[K, V]):
    """A read-only mapping over a base dict. Neither the base nor the differences may be changed by others."""

    __slots__ = ("_base", "_over")

    def __init__(self, base: dict[K, V], over: dict[K, V]) -> None:
        self._base, self._over = base, over

    def __getitem__(self, key: K) -> V:
        found: V = self._over.get(key, _MISSING)
        if found is _MISSING:
            return self._base[key]
        if found is GONE:
            raise KeyError(key)
        return found

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...
    def get(self, key: K, /, default: Any = None) -> Any:
        """As of a dict."""
        found = self._over.get(key, _MISSING)
        if found is _MISSING:
            return self._base.get(key, default)
        return default if found is GONE else found

    def __contains__(self, key: Any) -> bool:
        found = self._over.get(key, _MISSING)
        return key in self._base if found is _MISSING else found is not GONE

    def __iter__(self) -> Iterator[K]:
        return iter(self.folded())

    def __len__(self) -> int:
        return len(self.folded())

    def keys(self) -> KeysView[K]:
        """As of a dict."""
        return self.folded().keys()

    def values(self) -> ValuesView[V]:
        """As of a dict."""
        return self.folded().values()

    def items(self) -> ItemsView[K, V]:
        """As of a dict."""
        return self.folded().items()

    def folded(self) -> dict[K, V]:
        """All of it as one dict, which becomes the base: whoever walks over everything pays for that anyway."""
        base, over = self.parts()
        if not over:
            return base
        merged = {**base, **over}
        for key, value in over.items():
            if value is GONE:
                del merged[key]
        self._base = merged  # with the old differences on top it says the same, whoever reads meanwhile
        self._over = {}
        return merged

    def parts(self) -> tuple[dict[K, V], dict[K, V]]:
        """Base and differences that belong together, also while another thread folds them."""
        over = self._over
        return self._base, over


def changed(old: Mapping[K, V], changes: Mapping[K, V]) -> Mapping[K, V]:
    """``old`` with entries set, or taken away where the value is `GONE`. ``old`` stays as it is."""
    if isinstance(old, Overlay):
        base, over = old.parts()
        over = over.copy()
    else:
        base, over = old if isinstance(old, dict) else dict(old), {}
    for key, value in changes.items():
        if value is GONE and key not in base:
            over.pop(key, None)
        else:
            over[key] = value
    new = Overlay(base, over)
    return new.folded() if len(base) <= FEW or len(over) > FEW else new


class Kept(Generic[K, V]):
    """Answers by key, filled by whoever asks first. `without` leaves some out and shares the rest.

    A key is answered from the same facts in every snapshot that shares it, so a late answer of an old
    snapshot is right for the new one too.
    """

    __slots__ = ("_own", "_shared", "_stale")

    def __init__(self) -> None:
        self._shared: dict[K, V] = {}
        self._own: dict[K, V] = {}
        self._stale: frozenset[K] = frozenset()

    def get(self, key: K) -> V | None:
        """The answer, None when nobody asked yet."""
        if not self._stale:
            return self._shared.get(key)
        return (self._own if key in self._stale else self._shared).get(key)

    def put(self, key: K, value: V) -> V:
        """Keep an answer and return it."""
        (self._own if key in self._stale else self._shared)[key] = value
        return value

    def without(self, keys: Collection[K]) -> Kept[K, V]:
        """Another store that knows nothing about these keys."""
        if not self._shared and not self._own:
            return Kept()
        new: Kept[K, V] = Kept.__new__(Kept)
        gone = self._stale.union(keys)
        own = {key: value for key, value in self._own.copy().items() if key not in keys} if self._own else {}
        if len(gone) > FEW_STALE:
            new._shared = {key: value for key, value in self._shared.copy().items() if key not in gone} | own
            new._own, new._stale = {}, frozenset()
        else:
            new._shared, new._own, new._stale = self._shared, own, gone
        return new
