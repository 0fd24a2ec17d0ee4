"""Remedies in how the cluster is set up, and on its nodes."""

from __future__ import annotations

from collections.abc import Iterator

from clusterviz.engine.remedies.edit import Edit, Situation, setting


def hairpin(_: Situation) -> Iterator[Edit]:
    """Let the bridge send a frame back through the port it came from (PX-06)."""
    yield setting(
        "hairpin",
        True,
        "Switch hairpin mode on at the bridge ports of pods.",
        "The pod drew itself behind its own Service; only in hairpin mode the bridge hands the packet back to it.",
    )


def egress_nat(_: Situation) -> Iterator[Edit]:
    """Masquerade what leaves the pod network (EGR-01, EGR-05)."""
    yield setting(
        "egress_nat",
        True,
        "Masquerade what leaves the cluster.",
        "Outside, nobody has a route to pod addresses; with the node's address as sender the answer comes back.",
    )
