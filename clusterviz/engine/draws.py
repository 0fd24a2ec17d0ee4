"""One connection with every backend it can get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.addresses import host_port
from clusterviz.engine.decision import decide
from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import Decision
from clusterviz.engine.walk import trace

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

#: Draws at least, and at most for each backend: rare choices on the way are met, and a lottery comes to an end.
DRAWS, DRAWS_A_BACKEND = 12, 60


def every_draw(cluster: Cluster, probe: Probe) -> Iterator[tuple[Probe, Decision]]:
    """The probe with seed after seed, and what becomes of it, until every backend was met. Raises `ProbeError`."""
    missing = {branch.address for branch in trace(cluster, probe).branches if branch.probability > 0}
    for seed in range(max(DRAWS, DRAWS_A_BACKEND * len(missing))):
        drawn = msgspec.structs.replace(probe, seed=seed)
        made = decide(cluster, drawn)
        missing.discard(host_port(made.address, made.port))
        yield drawn, made
        if seed + 1 >= DRAWS and not missing:
            return


def fates(cluster: Cluster, probe: Probe) -> dict[Decision, Probe]:
    """What can become of a connection, each with a probe that shows it. Raises `ProbeError`."""
    found: dict[Decision, Probe] = {}
    for drawn, made in every_draw(cluster, probe):
        found.setdefault(made, drawn)
    return found
