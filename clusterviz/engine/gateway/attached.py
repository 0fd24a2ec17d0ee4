"""Attachments as requests ask for them: by Gateway, listener and host, however many routes there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from clusterviz.engine.gateway.attach import Attachment
from clusterviz.engine.gateway.objects import Name


def fitting(host: str) -> list[str]:
    """Every hostname that covers a host: itself, its wildcards, any (GW-02)."""
    labels = host.split(".")
    first = 1 if labels[0] else 2  # a wildcard stands for something
    return [host, *(f"*.{'.'.join(labels[start:])}" for start in range(first, len(labels))), ""]


class OnListener:
    """The attachments of one Gateway, as one of its listeners sees them."""

    def __init__(self, listener: str, every: tuple[Attachment, ...]) -> None:
        self.routes = list(dict.fromkeys(one.route for one in every if one.accepted and one.listener == listener))
        self._place = {route: place for place, route in enumerate(self.routes)}
        self.elsewhere = [
            one for one in every if not (one.accepted and one.listener == listener) and one.route not in self._place
        ]
        self._by_host: dict[str, list[Name]] = {}
        for one in every:
            if one.accepted and one.listener == listener:
                for hostname in one.hostnames:
                    self._by_host.setdefault(hostname, []).append(one.route)

    def of_host(self, host: str) -> list[Name]:
        """The routes of which a hostname covers a host, in the order of all."""
        found = {route for hostname in fitting(host) for route in self._by_host.get(hostname, ())}
        return sorted(found, key=self._place.__getitem__)

    def others(self, host: str) -> Iterator[Name]:
        """The attached routes that are for other hosts."""
        ours = set(self.of_host(host))
        return (route for route in self.routes if route not in ours)


class Attached:
    """Every attachment of a snapshot, in order, and those of each Gateway."""

    def __init__(self, every: Iterable[Attachment]) -> None:
        self.every = tuple(every)
        self._listeners: dict[tuple[Name, str], OnListener] = {}

    @cached_property
    def _by_gateway(self) -> dict[Name, tuple[Attachment, ...]]:
        found: dict[Name, list[Attachment]] = {}
        for one in self.every:
            found.setdefault(one.gateway, []).append(one)
        return {name: tuple(some) for name, some in found.items()}

    @cached_property
    def _hosts(self) -> dict[Name, frozenset[str]]:
        return {
            name: frozenset(host for one in some if one.accepted for host in one.hostnames if host)
            for name, some in self._by_gateway.items()
        }

    def of(self, gateway: Name) -> tuple[Attachment, ...]:
        """Those of one Gateway."""
        return self._by_gateway.get(gateway, ())

    def on(self, gateway: Name, listener: str) -> OnListener:
        """Those of one Gateway as one of its listeners sees them."""
        key = gateway, listener
        if key not in self._listeners:
            self._listeners[key] = OnListener(listener, self.of(gateway))
        return self._listeners[key]

    def named(self, gateway: Name, host: str) -> bool:
        """Whether a hostname of an attached route covers a host."""
        known = self._hosts.get(gateway, frozenset())
        return any(one in known for one in fitting(host))
