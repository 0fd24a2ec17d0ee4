"""Crashes, hanging processes, lost nodes and budgets (LIF-04, EPS-04, NOD-01..07, LIF-08, LIF-09)."""

import math
from itertools import pairwise

import pytest

from clusterviz.engine.controllers import Timing
from clusterviz.engine.controllers.disruption import TOO_MANY, VIOLATES, evict
from clusterviz.engine.validation import validate
from tests.controllers.world import World, deployment, node, service

DOWN = {"annotations": {"clusterviz.dev/down": "true"}}
LOST = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "operator": "Exists"}
REAL = Timing(node_acceleration=1.0, eviction_acceleration=1.0)


def entry_of(world, name):
    return world.get("Pod", name)["status"]["containerStatuses"][0]


def annotate(world, name, **annotations):
    world.patch("Pod", name, metadata={"annotations": {f"clusterviz.dev/{k}": v for k, v in annotations.items()}})


def test_a_crashing_container_restarts_in_place_later_and_later(shop):
    """LIF-04: at once, then 10 s, doubling to 300 s, with the same address; unready meanwhile."""
    pod = shop.pods()[0]
    annotate(shop, pod.name, crash="true")
    starts: list[float] = []
    for _ in range(60):
        shop.reconcile()
        state = entry_of(shop, pod.name)["state"]
        if "running" in state and (not starts or starts[-1] != shop.now):
            starts.append(shop.now)
        if shop.wake is None or len(starts) > 9:
            break
        shop.now = shop.wake
    gaps = [round(after - before) for before, after in pairwise(starts)]
    run = round(shop.timing.start)
    assert [gap - run for gap in gaps[:7]] == [10, 20, 40, 80, 160, 300, 300]
    lost = shop.cluster.pods["shop", pod.name]
    assert lost.ip == pod.ip
    assert not lost.ready
    assert [e.ready for e in shop.endpoints() if e.ip == pod.ip] == [False]
    assert "BackOff" in shop.reasons()


def test_a_container_that_stops_crashing_serves_again_and_forgets_after_ten_minutes(shop):
    """LIF-04."""
    name = shop.pods()[0].name
    annotate(shop, name, crash="true")
    shop.run(100)
    assert entry_of(shop, name)["restartCount"] >= 3
    shop.patch("Pod", name, metadata={"annotations": {}})
    shop.settle()
    assert shop.cluster.pods["shop", name].ready
    count = entry_of(shop, name)["restartCount"]
    shop.run(601)
    annotate(shop, name, crash="true")
    shop.run(1.5)
    assert entry_of(shop, name)["restartCount"] == count + 1, "the first restart is at once again"


def test_only_the_named_container_crashes(nodes):
    """LIF-04, EPS-03: one container that is not ready makes the pod unready."""
    two = deployment(replicas=1, pod_spec={"containers": [{"name": "web"}, {"name": "log"}]})
    world = World(*nodes, two, service()).settle()
    name = world.pods()[0].name
    annotate(world, name, crash="log")
    world.run(5)
    web, log = world.get("Pod", name)["status"]["containerStatuses"]
    assert (web["ready"], log["ready"]) == (True, False)
    assert not world.cluster.pods["shop", name].ready


@pytest.mark.parametrize(
    ("probe", "after"),
    [({}, 30), ({"periodSeconds": 2, "failureThreshold": 2}, 4), (None, math.inf)],
    ids=["EPS-04 defaults", "EPS-04 own", "EPS-03 none"],
)
def test_a_hung_pod_leaves_after_its_probe_failed_three_times(nodes, probe, after):
    container = {"name": "web", **({} if probe is None else {"readinessProbe": probe})}
    world = World(*nodes, deployment(replicas=1, pod_spec={"containers": [container]}), service()).settle()
    name = world.pods()[0].name
    annotate(world, name, hung="true")
    world.run(min(after, 300) - 1)
    assert world.cluster.pods["shop", name].ready
    world.run(2)
    assert world.cluster.pods["shop", name].ready == math.isinf(after)
    world.patch("Pod", name, metadata={"annotations": {}})
    world.settle()
    assert world.cluster.pods["shop", name].ready


@pytest.mark.parametrize("silent_at", [0.0, 3.0, 9.5])
def test_a_lease_runs_out_and_somebody_looks(nodes, silent_at):
    """NOD-01, NOD-02: renewed every 10 s, looked at every 5 s, Unknown 50 s after the last renewal."""
    world = World(*nodes, deployment(), timing=REAL).settle()
    world.now = math.ceil(world.now / 10) * 10 + silent_at
    world.patch("Node", "n1", "", metadata=DOWN)
    fell = world.now
    world.run(50 - silent_at - 0.1)
    assert world.cluster.nodes["n1"].ready
    world.run(5.2)
    assert not world.cluster.nodes["n1"].ready
    assert world.now - fell <= 60


def test_a_lost_node_is_tainted_and_its_pods_are_unready(shop):
    """NOD-03: both taints, and every pod of it out of the endpoints."""
    lost = shop.pods()[0].node
    shop.patch("Node", lost, "", metadata=DOWN)
    shop.run(shop.timing.unknown_after + 1)
    taints = shop.get("Node", lost, "")["spec"]["taints"]
    assert {(t["key"], t["effect"]) for t in taints} == {
        ("node.kubernetes.io/unreachable", "NoSchedule"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
    }
    assert not any(e.ready for e in shop.endpoints() if e.node == lost)


@pytest.mark.parametrize(
    ("tolerations", "after"),
    [
        ([], 300),
        ([{**LOST, "tolerationSeconds": 20}], 20),
        ([LOST], math.inf),
        ([{"operator": "Exists"}], math.inf),
    ],
)  # fmt: skip
def test_pods_tolerate_a_lost_node_for_as_long_as_they_say(nodes, tolerations, after):
    """NOD-04."""
    world = World(*nodes, deployment(replicas=1, pod_spec={"tolerations": tolerations}), timing=REAL).settle()
    pod = world.pods()[0]
    world.patch("Node", pod.node, "", metadata=DOWN)
    world.run(60)
    assert not world.cluster.nodes[pod.node].ready
    world.run(min(after, 1000) - 15)
    assert not world.cluster.pods["shop", pod.name].terminating
    world.run(25)
    assert world.cluster.pods["shop", pod.name].terminating == math.isfinite(after)


def times_of_eviction(world):
    return sorted(
        seconds["timeAdded"]
        for name in world.cluster.nodes
        for seconds in world.get("Node", name, "")["spec"].get("taints") or ()
        if seconds["effect"] == "NoExecute"
    )


@pytest.mark.parametrize(
    ("total", "down", "tainted"),
    [(6, 2, 2), (6, 3, 3), (6, 4, 0), (60, 35, 1), (3, 3, 0)],
    ids=["healthy", "half", "small zone in trouble: none", "large zone in trouble: slowly", "all silent: none"],
)
def test_evictions_have_a_pace(total, down, tainted):
    """NOD-07: 0.1 nodes a second; in a zone with 55 % lost 0.01, or none up to 50 nodes."""
    world = World(*[node(f"n{i:02}") for i in range(total)], timing=REAL).settle()
    for i in range(down):
        world.patch("Node", f"n{i:02}", "", metadata=DOWN)
    world.run(60 + 10 * min(down, 4))
    assert len(times_of_eviction(world)) == tainted


def test_a_zone_in_trouble_does_not_stop_another():
    """NOD-07: rates are a zone's; a zone that is lost altogether is evicted at the normal pace."""

    def zoned(name, zone):
        return node(name, metadata={"labels": {"topology.kubernetes.io/zone": zone}})

    world = World(zoned("a1", "a"), zoned("a2", "a"), zoned("a3", "a"), zoned("b1", "b"), timing=REAL).settle()
    for name in ("a1", "a2", "a3"):
        world.patch("Node", name, "", metadata=DOWN)
    world.run(100)
    assert len(times_of_eviction(world)) == 3


def job(**spec):
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "run", "image": "run:1"}], "restartPolicy": "Never"},
    }
    return {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once", "namespace": "shop"},
        "spec": {"template": template, **spec},
    }  # fmt: skip


def test_a_job_runs_its_pods_to_the_end_and_they_serve_nobody(nodes):
    """LIF-08, IPM-04."""
    world = World(*nodes, job(completions=3, parallelism=2), service()).settle()
    assert [pod.phase for pod in world.pods()] == ["Succeeded"] * 3
    assert world.endpoints() == ()
    status = world.get("Job", "once")["status"]
    assert (status["succeeded"], status["active"]) == (3, 0)
    assert {"type": "Complete", "status": "True"}.items() <= status["conditions"][0].items()


def test_a_job_never_runs_more_than_its_parallelism(nodes):
    """LIF-08."""
    world = World(*nodes, job(completions=5, parallelism=2))
    world.reconcile()
    while world.wake is not None:
        assert sum(pod.phase in ("Pending", "Running") for pod in world.pods()) <= 2
        world.now = world.wake
        world.reconcile()
    assert len(world.pods()) == 5


def test_a_job_that_keeps_failing_gives_up(nodes):
    """LIF-04, LIF-08: restartPolicy Never makes every crash a failed pod, up to backoffLimit."""
    bad = job(backoffLimit=2)
    bad["spec"]["template"]["metadata"]["annotations"] = {"clusterviz.dev/crash": "true"}
    world = World(*nodes, bad).settle()
    assert [pod.phase for pod in world.pods()] == ["Failed"] * 3
    assert world.get("Job", "once")["status"]["conditions"][0]["type"] == "Failed"


def test_pods_of_a_deleted_job_go(nodes):
    world = World(*nodes, job(completions=1))
    world.run(2)
    world.unset("Job", "shop", "once")
    world.settle()
    assert world.pods() == []


def budget(name="web", **spec):
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "go"),
    [
        ({"minAvailable": 2}, 2), ({"minAvailable": 4}, 0), ({"minAvailable": "50%"}, 2), ({"minAvailable": "60%"}, 1),
        ({"maxUnavailable": 1}, 1), ({"maxUnavailable": 0}, 0), ({"maxUnavailable": "30%"}, 2), ({}, 4),
    ],
)  # fmt: skip
def test_a_budget_lets_only_so_many_go(nodes, spec, go):
    """LIF-09: the others are refused with 429 and the API's words."""
    world = World(*nodes, deployment(replicas=4), budget(**spec)).settle()
    pods = [world.get("Pod", pod.name) for pod in world.pods()]
    going, refused = evict(world.cluster.objects, pods)
    assert len(going) == go
    assert [why for _, why in refused] == [VIOLATES] * (4 - go)
    assert world.get("PodDisruptionBudget", "web")["status"]["disruptionsAllowed"] == go


def test_a_budget_of_other_pods_and_two_budgets(nodes):
    """LIF-09."""
    other = budget("other", minAvailable=4)
    other["spec"]["selector"] = {"matchLabels": {"app": "db"}}
    world = World(*nodes, deployment(replicas=4), other).settle()
    pods = [world.get("Pod", pod.name) for pod in world.pods()]
    assert len(evict(world.cluster.objects, pods)[0]) == 4
    world.set(budget("a", minAvailable=1))
    world.set(budget("b", minAvailable=1))
    assert [why for _, why in evict(world.cluster.objects, pods)[1]] == [TOO_MANY] * 4


def test_a_pod_that_is_not_ready_goes_only_while_the_budget_is_healthy(nodes):
    """LIF-09: IfHealthyBudget is the default."""
    world = World(*nodes, deployment(replicas=2), budget(minAvailable=2)).settle()
    name = world.pods()[0].name
    annotate(world, name, ready="false")
    world.settle()
    sick = world.get("Pod", name)
    assert evict(world.cluster.objects, [sick])[1] == [(sick, VIOLATES)]
    world.set(budget(minAvailable=2, unhealthyPodEvictionPolicy="AlwaysAllow"))
    assert evict(world.cluster.objects, [sick])[0] == [sick]


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        (job(parallelism=-1), "spec.parallelism"),
        (job(completions=-1), "spec.completions"),
        (job(parallelism="many"), "spec.parallelism"),
        (budget(minAvailable=1, maxUnavailable=1), "spec"),
        (budget(minAvailable="half"), "spec.minAvailable"),
        (budget(maxUnavailable="120%"), "spec.maxUnavailable"),
        (budget(minAvailable=-1), "spec.minAvailable"),
    ],
)
def test_what_kube_apiserver_refuses(obj, field):
    assert [flaw.field for flaw in validate(obj)][-1] == field
