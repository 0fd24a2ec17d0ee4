"""ReplicaSets, StatefulSets and DaemonSets (LIF-08)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.names import pod_name
from clusterviz.engine.controllers.pods import (
    delete_pod,
    ended,
    is_ready,
    make_pod,
    owned,
    replicas_of,
    terminating,
    victims,
    write_status,
)
from clusterviz.engine.controllers.scheduler import fits
from clusterviz.engine.controllers.work import Work, changed, condition, labels, meta, owner_of, seconds, spec
from clusterviz.engine.fill import template_hash
from clusterviz.engine.objects import Obj, key_of

REVISION = "controller-revision-hash"
# Sorts after every node name.
_STATUS = "~"


def _replicaset(work: Work, item: Item) -> None:
    """As many pods as wanted."""
    replicaset = work.find("ReplicaSet", item)
    if replicaset is None:
        return
    key, wanted = key_of(replicaset), replicas_of(replicaset)
    pods = [pod for pod in owned(work, replicaset) if not terminating(pod)]
    for _ in range(wanted - len(pods)):
        if not work.may_create():
            break
        name = pod_name(key[2], work.rng, work.name_taken(key[1]))
        make_pod(work, replicaset, name, ("ReplicaSet", key[2]))
    for pod in victims(pods, len(pods) - wanted) if len(pods) > wanted else ():
        delete_pod(work, pod, replicaset)
    _count(work, replicaset, pods if len(pods) == wanted else None)


def _statefulset(work: Work, item: Item) -> None:
    """Pods name-0, name-1 ... one after the other; the last goes first; a name comes back."""
    statefulset = work.find("StatefulSet", item)
    if statefulset is not None:
        _stateful(work, statefulset)
        _count(work, statefulset)


def _touched(kind: str) -> Callable[[Board, Touch], Iterator[Item]]:
    """The workload itself, the owner of a pod, and everybody who may adopt a bare one."""

    def touched(board: Board, touch: Touch) -> Iterator[Item]:
        changed_kind, namespace, name = touch.key
        if changed_kind == kind:
            yield namespace, name
            return
        for owner in {owner_of(pod) for pod in touch.sides}:
            if owner[0] == kind:
                yield namespace, owner[1]
            elif owner == ("", ""):
                yield from ((namespace, key[2]) for key in board.keys(kind, namespace))

    return touched


def _stateful(work: Work, statefulset: Obj) -> None:
    key, wanted = key_of(statefulset), replicas_of(statefulset)
    revision = f"{key[2]}-{template_hash(spec(statefulset).get('template') or {})}"
    parallel = spec(statefulset).get("podManagementPolicy") == "Parallel"
    pods = {str(meta(pod)["name"]): pod for pod in owned(work, statefulset)}
    names = [f"{key[2]}-{ordinal}" for ordinal in range(wanted)]
    for name in names:
        pod = pods.get(name)
        if pod is None:
            if not work.may_create():
                break
            _ordinal_pod(work, statefulset, name, revision)
        if (pod is None or terminating(pod) or not is_ready(pod)) and not parallel:
            break
    surplus = sorted((n for n in pods if n not in names), key=_ordinal, reverse=True)
    for name in surplus:
        delete_pod(work, pods[name], statefulset)
        if not parallel:
            return
    if all(name in pods and is_ready(pods[name]) for name in names):
        _update_one(work, statefulset, [pods[name] for name in names], revision)


def _update_one(work: Work, statefulset: Obj, pods: list[Obj], revision: str) -> None:
    if (spec(statefulset).get("updateStrategy") or {}).get("type") == "OnDelete":
        return
    if any(terminating(pod) for pod in pods):
        return
    for pod in reversed(pods):
        if labels(pod).get(REVISION, revision) != revision:
            delete_pod(work, pod, statefulset)
            return


def _ordinal_pod(work: Work, statefulset: Obj, name: str, revision: str) -> None:
    key = key_of(statefulset)
    extra = {
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": name.rpartition("-")[2],
        REVISION: revision,
    }
    pod = make_pod(work, statefulset, name, ("StatefulSet", key[2]), extra)
    identity = {"hostname": name, "subdomain": str(spec(statefulset).get("serviceName") or "")}
    work.put(changed(pod, spec={**spec(pod), **{k: v for k, v in identity.items() if v}}))


def _ordinal(name: str) -> int:
    tail = name.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else -1


def _daemonset(work: Work, item: Item) -> None:
    """One pod on every node it fits, ready or not (NOD-04: they stay on lost nodes).

    A DaemonSet is looked at node by node, its pods on no node first, its status last.
    """
    namespace, name, node = item
    daemonset = work.get(("DaemonSet", namespace, name))
    if daemonset is None:
        return
    if node == _STATUS:
        pods = [pod for pod in owned(work, daemonset) if not terminating(pod)]
        ready = sum(map(is_ready, pods))
        write_status(
            work, daemonset, currentNumberScheduled=len(pods), desiredNumberScheduled=len(pods),
            numberReady=ready, numberAvailable=ready,
        )  # fmt: skip
    elif not node:
        for pod in owned(work, daemonset):
            if not spec(pod).get("nodeName"):
                delete_pod(work, pod, daemonset)
    else:
        _daemon(work, daemonset, node)


def _daemon(work: Work, daemonset: Obj, name: str) -> None:
    key = key_of(daemonset)
    template = spec(daemonset).get("template") or {}
    mine = ("DaemonSet", key[2])
    here = [
        pod for pod in work.board.pods_on(name) if owner_of(pod) == mine and key_of(pod)[1] == key[1] and not ended(pod)
    ]
    node = work.board.node(name)
    if node is None or not fits(template, node, daemon=True):
        for pod in here:
            delete_pod(work, pod, daemonset)
        return
    revision = work.hash_of(template)
    if not here and work.may_create():
        new = pod_name(key[2], work.rng, work.name_taken(key[1]))
        pod = make_pod(work, daemonset, new, mine, {REVISION: revision})
        work.put(changed(pod, spec={**spec(pod), "nodeName": name}))
    _replace_outdated(work, daemonset, here, revision)


def _daemonset_touched(board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "DaemonSet":
        yield namespace, name, _STATUS
        if touch.old is None or touch.new is None or spec(touch.old) != spec(touch.new):
            yield namespace, name, ""
            # Pods may be on nodes that are none any more.
            homes = {str(spec(pod).get("nodeName") or "") for pod in board.owned_by(namespace, ("DaemonSet", name))}
            for node in {*homes, *(key[2] for key in board.keys("Node", ""))}:
                yield namespace, name, node
    elif kind == "Node":
        if touch.old is None or touch.new is None or _place(touch.old) != _place(touch.new):
            for space, daemonset in board.daemonsets:
                yield space, daemonset, name
    else:
        for pod in touch.sides:
            owner, home = owner_of(pod), str(spec(pod).get("nodeName") or "")
            if owner[0] == "DaemonSet":
                yield namespace, owner[1], home
                yield namespace, owner[1], _STATUS
            elif owner == ("", ""):
                yield from ((namespace, key[2], "") for key in board.keys("DaemonSet", namespace))


def _place(node: Obj) -> tuple[Any, ...]:
    """What decides whether a DaemonSet's pod fits."""
    return meta(node).get("labels"), spec(node)


def _replace_outdated(work: Work, daemonset: Obj, here: list[Obj], revision: str) -> None:
    if (spec(daemonset).get("updateStrategy") or {}).get("type") == "OnDelete":
        return
    for pod in here:
        if labels(pod).get(REVISION, revision) != revision:
            delete_pod(work, pod, daemonset)


def _count(work: Work, workload: Obj, pods: list[Obj] | None = None) -> None:
    """Write the status; ``pods`` are those of the workload that stay, when they are known."""
    if pods is None:
        pods = [pod for pod in owned(work, workload) if not terminating(pod)]
    seasoned = float(spec(workload).get("minReadySeconds") or 0)
    ready = [pod for pod in pods if is_ready(pod)]
    available = sum(work.due(_ready_since(pod) + seasoned) for pod in ready) if seasoned else len(ready)
    counts = {"replicas": len(pods), "readyReplicas": len(ready), "availableReplicas": available}
    if workload["kind"] == "ReplicaSet":
        counts["fullyLabeledReplicas"] = len(pods)
    write_status(work, workload, **counts)


def _ready_since(pod: Obj) -> float:
    return seconds(str(condition(pod, "Ready").get("lastTransitionTime") or ""))


_KINDS = frozenset({"Pod"})
REPLICASETS = Controller("replicasets", _KINDS | {"ReplicaSet"}, _replicaset, _touched("ReplicaSet"))
STATEFULSETS = Controller("statefulsets", _KINDS | {"StatefulSet"}, _statefulset, _touched("StatefulSet"))
DAEMONSETS = Controller("daemonsets", _KINDS | {"DaemonSet", "Node"}, _daemonset, _daemonset_touched)
