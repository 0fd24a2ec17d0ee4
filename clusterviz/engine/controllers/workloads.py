"""ReplicaSets and DaemonSets (LIF-07, LIF-08)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from clusterviz.engine.controllers.affinity import pinned, pinned_to
from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.names import pod_name
from clusterviz.engine.controllers.pods import (
    FAILURE,
    asking_for,
    delete_pod,
    ended,
    is_ready,
    make_pod,
    may_make,
    owned,
    refusal,
    replicas_of,
    terminating,
    victims,
    write_status,
)
from clusterviz.engine.controllers.revisions import POD_HASH as REVISION
from clusterviz.engine.controllers.revisions import forget, record
from clusterviz.engine.controllers.scheduler import place
from clusterviz.engine.controllers.suitability import fits
from clusterviz.engine.controllers.work import Work, changed, condition, labels, meta, owner_of, seconds, spec, status
from clusterviz.engine.objects import Obj, key_of

# Sorts after every node name.
_STATUS = "~"


def _replicaset(work: Work, item: Item) -> None:
    """As many pods as wanted."""
    replicaset = work.find("ReplicaSet", item)
    if replicaset is None or terminating(replicaset):
        return
    key, wanted = key_of(replicaset), replicas_of(replicaset)
    pods = [pod for pod in owned(work, replicaset) if not terminating(pod)]
    for _ in range(wanted - len(pods)):
        if not may_make(work, replicaset):
            break
        name = pod_name(key[2], work.rng, work.name_taken(key[1]))
        make_pod(work, replicaset, name, ("ReplicaSet", key[2]))
    for pod in victims(pods, len(pods) - wanted) if len(pods) > wanted else ():
        delete_pod(work, pod, replicaset)
    refused = refusal(work, replicaset) if len(pods) < wanted else ""
    count(work, replicaset, pods if len(pods) == wanted else None, conditions=_failure(work, replicaset, refused))


def _failure(work: Work, replicaset: Obj, refused: str) -> list[dict[str, Any]] | None:
    """The conditions, ReplicaFailure among them while admission refuses pods; None for none."""
    found = list(status(replicaset).get("conditions") or ())
    others = [one for one in found if one.get("type") != FAILURE]
    if not refused:
        return others or None
    if len(others) < len(found):
        return found
    failure = {"type": FAILURE, "status": "True", "reason": "FailedCreate", "message": refused}
    return [*others, {**failure, "lastTransitionTime": work.stamp}]


def touched_by(kind: str) -> Callable[[Board, Touch], Iterator[Item]]:
    """The workload itself, the owner of a pod, and everybody who may adopt a bare one."""

    def touched(board: Board, touch: Touch) -> Iterator[Item]:
        changed_kind, namespace, name = touch.key
        if changed_kind == kind:
            yield namespace, name
            return
        if changed_kind == "PriorityClass":
            yield from asking_for(board, kind, name)
            return
        for owner in {owner_of(pod) for pod in touch.sides}:
            if owner[0] == kind:
                yield namespace, owner[1]
            elif owner == ("", ""):
                yield from ((namespace, key[2]) for key in board.keys(kind, namespace))

    return touched


def _daemonset(work: Work, item: Item) -> None:
    """One pod on every node it fits, ready or not (NOD-04: they stay on lost nodes).

    A DaemonSet is looked at node by node, its pods on no node first, its status last.
    """
    namespace, name, node = item
    daemonset = work.get(("DaemonSet", namespace, name))
    if daemonset is None or terminating(daemonset):
        return
    if node == _STATUS:
        record(work, daemonset)
        _roll(work, daemonset)
        _tell(work, daemonset)
        forget(work, daemonset, owned(work, daemonset))
    elif not node:
        for pod in owned(work, daemonset):
            if not _home(pod):
                delete_pod(work, pod, daemonset)
    else:
        _daemon(work, daemonset, node)


def _daemon(work: Work, daemonset: Obj, name: str) -> None:
    key = key_of(daemonset)
    template = spec(daemonset).get("template") or {}
    mine = ("DaemonSet", key[2])
    here = [
        pod
        for pod in [*work.board.pods_on(name), *work.board.waiting_for(name)]
        if owner_of(pod) == mine and key_of(pod)[1] == key[1] and not ended(pod)
    ]
    node = work.board.node(name)
    if node is None or not fits(template, node, daemon=True):
        for pod in here:
            delete_pod(work, pod, daemonset)
        return
    if not here:
        _start_on(work, daemonset, name)


def _start_on(work: Work, daemonset: Obj, node: str) -> None:
    if not may_make(work, daemonset):
        return
    _, namespace, name = key_of(daemonset)
    new = pod_name(name, work.rng, work.name_taken(namespace))
    mark = {REVISION: work.hash_of(spec(daemonset).get("template") or {})}
    template = spec(daemonset).get("template") or {}
    there = changed(daemonset, spec={**spec(daemonset), "template": changed(template, spec=pinned(template, node))})
    place(work, make_pod(work, there, new, ("DaemonSet", name), mark), node)


def _is_outdated(work: Work, daemonset: Obj, pod: Obj) -> bool:
    template = spec(daemonset).get("template") or {}
    known = labels(pod).get(REVISION)
    return known is not None and known not in work.hashes_of(template)


def _roll(work: Work, daemonset: Obj) -> None:
    """Replace pods of an earlier template: those that are not available at once, the others few at a time."""
    strategy = spec(daemonset).get("updateStrategy") or {}
    pods = owned(work, daemonset)
    outdated = [pod for pod in pods if not terminating(pod) and _is_outdated(work, daemonset, pod)]
    if strategy.get("type") == "OnDelete" or not outdated:
        return
    rolling = strategy.get("rollingUpdate") or {}
    homes = {_home(pod) for pod in pods}
    if surge := _part(rolling.get("maxSurge") or 0, len(homes)):
        _surge(work, daemonset, outdated, surge)
        return
    most = _part(rolling.get("maxUnavailable") or 1, len(homes))
    room = most - len(homes) + sum(is_ready(pod) and not terminating(pod) for pod in pods)
    working = sorted(filter(is_ready, outdated), key=_home)
    for pod in [*(pod for pod in outdated if not is_ready(pod)), *working[: max(0, room)]]:
        delete_pod(work, pod, daemonset)


def _home(pod: Obj) -> str:
    """The node a DaemonSet's pod is on, or was made for."""
    return str(spec(pod).get("nodeName") or pinned_to(pod))


def _part(given: object, total: int) -> int:
    """A maxSurge or maxUnavailable as nodes; a share is rounded up."""
    text = str(given)
    if not text.endswith("%"):
        return int(text) if text.isdecimal() else 0
    return math.ceil(total * float(text[:-1]) / 100)


def _surge(work: Work, daemonset: Obj, outdated: list[Obj], most: int) -> None:
    """A new pod beside the old one on few nodes at a time; the old one goes when the new one is ready."""
    pods = [pod for pod in owned(work, daemonset) if not terminating(pod)]
    old = {_home(pod): pod for pod in outdated}
    new = {_home(pod): pod for pod in pods if pod not in outdated}
    coming = sum(home in new and not is_ready(new[home]) for home in old)
    for home, pod in sorted(old.items()):
        if home in new:
            if is_ready(new[home]):
                delete_pod(work, pod, daemonset)
        elif not is_ready(pod) or coming < most:
            coming += is_ready(pod)
            _start_on(work, daemonset, home)


def _tell(work: Work, daemonset: Obj) -> None:
    pods = [pod for pod in owned(work, daemonset) if not terminating(pod)]
    homes = {_home(pod) for pod in pods}
    ready = len({_home(pod) for pod in pods if is_ready(pod)})
    write_status(
        work, daemonset, currentNumberScheduled=len(homes), desiredNumberScheduled=len(homes), numberMisscheduled=0,
        numberReady=ready, numberAvailable=ready, numberUnavailable=len(homes) - ready,
        updatedNumberScheduled=len({_home(pod) for pod in pods if not _is_outdated(work, daemonset, pod)}),
    )  # fmt: skip


def _daemonset_touched(board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "DaemonSet":
        yield namespace, name, _STATUS
        if touch.old is None or touch.new is None or spec(touch.old) != spec(touch.new):
            yield namespace, name, ""
            # Pods may be on nodes that are none any more.
            homes = {_home(pod) for pod in board.owned_by(namespace, ("DaemonSet", name))}
            for node in {*homes, *(key[2] for key in board.keys("Node", ""))}:
                yield namespace, name, node
    elif kind == "ControllerRevision":
        yield from ((namespace, owner[1], _STATUS) for owner in map(owner_of, touch.sides) if owner[0] == "DaemonSet")
    elif kind == "Node":
        if touch.old is None or touch.new is None or _place(touch.old) != _place(touch.new):
            for space, daemonset in board.daemonsets:
                yield space, daemonset, name
    elif kind == "PriorityClass":
        nodes = [key[2] for key in board.keys("Node", "")]
        yield from ((*item, node) for item in asking_for(board, "DaemonSet", name) for node in nodes)
    else:
        for pod in touch.sides:
            owner, home = owner_of(pod), _home(pod)
            if owner[0] == "DaemonSet":
                yield namespace, owner[1], home
                yield namespace, owner[1], _STATUS
            elif owner == ("", ""):
                yield from ((namespace, key[2], "") for key in board.keys("DaemonSet", namespace))


def _place(node: Obj) -> tuple[Any, ...]:
    """What decides whether a DaemonSet's pod fits."""
    return meta(node).get("labels"), spec(node)


def count(work: Work, workload: Obj, pods: list[Obj] | None = None, **more: Any) -> None:
    """Write the status with ``more`` fields; ``pods`` are those of the workload that stay, when they are known."""
    if pods is None:
        pods = [pod for pod in owned(work, workload) if not terminating(pod)]
    seasoned = float(spec(workload).get("minReadySeconds") or 0)
    ready = [pod for pod in pods if is_ready(pod)]
    available = sum(work.due(_ready_since(pod) + seasoned) for pod in ready) if seasoned else len(ready)
    counts: dict[str, Any] = {"replicas": len(pods), "readyReplicas": len(ready), "availableReplicas": available}
    if workload["kind"] == "ReplicaSet":
        counts["fullyLabeledReplicas"] = len(pods)
    write_status(work, workload, **counts, **more)


def _ready_since(pod: Obj) -> float:
    return seconds(str(condition(pod, "Ready").get("lastTransitionTime") or ""))


_KINDS = frozenset({"Pod", "PriorityClass"})
REPLICASETS = Controller("replicasets", _KINDS | {"ReplicaSet"}, _replicaset, touched_by("ReplicaSet"))
DAEMONSETS = Controller(
    "daemonsets", _KINDS | {"ControllerRevision", "DaemonSet", "Node"}, _daemonset, _daemonset_touched
)
