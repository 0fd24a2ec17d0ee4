"""How new the rules are a node's kube-proxy decides by, where a trace knows or has to take it for granted (PX-18)."""

from __future__ import annotations

from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node

# kube-proxy's own least time between two syncs, in seconds; every trace tells of that one (PX-18).
USUAL_PERIOD = 1.0


def note_freshness(j: Journey, node: Node) -> None:
    """Note rules that are behind, or that may be for longer than usual."""
    period = j.cluster.settings.min_sync_period
    if node.name in j.synced:
        j.assume(
            "rules-behind",
            f"kube-proxy on {node.name} has not heard of the newest objects, everything else is taken to have: "
            "its rules are as they were (PX-18, PX-19).",
        )
    elif period > USUAL_PERIOD:
        j.assume(
            "slow-sync",
            f"Rules are taken to be up to date; kube-proxy here writes them only every {period:g} s (PX-18).",
        )
