"""The node controller: silence of a kubelet becomes Unknown, then evictions (NOD-02..06)."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.controllers.pods import delete_pod, ended, is_ready, terminating
from clusterviz.engine.controllers.work import (
    Work,
    annotation,
    changed,
    condition,
    meta,
    owner_of,
    seconds,
    set_condition,
    spec,
    status,
)
from clusterviz.engine.objects import DOWN_ANNOTATION, Obj

UNREACHABLE = "node.kubernetes.io/unreachable"
HEARTBEAT = "lastHeartbeatTime"


def nodes(work: Work) -> None:
    """Look at every kubelet's lease."""
    for node in work.all("Node"):
        if annotation(node, DOWN_ANNOTATION) == "true":
            _silent(work, node)
        else:
            _alive(work, node)


def _silent(work: Work, node: Obj) -> None:
    since = seconds(str(condition(node, "Ready").get(HEARTBEAT) or ""))
    if not since:
        work.put(_heartbeat(node, work.stamp))
        work.wake(seconds(work.stamp) + work.timing.unknown_after)
        return
    if not work.due(since + work.timing.unknown_after):
        return
    name = str(meta(node)["name"])
    pods = [pod for pod in work.all("Pod") if spec(pod).get("nodeName") == name and not ended(pod)]
    if condition(node, "Ready").get("status") != "Unknown":
        node = set_condition(
            node, "Ready", "Unknown", work.stamp,
            reason="NodeStatusUnknown", message="Kubelet stopped posting node status.",
        )  # fmt: skip
        work.put(_with_taints(node, [{"key": UNREACHABLE, "effect": e} for e in ("NoSchedule", "NoExecute")]))
        work.event(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady", warning=True)
    for pod in pods:
        if is_ready(pod):
            work.put(set_condition(pod, "Ready", "False", work.stamp, reason="NodeNotReady"))
            work.event(pod, "NodeNotReady", "Node is not ready", warning=True)
    if work.due(since + work.timing.unknown_after + work.timing.evict_after):
        for pod in pods:
            _evict(work, pod)


def _evict(work: Work, pod: Obj) -> None:
    """Pods tolerate the taint for a while, DaemonSet pods for ever (NOD-04)."""
    if terminating(pod) or owner_of(pod)[0] in ("DaemonSet", "Node"):
        return
    current = work.get(("Pod", str(meta(pod).get("namespace") or "default"), str(meta(pod)["name"])))
    if current is not None:
        work.event(current, "TaintManagerEviction", "Marking for deletion Pod: its node is unreachable")
        delete_pod(work, current)


def _alive(work: Work, node: Obj) -> None:
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


def _heal_pods(work: Work, name: str) -> None:
    """The kubelet is back: what it runs becomes ready again through its own check."""
    for pod in work.all("Pod"):
        if spec(pod).get("nodeName") != name or terminating(pod):
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
