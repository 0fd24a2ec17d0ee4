"""Readiness probes: how long a process that hangs stays in its Services' endpoints (EPS-04)."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.controllers.work import Work, annotation, condition, seconds, set_condition, spec, status
from clusterviz.engine.objects import HUNG_ANNOTATION, Obj

HUNG = "clusterviz.dev/Hung"


def fails(work: Work, pod: Obj) -> bool:
    """Whether the readiness probe of a hung pod has failed often enough.

    Only containers with a readinessProbe are asked; without one a hung pod stays ready. Defaults are
    a look every 10 s and three failures, so about half a minute.
    """
    if annotation(pod, HUNG_ANNOTATION) != "true":
        return False
    probes = [probe for c in spec(pod).get("containers") or () if (probe := c.get("readinessProbe")) is not None]
    if not probes:
        return False
    since = seconds(str(condition(pod, HUNG).get("lastTransitionTime") or work.stamp))
    return work.due(since + min(_patience(work, probe) for probe in probes))


def note(work: Work, pod: Obj) -> Obj:
    """Write down since when a pod hangs, or that it does no more."""
    hangs = annotation(pod, HUNG_ANNOTATION) == "true"
    if hangs == bool(condition(pod, HUNG)):
        return pod
    if hangs:
        pod = set_condition(pod, HUNG, "True", work.stamp, reason="NoAnswer")
    else:
        rest = [entry for entry in status(pod).get("conditions") or () if entry.get("type") != HUNG]
        pod = {**pod, "status": {**status(pod), "conditions": rest}}
    work.put(pod)
    return pod


def _patience(work: Work, probe: dict[str, Any]) -> float:
    period = float(probe.get("periodSeconds") or work.timing.probe_period)
    return period * int(probe.get("failureThreshold") or work.timing.probe_failures)
