"""What a Job makes of pods that failed: podFailurePolicy."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.controllers.work import spec, status
from clusterviz.engine.objects import Obj, key_of


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
