"""Containers that crash: restarted in place, later and later (LIF-04)."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.controllers.work import (
    Work,
    annotation,
    meta,
    owner_of,
    seconds,
    set_condition,
    spec,
    status,
    with_status,
)
from clusterviz.engine.objects import Obj, key_of
from clusterviz.engine.pod_defaults import pull_policy

CRASH_ANNOTATION = "clusterviz.dev/crash"
CRASH_LOOP = "CrashLoopBackOff"
_BACK_OFF = "back-off "


def crashes(pod: Obj) -> frozenset[str]:
    """Names of the containers whose process exits as soon as it runs: ``true`` means all of them."""
    asked = annotation(pod, CRASH_ANNOTATION)
    names = {str(container.get("name", "")) for container in spec(pod).get("containers") or ()}
    if asked == "true":
        return frozenset(names)
    return frozenset(names & {part.strip() for part in asked.split(",")})


def is_waiting(entry: dict[str, Any]) -> bool:
    """Whether a container waits to be restarted."""
    return ((entry.get("state") or {}).get("waiting") or {}).get("reason") == CRASH_LOOP


def crash_message(delay: float, container: str, pod: str) -> str:
    """What the kubelet says of a container that has to wait ``delay`` seconds."""
    return f"{_BACK_OFF}{delay:g}s restarting failed container={container} pod={pod}"


def tell_start(work: Work, pod: Obj, container: dict[str, Any]) -> None:
    """What a kubelet tells of a container until it runs; an image that others on the node run need not be pulled."""
    image, name = str(container.get("image") or ""), container.get("name", "")
    policy = container.get("imagePullPolicy") or pull_policy(image)
    if policy == "Always" or (policy == "IfNotPresent" and not _has_image(work, pod, image)):
        took = f"{work.timing.start:g}s"
        work.event(pod, "Pulling", f'Pulling image "{image}"')
        work.event(pod, "Pulled", f'Successfully pulled image "{image}" in {took} ({took} including waiting)')
    else:
        work.event(pod, "Pulled", f'Container image "{image}" already present on machine')
    work.event(pod, "Created", f"Created container: {name}")
    work.event(pod, "Started", f"Started container {name}")


def _has_image(work: Work, pod: Obj, image: str) -> bool:
    """Whether a container with this image has run on the pod's node before."""
    mine = key_of(pod)
    return any(
        entry.get("image") == image and (key_of(other) != mine or entry.get("restartCount") or entry.get("lastState"))
        for other in work.board.pods_on(str(spec(pod).get("nodeName") or ""))
        for entry in status(other).get("containerStatuses") or ()
    )


def restarts(work: Work, pod: Obj) -> bool:
    """Let containers crash and come back; False when none does either.

    The first restart is at once, the next ones wait 10 s, 20 s ... 300 s; ten minutes of running forget that.
    """
    falling, before = crashes(pod), status(pod).get("containerStatuses") or ()
    if not falling and not any(map(is_waiting, before)):
        return False
    entries = [_next(work, pod, entry, falls=entry.get("name") in falling) for entry in before]
    if _is_lost(pod, entries):
        _fail(work, pod, entries)
        return True
    if entries != list(before):
        pod = with_status(pod, containerStatuses=entries)
        ready = all(entry["ready"] for entry in entries)
        if not ready:
            for kind in ("ContainersReady", "Ready"):
                pod = set_condition(pod, kind, "False", work.stamp, reason="ContainersNotReady")
        work.put(pod)
    return any(map(is_waiting, entries)) or bool(falling)


def _next(work: Work, pod: Obj, entry: dict[str, Any], *, falls: bool) -> dict[str, Any]:
    running = (entry.get("state") or {}).get("running")
    if running is not None:
        started = seconds(str(running.get("startedAt") or ""))
        return _crashed(work, pod, entry, started) if falls and work.due(started + work.timing.start) else entry
    if not is_waiting(entry):
        return entry
    ended = (entry.get("lastState") or {}).get("terminated") or {}
    if not work.due(seconds(str(ended.get("finishedAt") or "")) + _delay(entry)):
        return entry
    containers = [one for one in spec(pod).get("containers") or () if one.get("name") == entry["name"]]
    container = containers[0] if containers else entry
    tell_start(work, pod, container)
    return {
        **entry,
        "restartCount": int(entry.get("restartCount") or 0) + 1,
        "state": {"running": {"startedAt": work.stamp}},
    }


def _crashed(work: Work, pod: Obj, entry: dict[str, Any], started: float) -> dict[str, Any]:
    timing, delay = work.timing, 0.0
    if entry.get("lastState") and work.now - started < timing.backoff_reset:
        delay = min(max(timing.backoff, 2 * _delay(entry)), timing.backoff_cap)
    message = crash_message(delay, str(entry["name"]), str(meta(pod)["name"]))
    if delay:
        _, namespace, name = key_of(pod)
        uid = f"({meta(pod)['uid']})" if meta(pod).get("uid") else ""
        words = f"Back-off restarting failed container {entry['name']} in pod {name}_{namespace}{uid}"
        work.event(pod, "BackOff", words, warning=True)
    ended = {"exitCode": 1, "reason": "Error", "finishedAt": work.stamp, "message": message}
    work.wake(seconds(work.stamp) + delay)
    return {
        **entry,
        "ready": False,
        "state": {"waiting": {"reason": CRASH_LOOP, "message": message}},
        "lastState": {"terminated": ended},
    }


def _delay(entry: dict[str, Any]) -> float:
    """The back-off that the last crash was given, as the kubelet words it."""
    message = str(((entry.get("lastState") or {}).get("terminated") or {}).get("message") or "")
    text = message.removeprefix(_BACK_OFF).partition("s ")[0]
    return float(text) if message.startswith(_BACK_OFF) and text.replace(".", "", 1).isdecimal() else 0.0


def _is_lost(pod: Obj, entries: list[dict[str, Any]]) -> bool:
    """restartPolicy Never: a crash is the end of the pod."""
    return spec(pod).get("restartPolicy") == "Never" and any(map(is_waiting, entries))


def _fail(work: Work, pod: Obj, entries: list[dict[str, Any]]) -> None:
    ended = [
        {**entry, "state": entry["lastState"], "lastState": {}} if is_waiting(entry) else entry for entry in entries
    ]
    pod = with_status(pod, phase="Failed", containerStatuses=ended)
    work.put(set_condition(pod, "Ready", "False", work.stamp, reason="PodFailed"))
    work.event(pod, "Failed", f"Pod of {' '.join(owner_of(pod)) or 'nobody'} failed", warning=True)
