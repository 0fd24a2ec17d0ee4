"""What controllers work on: the objects, the time, and a list of what they changed.

A `Work` never touches the objects it was given; a changed object is a new dict. So a pass of the
controllers is a pure function, although inside it each sees what the ones before it did.
"""

from __future__ import annotations

import calendar
import copy
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from clusterviz.engine.objects import Key, Obj, key_of, ref_of
from clusterviz.engine.settings import Settings


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take, in simulated seconds.

    Node failure is real time divided by ``node_acceleration``: a class does not wait 50 s for
    Unknown and 300 s for evictions (NOD-02, NOD-04).
    """

    start: float = 1.0
    ready: float = 1.0
    grace_cap: float = 4.0
    node_acceleration: float = 10.0
    node_grace: float = 50.0
    eviction: float = 300.0
    retry: float = 10.0

    @property
    def unknown_after(self) -> float:
        """Silence of a kubelet until its node is Unknown."""
        return self.node_grace / self.node_acceleration

    @property
    def evict_after(self) -> float:
        """How long pods tolerate the unreachable taint."""
        return self.eviction / self.node_acceleration


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
        self._kinds: dict[str, dict[Key, Obj]] = {}
        for key in sorted(objects):
            self._kinds.setdefault(key[0], {})[key] = objects[key]

    def all(self, kind: str, namespace: str | None = None) -> Iterator[Obj]:
        """Objects of a kind, in a fixed order; what is written meanwhile does not disturb."""
        for key, obj in list(self._kinds.get(kind, {}).items()):
            if namespace is None or key[1] == namespace:
                yield obj

    def get(self, key: Key) -> Obj | None:
        """One object."""
        return self._kinds.get(key[0], {}).get(key)

    def put(self, obj: Obj) -> None:
        """Create or replace."""
        key = key_of(obj)
        self.written[key] = obj
        self._kinds.setdefault(key[0], {})[key] = obj

    def remove(self, key: Key) -> None:
        """Delete at once."""
        self._kinds.get(key[0], {}).pop(key, None)
        self.written[key] = None

    def event(self, obj: Obj, reason: str, message: str, *, warning: bool = False) -> None:
        """Tell what happened to an object."""
        kind = "Warning" if warning else "Normal"
        self.happenings.append(Happening(kind, reason, message, ref_of(key_of(obj)), self.now))

    def wake(self, at: float) -> None:
        """Come back at this time even if nothing changes until then."""
        if at > self.now and (self.wake_at is None or at < self.wake_at):
            self.wake_at = at

    def due(self, at: float) -> bool:
        """Whether a moment has come; if not, the work wakes up then."""
        self.wake(at)
        return at <= self.now


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


def set_condition(
    obj: Obj, kind: str, value: str, stamp: str, *, reason: str = "", message: str = ""
) -> Obj:
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
