"""PodDisruptionBudgets: which evictions the API server lets pass (LIF-09)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import ended, is_ready, replicas_of, terminating, write_status
from clusterviz.engine.controllers.work import Work, labels, owner_of, spec, status
from clusterviz.engine.objects import Key, Obj, key_of
from clusterviz.engine.selectors import parse_selector

VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
_SCALED = ("Deployment", "ReplicaSet", "StatefulSet")
TOO_MANY = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


class Budget(msgspec.Struct, frozen=True):
    """What a PodDisruptionBudget says now, in pods."""

    expected: int
    healthy: int
    desired: int

    @property
    def allowed(self) -> int:
        """Evictions that may still happen."""
        return max(0, self.healthy - self.desired)


def _one(work: Work, item: Item) -> None:
    """Write the status of a budget."""
    budget = work.find("PodDisruptionBudget", item)
    if budget is None:
        return
    count = _count(work.board.all("Pod", item[0]), work.get, budget)
    write_status(
        work, budget, expectedPods=count.expected, currentHealthy=count.healthy,
        desiredHealthy=count.desired, disruptionsAllowed=count.allowed,
    )  # fmt: skip


def _touched(board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "PodDisruptionBudget":
        yield namespace, name
    else:
        for budget in board.all("PodDisruptionBudget", namespace):
            if kind != "Pod" or any(covers(budget, pod) for pod in touch.sides):
                yield key_of(budget)[1:]


def evict(objects: Mapping[Key, Obj], pods: Iterable[Obj]) -> tuple[list[Obj], list[tuple[Obj, str]]]:
    """Ask to evict pods one after the other: those that may go, and the refused with the API's words (429)."""
    budgets = [obj for key, obj in sorted(objects.items()) if key[0] == "PodDisruptionBudget"]
    spaces: dict[str, list[Obj]] = {}
    for key, obj in objects.items() if budgets else ():
        if key[0] == "Pod":
            spaces.setdefault(key[1], []).append(obj)
    left = {key_of(budget): _count(spaces.get(key_of(budget)[1], ()), objects.get, budget) for budget in budgets}
    going: list[Obj] = []
    refused: list[tuple[Obj, str]] = []
    for pod in pods:
        mine = [budget for budget in budgets if covers(budget, pod)]
        if status(pod).get("phase") != "Running" or not mine:
            going.append(pod)
            continue
        if len(mine) > 1:
            refused.append((pod, TOO_MANY))
            continue
        key = key_of(mine[0])
        count = left[key]
        if not is_ready(pod):
            always = spec(mine[0]).get("unhealthyPodEvictionPolicy") == "AlwaysAllow"
            may = always or count.healthy >= count.desired
        else:
            may = count.allowed > 0
            left[key] = Budget(count.expected, count.healthy - may, count.desired)
        if may:
            going.append(pod)
        else:
            refused.append((pod, VIOLATES))
    return going, refused


def covers(budget: Obj, pod: Obj) -> bool:
    """Whether a budget's selector selects the pod; an empty one selects all of its namespace."""
    if key_of(budget)[1] != key_of(pod)[1]:
        return False
    if spec(budget).get("selector") is None:
        return False
    return parse_selector(spec(budget)["selector"], field="spec.selector").matches(labels(pod))


def _count(pods: Iterable[Obj], find: Callable[[Key], Obj | None], budget: Obj) -> Budget:
    """Count a budget's pods among all of its namespace. Percentages round up, as the disruption controller does."""
    pods = [pod for pod in pods if not ended(pod) and covers(budget, pod)]
    healthy = sum(is_ready(pod) and not terminating(pod) for pod in pods)
    least, most = spec(budget).get("minAvailable"), spec(budget).get("maxUnavailable")
    if most is None and least is None:
        return Budget(len(pods), healthy, 0)
    if most is None and not str(least).endswith("%"):
        return Budget(len(pods), healthy, _part(least, len(pods)))
    expected = _wanted(find, pods) or len(pods)
    if most is not None:
        return Budget(expected, healthy, max(0, expected - _part(most, expected)))
    return Budget(expected, healthy, _part(least, expected))


def _wanted(find: Callable[[Key], Obj | None], pods: list[Obj]) -> int:
    """Replicas somebody wants of the workloads on top of these pods."""
    owners: dict[Key, Obj] = {}
    for pod in pods:
        (kind, name), namespace = owner_of(pod), key_of(pod)[1]
        workload = find((kind, namespace, name))
        if kind == "ReplicaSet":
            workload = find(("Deployment", namespace, name.rpartition("-")[0])) or workload
        if workload is not None and workload["kind"] in _SCALED:
            owners[key_of(workload)] = workload
    return sum(map(replicas_of, owners.values()))


def _part(value: object, whole: int) -> int:
    text = str(value)
    if text.endswith("%"):
        return math.ceil(whole * float(text[:-1]) / 100)
    return int(text)


DISRUPTION_BUDGETS = Controller(
    "disruption budgets", frozenset({"PodDisruptionBudget", "Pod", *_SCALED}), _one, _touched, settles=True
)
