"""The node controller: silence of a kubelet becomes Unknown, then evictions (NOD-01..07)."""

from __future__ import annotations

import math
from typing import Any

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import delete_pod, ended, is_ready, terminating
from clusterviz.engine.controllers.room import amount
from clusterviz.engine.controllers.work import (
    Work,
    annotation,
    changed,
    condition,
    labels,
    meta,
    owner_of,
    seconds,
    set_condition,
    spec,
    status,
    timestamp,
)
from clusterviz.engine.objects import DOWN_ANNOTATION, ZONE_LABEL, Obj, key_of

UNREACHABLE = "node.kubernetes.io/unreachable"
HEARTBEAT = "lastHeartbeatTime"
# A machine of 16 cores and 64 GiB; the number of pods is a kubelet's default.
SIZE = {"cpu": "16", "ephemeral-storage": "104857600Ki", "memory": "67108864Ki", "pods": "110"}
EVICTION_HARD = 100 * 2**20


def _lease(work: Work, item: Item) -> None:
    """Look at a kubelet's lease."""
    node = work.board.node(item[0])
    if node is None:
        return
    if annotation(node, DOWN_ANNOTATION) == "true":
        _silent(work, node)
    else:
        _alive(work, node)


def _lease_touched(board: Board, touch: Touch) -> list[Item]:
    if touch.key[0] == "Node":
        return [(touch.key[2],)]
    return [(name,) for name in _lost_homes(board, touch)]


def _evictions_touched(board: Board, touch: Touch) -> list[Item]:
    """All nodes of a zone count, so all are one item; it matters only while somebody is silent."""
    if touch.key[0] == "Node":
        return [("",)] if board.down or any(map(_is_unknown, touch.sides)) else []
    return [("",)] if _lost_homes(board, touch) else []


def _lost_homes(board: Board, touch: Touch) -> set[str]:
    """Silent nodes among those of a pod."""
    return {node for pod in touch.sides if (node := str(spec(pod).get("nodeName") or "")) in board.down}


def _silent(work: Work, node: Obj) -> None:
    since = seconds(str(condition(node, "Ready").get(HEARTBEAT) or ""))
    if not since:
        since = work.timing.last_renewal(work.now)
        work.put(_heartbeat(node, timestamp(since)))
    if not work.due(work.timing.noticed(since)):
        return
    node = work.get(("Node", "", str(meta(node)["name"]))) or node
    name = str(meta(node)["name"])
    if condition(node, "Ready").get("status") != "Unknown":
        node = set_condition(
            node, "Ready", "Unknown", work.stamp,
            reason="NodeStatusUnknown", message="Kubelet stopped posting node status.",
        )  # fmt: skip
        work.put(_with_taints(node, [{"key": UNREACHABLE, "effect": "NoSchedule", "timeAdded": work.stamp}]))
        work.event(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady", warning=True)
    for pod in _pods_on(work, name):
        if is_ready(pod):
            work.put(set_condition(pod, "Ready", "False", work.stamp, reason="NodeNotReady"))
            work.event(pod, "NodeNotReady", "Node is not ready", warning=True)


def _pods_on(work: Work, node: str) -> list[Obj]:
    return [pod for pod in work.board.pods_on(node) if not ended(pod)]


def _evictions(work: Work, _item: Item) -> None:
    """Taint lost nodes one after the other, at the pace their zone's health allows, then evict (NOD-07)."""
    if not work.board.down:
        return
    zones: dict[str, list[Obj]] = {}
    for node in work.board.all("Node"):
        zones.setdefault(labels(node).get(ZONE_LABEL, ""), []).append(node)
    if all(all(map(_is_unknown, members)) for members in zones.values()):
        return  # nobody answers anywhere: the fault is more likely the controller's own
    for members in zones.values():
        _evict_zone(work, members)


def _evict_zone(work: Work, members: list[Obj]) -> None:
    pause = work.timing.pause_between_evictions(members=len(members), lost=sum(map(_is_unknown, members)))
    last = max((_tainted_at(node) for node in members), default=0.0)
    for node in sorted(filter(_is_unknown, members), key=lambda n: (_unknown_since(n), str(meta(n)["name"]))):
        if not _tainted_at(node):
            if not math.isfinite(pause) or (last and not work.due(last + pause)):
                continue
            last = work.now
            taint = {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": work.stamp}
            work.put(_with_taints(node, [*_taints(node), taint]))
        for pod in _pods_on(work, str(meta(node)["name"])):
            _evict(work, pod, _tainted_at(node) or seconds(work.stamp))


def _evict(work: Work, pod: Obj, tainted: float) -> None:
    """Pods tolerate the taint for a while, DaemonSet pods for ever (NOD-04)."""
    if terminating(pod) or owner_of(pod)[0] in ("DaemonSet", "Node"):
        return
    patience = _patience(pod, work.timing.eviction)
    if math.isfinite(patience) and work.due(tainted + patience / work.timing.eviction_acceleration):
        work.event(pod, "TaintManagerEviction", f"Marking for deletion Pod {'/'.join(key_of(pod)[1:])}")
        delete_pod(work, pod)


def _patience(pod: Obj, default: float) -> float:
    """Seconds a pod tolerates NoExecute; what admission adds when the pod says nothing is ``default``."""
    times = [
        toleration.get("tolerationSeconds")
        for toleration in spec(pod).get("tolerations") or ()
        if toleration.get("effect") in (None, "", "NoExecute") and _is_of_lost_nodes(toleration)
    ]
    if not times:
        return default
    given = [max(0.0, float(time)) for time in times if time is not None]
    return min(given, default=math.inf)


def _is_of_lost_nodes(toleration: dict[str, Any]) -> bool:
    key = toleration.get("key")
    return key == UNREACHABLE or (not key and toleration.get("operator") == "Exists")


def _is_unknown(node: Obj) -> bool:
    return condition(node, "Ready").get("status") == "Unknown"


def _unknown_since(node: Obj) -> float:
    return seconds(str(condition(node, "Ready").get("lastTransitionTime") or ""))


def _taints(node: Obj) -> list[dict[str, Any]]:
    return [taint for taint in spec(node).get("taints") or () if taint.get("key") == UNREACHABLE]


def _tainted_at(node: Obj) -> float:
    return max(
        (seconds(str(t.get("timeAdded") or "")) for t in _taints(node) if t["effect"] == "NoExecute"), default=0.0
    )


def _alive(work: Work, node: Obj) -> None:
    if not status(node).get("allocatable"):
        node = with_size(node)
        work.put(node)
    if condition(node, "Ready").get(HEARTBEAT):
        node = _heartbeat(node, "")
        work.put(node)
    if condition(node, "Ready").get("status") != "True":
        was_unknown = bool(condition(node, "Ready"))
        node = set_condition(
            node, "Ready", "True", work.stamp,
            reason="KubeletReady", message="kubelet is posting ready status",
        )  # fmt: skip
        work.put(_with_taints(node, []))
        if was_unknown:
            work.event(node, "NodeReady", f"Node {meta(node)['name']} status is now: NodeReady")
            _heal_pods(work, str(meta(node)["name"]))


def with_size(node: Obj) -> Obj:
    """What a kubelet tells of its machine when it registers, of one that says nothing: `SIZE`.

    Pods may take all of it but the memory below which a kubelet evicts by default, 100 MiB.
    """
    has = {**SIZE, **(status(node).get("capacity") or {})}
    memory = amount("memory", has["memory"])
    left = {**has, "memory": f"{max(0, memory - EVICTION_HARD) // 1024}Ki"}
    return changed(node, status={**status(node), "capacity": has, "allocatable": left})


def _heal_pods(work: Work, name: str) -> None:
    """The kubelet is back: what it runs becomes ready again through its own check."""
    for pod in work.board.pods_on(name):
        if terminating(pod):
            continue
        if condition(pod, "Ready").get("reason") != "NodeNotReady":
            continue
        rest = [c for c in status(pod).get("conditions") or () if c.get("type") != "Ready"]
        work.put(changed(pod, status={**status(pod), "conditions": rest}))


def _heartbeat(node: Obj, stamp: str) -> Obj:
    """The kubelet's last sign of life; kept only while it is silent, or every node would always change."""
    ready = condition(node, "Ready") or {"type": "Ready", "status": "True"}
    ready.pop(HEARTBEAT, None)
    if stamp:
        ready[HEARTBEAT] = stamp
    others = [c for c in status(node).get("conditions") or () if c.get("type") != "Ready"]
    return changed(node, status={**status(node), "conditions": [*others, ready]})


def _with_taints(node: Obj, taints: list[dict[str, Any]]) -> Obj:
    kept = [t for t in spec(node).get("taints") or () if t.get("key") != UNREACHABLE]
    rest = {k: v for k, v in spec(node).items() if k != "taints"}
    together = kept + taints
    return changed(node, spec={**rest, **({"taints": together} if together else {})})


_KINDS = frozenset({"Node", "Pod"})
NODES = Controller("nodes", _KINDS, _lease, _lease_touched)
EVICTIONS = Controller("evictions", _KINDS, _evictions, _evictions_touched)
