"""Jobs: pods that run to an end and serve nobody afterwards (LIF-08)."""

from __future__ import annotations

from collections.abc import Iterator

from clusterviz.engine.complete import has_finished, job_labels, parallelism
from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.names import pod_name
from clusterviz.engine.controllers.pods import delete_pod, ended, make_pod, terminating, write_status
from clusterviz.engine.controllers.work import (
    Work,
    annotation,
    owner_of,
    seconds,
    set_condition,
    spec,
    status,
    with_status,
)
from clusterviz.engine.objects import Obj, key_of

RUNS_FOR_ANNOTATION = "clusterviz.dev/runs-for"
BACKOFF_LIMIT = 6


def _one(work: Work, item: Item) -> None:
    """Keep ``parallelism`` pods running until ``completions`` have succeeded."""
    job = work.find("Job", item)
    if job is not None:
        _run(work, job)


def _touched(_board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "Job":
        yield namespace, name
    else:
        for pod in touch.sides:
            owner = owner_of(pod)
            if owner[0] == "Job":
                yield namespace, owner[1]


def _run(work: Work, job: Obj) -> None:
    _, namespace, name = key_of(job)
    if has_finished(job):
        return
    pods = work.board.owned_by(namespace, ("Job", name))
    succeeded = sum(status(pod).get("phase") == "Succeeded" for pod in pods)
    failed = sum(status(pod).get("phase") == "Failed" for pod in pods)
    active = [pod for pod in pods if not ended(pod) and not terminating(pod)]
    wanted = spec(job).get("completions")
    # Without completions the Job is done when one pod succeeded and the others have ended.
    needed = int(wanted) if wanted is not None else max(1, succeeded)
    limit = spec(job).get("backoffLimit")
    if failed > (BACKOFF_LIMIT if limit is None else int(limit)):
        for pod in active:
            delete_pod(work, pod, job)
        _finish(work, job, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    elif succeeded >= needed and not active:
        _finish(work, job, "Complete", "Completed", "Job completed")
    else:
        room = parallelism(job) - len(active)
        if wanted is not None:
            room = min(room, needed - succeeded - len(active))
        elif succeeded:
            room = 0
        for _ in range(room):
            if not work.may_create():
                break
            make_pod(work, job, pod_name(name, work.rng, work.name_taken(namespace)), ("Job", name), job_labels(name))
        for pod in active[parallelism(job) :] if room < 0 else ():
            delete_pod(work, pod, job)
    running = sum(not ended(pod) and not terminating(pod) for pod in work.board.owned_by(namespace, ("Job", name)))
    write_status(work, job, active=running, succeeded=succeeded, failed=failed)


def _finish(work: Work, job: Obj, kind: str, reason: str, message: str) -> None:
    current = work.get(key_of(job)) or job
    done = set_condition(current, kind, "True", work.stamp, reason=reason)
    work.put(with_status(done, completionTime=work.stamp) if kind == "Complete" else done)
    work.event(job, reason, message, warning=kind == "Failed")


def completes(work: Work, pod: Obj) -> bool:
    """The kubelet's part: a Job's pod that has run long enough has succeeded; False while it runs."""
    started = [
        seconds(str(((entry.get("state") or {}).get("running") or {}).get("startedAt") or ""))
        for entry in status(pod).get("containerStatuses") or ()
    ]
    asked = annotation(pod, RUNS_FOR_ANNOTATION)
    runs = float(asked) if asked.replace(".", "", 1).isdecimal() else work.timing.job
    if not started or not all(started) or not work.due(max(started) + runs):
        return False
    over = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": work.stamp}}
    statuses = [{**entry, "ready": False, "state": over} for entry in status(pod).get("containerStatuses") or ()]
    pod = with_status(pod, phase="Succeeded", containerStatuses=statuses)
    work.put(set_condition(pod, "Ready", "False", work.stamp, reason="PodCompleted"))
    return True


JOBS = Controller("jobs", frozenset({"Job", "Pod"}), _one, _touched)
