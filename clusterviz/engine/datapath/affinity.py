"""Which endpoint a source was sent to before: sessionAffinity ClientIP on one node (SVC-14, SVC-15).

Every node remembers for itself, by Service port and endpoint, under the address the packet comes
with, before any masquerade; which address of the Service was called does not matter (IPT-09, NFT-06).
"""

from __future__ import annotations

import msgspec

# xt_recent keeps this many sources a list (its ip_list_tot) and forgets the one unused for longest.
RECENT_SOURCES = 100


class Seen(msgspec.Struct, frozen=True):
    """``source`` was last sent to ``endpoint`` (``ip:port``) of ``service_port`` at ``last``, in seconds."""

    node: str
    service_port: str
    endpoint: str
    source: str
    last: float


class Affinity(msgspec.Struct, frozen=True):
    """What the nodes remember, oldest use first. Never changed; `used` gives the next table."""

    seen: tuple[Seen, ...] = ()

    def fresh(self, node: str, service_port: str, source: str, now: float, timeout: int) -> frozenset[str]:
        """Endpoints the source was sent to not longer than ``timeout`` seconds ago."""
        return frozenset(
            one.endpoint
            for one in self.seen
            if (one.node, one.service_port, one.source) == (node, service_port, source) and now - one.last <= timeout
        )

    def used(self, entry: Seen, *, limit: int = 0) -> Affinity:
        """The table after a connection; ``limit`` (0: none) is the most sources one endpoint's list keeps."""
        where = entry.node, entry.service_port, entry.endpoint
        kept = [one for one in self.seen if (*_list_of(one), one.source) != (*where, entry.source)]
        if limit:
            mine = [one for one in kept if _list_of(one) == where]
            gone = set(mine[: max(0, len(mine) - limit + 1)])
            kept = [one for one in kept if one not in gone]
        return Affinity((*kept, entry))


def _list_of(one: Seen) -> tuple[str, str, str]:
    return one.node, one.service_port, one.endpoint
