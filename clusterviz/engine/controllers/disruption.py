"""PodDisruptionBudgets: which evictions the API server lets pass (LIF-09)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from clusterviz.engine.controllers.pods import ended, is_ready, replicas_of, terminating, write_status
from clusterviz.engine.controllers.work import Work, labels, owner_of, spec, status
from clusterviz.engine.objects import Key, Obj, key_of
from clusterviz.engine.selectors import parse_selector

VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
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


def disruption_budgets(work: Work) -> None:
    """Write the status of every budget."""
    objects = {key_of(obj): obj for kind in _KINDS for obj in work.all(kind)}
    for budget in work.all("PodDisruptionBudget"):
        count = count_budget(objects, budget)
        write_status(
            work, budget, expectedPods=count.expected, currentHealthy=count.healthy,
            desiredHealthy=count.desired, disruptionsAllowed=count.allowed,
        )  # fmt: skip


def evict(objects: Mapping[Key, Obj], pods: Iterable[Obj]) -> tuple[list[Obj], list[tuple[Obj, str]]]:
    """Ask to evict pods one after the other: those that may go, and the refused with the API's words (429)."""
    budgets = [obj for key, obj in sorted(objects.items()) if key[0] == "PodDisruptionBudget"]
    left = {key_of(budget): count_budget(objects, budget) for budget in budgets}
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


_SCALED = ("Deployment", "ReplicaSet", "StatefulSet")
_KINDS = ("Pod", *_SCALED)


def count_budget(objects: Mapping[Key, Obj], budget: Obj) -> Budget:
    """Count a budget's pods. Percentages round up, as the disruption controller does."""
    pods = [obj for key, obj in objects.items() if key[0] == "Pod" and not ended(obj) and covers(budget, obj)]
    healthy = sum(is_ready(pod) and not terminating(pod) for pod in pods)
    least, most = spec(budget).get("minAvailable"), spec(budget).get("maxUnavailable")
    if most is None and least is None:
        return Budget(len(pods), healthy, 0)
    if most is None and not str(least).endswith("%"):
        return Budget(len(pods), healthy, _part(least, len(pods)))
    expected = _wanted(objects, pods) or len(pods)
    if most is not None:
        return Budget(expected, healthy, max(0, expected - _part(most, expected)))
    return Budget(expected, healthy, _part(least, expected))


def _wanted(objects: Mapping[Key, Obj], pods: list[Obj]) -> int:
    """Replicas somebody wants of the workloads on top of these pods."""
    owners: dict[Key, Obj] = {}
    for pod in pods:
        (kind, name), namespace = owner_of(pod), key_of(pod)[1]
        workload = objects.get((kind, namespace, name))
        if kind == "ReplicaSet":
            workload = objects.get(("Deployment", namespace, name.rpartition("-")[0])) or workload
        if workload is not None and workload["kind"] in _SCALED:
            owners[key_of(workload)] = workload
    return sum(map(replicas_of, owners.values()))


def _part(value: object, whole: int) -> int:
    text = str(value)
    if text.endswith("%"):
        return math.ceil(whole * float(text[:-1]) / 100)
    return int(text)
