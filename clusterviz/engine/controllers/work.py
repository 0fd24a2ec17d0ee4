"""What controllers work on: the objects, the time, and a list of what they changed.

A `Work` never touches the objects it was given; a changed object is a new dict. So a pass of the
controllers is a pure function, although inside it each sees what the ones before it did.
"""

from __future__ import annotations

import calendar
import copy
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from clusterviz.engine.fill import pod_addresses
from clusterviz.engine.objects import Key, Obj, key_of, ref_of
from clusterviz.engine.settings import Settings

Owner = tuple[str, str]
SLICE = 200
# A zone with this share of its nodes lost is in trouble itself; up to this size nothing is evicted then.
UNHEALTHY_SHARE = 0.55
LARGE_ZONE = 50


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take, in simulated seconds.

    Node failure is real time divided by ``node_acceleration``: a class does not wait 50 s for
    Unknown and 300 s for evictions (NOD-02, NOD-04). Leases and the controller's looks are NOD-01,
    the pace of evictions NOD-07, the back-off of restarts LIF-04, the readiness probe EPS-04.
    """

    start: float = 1.0
    ready: float = 1.0
    grace_cap: float = 4.0
    node_acceleration: float = 10.0
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
        return self.eviction / self.node_acceleration

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
    """Copy-on-write view of all objects of a cluster at one moment."""

    def __init__(
        self,
        objects: Mapping[Key, Obj],
        *,
        now: float,
        rng: random.Random,
        settings: Settings,
        timing: Timing,
        last_ip: dict[str, str] | None = None,
    ) -> None:
        self.now, self.rng, self.settings, self.timing = now, rng, settings, timing
        self.stamp = timestamp(now)
        self.last_ip = {} if last_ip is None else last_ip
        self.written: dict[Key, Obj | None] = {}
        self.happenings: list[Happening] = []
        self.wake_at: float | None = None
        self._room = SLICE
        self._kinds: dict[str, dict[Key, Obj]] = {}
        self._owned: dict[Owner, dict[Key, None]] = {}
        self._bases: dict[Owner, list[Owner]] | None = None
        for key in sorted(objects):
            self._kinds.setdefault(key[0], {})[key] = objects[key]
            if key[0] == "Pod":
                self._owned.setdefault(owner_of(objects[key]), {})[key] = None

    def all(self, kind: str, namespace: str | None = None) -> Iterator[Obj]:
        """Objects of a kind, in a fixed order; what is written meanwhile does not disturb."""
        for key, obj in list(self._kinds.get(kind, {}).items()):
            if namespace is None or key[1] == namespace:
                yield obj

    def get(self, key: Key) -> Obj | None:
        """One object."""
        return self._kinds.get(key[0], {}).get(key)

    def pod_names(self, namespace: str) -> Callable[[str], bool]:
        """Whether a pod name is taken."""
        pods = self._kinds.get("Pod", {})
        return lambda name: ("Pod", namespace, name) in pods

    @cached_property
    def pod_ips(self) -> Counter[str]:
        """How many live pods hold each address; who gives one out adds it here."""
        return Counter(
            ip
            for pod in self.all("Pod")
            if status(pod).get("phase") not in ("Succeeded", "Failed") and not spec(pod).get("hostNetwork")
            for ip in pod_addresses(pod)
        )

    def owned_by(self, namespace: str, owner: Owner) -> Iterator[Obj]:
        """Pods of a namespace whose controlling owner this is; ("", "") finds bare pods."""
        pods = self._kinds.get("Pod", {})
        for key in list(self._owned.get(owner, ())):
            if key[1] == namespace:
                yield pods[key]

    def owners_of_base(self, kind: str, base: str) -> list[Owner]:
        """Owners of pods named ``<base>-<hash>``: the ReplicaSets of a Deployment, in a fixed order."""
        if self._bases is None:
            self._bases = {}
            for owner in self._owned:
                self._bases.setdefault((owner[0], owner[1].rpartition("-")[0]), []).append(owner)
        return sorted(self._bases.get((kind, base), ()))

    def put(self, obj: Obj) -> None:
        """Create or replace."""
        key = key_of(obj)
        if key[0] == "Pod":
            old, owner = self.get(key), owner_of(obj)
            if old is None or owner_of(old) != owner:
                self._disown(key)
                self._own(key, owner)
        self.written[key] = obj
        self._kinds.setdefault(key[0], {})[key] = obj

    def remove(self, key: Key) -> None:
        """Delete at once."""
        if key[0] == "Pod":
            self._disown(key)
        self._kinds.get(key[0], {}).pop(key, None)
        self.written[key] = None

    def _own(self, key: Key, owner: Owner) -> None:
        if owner not in self._owned:
            self._bases = None
        self._owned.setdefault(owner, {})[key] = None

    def _disown(self, key: Key) -> None:
        old = self.get(key)
        if old is not None:
            owner = owner_of(old)
            self._owned[owner].pop(key, None)
            if not self._owned[owner]:
                del self._owned[owner]
                self._bases = None

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
        """Come back at this time even if nothing changes until then."""
        if at > self.now and (self.wake_at is None or at < self.wake_at):
            self.wake_at = at

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
