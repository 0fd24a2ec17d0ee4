"""One connection with every backend it can get."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.decision import decide
from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import Decision
from clusterviz.engine.walk import trace

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

#: Draws at least, and at most for each backend: rare choices on the way are met, and a lottery comes to an end.
DRAWS, DRAWS_A_BACKEND = 12, 60
Kind = Callable[[str], Hashable]


def itself(ip: str) -> Hashable:
    """Every backend is of its own kind."""
    return ip


def every_draw(cluster: Cluster, probe: Probe, kind: Kind = itself) -> Iterator[tuple[Probe, Decision]]:
    """The probe with seed after seed, and what becomes of it, until every backend was met. Raises `ProbeError`.

    ``kind`` tells by its address what a backend is: one of each kind suffices.
    """
    likely = [branch.address for branch in trace(cluster, probe).branches if branch.probability > 0]
    missing = {_end(*_parts(address), kind) for address in likely}
    for seed in range(max(DRAWS, DRAWS_A_BACKEND * len(likely))):
        drawn = msgspec.structs.replace(probe, seed=seed)
        made = decide(cluster, drawn)
        missing.discard(_end(made.address, str(made.port), kind))
        yield drawn, made
        if seed + 1 >= DRAWS and not missing:
            return


def fates(cluster: Cluster, probe: Probe, kind: Kind = itself) -> dict[Decision, Probe]:
    """What can become of a connection, each with a probe that shows it. Raises `ProbeError`."""
    found: dict[Decision, Probe] = {}
    for drawn, made in every_draw(cluster, probe, kind):
        found.setdefault(made, drawn)
    return found


def _end(ip: str, port: str, kind: Kind) -> tuple[Hashable, str]:
    return kind(ip), port


def _parts(address: str) -> tuple[str, str]:
    ip, _, port = address.rpartition(":")
    return ip.strip("[]"), port
