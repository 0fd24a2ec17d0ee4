"""The scheduler: which node a pod goes to (LIF-10), simplified to what a picture can show.

A node must be ready, schedulable, match nodeSelector, have no taint the pod does not tolerate, and
have room for a pod; of those the one with the fewest pods of the same owner, then the fewest pods.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from clusterviz.engine.controllers.pods import ended
from clusterviz.engine.controllers.work import (
    Work,
    changed,
    condition,
    labels,
    meta,
    owner_of,
    set_condition,
    spec,
    status,
)
from clusterviz.engine.host_ports import NO_FREE_PORTS, HostPorts
from clusterviz.engine.objects import Obj, key_of

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
NOT_FOR_DAEMONS = ("node.kubernetes.io/",)
MAX_PODS = 110


def schedule(work: Work) -> None:
    """Bind every Pending pod that fits somewhere; say why for the others."""
    waiting = [
        pod
        for pod in work.all("Pod")
        if not spec(pod).get("nodeName") and not ended(pod) and not meta(pod).get("deletionTimestamp")
    ]
    if not waiting:
        return
    nodes = list(work.all("Node"))
    total: Counter[str] = Counter()
    family: Counter[tuple[str, tuple[str, str], str]] = Counter()
    ports = HostPorts(work.all("Pod"))
    for pod in work.all("Pod"):
        node = str(spec(pod).get("nodeName") or "")
        if node and not ended(pod):
            total[node] += 1
            family[node, owner_of(pod), key_of(pod)[1]] += 1
    for pod in waiting:
        owner, namespace = owner_of(pod), key_of(pod)[1]
        fitting = [n for n in nodes if not refusal(pod, n, total[str(meta(n)["name"])], ports)]
        if not fitting:
            _unschedulable(work, pod, nodes, total, ports)
            continue
        names = sorted(
            (str(meta(node)["name"]) for node in fitting),
            key=lambda name: (family[name, owner, namespace], total[name], name),
        )
        _bind(work, pod, names[0])
        ports.take(names[0], pod)
        total[names[0]] += 1
        family[names[0], owner, namespace] += 1


def _bind(work: Work, pod: Obj, node: str) -> None:
    bound = changed(pod, spec={**spec(pod), "nodeName": node})
    work.put(set_condition(bound, "PodScheduled", "True", work.stamp))
    _, namespace, name = key_of(pod)
    work.event(pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")


def _unschedulable(work: Work, pod: Obj, nodes: list[Obj], total: Counter[str], ports: HostPorts) -> None:
    message = why_nowhere(pod, nodes, total, ports)
    if condition(pod, "PodScheduled").get("message") != message:
        work.put(set_condition(pod, "PodScheduled", "False", work.stamp, reason="Unschedulable", message=message))
        work.event(pod, "FailedScheduling", message, warning=True)


def why_nowhere(pod: Obj, nodes: list[Obj], total: Counter[str], ports: HostPorts) -> str:
    """What FailedScheduling says of a pod that fits on no node."""
    reasons = Counter(refusal(pod, node, total[str(meta(node)["name"])], ports) for node in nodes)
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return f"0/{len(nodes)} nodes are available: {listed or 'there are no nodes'}."


def refusal(pod: Obj, node: Obj, pods_there: int, ports: HostPorts) -> str:
    """Why a node does not take a pod, in the scheduler's words; "" when it does."""
    if not fits(pod, node, daemon=False):
        taint = _untolerated(pod, node, daemon=False)
        if spec(node).get("unschedulable") and not taint:
            return "node(s) were unschedulable"
        if taint:
            return f"node(s) had untolerated taint {{{taint.get('key')}: {taint.get('value', '')}}}"
        return "node(s) didn't match Pod's node affinity/selector"
    if not _ready(node):
        return "node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
    if pods_there >= _capacity(node):
        return "Too many pods"
    return "" if ports.free(str(meta(node)["name"]), pod) else NO_FREE_PORTS


def fits(pod: Obj, node: Obj, *, daemon: bool) -> bool:
    """nodeSelector, cordon and taints; DaemonSet pods ignore cordons and node conditions."""
    wanted = spec(pod).get("nodeSelector") or {}
    has = {"kubernetes.io/hostname": str(meta(node)["name"]), "kubernetes.io/os": "linux", **labels(node)}
    if any(has.get(key) != str(value) for key, value in wanted.items()):
        return False
    if spec(node).get("unschedulable") and not daemon and not _tolerates_cordon(pod):
        return False
    return _untolerated(pod, node, daemon=daemon) is None


def _tolerates_cordon(pod: Obj) -> bool:
    return _tolerated(pod, {"key": UNSCHEDULABLE, "effect": "NoSchedule"})


def _untolerated(pod: Obj, node: Obj, *, daemon: bool) -> dict[str, Any] | None:
    for taint in spec(node).get("taints") or ():
        if taint.get("effect") == "PreferNoSchedule" or taint.get("key") == UNSCHEDULABLE:
            continue
        if daemon and str(taint.get("key", "")).startswith(NOT_FOR_DAEMONS):
            continue
        if not _tolerated(pod, taint):
            return dict(taint)
    return None


def _tolerated(pod: Obj, taint: dict[str, Any]) -> bool:
    for toleration in spec(pod).get("tolerations") or ():
        if toleration.get("effect") not in (None, "", taint.get("effect")):
            continue
        exists = toleration.get("operator") == "Exists"
        if not toleration.get("key"):
            if exists:
                return True
        elif toleration["key"] == taint.get("key") and (
            exists or str(toleration.get("value", "")) == str(taint.get("value", ""))
        ):
            return True
    return False


def _ready(node: Obj) -> bool:
    return condition(node, "Ready").get("status") in (None, "True")


def _capacity(node: Obj) -> int:
    value = str((status(node).get("allocatable") or {}).get("pods") or "")
    return int(value) if value.isdecimal() else MAX_PODS
