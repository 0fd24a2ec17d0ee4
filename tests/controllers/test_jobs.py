"""Jobs and CronJobs: when they start, what ends them, what is kept of them (LIF-08)."""

import calendar
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.engine.controllers import cron, reconcile
from clusterviz.engine.controllers.work import seconds, timestamp
from clusterviz.live.zones import offset
from tests.controllers.world import World, node

META = {"name": "tick", "namespace": "shop", "creationTimestamp": timestamp(1_000_000)}
CRASH = {"clusterviz.dev/crash": "true"}


def template(**annotations):
    return {
        "metadata": {"annotations": annotations},
        "spec": {"containers": [{"name": "run", "image": "run:1"}], "restartPolicy": "Never"},
    }


def job(notes=None, **spec):
    return {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once", "namespace": "shop"},
        "spec": {"template": template(**(notes or {})), **spec},
    }  # fmt: skip


def cronjob(schedule="*/5 * * * *", notes=None, **spec):
    return {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": META,
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": template(**(notes or {}))}}, **spec},
    }  # fmt: skip


def jobs(world):
    return sorted(key[2] for key in world.cluster.objects if key[0] == "Job")


def ended(world, name="once"):
    found = world.get("Job", name)["status"]["conditions"]
    return [(one["type"], one["reason"]) for one in found if one["type"] in ("Complete", "Failed")]


def messages(world, reason):
    return [event.message for event in world.events if event.reason == reason]


def local(text):
    return float(calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M")))


@pytest.mark.parametrize(
    ("schedule", "since", "expected"),
    [
        ("*/15 * * * *", "2026-01-01 10:07", "2026-01-01 10:15"),
        ("5 4 * * sun", "2026-01-01 00:00", "2026-01-04 04:05"),
        ("0 0 13 * fri", "2026-01-01 00:00", "2026-01-02 00:00"),
        ("0 0 13 * *", "2026-01-13 00:00", "2026-02-13 00:00"),
        ("0 12 29 feb ?", "2026-01-01 00:00", "2028-02-29 12:00"),
        ("30 8-10/2,23 * * 1-5", "2026-01-02 10:30", "2026-01-02 23:30"),
        ("@monthly", "2026-12-31 23:59", "2027-01-01 00:00"),
    ],
)
def test_schedules_are_read_as_cron_reads_them(schedule, since, expected):
    assert cron.after(cron.parse(schedule), local(since), lambda _moment: 0) == local(expected)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60 (minute)"),
        ("* * * * 7", "end of range (7) above maximum (6): 7 (day of week)"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("9-3 * * * *", "beginning of range (9) beyond end of range (3): 9-3 (minute)"),
        ("x * * * *", "failed to parse int from x: x"),
        ("@never", "unrecognized descriptor: @never"),
        ("@every soon", "failed to parse duration soon"),
    ],
)
def test_a_schedule_that_cannot_be_read_says_why(schedule, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are compared
        cron.parse(schedule)
    assert str(error.value) == words
    world = World(node("n1"), cronjob(schedule)).settle()
    assert messages(world, "UnparseableSchedule") == [f'unparseable schedule: "{schedule}" : {words}']


def test_time_zones_and_changes_of_clocks():
    """What is skipped in spring is left out, and what comes twice in autumn happens once."""
    nightly = cron.parse("30 2 * * *")
    for since, expected in (
        ("2026-03-28 00:00", "2026-03-28 01:30"),
        ("2026-03-28 01:30", "2026-03-30 00:30"),
        ("2026-10-24 12:00", "2026-10-25 00:30"),
        ("2026-10-25 00:30", "2026-10-26 01:30"),
    ):
        found = cron.after(nightly, local(since), lambda moment: offset("Europe/Berlin", moment) or 0)
        assert found == local(expected), since


@settings(max_examples=60)
@given(
    st.sampled_from(["* * * * *", "*/7 3,9 * * *", "0 0 1 * *", "15 14 1-7 * 2", "@every 90s"]),
    st.integers(1_700_000_000, 1_800_000_000),
    st.integers(0, 4_000_000),
)
def test_the_latest_time_is_the_last_of_all_in_between(schedule, since, span):
    found = cron.latest(cron.parse(schedule), since, since + span, lambda _moment: 0)
    following = cron.after(cron.parse(schedule), since if found is None else found, lambda _moment: 0)
    assert found is None or since < found <= since + span
    assert following > since + span


def test_a_cronjob_starts_a_job_at_its_times_and_keeps_the_last(nodes):
    world = World(*nodes, cronjob(successfulJobsHistoryLimit=2)).run(1)
    start = world.now // 300 * 300
    world.run(4 * 300)
    names = [f"tick-{int(start + number * 300) // 60}" for number in (1, 2, 3, 4)]
    assert messages(world, "SuccessfulCreate")[::2] == [f"Created job {name}" for name in names]
    assert messages(world, "SawCompletedJob")[0] == f"Saw completed job: {names[0]}, condition: Complete"
    assert messages(world, "SuccessfulDelete") == [f"Deleted job {name}" for name in names[:2]]
    assert jobs(world) == names[2:]
    assert len(world.pods()) == 2
    told = world.get("CronJob", "tick")["status"]
    assert told["lastScheduleTime"] == timestamp(start + 4 * 300)
    assert told["active"] == []
    assert world.get("Job", names[3])["metadata"]["ownerReferences"][0]["name"] == "tick"
    world.unset("CronJob", "shop", "tick")
    world.settle()
    assert (jobs(world), world.pods()) == ([], [])


@pytest.mark.parametrize(("policy", "running"), [("Allow", 3), ("Forbid", 1), ("Replace", 1)])
def test_what_happens_when_the_last_run_is_not_over(nodes, policy, running):
    long = {"clusterviz.dev/runs-for": "100000"}
    world = World(*nodes, cronjob("* * * * *", long, concurrencyPolicy=policy)).run(180)
    alive = [pod for pod in world.pods() if not pod.terminating]
    assert len(alive) == len(jobs(world)) == len(world.get("CronJob", "tick")["status"]["active"]) == running
    assert ("JobAlreadyActive" in world.reasons()) == (policy == "Forbid")
    assert (jobs(world)[-1] == f"tick-{int(world.now) // 60}") == (policy != "Forbid")


def test_a_suspended_cronjob_starts_what_it_missed_unless_that_is_too_late(nodes):
    for deadline, started in ((None, 1), (30, 0)):
        world = World(*nodes, cronjob(suspend=True, startingDeadlineSeconds=deadline))
        world.run(300 * 3 + (300 - world.now % 300) + 100)
        assert jobs(world) == []
        world.patch("CronJob", "tick", spec={"suspend": False})
        world.run(5)
        assert len(jobs(world)) == started


def test_local_times_come_from_whoever_runs_the_controllers(nodes):
    world = World(*nodes, cronjob("0 9 * * *", timeZone="Asia/Tokyo"))
    outcome = reconcile(world.cluster.objects, now=local("2026-05-05 00:00"), rng=world.rng, zones=offset)
    assert outcome.wake is not None
    world.run(1)
    assert messages(world, "UnknownTimeZone") == ['invalid timeZone: "Asia/Tokyo" : unknown time zone Asia/Tokyo']


def test_an_indexed_job_has_one_success_for_every_index(nodes):
    world = World(*nodes, job(completions=4, parallelism=2, completionMode="Indexed"))
    world.run(3)
    first = world.pods()[0]
    assert (first.hostname, first.labels["batch.kubernetes.io/job-completion-index"]) == ("once-0", "0")
    world.patch("Pod", first.name, status={"phase": "Failed"})
    world.settle()
    good = [pod.labels["batch.kubernetes.io/job-completion-index"] for pod in world.pods() if pod.phase == "Succeeded"]
    assert sorted(good) == ["0", "1", "2", "3"]
    assert world.get("Job", "once")["status"]["completedIndexes"] == "0-3"
    assert ended(world) == [("Complete", "Completed")]


def test_a_job_that_takes_too_long_has_failed_and_goes_when_its_time_is_over(nodes):
    long = {"clusterviz.dev/runs-for": "1000"}
    world = World(*nodes, job(long, activeDeadlineSeconds=20, ttlSecondsAfterFinished=60)).run(19)
    assert "conditions" not in world.get("Job", "once")["status"]
    world.run(10)
    assert ended(world) == [("Failed", "DeadlineExceeded")]
    assert world.pods() == []
    world.run(40)
    assert jobs(world) == ["once"]
    world.run(30)
    assert jobs(world) == []


def test_a_suspended_job_stops_its_pods_and_begins_anew(nodes):
    world = World(*nodes, job(completions=1)).run(3)
    world.patch("Job", "once", spec={"suspend": True})
    world.settle()
    assert world.pods() == []
    assert "startTime" not in world.get("Job", "once")["status"]
    world.patch("Job", "once", spec={"suspend": False})
    world.settle()
    assert ended(world) == [("Complete", "Completed")]
    assert [reason for reason in world.reasons() if reason in ("Suspended", "Resumed")] == ["Suspended", "Resumed"]


@pytest.mark.parametrize(
    ("action", "codes", "failed", "reason"),
    [
        ("FailJob", {"operator": "In", "values": [1]}, 1, "PodFailurePolicy"),
        ("FailJob", {"operator": "NotIn", "values": [1]}, 2, "BackoffLimitExceeded"),
    ],
)
def test_a_failure_policy_may_give_up_at_once(nodes, action, codes, failed, reason):
    rules = {"rules": [{"action": action, "onExitCodes": codes}]}
    world = World(*nodes, job(CRASH, backoffLimit=1, podFailurePolicy=rules)).settle()
    assert [pod.phase for pod in world.pods()] == ["Failed"] * failed
    assert ended(world) == [("Failed", reason)]
    if reason == "PodFailurePolicy":
        [said] = messages(world, reason)
        name = world.pods()[0].name
        assert said == f"Container run for pod shop/{name} failed with exit code 1 matching FailJob rule at index 0"


def test_evicted_pods_may_be_ignored_by_a_failure_policy(nodes):
    rules = {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}
    world = World(*nodes, job(backoffLimit=0, podFailurePolicy=rules)).run(3)
    gone = {"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True"}]}
    world.patch("Pod", world.pods()[0].name, status=gone)
    world.settle()
    assert ended(world) == [("Complete", "Completed")]


def test_a_failed_pod_is_replaced_later_and_later(nodes):
    world = World(*nodes, job(CRASH, backoffLimit=3)).settle()
    made = sorted(seconds(world.get("Pod", pod.name)["metadata"]["creationTimestamp"]) for pod in world.pods())
    waited = [later - earlier for earlier, later in pairwise(made)]
    assert all(wait <= took < wait + 10 for wait, took in zip((10, 20, 40), waited, strict=True)), waited
    assert ended(world) == [("Failed", "BackoffLimitExceeded")]


@pytest.mark.parametrize(
    ("more", "reason", "completed"),
    [
        ({}, "FailedIndexes", "1-2"),
        ({"maxFailedIndexes": 0}, "MaxFailedIndexesExceeded", "1"),
    ],
)
def test_an_index_that_fails_too_often_is_given_up_and_the_others_go_on(nodes, more, reason, completed):
    spec = {"completions": 3, "parallelism": 1, "completionMode": "Indexed", "backoffLimitPerIndex": 1, **more}
    world = World(*nodes, job({"clusterviz.dev/runs-for": "60"}, **spec)).run(3)
    for _ in range(2):
        while not (first := [pod for pod in world.pods() if pod.hostname == "once-0" and pod.phase == "Running"]):
            world.run(5)
        assert len(first) == 1
        world.patch("Pod", first[0].name, status={"phase": "Failed"})
        world.run(1)
    world.settle()
    told = world.get("Job", "once")["status"]
    assert ended(world) == [("Failed", reason)]
    assert (told["failedIndexes"], told["completedIndexes"]) == ("0", completed)
