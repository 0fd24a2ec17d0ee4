"""CronJobs: a Job whenever the schedule says so (LIF-08)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clusterviz.engine.complete import has_finished
from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.cron import Schedule, after, latest, parse
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import reference, terminating
from clusterviz.engine.controllers.work import (
    Work,
    condition,
    meta,
    owner_of,
    seconds,
    spec,
    status,
    timestamp,
    with_status,
)
from clusterviz.engine.objects import Obj, key_of

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
SUCCESSFUL_KEPT, FAILED_KEPT = 3, 1
# A CronJob whose Jobs never end starts no more than this.
MOST_ACTIVE = 100


def _one(work: Work, item: Item) -> None:
    """See which Jobs have ended, forget the oldest of them, and start one when its time has come."""
    cronjob = work.find("CronJob", item)
    if cronjob is None or terminating(cronjob):
        return
    jobs = _jobs(work, cronjob)
    _note(work, cronjob, jobs)
    _forget(work, cronjob, jobs)
    if spec(cronjob).get("suspend"):
        return
    zone = str(spec(cronjob).get("timeZone") or "Etc/UTC")
    try:
        schedule = parse(str(spec(cronjob).get("schedule") or ""))
    except ValueError as error:
        words = f'unparseable schedule: "{spec(cronjob).get("schedule")}" : {error}'
        work.event(cronjob, "UnparseableSchedule", words, warning=True)
        return
    if work.offset(zone, work.now) is None:
        words = f'invalid timeZone: "{zone}" : unknown time zone {zone}'
        work.event(cronjob, "UnknownTimeZone", words, warning=True)
        return
    _run(work, work.get(key_of(cronjob)) or cronjob, schedule, zone)


def _jobs(work: Work, cronjob: Obj) -> list[Obj]:
    _, namespace, name = key_of(cronjob)
    return [job for job in work.board.all("Job", namespace) if owner_of(job) == ("CronJob", name)]


def _note(work: Work, cronjob: Obj, jobs: list[Obj]) -> None:
    """Write down which Jobs run, and tell of those that do no more."""
    active = [_named(job) for job in jobs if not has_finished(job)]
    names = {one["name"] for one in active}
    over = [job for job in jobs if has_finished(job)]
    for job in over:
        if any(one.get("name") == meta(job)["name"] for one in status(cronjob).get("active") or ()):
            how = "Complete" if condition(job, "Complete").get("status") == "True" else "Failed"
            work.event(cronjob, "SawCompletedJob", f"Saw completed job: {meta(job)['name']}, condition: {how}")
    for one in status(cronjob).get("active") or ():
        if one.get("name") not in names and not any(meta(job)["name"] == one.get("name") for job in over):
            work.event(cronjob, "MissingJob", f"Active job went missing: {one.get('name')}")
    told: dict[str, Any] = {"active": active}
    if times := [str(status(job)["completionTime"]) for job in over if status(job).get("completionTime")]:
        told["lastSuccessfulTime"] = max(times)
    if any(status(cronjob).get(field) != value for field, value in told.items() if value or status(cronjob).get(field)):
        work.put(with_status(cronjob, **told))


def _named(job: Obj) -> Obj:
    _, namespace, name = key_of(job)
    return {"apiVersion": "batch/v1", "kind": "Job", "namespace": namespace, "name": name}


def _forget(work: Work, cronjob: Obj, jobs: list[Obj]) -> None:
    for kind, field, kept in (
        ("Complete", "successfulJobsHistoryLimit", SUCCESSFUL_KEPT),
        ("Failed", "failedJobsHistoryLimit", FAILED_KEPT),
    ):
        limit = spec(cronjob).get(field)
        over = [job for job in jobs if condition(job, kind).get("status") == "True"]
        over.sort(key=lambda job: (str(status(job).get("startTime") or ""), str(meta(job)["name"])))
        for job in over[: max(0, len(over) - (kept if limit is None else int(limit)))]:
            _delete(work, cronjob, job)


def _delete(work: Work, cronjob: Obj, job: Obj) -> None:
    work.remove(key_of(job))
    work.event(cronjob, "SuccessfulDelete", f"Deleted job {meta(job)['name']}")


def _run(work: Work, cronjob: Obj, schedule: Schedule, zone: str) -> None:
    def offset(moment: float) -> int:
        return work.offset(zone, moment) or 0

    deadline = spec(cronjob).get("startingDeadlineSeconds")
    last = status(cronjob).get("lastScheduleTime") or meta(cronjob).get("creationTimestamp") or work.stamp
    since = seconds(str(last))
    if deadline is not None:
        since = max(since, work.now - float(deadline))
    due = latest(schedule, since, work.now, offset)
    if due is not None:
        _start(work, cronjob, due)
    if (following := after(schedule, work.now, offset)) is not None:
        work.wake(following)


def _start(work: Work, cronjob: Obj, due: float) -> None:
    """The Job of one time, unless those before it are in its way."""
    _, namespace, name = key_of(cronjob)
    active = [job for job in _jobs(work, cronjob) if not has_finished(job)]
    policy = spec(cronjob).get("concurrencyPolicy") or "Allow"
    new = f"{name[:52]}-{int(due) // 60}"
    if work.get(("Job", namespace, new)) is not None:
        return
    if (policy == "Forbid" and active) or len(active) >= MOST_ACTIVE:
        words = "Not starting job because prior execution is running and concurrency policy is Forbid"
        if policy != "Forbid":
            words = f"Not starting job because {MOST_ACTIVE} of this CronJob are running"
        work.event(cronjob, "JobAlreadyActive", words)
        return
    for job in active if policy == "Replace" else ():
        _delete(work, cronjob, job)
    work.put(_job(work, cronjob, new, due))
    work.event(cronjob, "SuccessfulCreate", f"Created job {new}")
    running = [] if policy == "Replace" else list(status(cronjob).get("active") or ())
    mine = {"apiVersion": "batch/v1", "kind": "Job", "namespace": namespace, "name": new}
    work.put(with_status(cronjob, active=[*running, mine], lastScheduleTime=timestamp(due)))


def _job(work: Work, cronjob: Obj, name: str, due: float) -> Obj:
    template = spec(cronjob).get("jobTemplate") or {}
    _, namespace, owner = key_of(cronjob)
    given = meta(template)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace,
            **({"labels": given["labels"]} if given.get("labels") else {}),
            "annotations": {**(given.get("annotations") or {}), SCHEDULED: timestamp(due)},
            "creationTimestamp": work.stamp,
            "ownerReferences": [reference("CronJob", owner)],
        },
        "spec": spec(template),
    }


def _touched(_board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "CronJob":
        yield namespace, name
    elif touch.old is None or touch.new is None or has_finished(touch.old) != has_finished(touch.new):
        yield from ((namespace, owner) for of, owner in map(owner_of, touch.sides) if of == "CronJob")


CRONJOBS = Controller("cronjobs", frozenset({"CronJob", "Job"}), _one, _touched)
