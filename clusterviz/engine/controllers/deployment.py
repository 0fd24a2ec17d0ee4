"""Deployments: one ReplicaSet a template, and a rolling change from one to the next (LIF-05, LIF-06).

A Deployment only scales ReplicaSets; these make and delete the pods. Pausing, scaling in the middle of a rollout,
going back to an earlier revision and the history's limit work as in Kubernetes; what it says of itself is in
`rollout_status`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import ended, replicas_of, terminating
from clusterviz.engine.controllers.replicasets import (
    DESIRED,
    MOST,
    current_of,
    renumbered,
    replicaset,
    revision_of,
    sets_of,
    unknown_sets,
)
from clusterviz.engine.controllers.rollout_status import is_complete, write
from clusterviz.engine.controllers.work import Work, annotation, changed, meta, owner_of, spec, status, with_meta
from clusterviz.engine.objects import Obj, key_of

REVISIONS_KEPT = 10


def _one(work: Work, item: Item) -> None:
    """Bring a Deployment towards what it wants."""
    deployment = work.find("Deployment", item)
    if deployment is None or terminating(deployment):
        return
    rollout = Rollout(work, deployment)
    rollout.learn()
    paused = bool(spec(deployment).get("paused"))
    if not paused and not rollout.number():
        return
    if paused or rollout.is_rescaled:
        rollout.rescale()
    elif rollout.recreates:
        rollout.recreate()
    else:
        rollout.roll()
    write(work, deployment, rollout.sets, rollout.sets.get(rollout.new), rollout.unavailable, fresh=rollout.fresh)
    if paused or is_complete(work.get(key_of(deployment)) or deployment):
        rollout.forget()


def _touched(board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "Deployment":
        yield namespace, name
    for obj in touch.sides if kind != "Deployment" else ():
        owner, of = owner_of(obj)
        if kind == "ReplicaSet" and owner == "Deployment":
            yield namespace, of
        elif kind == "ReplicaSet" and not owner:
            yield from (key[1:] for key in board.keys("Deployment", namespace))
        elif owner == "ReplicaSet":
            found = board.get((owner, namespace, of))
            if found is None:
                yield namespace, of.rpartition("-")[0]
            elif touch.new is None:
                yield namespace, owner_of(found)[1]


def share(value: object, replicas: int, *, up: bool) -> int:
    """A maxSurge or maxUnavailable as pods: percentages of surge round up, of unavailable down."""
    text = "25%" if value is None else str(value)
    if not text.endswith("%"):
        return int(text) if text.isdecimal() else 0
    part = replicas * float(text[:-1]) / 100
    return math.ceil(part) if up else math.floor(part)


def bounds(wanted: int, strategy: Obj | None) -> tuple[int, int]:
    """How many pods there may be beyond those wanted, and how many of these may be missing."""
    if (strategy or {}).get("type") == "Recreate" or not wanted:
        return 0, 0
    rolling = (strategy or {}).get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge"), wanted, up=True)
    unavailable = share(rolling.get("maxUnavailable"), wanted, up=False)
    return surge, min(wanted, unavailable if surge or unavailable else 1)


class Rollout:
    """One look at a Deployment: its ReplicaSets by name, the oldest first, and the name of the present one."""

    def __init__(self, work: Work, deployment: Obj) -> None:
        self.work, self.deployment = work, deployment
        self.wanted = replicas_of(deployment)
        self.surge, self.unavailable = bounds(self.wanted, spec(deployment).get("strategy"))
        self.sets: dict[str, Obj] = {}
        self.new = ""
        self.fresh = False

    def learn(self) -> None:
        """Find the ReplicaSets, also those only pods tell of."""
        for one in unknown_sets(self.work, self.deployment):
            self.work.put(one)
        found = sets_of(self.work, self.deployment)
        self.sets = {str(meta(one)["name"]): one for one in found}
        current = current_of(self.deployment, found)
        self.new = str(meta(current)["name"]) if current is not None else ""

    def number(self) -> bool:
        """Give the present template a ReplicaSet and the highest revision; False when there is no time for it now."""
        work, deployment = self.work, self.deployment
        if not self.new:
            if not work.may_create():
                return False
            self.fresh = True
            self.new = f"{meta(deployment)['name']}-{work.hash_of(spec(deployment).get('template') or {})}"
            self.sets[self.new] = replicaset(deployment, self.new, 0, work.stamp)
        highest = max((revision_of(one) for name, one in self.sets.items() if name != self.new), default=0)
        one = renumbered(self.sets[self.new], deployment, highest + 1)
        if spec(one).get("minReadySeconds") != spec(deployment).get("minReadySeconds"):
            one = changed(one, spec={**spec(one), "minReadySeconds": spec(deployment).get("minReadySeconds") or 0})
        if self.fresh:
            one = self._noted(one)
        if self.fresh or one is not self.sets[self.new]:
            self._put(self.new, one)
        return True

    def _put(self, name: str, one: Obj) -> None:
        self.sets[name] = one
        self.work.put(one)

    def _noted(self, one: Obj) -> Obj:
        """With the numbers by which a change of scale is told later."""
        notes = {DESIRED: str(self.wanted), MOST: str(self.wanted + self.surge)}
        before = meta(one).get("annotations") or {}
        return one if notes.items() <= before.items() else with_meta(one, annotations={**before, **notes})

    def size(self, *names: str) -> int:
        """Pods these ReplicaSets are to have."""
        return sum(replicas_of(self.sets[name]) for name in names)

    def available(self, *names: str) -> int:
        """Pods of these ReplicaSets that are available."""
        return sum(int(status(self.sets[name]).get("availableReplicas") or 0) for name in names)

    @property
    def recreates(self) -> bool:
        """Whether all old pods have to go first."""
        return (spec(self.deployment).get("strategy") or {}).get("type") == "Recreate"

    @property
    def old(self) -> list[str]:
        """All but the present one."""
        return [name for name in self.sets if name != self.new]

    @property
    def active(self) -> list[str]:
        """Those that are to have pods."""
        return [name for name in self.sets if self.size(name)]

    def scale(self, name: str, count: int) -> None:
        """Let a ReplicaSet have ``count`` pods."""
        before, one = self.size(name), self._noted(self.sets[name])
        if before != count:
            one = changed(one, spec={**spec(one), "replicas": count})
            way = "up" if count > before else "down"
            text = f"Scaled {way} replica set {name} from {before} to {count}"
            self.work.event(self.deployment, "ScalingReplicaSet", text)
        if one is not self.sets[name]:
            self._put(name, one)

    @property
    def is_rescaled(self) -> bool:
        """Whether somebody changed ``replicas`` since the ReplicaSets were scaled last."""
        notes = [annotation(self.sets[name], DESIRED) for name in self.active]
        return any(note and note != str(self.wanted) for note in notes)

    def rescale(self) -> None:
        """Meet another number of replicas; in the middle of a rollout every ReplicaSet gets its part."""
        active = self.active
        latest = active or ([self.new] if self.new else list(self.sets)[-1:])
        if len(latest) == 1:
            self.scale(latest[0], self.wanted)
        elif self.new and self.size(self.new) == self.available(self.new) == self.wanted:
            for name in active:
                self.scale(name, self.wanted if name == self.new else 0)
        elif self.recreates:
            self.recreate()
        else:
            self._in_proportion(active)

    def _in_proportion(self, active: list[str]) -> None:
        goal = self.wanted + self.surge if self.wanted else 0
        left = goal - self.size(*active)
        order = sorted(active, key=lambda name: -self.size(name))
        if left < 0:
            order.sort(key=lambda name: self.size(name) and -self.size(name))
        sizes: dict[str, int] = {}
        for name in order:
            part = self._part(name, goal)
            part = max(0, min(part, left)) if left > 0 else min(0, max(part, left))
            sizes[name] = self.size(name) + part
            left -= part
        sizes[order[0]] = max(0, sizes[order[0]] + left)
        for name, count in sizes.items():
            self.scale(name, count)

    def _part(self, name: str, goal: int) -> int:
        """How far a ReplicaSet follows a change of scale; those that were never noted go by the present size."""
        size, before = self.size(name), annotation(self.sets[name], MOST)
        most = int(before) if before.isdecimal() and int(before) else int(status(self.deployment).get("replicas") or 0)
        return math.floor(size * goal / most + 0.5) - size if most else 0

    def recreate(self) -> None:
        """All old pods go before the first new one comes."""
        namespace = key_of(self.deployment)[1]
        for name in self.old:
            self.scale(name, 0)
        pods = (pod for name in self.old for pod in self.work.board.owned_by(namespace, ("ReplicaSet", name)))
        if all(map(ended, pods)):
            self.scale(self.new, self.wanted)

    def roll(self) -> None:
        """First more of the new, then, as soon as they are available, fewer of the old."""
        size = self.size(self.new)
        room = min(self.wanted + self.surge - self.size(*self.sets), self.wanted - size)
        if size > self.wanted or room > 0:
            self.scale(self.new, min(self.wanted, size + max(0, room)))
        elif size == self.wanted:
            self.scale(self.new, size)
        old = [name for name in self.old if self.size(name)]
        if not old:
            return
        least = self.wanted - self.unavailable
        waiting = self.size(self.new) - self.available(self.new)
        may_go = self.size(*self.sets) - least - waiting
        for name in old:
            broken = self.size(name) - self.available(name)
            if (going := min(may_go, broken)) > 0:
                self.scale(name, self.size(name) - going)
                may_go -= going
        spare = self.available(*self.sets) - least
        for name in old:
            if (going := min(spare, self.size(name))) > 0:
                self.scale(name, self.size(name) - going)
                spare -= going

    def forget(self) -> None:
        """Of the revisions without pods only the latest are kept."""
        limit = spec(self.deployment).get("revisionHistoryLimit")
        empty = [name for name in self.old if not self.size(name) and not status(self.sets[name]).get("replicas")]
        empty.sort(key=lambda name: revision_of(self.sets[name]))
        for name in empty[: max(0, len(empty) - (REVISIONS_KEPT if limit is None else int(limit)))]:
            self.work.remove(key_of(self.sets[name]))


DEPLOYMENTS = Controller("deployments", frozenset({"Deployment", "ReplicaSet", "Pod"}), _one, _touched)
