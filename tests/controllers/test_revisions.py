"""Revisions of StatefulSets and DaemonSets: history, going back, what comes back below a partition (LIF-08)."""

import pytest

from tests.controllers.world import World, deployment, node

KINDS = pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])


def history(world, name="db"):
    """Revisions by number, as the images they keep."""
    found = [obj for key, obj in world.cluster.objects.items() if key[0] == "ControllerRevision"]
    mine = [one for one in found if one["metadata"]["ownerReferences"][0]["name"] == name]
    kept = {one["revision"]: one["data"]["spec"]["template"] for one in mine}
    assert all(template["$patch"] == "replace" for template in kept.values())
    return {number: template["spec"]["containers"][0]["image"] for number, template in kept.items()}


def images(world):
    return {pod.name: pod.containers[0].image for pod in world.pods()}


@KINDS
def test_every_template_is_a_revision_and_the_one_gone_back_to_becomes_the_latest(nodes, kind):
    world = World(*nodes, deployment("db", kind=kind, image="db:1")).settle()
    assert history(world) == {1: "db:1"}
    world.set(deployment("db", kind=kind, image="db:2"))
    assert history(world.settle()) == {1: "db:1", 2: "db:2"}
    world.set(deployment("db", kind=kind, image="db:1"))
    assert history(world.settle()) == {2: "db:2", 3: "db:1"}
    assert set(images(world).values()) == {"db:1"}


@KINDS
def test_old_revisions_are_forgotten_and_all_go_with_their_owner(nodes, kind):
    world = World(*nodes, deployment("db", kind=kind, image="db:1", revisionHistoryLimit=2)).settle()
    for number in range(2, 6):
        world.set(deployment("db", kind=kind, image=f"db:{number}", revisionHistoryLimit=2))
        world.settle()
    assert history(world) == {3: "db:3", 4: "db:4", 5: "db:5"}
    world.unset(kind, "shop", "db")
    assert history(world.settle()) == {}
    assert world.pods() == []


def test_a_pod_lost_below_the_partition_comes_back_as_it_was(nodes):
    strategy = {"rollingUpdate": {"partition": 2}}
    start = {"ordinals": {"start": 5}, "updateStrategy": strategy}
    world = World(*nodes, deployment("db", 3, "StatefulSet", "db:1", **start)).settle()
    world.set(deployment("db", 3, "StatefulSet", "db:2", **start))
    world.settle()
    expected = {"db-5": "db:1", "db-6": "db:1", "db-7": "db:2"}
    assert images(world) == expected
    for name in expected:
        world.delete_pod(name)
        assert images(world.settle()) == expected
    told = world.get("StatefulSet", "db")["status"]
    assert (told["currentReplicas"], told["updatedReplicas"]) == (2, 1)
    assert told["currentRevision"] != told["updateRevision"]
    world.set(deployment("db", 3, "StatefulSet", "db:2", ordinals={"start": 5}))
    assert set(images(world.settle()).values()) == {"db:2"}
    told = world.get("StatefulSet", "db")["status"]
    assert told["currentRevision"] == told["updateRevision"]


@pytest.mark.parametrize(("given", "most"), [(1, 1), ("50%", 2), ("100%", 3)])
def test_a_daemonset_that_may_surge_never_leaves_a_node_without_its_pod(given, most):
    hosts = [node(f"n{i}") for i in range(3)]
    strategy = {"updateStrategy": {"rollingUpdate": {"maxSurge": given, "maxUnavailable": 0}}}
    world = World(*hosts, deployment("agent", kind="DaemonSet", image="a:1", **strategy)).settle()
    world.set(deployment("agent", kind="DaemonSet", image="a:2", **strategy))
    world.reconcile()
    while world.wake is not None:
        alive = [pod for pod in world.pods() if not pod.terminating]
        assert {pod.node for pod in alive if pod.ready} == {"n0", "n1", "n2"}
        assert len(alive) <= 3 + most
        told = world.get("DaemonSet", "agent")["status"]
        assert (told["desiredNumberScheduled"], told["numberUnavailable"]) == (3, 0)
        world.now = world.wake
        world.reconcile()
    assert len(world.pods()) == 3
    assert set(images(world).values()) == {"a:2"}
    assert world.get("DaemonSet", "agent")["status"]["updatedNumberScheduled"] == 3
