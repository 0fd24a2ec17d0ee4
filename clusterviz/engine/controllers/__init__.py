"""Controllers: what is wanted becomes what is.

A `Reconciler` keeps the objects on a board and lets every controller look at what changed, until none has anything to
do at this moment; `reconcile` does the same once, with everything new. Time, chance and settings come in as arguments,
and both come to the same result.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

import msgspec

from clusterviz.engine.addresses import sortable
from clusterviz.engine.cluster import Change
from clusterviz.engine.controllers import (
    cronjobs,
    deployment,
    disruption,
    endpoints,
    finalizers,
    garbage,
    jobs,
    kubelet,
    load_balancer,
    namespaces,
    nodes,
    scheduler,
    statefulset,
    workloads,
)
from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Desk, Zones
from clusterviz.engine.controllers.work import Happening, Timing, Work, spec
from clusterviz.engine.fill import pod_addresses
from clusterviz.engine.objects import Key, Obj
from clusterviz.engine.settings import Settings

__all__ = ["CONTROLLERS", "Controller", "Happening", "Outcome", "Reconciler", "Timing", "last_addresses", "reconcile"]

CONTROLLERS: tuple[Controller, ...] = (
    namespaces.NAMESPACES,
    finalizers.FINALIZERS,
    nodes.NODES,
    nodes.EVICTIONS,
    # ReplicaSets first: Deployments go by what these counted.
    workloads.REPLICASETS,
    deployment.DEPLOYMENTS,
    statefulset.STATEFULSETS,
    workloads.DAEMONSETS,
    cronjobs.CRONJOBS,
    jobs.JOBS,
    garbage.GARBAGE,
    scheduler.SCHEDULER,
    kubelet.KUBELETS,
    endpoints.ENDPOINT_SLICES,
    load_balancer.LOAD_BALANCERS,
    disruption.DISRUPTION_BUDGETS,
)
MAX_PASSES = 20


def only_utc(zone: str, _moment: float) -> int | None:
    """The one time zone that needs no tables."""
    return 0 if zone in ("UTC", "Etc/UTC", "GMT") else None


class Outcome(msgspec.Struct, frozen=True):
    """What a reconciliation changed, what it told, and when there will be more to do."""

    changes: tuple[Change, ...]
    happenings: tuple[Happening, ...]
    wake: float | None


class Reconciler:
    """The controllers of one cluster and what they know of it."""

    def __init__(
        self,
        objects: Mapping[Key, Obj],
        *,
        settings: Settings | None = None,
        timing: Timing | None = None,
        last_ip: dict[str, str] | None = None,
        controllers: tuple[Controller, ...] = CONTROLLERS,
        zones: Zones = only_utc,
    ) -> None:
        self._settings, self._timing = settings or Settings(), timing or Timing()
        self._board = Board(objects)
        self._desk = Desk(self._board, controllers, {} if last_ip is None else last_ip, zones)
        for key, obj in objects.items():
            self._desk.touch(Touch(key, None, obj))

    def note(self, changes: Iterable[tuple[Key, Obj | None]]) -> None:
        """Objects are different now, or gone (None); what the controllers did themselves changes nothing."""
        for key, obj in changes:
            touch = self._board.set(key, obj)
            if touch is not None:
                self._desk.touch(touch)

    def run(self, *, now: float, rng: random.Random) -> Outcome:
        """Let the controllers act at this moment."""
        desk = self._desk
        desk.ring(now)
        work = Work(self._board, now=now, rng=rng, settings=self._settings, timing=self._timing, desk=desk)
        for _ in range(MAX_PASSES):
            if desk.empty:
                break
            desk.one_pass(work)
        changes = tuple(Change("unset", key) if obj is None else Change("set", obj) for key, obj in work.written())
        wake = desk.next_alarm if desk.empty else now + self._timing.pace
        return Outcome(changes, tuple(work.happenings), wake)


def reconcile(
    objects: Mapping[Key, Obj],
    *,
    now: float,
    rng: random.Random,
    settings: Settings | None = None,
    timing: Timing | None = None,
    last_ip: dict[str, str] | None = None,
    controllers: tuple[Controller, ...] = CONTROLLERS,
    zones: Zones = only_utc,
) -> Outcome:
    """Let the controllers act at this moment on objects they have never seen.

    ``last_ip`` remembers each block's last address between calls, as the IPAM plugin does (IPM-02).
    """
    every = Reconciler(objects, settings=settings, timing=timing, last_ip=last_ip, controllers=controllers, zones=zones)
    return every.run(now=now, rng=rng)


def last_addresses(objects: Mapping[Key, Obj]) -> dict[str, str]:
    """The highest address in use in each node's blocks: taken for the last one given out (IPM-02)."""
    highest: dict[tuple[str, bool], str] = {}
    for key, obj in objects.items():
        if key[0] == "Pod" and (node := spec(obj).get("nodeName")) and not spec(obj).get("hostNetwork"):
            for ip in pod_addresses(obj):
                place = str(node), ":" in ip
                if place not in highest or _order(ip) > _order(highest[place]):
                    highest[place] = ip
    return {
        str(cidr): highest[key[2], ":" in str(cidr)]
        for key, obj in objects.items()
        if key[0] == "Node"
        for cidr in spec(obj).get("podCIDRs") or [spec(obj).get("podCIDR")]
        if cidr and (key[2], ":" in str(cidr)) in highest
    }


def _order(ip: str) -> tuple[int, ...]:
    return (sortable(ip),) if ":" in ip else tuple(map(int, ip.split(".")))
