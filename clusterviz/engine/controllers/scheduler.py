"""The scheduler: which node a pod goes to (LIF-10).

A node must be ready, schedulable, match nodeSelector and node affinity, have no taint the pod does not tolerate, have
room for a pod, its ports and what it requests, and keep what pods ask of the pods around them. Of those the one the pod
likes best; among equals the one with the fewest pods of the same owner, then the fewest pods. A pod that fits nowhere
may send less important ones away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from functools import partial
from itertools import islice
from typing import Any

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.landscape import FOR_GOOD, Landscape
from clusterviz.engine.controllers.memory import Fit, Memory, memory_of
from clusterviz.engine.controllers.pods import delete_pod, ended, terminating
from clusterviz.engine.controllers.preemption import (
    MOST_CANDIDATES,
    NO_VICTIMS,
    NOT_HELPFUL,
    PATIENT,
    best,
    may_preempt,
    nobody_is_lesser,
    victims_on,
)
from clusterviz.engine.controllers.priority import admitted, priority_of
from clusterviz.engine.controllers.room import lacking, requests
from clusterviz.engine.controllers.suitability import TOO_MANY, capacity
from clusterviz.engine.controllers.work import (
    Work,
    changed,
    condition,
    meta,
    owner_of,
    set_condition,
    spec,
    with_status,
)
from clusterviz.engine.host_ports import NO_FREE_PORTS, HostPorts, wanted_ports
from clusterviz.engine.objects import Obj, key_of

# So few nodes are looked at one by one.
FEW = 64
GATED = "Scheduling is blocked due to non-empty scheduling gates"
_HIGHEST = 3_000_000_000


def _one(work: Work, item: Item) -> None:
    """Bind a Pending pod that fits somewhere; say why of one that does not."""
    pod = work.find("Pod", item[1:])
    if pod is None or key_of(pod) not in work.board.waiting:
        return
    if not _is_ours(pod):
        return
    if spec(pod).get("schedulingGates"):
        _wait(work, pod, "SchedulingGated", GATED)
        return
    if ranked := admitted(work.board, pod):
        pod = changed(pod, spec={**spec(pod), **ranked})
        work.put(pod)
    memory = memory_of(work.board)
    fit = memory.fit(work.board, pod)
    room, land = Room(work.board, pod), Landscape(work.board, memory, pod, fit)
    node = _choose(work.board, fit, room, land)
    if node:
        _bind(work, pod, node)
        return
    (memory.crowded_out if fit.nodes else memory.hopeless)[item] = None
    nominated, words = _preempt(work, memory, fit, room, land)
    if words != PATIENT:
        _unschedulable(work, work.get(key_of(pod)) or pod, _message(fit, room, land, words), nominated)


def _is_ours(pod: Obj) -> bool:
    return (spec(pod).get("schedulerName") or "default-scheduler") == "default-scheduler"


def _touched(board: Board, touch: Touch) -> list[Item]:
    memory = memory_of(board)
    match touch.key[0]:
        case "Node":
            memory.node(touch.key[2], touch.new)
            return memory.wake(hopeless=True)
        case "Namespace":
            memory.namespaces()
            return memory.wake(hopeless=False)
        case "PriorityClass":
            return memory.wake(hopeless=False)
    memory.pod(board, touch)
    found = memory.wake(hopeless=False) if memory.crowded_out and _load(touch.old) != _load(touch.new) else []
    if touch.key in board.waiting:
        # The most important first, as the scheduler's queue has them.
        rank = _HIGHEST - priority_of(board, touch.new or {})
        found.append((f"{rank:010d}", *touch.key[1:]))
    return found


def _load(pod: Obj | None) -> tuple[Any, ...]:
    """What a pod takes of a node, and of others."""
    if pod is None or ended(pod) or not spec(pod).get("nodeName"):
        return ()
    return spec(pod)["nodeName"], owner_of(pod), wanted_ports(pod), meta(pod).get("labels"), terminating(pod)


class Room:
    """What one pod takes, held against what nodes have left."""

    def __init__(self, board: Board, pod: Obj) -> None:
        self.board, self.pod = board, pod
        self.ports, self.asked = wanted_ports(pod), requests(pod)

    def lacks(self, name: str, without: Collection[Obj] = ()) -> list[str]:
        """What a node has too little of, in the scheduler's words, if the pods ``without`` were gone."""
        node = self.board.node(name) or {}
        claimed: Counter[str] = self.board.usage.claimed.get(name) or Counter()
        promised = self._promised(name)
        if without or promised:
            claimed = Counter(claimed)
            claimed.subtract(sum((requests(pod) for pod in without), Counter()))
            claimed.update(sum((requests(pod) for pod in promised), Counter()))
        if self.ports and not self._ports_free(name, promised, without):
            return [NO_FREE_PORTS]
        crowded = self.board.usage.total[name] + len(promised) - len(without) >= capacity(node)
        short = lacking(node, claimed, self.asked) if self.asked else []
        return [*([TOO_MANY] if crowded else []), *(f"Insufficient {resource}" for resource in short)]

    def _promised(self, name: str) -> list[Obj]:
        """Pods at least as important that others made room for there."""
        waiting = self.board.nominated.get(name)
        if not waiting:
            return []
        mine, me = priority_of(self.board, self.pod), key_of(self.pod)
        return [pod for key, pod in waiting.items() if key != me and priority_of(self.board, pod) >= mine]

    def _ports_free(self, name: str, promised: list[Obj], without: Collection[Obj]) -> bool:
        if not without and not promised:
            return self.board.ports_on(name).free(name, self.pod)
        gone = {key_of(pod) for pod in without}
        used = HostPorts(pod for pod in self.board.pods_on(name) if key_of(pod) not in gone)
        for pod in promised:
            used.take(name, pod)
        return used.free(name, self.pod)


def _choose(board: Board, fit: Fit, room: Room, land: Landscape) -> str:
    """The node a pod likes best; "" when none takes it."""
    usage = board.usage
    family = usage.family(key_of(room.pod)[1], owner_of(room.pod))
    if land.is_plain and len(fit.nodes) > FEW:
        for _, names in usage.emptiest():
            for name in names:
                if name in fit.nodes and name not in family and not room.lacks(name):
                    return name
    possible = [name for name in fit.nodes if not room.lacks(name) and not land.refusal(name)]
    scores = {} if land.is_plain else land.scores(possible)
    return min(
        possible, key=lambda name: (-scores.get(name, 0), family.get(name, 0), usage.total[name], name), default=""
    )


def place(work: Work, pod: Obj, node: str) -> None:
    """Bind a new pod that was made for a node, if there is room and nobody there minds; else it waits its turn.

    What decides is what `_one` would find: the way is shorter, since no other node comes into question.
    """
    if not _is_ours(pod) or spec(pod).get("schedulingGates"):
        return
    memory, board = memory_of(work.board), work.board
    fit = memory.fit(board, pod)
    takes = node in fit.nodes and not Room(board, pod).lacks(node)
    if takes and not Landscape(board, memory, pod, fit).refusal(node):
        _bind(work, pod, node)


def _bind(work: Work, pod: Obj, node: str) -> None:
    bound = changed(pod, spec={**spec(pod), "nodeName": node})
    work.put(set_condition(bound, "PodScheduled", "True", work.stamp))
    _, namespace, name = key_of(pod)
    work.event(pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")


def _preempt(work: Work, memory: Memory, fit: Fit, room: Room, land: Landscape) -> tuple[str, str]:
    """Send less important pods away from the node where it hurts least; answers the node, or why there is none."""
    board, pod = work.board, room.pod
    if not fit.number:
        return "", ""
    if words := may_preempt(board, pod):
        return "", words
    hopeful = [name for name in sorted(fit.nodes) if land.refusal(name) not in FOR_GOOD]
    choices: dict[str, list[Obj]] = {}
    if not nobody_is_lesser(board, pod):

        def fits(name: str, without: list[Obj]) -> bool:
            return not room.lacks(name, without) and not Landscape(board, memory, pod, fit, without).refusal(name)

        found = ((name, victims_on(board, pod, name, partial(fits, name))) for name in hopeful)
        choices = dict(islice(((name, going) for name, going in found if going is not None), MOST_CANDIDATES))
    if not choices:
        useless = fit.number - len(hopeful)
        return "", nowhere(Counter({NO_VICTIMS: len(hopeful), NOT_HELPFUL: useless}), fit.number)
    node = best(board, choices)
    for victim in choices[node]:
        _send_away(work, pod, victim, node)
    return node, ""


def _send_away(work: Work, pod: Obj, victim: Obj, node: str) -> None:
    _, namespace, name = key_of(pod)
    if terminating(victim):
        return
    work.event(victim, "Preempted", f"Preempted by {namespace}/{name} on node {node}")
    why = "default-scheduler: preempting to accommodate a higher priority pod"
    marked = set_condition(victim, "DisruptionTarget", "True", work.stamp, reason="PreemptionByScheduler", message=why)
    work.put(marked)
    delete_pod(work, marked)


def _message(fit: Fit, room: Room, land: Landscape, preemption: str) -> str:
    reasons = Counter(fit.reasons)
    for name in fit.nodes:
        reasons.update(room.lacks(name) or [land.refusal(name)])
    message = nowhere(reasons, fit.number)
    return f"{message} preemption: {preemption}" if preemption else message


def hopeless(reasons: Counter[str], nodes: int) -> str:
    """What FailedScheduling says of a pod that every node refuses for good, whoever left it."""
    return f"{nowhere(reasons, nodes)} preemption: {nowhere(Counter({NOT_HELPFUL: nodes}), nodes)}"


def _unschedulable(work: Work, pod: Obj, message: str, nominated: str) -> None:
    if nominated:
        pod = with_status(pod, nominatedNodeName=nominated)
    if _wait(work, pod, "Unschedulable", message):
        work.event(pod, "FailedScheduling", message, warning=True)


def _wait(work: Work, pod: Obj, reason: str, message: str) -> bool:
    """Write down why a pod waits; False when it is known."""
    if condition(pod, "PodScheduled").get("message") == message and work.get(key_of(pod)) is pod:
        return False
    pod = with_status(pod, phase="Pending")
    work.put(set_condition(pod, "PodScheduled", "False", work.stamp, reason=reason, message=message))
    return True


def nowhere(reasons: Counter[str], nodes: int) -> str:
    """What FailedScheduling says of a pod that fits on no node: how many nodes refuse it for what, or for all what."""
    if not nodes:
        return "no nodes available to schedule pods"
    listed: Iterable[str] = sorted(f"{count} {reason}" for reason, count in reasons.items() if count)
    return f"0/{nodes} nodes are available: {', '.join(listed)}."


SCHEDULER = Controller("scheduler", frozenset({"Namespace", "Node", "Pod", "PriorityClass"}), _one, _touched)
