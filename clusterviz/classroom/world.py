"""The cluster of a lesson at one moment, and what actions and time make of it.

A `World` never changes: every action gives the next one, so a lesson can go back, and fork. Controllers act at the
very moment of a change; what takes time (starting, stopping, noticing silence) takes simulated time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from clusterviz.classroom.lesson import Action, Event, Lesson, Obj
from clusterviz.engine import Cluster, Probe, Settings
from clusterviz.engine.cluster import Change
from clusterviz.engine.controllers import Happening, last_addresses, reconcile
from clusterviz.engine.controllers.disruption import evict
from clusterviz.engine.controllers.pods import terminating
from clusterviz.engine.controllers.work import owner_of, timestamp
from clusterviz.engine.datapath.service import ServiceDecision, decide
from clusterviz.engine.errors import EngineError
from clusterviz.engine.objects import CLUSTER_SCOPED, CUT_ANNOTATION, DOWN_ANNOTATION, WORKLOAD_KINDS, Key, key_of
from clusterviz.engine.remedies.edit import merge
from clusterviz.engine.settings_check import check_settings

SETTLE = 10.0
PATIENCE = 600.0
RESTARTED = "kubectl.kubernetes.io/restartedAt"
# A loop of controllers that never rests must not hang a lesson.
MOST_LOOKS = 5000


class WorldError(ValueError):
    """An action that cannot be done: the field, what was wrong, what is allowed."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class World(msgspec.Struct, frozen=True):
    """A snapshot, the simulated time in seconds, when controllers act next, and connections that stay open.

    ``synced`` holds for nodes whose kube-proxy is behind the snapshot their rules are made of (PX-18).
    """

    cluster: Cluster
    seed: int = 1
    now: float = 0.0
    wake: float | None = None
    connections: dict[str, ServiceDecision] = {}
    synced: dict[str, Cluster] = {}
    happenings: tuple[Happening, ...] = ()


def begin(lesson: Lesson, objects: Iterable[Obj]) -> World:
    """The world at the start, when everything that wants to run runs. Raises `WorldError`."""
    flaws = check_settings(lesson.settings)
    if flaws:
        raise WorldError(f"{flaws[0].field}: {flaws[0].message}", "settings")
    try:
        cluster = Cluster.from_objects(objects, msgspec.convert(lesson.settings, Settings))
    except EngineError as error:
        raise WorldError(str(error), "cluster") from None
    return msgspec.structs.replace(wait(_look(World(cluster, seed=lesson.seed)), SETTLE), happenings=())


def wait(world: World, seconds: float, until: Callable[[World], bool] | None = None) -> World:
    """Let simulated time pass, or less when ``until`` is true earlier."""
    end = world.now + seconds
    for _ in range(MOST_LOOKS):
        if until is not None and until(world):
            return world
        if world.wake is None or world.wake > end:
            break
        world = _look(msgspec.structs.replace(world, now=max(world.wake, world.now)))
    return msgspec.structs.replace(world, now=end)


def wait_for(world: World, event: Event) -> World | None:
    """Let time pass until the event comes; None when it does not."""
    start = len(world.happenings)
    world = wait(world, PATIENCE, lambda now: _came(now, event, start))
    return world if _came(world, event, start) else None


def _came(world: World, event: Event, start: int) -> bool:
    if event.object:
        obj = world.cluster.objects.get(key_from(event.object))
        return bool((at_path(obj, event.field) if obj else None) == event.value)
    return any(event.reason in ("", one.reason) and event.about in ("", one.ref) for one in world.happenings[start:])


def _look(world: World) -> World:
    """Controllers act at this moment."""
    cluster, now = world.cluster, world.now
    outcome = reconcile(
        cluster.objects,
        now=now,
        rng=random.Random(f"{world.seed}/{now}"),  # noqa: S311 - names of pods, not secrets
        settings=cluster.settings,
        last_ip=last_addresses(cluster.objects),
    )
    return msgspec.structs.replace(
        world,
        cluster=cluster.apply(outcome.changes),
        wake=None if outcome.wake is None else max(outcome.wake, now + 0.001),
        happenings=(*world.happenings, *outcome.happenings),
    )


def act(world: World, action: Action) -> World:
    """The world after an action; controllers have acted at the same moment. Raises `WorldError`."""
    given = [name for name in Action.__struct_fields__ if getattr(action, name) not in (None, "", 0, [], {})]
    if len(given) != 1:
        allowed = ", ".join(Action.__struct_fields__)
        raise WorldError(f"an action does one thing: give one of {allowed}" + (f", not {given}" if given else ""))
    name = given[0]
    if name == "wait":
        return wait(world, action.wait)
    try:
        return _ACTIONS[name](world, action)
    except WorldError as error:
        raise WorldError(str(error), error.field or name) from None
    except EngineError as error:
        raise WorldError(str(error), name) from None


def change(world: World, changes: Iterable[Change]) -> World:
    """The world after changes of objects; controllers have acted at the same moment."""
    return _look(msgspec.structs.replace(world, cluster=world.cluster.apply(list(changes))))


def _create(world: World, action: Action) -> World:
    return change(world, [Change("set", action.create)])


def _patch(world: World, action: Action) -> World:
    patched = [(find(world.cluster, name), patch) for name, patch in action.patch.items()]
    return change(world, [Change("set", merge(obj, patch)) for obj, patch in patched])


def _delete(world: World, action: Action) -> World:
    """Pods are asked to go; their kubelet ends them when their grace is over (LIF-02)."""
    return change(world, [_deletion(world, find(world.cluster, name)) for name in action.delete])


def _deletion(world: World, obj: Obj) -> Change:
    if obj["kind"] != "Pod":
        return Change("unset", key_of(obj))
    meta = obj["metadata"]
    return Change("set", {**obj, "metadata": {"deletionTimestamp": timestamp(world.now), **meta}})


def _vanish(world: World, action: Action) -> World:
    return change(world, [Change("unset", key_of(find(world.cluster, name))) for name in action.vanish])


def _scale(world: World, action: Action) -> World:
    assert action.scale is not None
    patch = {"spec": {"replicas": action.scale.replicas}}
    return change(world, [Change("set", merge(_workload(world, action.scale.of), patch))])


def _restart(world: World, action: Action) -> World:
    note = {"metadata": {"annotations": {RESTARTED: timestamp(world.now)}}}
    return change(world, [Change("set", merge(_workload(world, action.restart), {"spec": {"template": note}}))])


def _drain(world: World, action: Action) -> World:
    """Cordon the node, and evict what is no DaemonSet's and whose budgets allow it (LIF-09)."""
    node = find(world.cluster, f"Node/{action.drain}")
    pods = [
        obj
        for key, obj in sorted(world.cluster.objects.items())
        if key[0] == "Pod" and (obj.get("spec") or {}).get("nodeName") == action.drain
    ]
    leaving = [pod for pod in pods if owner_of(pod)[0] != "DaemonSet" and not terminating(pod)]
    going, _ = evict(world.cluster.objects, leaving)
    cordoned = merge(node, {"spec": {"unschedulable": True}})
    return change(world, [Change("set", cordoned), *(_deletion(world, pod) for pod in going)])


def _fail(world: World, action: Action) -> World:
    patch = {"metadata": {"annotations": {DOWN_ANNOTATION: "true"}}}
    return change(world, [Change("set", merge(find(world.cluster, f"Node/{action.fail}"), patch))])


def _cut(world: World, action: Action) -> World:
    if len(action.cut) != 2:
        raise WorldError(f"{action.cut} are not two nodes", "cut")
    one, other = (find(world.cluster, f"Node/{name}") for name in action.cut)
    patch = {"metadata": {"annotations": {CUT_ANNOTATION: other["metadata"]["name"]}}}
    return change(world, [Change("set", merge(one, patch))])


def _settings(world: World, action: Action) -> World:
    values = msgspec.to_builtins(world.cluster.settings) | action.settings
    flaws = check_settings(values)
    if flaws:
        raise WorldError(f"{flaws[0].field}: {flaws[0].message}", "settings")
    settings = msgspec.convert(values, Settings)
    return _look(msgspec.structs.replace(world, cluster=world.cluster.with_settings(settings)))


def _open(world: World, action: Action) -> World:
    """Remember what kube-proxy decided for a connection of a pod to a Service (PX-17)."""
    assert action.open is not None
    source, arrow, target = action.open.ask.partition("->")
    probe = Probe.parse(source.strip(), target.strip(), seed=action.open.seed)
    wanted, cluster = probe.destination, world.cluster
    pod = cluster.pods.get((probe.source.namespace, probe.source.name))
    service = cluster.services.get((wanted.namespace, wanted.name))
    if not arrow or pod is None or service is None or not isinstance(wanted.port, int) or not service.cluster_ips:
        raise WorldError(f"{action.open.ask!r} is not NAMESPACE/POD -> service:NAMESPACE/NAME:PORT", "open")
    found = decide(
        *(cluster, cluster.nodes[pod.node], pod.ip, service.cluster_ips[0], probe.protocol, wanted.port),
        seed=action.open.seed,
    )
    if found is None or found.verdict != "accept":
        raise WorldError(f"{action.open.ask!r} opens no connection", "open")
    return msgspec.structs.replace(world, connections={**world.connections, action.open.name: found})


def _lag(world: World, action: Action) -> World:
    """kube-proxy of the node hears nothing from now on; the rules it wrote stay (PX-18, PX-19)."""
    find(world.cluster, f"Node/{action.lag}")
    return msgspec.structs.replace(world, synced={action.lag: world.cluster, **world.synced})


def _sync(world: World, action: Action) -> World:
    """kube-proxy of the node writes its rules anew."""
    if action.sync not in world.synced:
        raise WorldError(f"the rules of {action.sync!r} are not behind", "sync")
    rest = {name: older for name, older in world.synced.items() if name != action.sync}
    return msgspec.structs.replace(world, synced=rest)


_ACTIONS: dict[str, Callable[[World, Action], World]] = {
    "create": _create,
    "patch": _patch,
    "delete": _delete,
    "vanish": _vanish,
    "scale": _scale,
    "restart": _restart,
    "drain": _drain,
    "fail": _fail,
    "cut": _cut,
    "settings": _settings,
    "open": _open,
    "lag": _lag,
    "sync": _sync,
}


def key_from(name: str) -> Key:
    """The key of ``Kind/namespace/name``, or ``Kind/name``."""
    kind, *rest = name.split("/")
    if not kind or not rest or len(rest) > 2 or not all(rest):
        raise WorldError(f"{name!r} is not Kind/namespace/name, nor Kind/name of a kind without namespaces")
    if kind in CLUSTER_SCOPED:
        return kind, "", rest[-1]
    return kind, rest[0] if len(rest) == 2 else "default", rest[-1]


def find(cluster: Cluster, name: str) -> Obj:
    """An object by ``Kind/namespace/name``. Raises `WorldError`."""
    obj = cluster.objects.get(key_from(name))
    if obj is None:
        alike = [
            f"{'/'.join(filter(None, key))}" for key in cluster.objects if key[0] == name.split("/", maxsplit=1)[0]
        ]
        raise WorldError(f"there is no {name}" + (f": there are {', '.join(sorted(alike)[:8])}" if alike else ""))
    return obj


def _workload(world: World, name: str) -> Obj:
    if name.split("/", maxsplit=1)[0] not in WORKLOAD_KINDS:
        raise WorldError(f"{name!r} is no workload: allowed are {', '.join(WORKLOAD_KINDS)}")
    return find(world.cluster, name)


def at_path(obj: Any, path: str) -> Any:
    """The value at ``status.podIP`` or ``spec.ports.0.port``; None when there is none."""
    for name in filter(None, path.split(".")):
        if isinstance(obj, list):
            obj = obj[int(name)] if name.isdecimal() and int(name) < len(obj) else None
        else:
            obj = obj.get(name) if isinstance(obj, dict) else None
    return obj
