"""How other rooms of this process hear of a cluster's changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from clusterviz.engine import Cluster
from clusterviz.engine.objects import Key
from clusterviz.live.protocol import Event


class Follower(Protocol):
    """Somebody who is told of every change of a cluster in the loop, whoever made it."""

    def begin(self, cluster: Cluster) -> None:
        """Everything may be different from here on."""

    def change(self, cluster: Cluster, keys: set[Key]) -> None:
        """A new snapshot, and what is different in it. Of a large cluster that is loading from another thread."""

    def told(self, events: Sequence[Event]) -> None:
        """The controllers have had their say about all changes so far; these are their newest events."""
