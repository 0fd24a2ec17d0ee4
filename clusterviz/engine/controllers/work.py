"""What controllers work with: the objects, the time, and what they changed and told."""

from __future__ import annotations

import calendar
import copy
import math
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from clusterviz.engine.fill import template_hash
from clusterviz.engine.objects import Key, Obj, key_of, ref_of
from clusterviz.engine.pod_defaults import plain_template
from clusterviz.engine.settings import Settings

if TYPE_CHECKING:
    from clusterviz.engine.controllers.board import Board
    from clusterviz.engine.controllers.desk import Desk

Owner = tuple[str, str]
SLICE = 200
# A zone with this share of its nodes lost is in trouble itself; up to this size nothing is evicted then.
UNHEALTHY_SHARE = 0.55
LARGE_ZONE = 50


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take, in simulated seconds.

    Node failure is real time divided by ``node_acceleration``: a class does not wait 50 s for
    Unknown (NOD-02); what pods tolerate is divided by ``eviction_acceleration``, so that 300 s pass in
    ten (NOD-04). Leases and the controller's looks are NOD-01, the pace of evictions NOD-07, the
    back-off of restarts LIF-04, the readiness probe EPS-04.
    """

    start: float = 1.0
    ready: float = 1.0
    grace_cap: float = 4.0
    node_acceleration: float = 10.0
    eviction_acceleration: float = 30.0
    lease_renewal: float = 10.0
    node_monitor: float = 5.0
    node_grace: float = 50.0
    eviction: float = 300.0
    eviction_rate: float = 0.1
    secondary_eviction_rate: float = 0.01
    backoff: float = 10.0
    backoff_cap: float = 300.0
    backoff_reset: float = 600.0
    probe_period: float = 10.0
    probe_failures: int = 3
    job: float = 5.0
    retry: float = 10.0
    pace: float = 0.1

    def last_renewal(self, now: float) -> float:
        """When a kubelet that falls silent now last renewed its lease."""
        period = self.lease_renewal / self.node_acceleration
        return math.floor(now / period) * period

    def noticed(self, renewed: float) -> float:
        """The first look of the node controller after a lease's grace is over (NOD-01, NOD-02)."""
        period = self.node_monitor / self.node_acceleration
        return math.ceil((renewed + self.node_grace / self.node_acceleration) / period) * period

    @property
    def unknown_after(self) -> float:
        """The longest silence of a kubelet until its node is Unknown."""
        return (self.node_grace + self.node_monitor) / self.node_acceleration

    @property
    def evict_after(self) -> float:
        """How long pods tolerate the unreachable taint."""
        return self.eviction / self.eviction_acceleration

    def pause_between_evictions(self, *, members: int, lost: int) -> float:
        """Seconds between two nodes of a zone losing their pods; infinite: none do (NOD-07)."""
        rate = self.eviction_rate
        if 2 < lost < members and lost / members >= UNHEALTHY_SHARE:
            rate = self.secondary_eviction_rate if members > LARGE_ZONE else 0.0
        return 1 / rate / self.node_acceleration if rate else math.inf


class Happening(msgspec.Struct, frozen=True):
    """An event as kubectl describe shows it, about the object with picture id ``ref``."""

    type: str
    reason: str
    message: str
    ref: str
    time: float


class Work:
    """One reconciliation: the objects on their board, the moment, and what was changed and told.

    Controllers write by `put` and `remove`; objects themselves are never edited in place.
    """

    def __init__(
        self, board: Board, *, now: float, rng: random.Random, settings: Settings, timing: Timing, desk: Desk
    ) -> None:
        self.board, self.now, self.rng, self.settings, self.timing = board, now, rng, settings, timing
        self.stamp = timestamp(now)
        self.happenings: list[Happening] = []
        self.before: dict[Key, Obj | None] = {}
        self.writes = 0
        self._desk = desk
        self._room = SLICE
        self.offset = desk.zones
        self._hashes: dict[int, tuple[Obj, tuple[str, str]]] = {}

    @property
    def last_ip(self) -> dict[str, str]:
        """The address last given out of each block (IPM-02)."""
        return self._desk.last_ip

    def get(self, key: Key) -> Obj | None:
        """One object."""
        return self.board.get(key)

    def find(self, kind: str, item: tuple[str, ...]) -> Obj | None:
        """The object of a kind with this namespace and name."""
        return self.board.get((kind, item[0], item[1]))

    def put(self, obj: Obj) -> None:
        """Create or replace."""
        self._set(key_of(obj), obj)

    def remove(self, key: Key) -> None:
        """Delete at once; what has finalizers is only marked, and stays until these are gone."""
        obj = self.board.get(key)
        if obj is None or not meta(obj).get("finalizers"):
            self._set(key, None)
        elif not meta(obj).get("deletionTimestamp"):
            self._set(key, with_meta(obj, deletionTimestamp=self.stamp, deletionGracePeriodSeconds=0))

    def _set(self, key: Key, obj: Obj | None) -> None:
        self.before.setdefault(key, self.board.get(key))
        self.writes += 1
        touch = self.board.set(key, obj)
        if touch is not None:
            self._desk.touch(touch)

    def written(self) -> Iterator[tuple[Key, Obj | None]]:
        """What is different now, in the order it was first written."""
        for key, old in self.before.items():
            new = self.board.get(key)
            if new != old:
                yield key, new

    def name_taken(self, namespace: str) -> Callable[[str], bool]:
        """Whether a pod name is taken."""
        return lambda name: self.board.get(("Pod", namespace, name)) is not None

    def hash_of(self, template: Obj) -> str:
        """The hash of a pod template; defaults that are spelled out do not count."""
        return self.hashes_of(template)[0]

    def hashes_of(self, template: Obj) -> tuple[str, str]:
        """Both hashes pods of a template may bear: the one we write, and that of every field as it stands."""
        found = self._hashes.get(id(template))
        if found is None:
            hashes = template_hash(plain_template(template)), template_hash(template)
            found = self._hashes[id(template)] = template, hashes
        return found[1]

    def event(self, obj: Obj, reason: str, message: str, *, warning: bool = False) -> None:
        """Tell what happened to an object."""
        kind = "Warning" if warning else "Normal"
        self.happenings.append(Happening(kind, reason, message, ref_of(key_of(obj)), self.now))

    def may_create(self) -> bool:
        """Whether one more pod may be made now; a wish for thousands is met in slices, a moment apart.

        Everybody else waits while a slice is made, so it must be short.
        """
        if self._room == 0:
            self.wake(self.now + self.timing.pace)
            return False
        self._room -= 1
        return True

    def wake(self, at: float) -> None:
        """Look at this again at this time even if nothing changes until then."""
        if at > self.now:
            self._desk.wake(at)

    def due(self, at: float) -> bool:
        """Whether a moment has come; if not, the work wakes up then."""
        self.wake(at)
        return at <= self.now


def owner_of(pod: Obj) -> Owner:
    """Kind and name of the controlling owner, empty for a bare pod."""
    for owner in meta(pod).get("ownerReferences") or ():
        return str(owner.get("kind", "")), str(owner.get("name", ""))
    return "", ""


def timestamp(seconds: float) -> str:
    """RFC 3339 with whole seconds, as Kubernetes writes times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds(text: str) -> float:
    """The moment an RFC 3339 time names; 0 when it cannot be read."""
    try:
        return float(calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return 0.0


def meta(obj: Obj) -> dict[str, Any]:
    """``metadata``, to read."""
    return obj.get("metadata") or {}


def spec(obj: Obj) -> dict[str, Any]:
    """``spec``, to read."""
    return obj.get("spec") or {}


def status(obj: Obj) -> dict[str, Any]:
    """``status``, to read."""
    return obj.get("status") or {}


def annotation(obj: Obj, name: str) -> str:
    """An annotation, "" when absent."""
    return str((meta(obj).get("annotations") or {}).get(name, ""))


def labels(obj: Obj) -> dict[str, str]:
    """Labels as text (IMP-03)."""
    return {key: str(value) for key, value in (meta(obj).get("labels") or {}).items()}


def condition(obj: Obj, kind: str) -> dict[str, Any]:
    """A status condition, empty when absent."""
    for entry in status(obj).get("conditions") or ():
        if entry.get("type") == kind:
            return dict(entry)
    return {}


def set_condition(obj: Obj, kind: str, value: str, stamp: str, *, reason: str = "", message: str = "") -> Obj:
    """A copy of the object with the condition set; the transition time moves only with the value."""
    old = condition(obj, kind)
    entry: dict[str, Any] = {"type": kind, "status": value}
    if reason:
        entry["reason"] = reason
    if message:
        entry["message"] = message
    same = old.get("status") == value and old.get("lastTransitionTime")
    entry["lastTransitionTime"] = old["lastTransitionTime"] if same else stamp
    if "lastHeartbeatTime" in old:
        entry["lastHeartbeatTime"] = old["lastHeartbeatTime"]
    conditions = [c for c in status(obj).get("conditions") or () if c.get("type") != kind]
    return changed(obj, status={**status(obj), "conditions": [*conditions, entry]})


def changed(obj: Obj, **parts: Any) -> Obj:
    """A copy with top-level parts replaced."""
    return {**obj, **parts}


def with_meta(obj: Obj, **fields: Any) -> Obj:
    """A copy with fields of ``metadata`` replaced."""
    return changed(obj, metadata={**meta(obj), **fields})


def with_status(obj: Obj, **fields: Any) -> Obj:
    """A copy with fields of ``status`` replaced."""
    return changed(obj, status={**status(obj), **fields})


def clone(value: Any) -> Any:
    """A deep copy of plain data."""
    return copy.deepcopy(value)
