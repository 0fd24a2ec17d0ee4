"""Whether a node suits a pod whatever else runs there: selectors, affinity, cordons and taints (LIF-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clusterviz.engine.controllers.affinity import may_run_on
from clusterviz.engine.controllers.work import condition, labels, meta, spec, status
from clusterviz.engine.host_ports import NO_FREE_PORTS, HostPorts
from clusterviz.engine.objects import Obj

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
NOT_FOR_DAEMONS = ("node.kubernetes.io/",)
MAX_PODS = 110
TOO_MANY = "Too many pods"
_MACHINE = {"arch": "amd64", "os": "linux"}


def node_labels(node: Obj) -> dict[str, str]:
    """A node's labels with those every kubelet sets, under their old names too."""
    given = labels(node)
    machine = {name: given.get(f"kubernetes.io/{name}", usual) for name, usual in _MACHINE.items()}
    mine = {f"{prefix}kubernetes.io/{name}": value for name, value in machine.items() for prefix in ("", "beta.")}
    return {"kubernetes.io/hostname": str(meta(node)["name"]), **mine, **given}


def capacity(node: Obj) -> int:
    """How many pods a node takes."""
    value = str((status(node).get("allocatable") or {}).get("pods") or "")
    return int(value) if value.isdecimal() else MAX_PODS


def refusal(pod: Obj, node: Obj, pods_there: int, ports: HostPorts) -> str:
    """Why a node does not take a pod, in the scheduler's words; "" when it does."""
    if spec(node).get("unschedulable") and not _tolerates_cordon(pod):
        return "node(s) were unschedulable"
    taint = untolerated(pod, node, daemon=False)
    if taint is not None:
        return f"node(s) had untolerated taint {{{taint.get('key')}: {taint.get('value', '')}}}"
    if condition(node, "Ready").get("status") not in (None, "True"):
        return "node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
    if not is_chosen(pod, str(meta(node)["name"]), node_labels(node)):
        return "node(s) didn't match Pod's node affinity/selector"
    if pods_there >= capacity(node):
        return TOO_MANY
    return "" if ports.free(str(meta(node)["name"]), pod) else NO_FREE_PORTS


def is_chosen(pod: Obj, name: str, has: Mapping[str, str]) -> bool:
    """Whether a node with these labels matches nodeSelector and required node affinity."""
    wanted = spec(pod).get("nodeSelector") or {}
    return all(has.get(key) == str(value) for key, value in wanted.items()) and may_run_on(pod, name, has)


def fits(pod: Obj, node: Obj, *, daemon: bool) -> bool:
    """nodeSelector, node affinity, cordon and taints; DaemonSet pods ignore cordons and node conditions."""
    if not is_chosen(pod, str(meta(node)["name"]), node_labels(node)):
        return False
    if spec(node).get("unschedulable") and not daemon and not _tolerates_cordon(pod):
        return False
    return untolerated(pod, node, daemon=daemon) is None


def is_tolerant(pod: Obj, node: Obj) -> bool:
    """Whether a pod tolerates all taints of a node that forbid it, a cordon among them."""
    cordoned = spec(node).get("unschedulable") and not _tolerates_cordon(pod)
    return not cordoned and untolerated(pod, node, daemon=False) is None


def disliked(pod: Obj, node: Obj) -> int:
    """How many PreferNoSchedule taints of a node a pod does not tolerate."""
    taints = [one for one in spec(node).get("taints") or () if one.get("effect") == "PreferNoSchedule"]
    return sum(not _tolerated(pod, taint) for taint in taints)


def untolerated(pod: Obj, node: Obj, *, daemon: bool) -> dict[str, Any] | None:
    """The first taint that keeps a pod off a node; cordons are not looked at."""
    for taint in spec(node).get("taints") or ():
        if taint.get("effect") == "PreferNoSchedule" or taint.get("key") == UNSCHEDULABLE:
            continue
        if daemon and str(taint.get("key", "")).startswith(NOT_FOR_DAEMONS):
            continue
        if not _tolerated(pod, taint):
            return dict(taint)
    return None


def _tolerates_cordon(pod: Obj) -> bool:
    return _tolerated(pod, {"key": UNSCHEDULABLE, "effect": "NoSchedule"})


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
