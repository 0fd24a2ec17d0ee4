"""The scheduler: which node a pod goes to (LIF-10), simplified to what a picture can show.

A node must be ready, schedulable, match nodeSelector and node affinity, have no taint the pod does not tolerate, and
have room for a pod, its ports and what it requests; of those the one with the fewest pods of the same owner, then the
fewest pods.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from clusterviz.engine.controllers.affinity import may_run_on, node_terms
from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import ended
from clusterviz.engine.controllers.room import lacking, requests
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
from clusterviz.engine.host_ports import NO_FREE_PORTS, HostPorts, wanted_ports
from clusterviz.engine.objects import Obj, key_of

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
NOT_FOR_DAEMONS = ("node.kubernetes.io/",)
MAX_PODS = 110
TOO_MANY = "Too many pods"
# What pods ask of nodes differs little within a cluster; more than this is forgotten and worked out again.
MOST_FITS = 256
# So few nodes are looked at one by one.
FEW = 64


class Fit(msgspec.Struct):
    """Nodes for pods that ask the same of them: why the others refuse, whatever runs there, and who does not."""

    pod: Obj
    refused: dict[str, str] = {}
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    nodes: set[str] = set()


class Memory:
    """What the scheduler keeps between reconciliations: fits by what pods ask, and who waits for what."""

    def __init__(self) -> None:
        self._fits: dict[bytes, Fit] = {}
        # Pods that some node would take if it were emptier, and those that none would.
        self.crowded_out: dict[Item, None] = {}
        self.hopeless: dict[Item, None] = {}

    def fit(self, board: Board, pod: Obj) -> Fit:
        """The nodes for a pod."""
        wishes = [spec(pod).get("nodeSelector"), spec(pod).get("tolerations"), node_terms(pod)]
        asked = msgspec.json.encode(wishes, order="sorted")
        found = self._fits.get(asked)
        if found is None:
            if len(self._fits) >= MOST_FITS:
                self._fits.clear()
            found = self._fits[asked] = Fit(pod)
            for key in board.keys("Node", ""):
                _judge(found, key[2], board.node(key[2]))
        return found

    def node(self, name: str, node: Obj | None) -> None:
        """A node came, changed or went."""
        for fit in self._fits.values():
            _judge(fit, name, node)


def _judge(fit: Fit, name: str, node: Obj | None) -> None:
    before = fit.refused.pop(name, "")
    fit.nodes.discard(name)
    if before:
        fit.reasons[before] -= 1
    if node is None:
        return
    reason = refusal(fit.pod, node, -1, HostPorts())
    if reason:
        fit.refused[name] = reason
        fit.reasons[reason] += 1
    else:
        fit.nodes.add(name)


def _memory(board: Board) -> Memory:
    if not isinstance(board.memory, Memory):
        board.memory = Memory()
    return board.memory


def _one(work: Work, item: Item) -> None:
    """Bind a Pending pod that fits somewhere; say why of one that does not."""
    pod = work.find("Pod", item)
    if pod is None or key_of(pod) not in work.board.waiting:
        return
    memory = _memory(work.board)
    fit = memory.fit(work.board, pod)
    node = _choose(work.board, pod, fit)
    if node:
        _bind(work, pod, node)
    else:
        (memory.crowded_out if fit.nodes else memory.hopeless)[item] = None
        _unschedulable(work, pod, fit)


def _touched(board: Board, touch: Touch) -> list[Item]:
    memory, found = _memory(board), []
    if touch.key[0] == "Node":
        memory.node(touch.key[2], touch.new)
        found = [*memory.hopeless, *memory.crowded_out]
        memory.hopeless.clear()
        memory.crowded_out.clear()
        return found
    if touch.key in board.waiting:
        found = [touch.key[1:]]
    if memory.crowded_out and _load(touch.old) != _load(touch.new):
        found += memory.crowded_out
        memory.crowded_out.clear()
    return found


def _load(pod: Obj | None) -> tuple[Any, ...]:
    """What a pod takes of a node."""
    if pod is None or ended(pod) or not spec(pod).get("nodeName"):
        return ()
    return spec(pod)["nodeName"], owner_of(pod), wanted_ports(pod)


def _choose(board: Board, pod: Obj, fit: Fit) -> str:
    """The node with the fewest pods of the same owner, then the fewest pods; "" when none takes it."""
    usage = board.usage
    family = usage.family(key_of(pod)[1], owner_of(pod))
    ports, asked = wanted_ports(pod), requests(pod)

    def takes(name: str) -> bool:
        node = board.node(name) or {}
        if usage.total[name] >= _capacity(node) or (asked and lacking(node, _claimed(board, name), asked)):
            return False
        return not ports or board.ports_on(name).free(name, pod)

    if len(fit.nodes) > FEW:
        for _, names in usage.emptiest():
            for name in names:
                if name in fit.nodes and name not in family and takes(name):
                    return name
    return min(filter(takes, fit.nodes), key=lambda name: (family.get(name, 0), usage.total[name], name), default="")


def _claimed(board: Board, node: str) -> Counter[str]:
    return board.usage.claimed.get(node) or Counter()


def _bind(work: Work, pod: Obj, node: str) -> None:
    bound = changed(pod, spec={**spec(pod), "nodeName": node})
    work.put(set_condition(bound, "PodScheduled", "True", work.stamp))
    _, namespace, name = key_of(pod)
    work.event(pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")


def _unschedulable(work: Work, pod: Obj, fit: Fit) -> None:
    board, reasons = work.board, Counter(fit.reasons)
    asked = requests(pod)
    for name in fit.nodes:
        node = board.node(name) or {}
        short = [f"Insufficient {resource}" for resource in lacking(node, _claimed(board, name), asked)]
        if board.usage.total[name] >= _capacity(node):
            short.append(TOO_MANY)
        reasons.update(short or [NO_FREE_PORTS])
    message = nowhere(reasons, len(fit.nodes) + len(fit.refused))
    if condition(pod, "PodScheduled").get("message") != message:
        work.put(set_condition(pod, "PodScheduled", "False", work.stamp, reason="Unschedulable", message=message))
        work.event(pod, "FailedScheduling", message, warning=True)


def nowhere(reasons: Counter[str], nodes: int) -> str:
    """What FailedScheduling says of a pod that fits on no node: how many nodes refuse it for what, or for all what."""
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()) if count)
    return f"0/{nodes} nodes are available: {listed or 'there are no nodes'}."


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
        return TOO_MANY
    return "" if ports.free(str(meta(node)["name"]), pod) else NO_FREE_PORTS


def fits(pod: Obj, node: Obj, *, daemon: bool) -> bool:
    """nodeSelector, node affinity, cordon and taints; DaemonSet pods ignore cordons and node conditions."""
    wanted = spec(pod).get("nodeSelector") or {}
    has = {"kubernetes.io/hostname": str(meta(node)["name"]), "kubernetes.io/os": "linux", **labels(node)}
    if any(has.get(key) != str(value) for key, value in wanted.items()):
        return False
    if not may_run_on(pod, str(meta(node)["name"]), has):
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


SCHEDULER = Controller("scheduler", frozenset({"Node", "Pod"}), _one, _touched)
