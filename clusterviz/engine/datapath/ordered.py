"""Ingresses in their order, with what is looked up by host: built once, however many requests are asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, overload
from weakref import WeakKeyDictionary

from clusterviz.engine.objects import Ingress, IngressRule

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Ruled(NamedTuple):
    """A rule of an Ingress; ``position`` is its place among all."""

    position: int
    ingress: Ingress
    rule: IngressRule


class Ordered(Sequence[Ingress]):
    """Ingresses, the one that goes first in front (ING-12)."""

    def __init__(self, ingresses: Iterable[Ingress]) -> None:
        self._all = tuple(ingresses)

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, index: int) -> Ingress: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Ingress, ...]: ...
    def __getitem__(self, index: int | slice) -> Ingress | tuple[Ingress, ...]:
        return self._all[index]

    def __iter__(self) -> Iterator[Ingress]:
        return iter(self._all)

    @cached_property
    def rules(self) -> tuple[Ruled, ...]:
        """Every rule of every Ingress, in order."""
        pairs = ((ingress, rule) for ingress in self for rule in ingress.rules)
        return tuple(Ruled(position, *pair) for position, pair in enumerate(pairs))

    @cached_property
    def by_host(self) -> dict[str, list[Ruled]]:
        """The rules of each host as it is written; "" is any."""
        found: dict[str, list[Ruled]] = {}
        for one in self.rules:
            found.setdefault(one.rule.host, []).append(one)
        return found

    @cached_property
    def with_tls(self) -> tuple[Ingress, ...]:
        """Those that name a certificate for some host."""
        return tuple(one for one in self if one.tls)

    @cached_property
    def with_default(self) -> tuple[Ingress, ...]:
        """Those with a default backend."""
        return tuple(one for one in self if one.default_backend is not None)

    def fitting(self, host: str) -> list[str]:
        """Hosts of rules that take a request for ``host``, the most specific first (ING-02, ING-03)."""
        first, _, rest = host.partition(".")
        wanted = dict.fromkeys((host, f"*.{rest}" if first and rest else "", ""))
        return [one for one in wanted if one in self.by_host]

    def of_hosts(self, hosts: Iterable[str]) -> list[Ruled]:
        """The rules of some hosts of `by_host`, in order."""
        found = [one for host in hosts for one in self.by_host[host]]
        return sorted(found, key=lambda one: one.position)


# A snapshot never changes, so what was found for it holds as long as it lives.
_ALL: WeakKeyDictionary[Cluster, Ordered] = WeakKeyDictionary()


def oldest_first(ingresses: Iterable[Ingress]) -> Ordered:
    """By age, then name (ING-12); one that does not say when it was created is taken for the newest."""
    if isinstance(ingresses, Ordered):
        return ingresses
    return Ordered(sorted(ingresses, key=lambda one: (not one.created, one.created, one.namespace, one.name)))


def every_ingress(cluster: Cluster) -> Ordered:
    """All Ingresses of a snapshot, oldest first."""
    found = _ALL.get(cluster)
    if found is None:
        found = _ALL[cluster] = oldest_first(cluster.ingresses.values())
    return found
