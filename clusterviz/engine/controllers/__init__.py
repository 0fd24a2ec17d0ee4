"""Controllers: what is wanted becomes what is, in passes that are pure functions.

`reconcile` runs every controller over the objects until none has anything to do at this moment,
and says when to come back. Time, chance and settings come in as arguments.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import msgspec

from clusterviz.engine.cluster import Change
from clusterviz.engine.controllers.deployment import deployments
from clusterviz.engine.controllers.disruption import disruption_budgets
from clusterviz.engine.controllers.endpoints import endpoint_slices
from clusterviz.engine.controllers.garbage import collect_garbage
from clusterviz.engine.controllers.jobs import jobs
from clusterviz.engine.controllers.kubelet import kubelets
from clusterviz.engine.controllers.load_balancer import load_balancers
from clusterviz.engine.controllers.nodes import nodes
from clusterviz.engine.controllers.scheduler import schedule
from clusterviz.engine.controllers.work import Happening, Timing, Work
from clusterviz.engine.controllers.workloads import daemonsets, replicasets, statefulsets
from clusterviz.engine.objects import Key, Obj
from clusterviz.engine.settings import Settings

__all__ = ["CONTROLLERS", "Happening", "Outcome", "Timing", "reconcile"]

Controller = Callable[[Work], None]
CONTROLLERS: tuple[Controller, ...] = (
    nodes,
    deployments,
    replicasets,
    statefulsets,
    daemonsets,
    jobs,
    collect_garbage,
    schedule,
    kubelets,
    endpoint_slices,
    load_balancers,
    disruption_budgets,
)
MAX_PASSES = 20


class Outcome(msgspec.Struct, frozen=True):
    """What a reconciliation changed, what it told, and when there will be more to do."""

    changes: tuple[Change, ...]
    happenings: tuple[Happening, ...]
    wake: float | None


def reconcile(
    objects: Mapping[Key, Obj],
    *,
    now: float,
    rng: random.Random,
    settings: Settings | None = None,
    timing: Timing | None = None,
    last_ip: dict[str, str] | None = None,
    controllers: tuple[Controller, ...] = CONTROLLERS,
) -> Outcome:
    """Let the controllers act at this moment.

    ``last_ip`` remembers each node's last address between calls, as the IPAM plugin does (IPM-02).
    """
    work = Work(
        objects,
        now=now,
        rng=rng,
        settings=settings or Settings(),
        timing=timing or Timing(),
        last_ip=last_ip,
    )
    for _ in range(MAX_PASSES):
        before = len(work.happenings), dict(work.written)
        for controller in controllers:
            controller(work)
        if before == (len(work.happenings), work.written):
            break
    changes = tuple(
        Change("unset", key) if obj is None else Change("set", obj)
        for key, obj in work.written.items()
        if objects.get(key) != obj
    )
    return Outcome(changes, tuple(work.happenings), work.wake_at)
