"""`decide`: only what becomes of a probe, without the story. For many thousands a second.

What is not plain is walked, so there is one truth; the tests hold both ways against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.plain import plain
from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import Decision, outcome
from clusterviz.engine.walk import walk

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

__all__ = ["Decision", "decide", "outcome"]


def decide(cluster: Cluster, probe: Probe) -> Decision:
    """The outcome of `trace`. Raises `ProbeError` as it does."""
    return plain(cluster, probe) or outcome(walk(cluster, probe))
