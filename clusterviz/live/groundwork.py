"""What a large cluster takes before it lives as the others do, for a thread beside the loop.

Nothing here changes what it is given: the simulator takes over the result at once (`Simulator.adopt`).
"""

from __future__ import annotations

import contextlib
import gc
import random
from collections.abc import Callable, Iterable, Iterator

import msgspec

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.cluster import Change
from clusterviz.engine.controllers import Controller, Reconciler, Timing, last_addresses
from clusterviz.engine.controllers.work import Happening
from clusterviz.engine.loading import no_collections
from clusterviz.engine.objects import Key, Obj
from clusterviz.live.names import names_of
from clusterviz.live.zones import offset

# Looks at what fell due while the controllers looked at everything.
AGAIN = 2


class FirstLook(msgspec.Struct, frozen=True):
    """The controllers, and what they did when they looked at the cluster, for the first time or again.

    ``cluster`` is the snapshot after it, ``keys`` what is different in it, ``wake`` when they want to look again.
    """

    reconciler: Reconciler
    cluster: Cluster
    keys: set[Key]
    happenings: list[Happening]
    wake: float | None


def first_look(
    cluster: Cluster,
    rng: random.Random,
    *,
    timing: Timing,
    controllers: tuple[Controller, ...],
    moment: Callable[[], float],
    again: int = 0,
) -> FirstLook:
    """Let the controllers take in ``cluster`` at the time ``moment`` tells, and ``again`` what fell due meanwhile."""
    objects = cluster.objects
    reconciler = Reconciler(
        objects,
        settings=cluster.settings,
        timing=timing,
        last_ip=last_addresses(objects),
        controllers=controllers,
        zones=offset,
    )
    return next_look(reconciler, cluster, rng, moment=moment, again=again)


def next_look(
    reconciler: Reconciler,
    cluster: Cluster,
    rng: random.Random,
    *,
    moment: Callable[[], float],
    again: int = 0,
) -> FirstLook:
    """Let the controllers act on ``cluster``, of which they know everything."""
    keys: set[Key] = set()
    happenings: list[Happening] = []
    while True:
        outcome = reconciler.run(now=moment(), rng=rng)
        happenings += outcome.happenings
        if outcome.changes:
            cluster, changed = applied(cluster, outcome.changes)
            keys |= changed
            reconciler.note((key, cluster.objects.get(key)) for key in sorted(changed))
        again -= 1
        if again < 0 or outcome.wake is None or outcome.wake > moment():
            return FirstLook(reconciler, cluster, keys, happenings, outcome.wake)


def applied(cluster: Cluster, changes: Iterable[Change]) -> tuple[Cluster, set[Key]]:
    """The next snapshot, and the keys of what is different in it."""
    changes = list(changes)
    after = cluster.apply(changes)
    keys = {change.key for change in changes}
    starved = any(not node.ips or not node.pod_cidrs for node in cluster.nodes.values())
    if starved and any(key[0] == "Node" for key in keys):
        # Addresses the snapshot filled in on its own are changes too.
        nodes: list[Key] = [("Node", "", name) for name in after.nodes]
        keys |= {key for key in nodes if cluster.objects.get(key) is not after.objects[key]}
    return after, keys


def prepared(
    name: str, cluster: Cluster, look: Callable[..., FirstLook] | None, moment: Callable[[], float]
) -> FirstLook | None:
    """Every index people's questions need, then the controllers' ``look`` if it is they who run the cluster."""
    with lasting():
        cluster.warm()
        names_of(name, cluster)
        return look(moment=moment, again=AGAIN) if look is not None else None


@contextlib.contextmanager
def lasting() -> Iterator[None]:
    """What is made inside stays: a look for garbage among millions of objects would stop everything for seconds."""
    with no_collections():
        yield
        gc.freeze()


def differences(cluster: Cluster, objects: list[Obj], settings: Settings) -> list[Change]:
    """What leads from a snapshot to these objects."""
    new = Cluster.from_objects(objects, settings=settings, expand=False).objects
    gone: list[Key] = [key for key in cluster.objects if key not in new]
    return [Change("unset", key) for key in gone] + [
        Change("set", obj) for key, obj in new.items() if cluster.objects.get(key) != obj
    ]
