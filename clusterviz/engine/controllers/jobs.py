"""Jobs: pods that run to an end and serve nobody afterwards (LIF-08)."""

from __future__ import annotations

from collections.abc import Iterator

from clusterviz.engine.complete import has_finished, job_labels, parallelism
from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.job_failures import INDEX, gives_up, indexes, judge, lost_indexes, not_before
from clusterviz.engine.controllers.names import pod_name
from clusterviz.engine.controllers.pods import (
    asking_for,
    delete_pod,
    ended,
    is_ready,
    make_pod,
    may_make,
    terminating,
    write_status,
)
from clusterviz.engine.controllers.work import (
    Work,
    annotation,
    changed,
    condition,
    meta,
    owner_of,
    seconds,
    set_condition,
    spec,
    status,
    with_meta,
    with_status,
)
from clusterviz.engine.objects import Obj, key_of

RUNS_FOR_ANNOTATION = "clusterviz.dev/runs-for"


def _one(work: Work, item: Item) -> None:
    """Keep ``parallelism`` pods running until ``completions`` have succeeded."""
    job = work.find("Job", item)
    if job is not None and not terminating(job):
        _run(work, job)


def _touched(board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "Job":
        yield namespace, name
    elif kind == "PriorityClass":
        yield from asking_for(board, "Job", name)
    else:
        for pod in touch.sides:
            owner = owner_of(pod)
            if owner[0] == "Job":
                yield namespace, owner[1]


def _run(work: Work, job: Obj) -> None:
    _, namespace, name = key_of(job)
    if has_finished(job):
        _expire(work, job)
        return
    job = _timed(work, job)
    pods = work.board.owned_by(namespace, ("Job", name))
    broken = [pod for pod in pods if status(pod).get("phase") == "Failed"]
    verdicts = [judge(job, pod) for pod in broken]
    lost = lost_indexes(job, pods)
    active = [pod for pod in pods if not ended(pod) and not terminating(pod)]
    done = _done(job, pods)
    if reason := gives_up(job, verdicts, lost) or _too_late(work, job):
        for pod in active:
            delete_pod(work, pod, job)
        _finish(work, job, "Failed", *reason)
    elif done + len(lost) >= _needed(job, done) and not active:
        if lost:
            _finish(work, job, "Failed", "FailedIndexes", "Job has failed indexes")
        else:
            _finish(work, job, "Complete", "Completed", "Job completed")
    else:
        _staff(work, job, active, done, lost)
    running = [pod for pod in work.board.owned_by(namespace, ("Job", name)) if not ended(pod) and not terminating(pod)]
    more: dict[str, str] = {}
    if _is_indexed(job):
        more["completedIndexes"] = _spans(indexes(pod for pod in pods if status(pod).get("phase") == "Succeeded"))
    if spec(job).get("backoffLimitPerIndex") is not None:
        more["failedIndexes"] = _spans(lost)
    ready = sum(map(is_ready, running))
    write_status(work, job, active=len(running), succeeded=done, failed=len(broken), ready=ready, **more)


def _timed(work: Work, job: Obj) -> Obj:
    """Since when it runs; a suspended Job does not, and begins anew when it is resumed."""
    suspended = bool(spec(job).get("suspend"))
    was = condition(job, "JobSuspended").get("status") == "True"
    if suspended and not was:
        told = set_condition(job, "JobSuspended", "True", work.stamp, reason="JobSuspended", message="Job suspended")
        job = changed(told, status={name: value for name, value in status(told).items() if name != "startTime"})
        work.event(job, "Suspended", "Job suspended")
    elif was and not suspended:
        told = set_condition(job, "JobSuspended", "False", work.stamp, reason="JobResumed", message="Job resumed")
        job = with_status(told, startTime=work.stamp)
        work.event(job, "Resumed", "Job resumed")
    elif not suspended and not status(job).get("startTime"):
        job = with_status(job, startTime=work.stamp)
    if job is not work.get(key_of(job)):
        work.put(job)
    return job


def _needed(job: Obj, done: int) -> int:
    """How many have to succeed; without completions the Job is done when one did and the others have ended."""
    wanted = spec(job).get("completions")
    return int(wanted) if wanted is not None else max(1, done)


def _too_late(work: Work, job: Obj) -> tuple[str, str] | None:
    """Why a Job that took too long has failed, as reason and message."""
    deadline, started = spec(job).get("activeDeadlineSeconds"), status(job).get("startTime")
    if deadline is not None and started and work.due(seconds(str(started)) + float(deadline)):
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def _staff(work: Work, job: Obj, active: list[Obj], done: int, lost: set[int]) -> None:
    """As many pods at once as there may be, and no more than are needed; after failures later and later."""
    room = parallelism(job) - len(active)
    if spec(job).get("completions") is not None:
        room = min(room, _needed(job, done) - done - len(lost) - len(active))
    elif done:
        room = 0
    for pod in active[parallelism(job) :]:
        delete_pod(work, pod, job)
    _, namespace, name = key_of(job)
    pods = work.board.owned_by(namespace, ("Job", name)) if room > 0 else []
    if spec(job).get("backoffLimitPerIndex") is None and not work.due(not_before(pods)):
        return
    for _ in range(room):
        if not may_make(work, job):
            break
        _make(work, job, lost)


def _make(work: Work, job: Obj, lost: set[int]) -> None:
    _, namespace, name = key_of(job)
    extra = job_labels(name)
    if not _is_indexed(job):
        make_pod(work, job, pod_name(name, work.rng, work.name_taken(namespace)), ("Job", name), extra)
        return
    index = _next_index(work, job, lost)
    if index is None:
        return
    named = f"{name}-{index}"
    pod = make_pod(
        work, job, pod_name(named, work.rng, work.name_taken(namespace)), ("Job", name), {**extra, INDEX: str(index)}
    )
    noted = with_meta(pod, annotations={**(meta(pod).get("annotations") or {}), INDEX: str(index)})
    work.put(changed(noted, spec={**spec(pod), "hostname": named}))


def _next_index(work: Work, job: Obj, lost: set[int]) -> int | None:
    """The lowest index that no pod serves or has served; with limits of its own it waits after failures of its own."""
    _, namespace, name = key_of(job)
    pods = work.board.owned_by(namespace, ("Job", name))
    taken = lost | indexes(pod for pod in pods if status(pod).get("phase") != "Failed")
    free = (one for one in range(_needed(job, 0)) if one not in taken)
    if spec(job).get("backoffLimitPerIndex") is None:
        return next(free, None)
    failures: dict[int, list[Obj]] = {}
    for pod in pods:
        for index in indexes([pod]):
            failures.setdefault(index, []).append(pod)
    return next((one for one in free if work.due(not_before(failures.get(one, ())))), None)


def _is_indexed(job: Obj) -> bool:
    return spec(job).get("completionMode") == "Indexed" and spec(job).get("completions") is not None


def _done(job: Obj, pods: list[Obj]) -> int:
    """Pods that have succeeded; of an Indexed Job indexes."""
    good = [pod for pod in pods if status(pod).get("phase") == "Succeeded"]
    return len(indexes(good)) if _is_indexed(job) else len(good)


def _spans(numbers: set[int]) -> str:
    """Numbers as ``1,3-5``."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][-1] == number - 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ",".join("-".join(map(str, span)) for span in found)


def _expire(work: Work, job: Obj) -> None:
    """A Job that has ended goes when its time to live is over."""
    ttl = spec(job).get("ttlSecondsAfterFinished")
    over = [condition(job, kind) for kind in ("Complete", "Failed")]
    ended_ = max(seconds(str(one.get("lastTransitionTime") or "")) for one in over)
    if ttl is not None and work.due(ended_ + float(ttl)):
        work.remove(key_of(job))


def _finish(work: Work, job: Obj, kind: str, reason: str, message: str) -> None:
    current = work.get(key_of(job)) or job
    done = set_condition(current, kind, "True", work.stamp, reason=reason, message=message)
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


JOBS = Controller("jobs", frozenset({"Job", "Pod", "PriorityClass"}), _one, _touched)
