"""Who has to go for a pod that is more important (LIF-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clusterviz.engine.controllers.board import Board
from clusterviz.engine.controllers.disruption import evict
from clusterviz.engine.controllers.pods import terminating
from clusterviz.engine.controllers.priority import class_of, priority_of, value_of
from clusterviz.engine.controllers.work import meta, seconds, spec, status
from clusterviz.engine.objects import Obj, key_of

# Nodes where somebody may have to go are compared up to this number.
MOST_CANDIDATES = 100
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
PATIENT = "not eligible due to a terminating pod on the nominated node."
NEVER = "not eligible due to preemptionPolicy=Never."


def may_preempt(board: Board, pod: Obj) -> str:
    """Why a pod may send nobody away now, in the scheduler's words; "" when it may."""
    found = spec(pod).get("preemptionPolicy") or (class_of(board, pod) or {}).get("preemptionPolicy")
    if found == "Never":
        return NEVER
    nominated, mine = str(status(pod).get("nominatedNodeName") or ""), priority_of(board, pod)
    going = (one for one in board.pods_on(nominated) if terminating(one)) if nominated else ()
    return PATIENT if any(priority_of(board, one) < mine for one in going) else ""


def lesser(board: Board, pod: Obj, node: str) -> list[Obj]:
    """Pods of a node that are less important than this one, the most important and oldest of them first."""
    mine = priority_of(board, pod)
    found = [one for one in board.pods_on(node) if priority_of(board, one) < mine]
    return sorted(found, key=lambda one: (-priority_of(board, one), _started(one), key_of(one)))


def nobody_is_lesser(board: Board, pod: Obj) -> bool:
    """Whether no pod can be less important, told without looking at them."""
    classes = [value_of(one) for one in board.all("PriorityClass")]
    return priority_of(board, pod) <= min([0, *classes])


def victims_on(board: Board, pod: Obj, node: str, fits: Callable[[list[Obj]], bool]) -> list[Obj] | None:
    """Who has to go from a node; None when even all less important pods would not be enough.

    ``fits`` says whether the pod fits without these. As many as possible are spared: those whose budget forbids it
    first, then the most important.
    """
    going = lesser(board, pod, node)
    if not going or not fits(going):
        return None
    forbidden = {key_of(one) for one in _forbidden(board, going)}
    for one in sorted(going, key=lambda one: key_of(one) not in forbidden):
        if fits(left := [other for other in going if other is not one]):
            going = left
    return going


def best(board: Board, choices: dict[str, list[Obj]]) -> str:
    """The node where sending pods away hurts least: budgets, then priorities, then numbers, then the latest start."""

    def hurt(name: str) -> tuple[object, ...]:
        going = choices[name]
        ranks = [priority_of(board, one) for one in going]
        top = [_started(one) for one in going if priority_of(board, one) == max(ranks)]
        return (
            len(_forbidden(board, going)),
            max(ranks),
            sum(rank + 2**31 for rank in ranks),
            len(going),
            -min(top),
            name,
        )

    return min(choices, key=hurt)


def _forbidden(board: Board, pods: Iterable[Obj]) -> list[Obj]:
    """Pods whose PodDisruptionBudget would be violated if they went one after the other."""
    pods = list(pods)
    spaces = {key_of(pod)[1] for pod in pods}
    if not any(True for space in spaces for _ in board.keys("PodDisruptionBudget", space)):
        return []
    kinds = ("PodDisruptionBudget", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
    objects = {key_of(obj): obj for space in spaces for kind in kinds for obj in board.all(kind, space)}
    return [pod for pod, _ in evict(objects, pods)[1]]


def _started(pod: Obj) -> float:
    return seconds(str(status(pod).get("startTime") or meta(pod).get("creationTimestamp") or ""))
