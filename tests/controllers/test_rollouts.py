"""Deployments and the ReplicaSets behind them: rollouts, revisions, and what is said of them (LIF-05, LIF-06)."""

import pytest

from clusterviz.kubeapi.defaults import with_defaults
from tests.controllers.world import World, deployment, node

REVISION = "deployment.kubernetes.io/revision"


def sets(world, name="web"):
    """Replicas by ReplicaSet, the first revision first."""
    found = [obj for key, obj in world.cluster.objects.items() if key[0] == "ReplicaSet"]
    found = [obj for obj in found if obj["metadata"]["ownerReferences"][0]["name"] == name]
    return {
        obj["metadata"]["name"]: obj for obj in sorted(found, key=lambda o: int(o["metadata"]["annotations"][REVISION]))
    }


def sizes(world):
    return [one["spec"]["replicas"] for one in sets(world).values()]


def said(world, kind="Progressing"):
    status = world.get("Deployment", "web")["status"]
    return next((c["status"], c["reason"]) for c in status["conditions"] if c["type"] == kind)


def test_a_deployment_makes_a_replicaset_and_that_makes_the_pods(shop):
    [(name, one)] = sets(shop).items()
    mark = one["metadata"]["labels"]["pod-template-hash"]
    assert name == f"web-{mark}"
    assert one["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": mark}
    assert (one["spec"]["replicas"], one["status"]["availableReplicas"]) == (3, 3)
    [owner] = one["metadata"]["ownerReferences"]
    assert (owner["apiVersion"], owner["kind"], owner["name"], owner["controller"]) == (
        "apps/v1", "Deployment", "web", True,
    )  # fmt: skip
    for pod in shop.pods("web"):
        assert pod.owner == ("ReplicaSet", name)
        assert pod.labels["pod-template-hash"] == mark
    assert shop.get("Deployment", "web")["metadata"]["annotations"][REVISION] == "1"
    assert said(shop) == ("True", "NewReplicaSetAvailable")
    assert said(shop, "Available") == ("True", "MinimumReplicasAvailable")
    messages = [event.message for event in shop.events if event.reason == "ScalingReplicaSet"]
    assert messages == [f"Scaled up replica set {name} from 0 to 3"]


def test_a_new_template_is_a_new_revision_and_the_old_one_can_be_gone_back_to(shop):
    shop.set(deployment(image="web:2"))
    shop.settle()
    first, second = sets(shop)
    assert sizes(shop) == [0, 3]
    shop.set(deployment())
    shop.settle()
    assert list(sets(shop)) == [second, first], "undoing is a new revision of the old ReplicaSet"
    assert sizes(shop) == [0, 3]
    notes = sets(shop)[first]["metadata"]["annotations"]
    assert (notes[REVISION], notes["deployment.kubernetes.io/revision-history"]) == ("3", "1")
    assert shop.get("Deployment", "web")["metadata"]["annotations"][REVISION] == "3"


def test_the_cause_of_a_change_stays_with_its_revision(shop):
    shop.patch("Deployment", "web", metadata={"annotations": {"kubernetes.io/change-cause": "first"}})
    shop.settle()
    changed = deployment(image="web:2")
    changed["metadata"]["annotations"] = {"kubernetes.io/change-cause": "second"}
    shop.set(changed)
    shop.settle()
    causes = [one["metadata"]["annotations"]["kubernetes.io/change-cause"] for one in sets(shop).values()]
    assert causes == ["first", "second"]


def test_only_so_many_revisions_are_kept(shop):
    for number in range(2, 7):
        shop.set(deployment(image=f"web:{number}", revisionHistoryLimit=2))
        shop.settle()
    assert [one["metadata"]["annotations"][REVISION] for one in sets(shop).values()] == ["4", "5", "6"]


def test_a_paused_deployment_waits_with_its_rollout_but_not_with_its_scale(shop):
    shop.set(deployment(image="web:2", replicas=5, paused=True))
    shop.settle()
    assert sizes(shop) == [5]
    assert said(shop) == ("Unknown", "DeploymentPaused")
    assert shop.get("Deployment", "web")["status"]["updatedReplicas"] == 0
    shop.patch("Deployment", "web", spec={"paused": False})
    shop.settle()
    assert sizes(shop) == [0, 5]
    assert said(shop) == ("True", "NewReplicaSetAvailable")


def test_a_rollout_that_does_not_get_on_says_so_after_its_deadline(shop):
    shop.set(deployment(image="web:2", pod_spec={"nodeSelector": {"disk": "ssd"}}, progressDeadlineSeconds=60))
    shop.run(50)
    assert said(shop) == ("True", "ReplicaSetUpdated")
    shop.run(20)
    assert said(shop) == ("False", "ProgressDeadlineExceeded")
    assert said(shop, "Available") == ("True", "MinimumReplicasAvailable"), "the old pods still serve"
    assert sizes(shop) == [3, 1]
    assert shop.wake is None


@pytest.mark.parametrize(("replicas", "expected"), [(20, [15, 10]), (6, [5, 3])])
def test_scaling_in_the_middle_of_a_rollout_keeps_the_proportion(nodes, replicas, expected):
    """Ten pods stuck at 8 old and 5 new share the new number and its surge as they shared the old one."""
    world = World(*nodes, deployment(replicas=10)).settle()
    stuck = {"nodeSelector": {"disk": "ssd"}}
    world.set(deployment(replicas=10, image="web:2", pod_spec=stuck))
    world.run(60)
    assert sizes(world) == [8, 5]
    world.set(deployment(replicas=replicas, image="web:2", pod_spec=stuck))
    world.reconcile()
    assert sizes(world) == expected


def test_pods_have_to_be_ready_for_a_while_to_be_available(nodes):
    world = World(*nodes, deployment(minReadySeconds=30))
    world.run(20)
    status = world.get("Deployment", "web")["status"]
    assert (status["readyReplicas"], status["availableReplicas"], status["unavailableReplicas"]) == (3, 0, 3)
    assert said(world, "Available") == ("False", "MinimumReplicasUnavailable")
    world.run(20)
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 3
    assert said(world) == ("True", "NewReplicaSetAvailable")


def test_a_pod_whose_label_is_changed_is_let_go_and_replaced(shop):
    pod = shop.pods("web")[0]
    shop.patch("Pod", pod.name, metadata={"labels": {**pod.labels, "app": "debug"}})
    shop.settle()
    assert shop.cluster.pods["shop", pod.name].owner == ("", "")
    assert len(shop.pods("web")) == 3
    shop.patch("Pod", pod.name, metadata={"labels": dict(pod.labels)})
    shop.settle()
    assert len(shop.pods("web")) == 3, "taken back, one too many"


def test_a_deleted_replicaset_is_made_anew_by_its_deployment(shop):
    before = {pod.name for pod in shop.pods("web")}
    [name] = sets(shop)
    shop.unset("ReplicaSet", "shop", name)
    shop.settle()
    assert list(sets(shop)) == [name]
    assert {pod.name for pod in shop.pods("web")} == before


def test_an_orphaned_replicaset_is_adopted_by_the_next_deployment(shop):
    [name] = sets(shop)
    before = {pod.name for pod in shop.pods("web")}
    shop.patch("ReplicaSet", name, metadata={"ownerReferences": []})
    shop.unset("Deployment", "shop", "web")
    shop.settle()
    assert {pod.name for pod in shop.pods("web")} == before
    shop.set(deployment())
    shop.settle()
    assert list(sets(shop)) == [name]
    assert {pod.name for pod in shop.pods("web")} == before


def test_a_deleted_deployment_takes_its_replicasets_along(shop):
    shop.set(deployment(image="web:2"))
    shop.settle()
    shop.unset("Deployment", "shop", "web")
    shop.settle()
    assert not [key for key in shop.cluster.objects if key[0] in ("ReplicaSet", "Pod") and "web" in key[2]]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_defaults_spelled_out_are_no_new_template(nodes, kind):
    """A client writes back what it read, with the defaults of the API server in it."""
    world = World(*nodes, deployment(kind=kind)).settle()
    before = {pod.name for pod in world.pods()}
    full = with_defaults({**world.get(kind, "web")})
    assert full["spec"]["template"] != world.get(kind, "web")["spec"]["template"]
    world.set(full)
    world.settle()
    assert {pod.name for pod in world.pods()} == before
    assert not any(pod.terminating for pod in world.pods())


def images(world):
    return {pod.name: pod.containers[0].image for pod in world.pods()}


def test_a_statefulset_updates_from_its_end_down_to_the_partition(nodes):
    world = World(*nodes, deployment("db", kind="StatefulSet")).settle()
    split = {"rollingUpdate": {"partition": 2}}
    world.set(deployment("db", kind="StatefulSet", image="web:2", updateStrategy=split))
    world.settle()
    assert images(world) == {"db-0": "web:1", "db-1": "web:1", "db-2": "web:2"}
    status = world.get("StatefulSet", "db")["status"]
    assert (status["updatedReplicas"], status["currentReplicas"]) == (1, 2)
    assert status["updateRevision"] != status["currentRevision"]
    world.set(deployment("db", kind="StatefulSet", image="web:2"))
    world.settle()
    assert set(images(world).values()) == {"web:2"}
    status = world.get("StatefulSet", "db")["status"]
    assert (status["updatedReplicas"], status["updateRevision"]) == (3, status["currentRevision"])


@pytest.mark.parametrize(("given", "most"), [({}, 1), ({"rollingUpdate": {"maxUnavailable": "50%"}}, 2)])
def test_a_daemonset_replaces_a_few_at_a_time(given, most):
    world = World(*[node(f"n{number}") for number in range(4)], deployment("agent", kind="DaemonSet")).settle()
    world.set(deployment("agent", kind="DaemonSet", image="web:2", updateStrategy=given))
    world.reconcile()
    gone = []
    while world.wake is not None:
        gone.append(4 - sum(pod.ready and not pod.terminating for pod in world.pods()))
        world.now = world.wake
        world.reconcile()
    assert max(gone) == most
    assert set(images(world).values()) == {"web:2"}
    status = world.get("DaemonSet", "agent")["status"]
    assert (status["updatedNumberScheduled"], status["numberUnavailable"]) == (4, 0)
