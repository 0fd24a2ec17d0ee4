"""Objects that do not go at once: namespaces, finalizers, deletion in the foreground."""

import pytest

from clusterviz.engine.controllers import Timing
from tests.controllers.world import World, deployment, node, service

GOING = {"deletionTimestamp": "1970-01-12T13:46:40Z", "deletionGracePeriodSeconds": 0}
KEPT = "example.com/backup"


def space(name="shop", **meta):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **meta}}


def config(name="c", **meta):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop", **meta}}


def left(world):
    return sorted(key[0] for key in world.cluster.objects if key[1] == "shop")


def conditions(world):
    found = world.get("Namespace", "shop", "")["status"]["conditions"]
    return {one["type"]: (one["status"], one["message"]) for one in found}


def test_a_namespace_is_terminating_until_its_last_pod_has_taken_leave(nodes):
    world = World(*nodes, space(), deployment(replicas=2), service(), config()).settle()
    assert {"Deployment", "ReplicaSet", "Pod", "Service", "EndpointSlice", "ConfigMap"} == set(left(world))
    world.set(space(**GOING))
    world.reconcile()
    assert left(world) == ["Pod", "Pod"]
    assert all(pod.terminating for pod in world.pods())
    assert world.get("Namespace", "shop", "")["status"]["phase"] == "Terminating"
    assert conditions(world)["NamespaceContentRemaining"] == (
        "True",
        "Some resources are remaining: pods. has 2 resource instances",
    )
    before = world.now
    world.settle()
    assert ("Namespace", "", "shop") not in world.cluster.objects
    assert left(world) == []
    assert world.now - before <= Timing().grace_cap


def test_a_namespace_waits_for_finalizers_and_says_whose():
    world = World(node("n1"), space(), config(finalizers=[KEPT]))
    world.set(space(**GOING))
    world.settle()
    assert conditions(world)["NamespaceFinalizersRemaining"] == (
        "True",
        f"Some content in the namespace has finalizers remaining: {KEPT} in 1 resource instances",
    )
    world.patch("ConfigMap", "c", metadata={"finalizers": []})
    world.settle()
    assert ("Namespace", "", "shop") not in world.cluster.objects


def test_what_has_finalizers_stays_marked_until_the_last_is_gone(nodes):
    world = World(*nodes, config(finalizers=[KEPT, "other.example.com/x"])).settle()
    world.patch("ConfigMap", "c", metadata=GOING)
    for finalizers in ([KEPT, "other.example.com/x"], [KEPT]):
        world.patch("ConfigMap", "c", metadata={"finalizers": finalizers})
        assert world.settle().get("ConfigMap", "c")["metadata"]["deletionTimestamp"]
    world.patch("ConfigMap", "c", metadata={"finalizers": []})
    assert left(world.settle()) == []


def test_a_pod_with_finalizers_ends_and_stays_to_be_seen(nodes):
    pod_spec = {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]}
    meta = {"name": "kept", "namespace": "shop", "finalizers": [KEPT]}
    world = World(*nodes, {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec}).settle()
    world.delete_pod("kept")
    world.settle()
    assert world.get("Pod", "kept")["status"]["phase"] == "Succeeded"
    world.patch("Pod", "kept", metadata={"finalizers": []})
    assert left(world.settle()) == []


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"])
def test_in_the_foreground_an_owner_goes_last_and_makes_nothing_new(nodes, kind):
    world = World(*nodes, deployment(kind=kind, replicas=2)).settle()
    made = {pod.name for pod in world.pods()}
    world.patch(kind, "web", metadata={**GOING, "finalizers": ["foregroundDeletion"]})
    world.reconcile()
    while any(key[0] == "Pod" for key in world.cluster.objects):
        assert world.get(kind, "web")["metadata"]["deletionTimestamp"]
        assert {pod.name for pod in world.pods()} <= made
        world.now = world.wake
        world.reconcile()
    assert left(world.settle()) == []


def test_in_the_foreground_only_those_that_block_are_waited_for(nodes):
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c"}
    waits = config("slow", finalizers=[KEPT], ownerReferences=[{**reference, "blockOwnerDeletion": True}])
    other = config("free", finalizers=[KEPT], ownerReferences=[reference])
    world = World(*nodes, config(), waits, other).settle()
    world.patch("ConfigMap", "c", metadata={**GOING, "finalizers": ["foregroundDeletion"]})
    world.settle()
    assert left(world) == ["ConfigMap"] * 3
    world.patch("ConfigMap", "slow", metadata={"finalizers": []})
    world.settle()
    assert sorted(key[2] for key in world.cluster.objects if key[0] == "ConfigMap") == ["free"]
