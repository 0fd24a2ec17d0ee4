"""What a Job makes of pods that failed: podFailurePolicy, back-off, limits for each index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from clusterviz.engine.controllers.work import annotation, condition, meta, seconds, spec, status
from clusterviz.engine.objects import Obj, key_of

INDEX = "batch.kubernetes.io/job-completion-index"
BACKOFF_LIMIT = 6
# Seconds before the next try: the first, doubled with every failure, and the most.
FIRST_DELAY, LONGEST_DELAY = 10.0, 600.0
_DOUBLINGS = 6
_ENDS = ("Succeeded", "Failed")


def indexes(pods: Iterable[Obj]) -> set[int]:
    """Completion indexes of pods."""
    return {int(text) for pod in pods if (text := annotation(pod, INDEX)).isdecimal()}


def not_before(pods: Iterable[Obj]) -> float:
    """When the next pod may be made, after the failures since the last success; 0 is at once."""
    over = [(_ended_at(pod), status(pod)["phase"]) for pod in pods if status(pod).get("phase") in _ENDS]
    good = max((when for when, phase in over if phase == "Succeeded"), default=0.0)
    bad = [when for when, phase in over if phase == "Failed" and when > good]
    return max(bad) + min(FIRST_DELAY * 2 ** min(len(bad) - 1, _DOUBLINGS), LONGEST_DELAY) if bad else 0.0


def _ended_at(pod: Obj) -> float:
    states = [entry.get("state") or {} for entry in status(pod).get("containerStatuses") or ()]
    ends = [seconds(str((state.get("terminated") or {}).get("finishedAt") or "")) for state in states]
    unready = condition(pod, "Ready").get("lastTransitionTime") or meta(pod).get("creationTimestamp")
    return max(ends, default=0.0) or seconds(str(unready or ""))


def lost_indexes(job: Obj, pods: Iterable[Obj]) -> set[int]:
    """Indexes that are not tried again: more failures than backoffLimitPerIndex, or FailIndex."""
    limit = spec(job).get("backoffLimitPerIndex")
    if limit is None:
        return set()
    counts: Counter[int] = Counter()
    for pod in pods:
        if status(pod).get("phase") == "Failed" and (action := judge(job, pod)[0]) != "Ignore":
            counts.update({index: int(limit) + 1 if action == "FailIndex" else 1 for index in indexes([pod])})
    return {index for index, failures in counts.items() if failures > int(limit)}


def gives_up(job: Obj, verdicts: Collection[tuple[str, str]], lost: Collection[int]) -> tuple[str, str] | None:
    """Why failures end a Job, as reason and message; None while it goes on."""
    for action, why in verdicts:
        if action == "FailJob":
            return "PodFailurePolicy", why
    most = spec(job).get("maxFailedIndexes")
    if most is not None and len(lost) > int(most):
        return "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"
    limit = spec(job).get("backoffLimit")
    if limit is None and spec(job).get("backoffLimitPerIndex") is not None:
        return None
    if sum(action != "Ignore" for action, _ in verdicts) > (BACKOFF_LIMIT if limit is None else int(limit)):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    return None


def judge(job: Obj, pod: Obj) -> tuple[str, str]:
    """What the first rule that matches says, Count without one; and for FailJob why, in the Job controller's words."""
    for index, rule in enumerate((spec(job).get("podFailurePolicy") or {}).get("rules") or ()):
        why = _by_exit_code(rule, pod) or _by_condition(rule, pod)
        if why:
            action = str(rule.get("action") or "Count")
            return action, f"{why} matching {action} rule at index {index}"
    return "Count", ""


def _by_exit_code(rule: dict[str, Any], pod: Obj) -> str:
    asked = rule.get("onExitCodes") or {}
    _, namespace, name = key_of(pod)
    for entry in status(pod).get("containerStatuses") or ():
        code = ((entry.get("state") or {}).get("terminated") or {}).get("exitCode")
        if not asked or not code or asked.get("containerName") not in (None, "", entry.get("name")):
            continue
        if (code in (asked.get("values") or ())) == (asked.get("operator") == "In"):
            return f"Container {entry.get('name')} for pod {namespace}/{name} failed with exit code {code}"
    return ""


def _by_condition(rule: dict[str, Any], pod: Obj) -> str:
    _, namespace, name = key_of(pod)
    for pattern in rule.get("onPodConditions") or ():
        for entry in status(pod).get("conditions") or ():
            wanted = pattern.get("type"), pattern.get("status") or "True"
            if (entry.get("type"), entry.get("status")) == wanted:
                return f"Pod {namespace}/{name} has condition {wanted[0]}"
    return ""
