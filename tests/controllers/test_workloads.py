"""Deployments, StatefulSets, DaemonSets and the scheduler (LIF-05..10)."""

from itertools import pairwise

import pytest

from clusterviz.engine.controllers.deployment import share
from clusterviz.engine.controllers.room import amount
from clusterviz.engine.controllers.work import SLICE
from tests.controllers.world import World, deployment, node, service


@pytest.mark.parametrize(("replicas", "surge", "unavailable"), [(1, 1, 0), (3, 1, 0), (4, 1, 1), (10, 3, 2), (0, 0, 0)])
def test_default_surge_rounds_up_and_unavailable_down(replicas, surge, unavailable):
    """LIF-05."""
    assert share(None, replicas, up=True) == surge
    assert share(None, replicas, up=False) == unavailable


@pytest.mark.parametrize(
    ("rolling", "most", "least"),
    [({}, 5, 3), ({"maxSurge": 0, "maxUnavailable": 2}, 4, 2), ({"maxSurge": "100%"}, 8, 3)],
)
def test_rolling_update_stays_within_its_bounds(nodes, rolling, most, least):
    """LIF-06: at all times."""
    world = World(*nodes, deployment(replicas=4), service()).settle()
    old = {pod.name for pod in world.pods()}
    world.set(deployment(replicas=4, image="web:2", strategy={"rollingUpdate": rolling}))
    world.reconcile()
    for _ in range(200):
        alive = [pod for pod in world.pods() if not pod.terminating]
        assert len(alive) <= most
        assert sum(pod.ready for pod in alive) >= least
        if world.wake is None:
            break
        world.now = world.wake
        world.reconcile()
    assert len(world.pods()) == 4
    assert not old & {pod.name for pod in world.pods()}
    assert {c.image for pod in world.pods() for c in pod.containers} == {"web:2"}


def test_recreate_stops_all_old_pods_first(nodes):
    world = World(*nodes, deployment(replicas=2)).settle()
    old = {pod.name for pod in world.pods()}
    world.set(deployment(replicas=2, image="web:2", strategy={"type": "Recreate"}))
    world.reconcile()
    assert {pod.name for pod in world.pods() if pod.terminating} == old
    world.settle()
    assert len(world.pods()) == 2
    assert not old & {pod.name for pod in world.pods()}


@pytest.mark.parametrize(("start", "end"), [(1, 4), (4, 1), (3, 0), (0, 2)])
def test_scaling(nodes, start, end):
    world = World(*nodes, deployment(replicas=start), service()).settle()
    kept = {pod.name for pod in world.pods()}
    world.patch("Deployment", "web", spec={"replicas": end})
    world.settle()
    names = {pod.name for pod in world.pods()}
    assert len(names) == end
    assert kept <= names if end > start else names <= kept
    assert len(world.endpoints()) == end
    assert world.get("Deployment", "web")["status"]["readyReplicas"] == end


def test_scaling_down_takes_unready_pods_first(shop):
    """LIF-07."""
    name = shop.pods()[1].name
    shop.patch("Pod", name, metadata={"annotations": {"clusterviz.dev/ready": "false"}})
    shop.settle()
    shop.patch("Deployment", "web", spec={"replicas": 2})
    shop.settle()
    assert name not in {pod.name for pod in shop.pods()}


def test_scaling_down_honours_deletion_cost(shop):
    """LIF-07."""
    name = shop.pods()[2].name
    cost = {"controller.kubernetes.io/pod-deletion-cost": "-5"}
    shop.patch("Pod", name, metadata={"annotations": cost})
    shop.patch("Deployment", "web", spec={"replicas": 2})
    shop.settle()
    assert name not in {pod.name for pod in shop.pods()}


def test_deleting_the_deployment_of_a_bare_replicaset_pair(nodes):
    world = World(*nodes, deployment("solo", kind="ReplicaSet", replicas=2)).settle()
    assert {pod.owner for pod in world.pods()} == {("ReplicaSet", "solo")}


def test_statefulset_pods_start_in_order_and_keep_their_names(nodes):
    """LIF-08."""
    world = World(*nodes, deployment("db", kind="StatefulSet", replicas=3, serviceName="db"))
    order = []
    world.reconcile()
    while world.wake is not None:
        order.append([pod.name for pod in world.pods()])
        world.now = world.wake
        world.reconcile()
    assert order[0] == ["db-0"]
    assert [pod.name for pod in world.pods()] == ["db-0", "db-1", "db-2"]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(order))
    old = world.cluster.pods["shop", "db-1"]
    assert (old.hostname, old.subdomain) == ("db-1", "db")
    world.delete_pod("db-1")
    world.settle()
    new = world.cluster.pods["shop", "db-1"]
    assert new.ready
    assert new.ip != old.ip


def test_statefulset_scales_down_from_the_end(nodes):
    world = World(*nodes, deployment("db", kind="StatefulSet", replicas=3)).settle()
    world.patch("StatefulSet", "db", spec={"replicas": 1})
    world.settle()
    assert [pod.name for pod in world.pods()] == ["db-0"]


def test_daemonset_runs_once_on_every_node_even_a_cordoned_one(nodes):
    world = World(*nodes, deployment("agent", kind="DaemonSet"))
    world.patch("Node", "n2", "", spec={"unschedulable": True})
    world.settle()
    assert sorted(pod.node for pod in world.pods()) == ["n1", "n2", "n3"]
    world.set(node("n4"))
    world.settle()
    assert sorted(pod.node for pod in world.pods()) == ["n1", "n2", "n3", "n4"]
    world.unset("Node", "", "n1")
    world.settle()
    assert sorted(pod.node for pod in world.pods()) == ["n2", "n3", "n4"]


def test_replicas_are_spread_over_the_nodes(nodes):
    """LIF-10."""
    world = World(*nodes, deployment(replicas=6), deployment("api", replicas=3)).settle()
    for app, each in (("web", 2), ("api", 1)):
        placed = [pod.node for pod in world.pods(app)]
        assert all(placed.count(name) == each for name in ("n1", "n2", "n3"))


@pytest.mark.parametrize(
    ("nodes", "pod_spec", "words"),
    [
        ([node("n1")], {"nodeSelector": {"disk": "ssd"}}, "1 node(s) didn't match Pod's node affinity/selector"),
        ([node("n1", spec={"unschedulable": True})], {}, "1 node(s) were unschedulable"),
        (
            [node("n1", spec={"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]})],
            {},
            "1 node(s) had untolerated taint {gpu: yes}",
        ),
    ],
)
def test_a_pod_that_fits_nowhere_stays_pending_and_says_why(nodes, pod_spec, words):
    world = World(*nodes, deployment(replicas=1, pod_spec=pod_spec)).settle()
    (pod,) = world.pods()
    assert (pod.phase, pod.node, pod.ip) == ("Pending", "", "")
    messages = [event.message for event in world.events if event.reason == "FailedScheduling"]
    helpless = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    assert messages == [f"0/1 nodes are available: {words}. {helpless}"]
    world.set(node("n9", metadata={"labels": {"disk": "ssd"}}))
    world.settle()
    assert world.pods()[0].node == "n9"


def test_a_pod_of_a_cluster_without_nodes_waits_for_the_first():
    world = World(deployment(replicas=1)).settle()
    messages = [event.message for event in world.events if event.reason == "FailedScheduling"]
    assert messages == ["no nodes available to schedule pods"]
    world.set(node("n9"))
    assert world.settle().pods()[0].node == "n9"


def sized(name, cpu="2", memory="1Gi"):
    return node(name, status={"allocatable": {"cpu": cpu, "memory": memory, "pods": "110"}})


def asking(**requests):
    return {"containers": [{"name": "c", "image": "i", "resources": {"requests": requests}}]}


@pytest.mark.parametrize(
    ("resource", "text", "expected"),
    [
        ("cpu", "250m", 250), ("cpu", 2, 2000), ("cpu", "0.1", 100), ("memory", "1Gi", 2**30), ("memory", "1.5k", 1500),
        ("memory", "1e3", 1000), ("memory", "1E", 10**18), ("memory", "1e999999999", 0), ("cpu", "much", 0),
    ],
)  # fmt: skip
def test_quantities_are_read_as_kubernetes_writes_them(resource, text, expected):
    assert amount(resource, text) == expected


def test_pods_wait_until_a_node_has_what_they_request():
    """Requests are what counts; a pod that goes makes room."""
    world = World(sized("n1"), sized("n2", cpu="900m"), deployment(replicas=5, pod_spec=asking(cpu="500m"))).settle()
    assert sorted(pod.node for pod in world.pods()) == ["n1"] * 4 + ["n2"]
    world.set(deployment("late", replicas=1, pod_spec=asking(cpu="0.5", memory="2G")))
    world.settle()
    [message] = [event.message for event in world.events if event.reason == "FailedScheduling"]
    assert message == (
        "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. "
        "preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
    )
    world.set(deployment("late", replicas=1, pod_spec=asking(cpu="0.5", memory="1Gi")))
    world.settle()
    assert world.pods("late")[0].node == ""
    world.patch("Deployment", "web", spec={"replicas": 3})
    world.settle()
    assert world.pods("late")[0].node


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}, {"n1"}),
        ({"key": "disk", "operator": "NotIn", "values": ["ssd"]}, {"n2", "n3"}),
        ({"key": "disk", "operator": "DoesNotExist"}, {"n3"}),
        ({"key": "cores", "operator": "Gt", "values": ["8"]}, {"n2"}),
    ],
)
def test_node_affinity_is_respected(expression, expected):
    hosts = [node("n1", metadata={"labels": {"disk": "ssd", "cores": "8"}})]
    hosts += [node("n2", metadata={"labels": {"disk": "hdd", "cores": "16"}}), node("n3")]
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    world = World(*hosts, deployment(replicas=4, pod_spec={"affinity": affinity})).settle()
    assert {pod.node for pod in world.pods()} == expected


def test_tolerated_taints_and_node_names_are_respected():
    tainted = node("n1", spec={"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]})
    tolerations = [{"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}]
    world = World(tainted, deployment(replicas=1, pod_spec={"tolerations": tolerations})).settle()
    assert world.pods()[0].node == "n1"
    world = World(node("n1"), node("n2"), deployment(replicas=3, pod_spec={"nodeName": "n2"})).settle()
    assert {pod.node for pod in world.pods()} == {"n2"}


def test_a_deleted_deployment_takes_its_pods_along(shop):
    shop.unset("Deployment", "shop", "web")
    shop.settle()
    assert shop.pods() == []
    assert shop.endpoints() == ()


def test_pods_of_a_known_replicaset_are_not_replaced(nodes):
    """A dump of a real cluster names hashes of its own; its pods stay as they are."""
    web = deployment(replicas=1)
    template = web["spec"]["template"]
    labelled = {**template, "metadata": {"labels": {"app": "web", "pod-template-hash": "5d9f"}}}
    replicaset = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": "web-5d9f",
            "namespace": "shop",
            "ownerReferences": [{"kind": "Deployment", "name": "web", "controller": True}],
        },
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": labelled},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-5d9f-abcde",
            "namespace": "shop",
            "labels": labelled["metadata"]["labels"],
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d9f", "controller": True}],
        },
        "spec": {**template["spec"], "nodeName": "n1"},
        "status": {"phase": "Running", "podIP": "10.244.0.9"},
    }
    world = World(*nodes, web, replicaset, pod).settle()
    assert [pod.name for pod in world.pods()] == ["web-5d9f-abcde"]


def bare(name="stray", **labels):
    """A pod nobody owns."""
    meta = {"name": name, "namespace": "shop", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "c"}]}}


def test_a_replicaset_adopts_a_bare_pod_its_selector_matches(nodes):
    world = World(*nodes, deployment("solo", kind="ReplicaSet", replicas=2), bare(app="solo")).settle()
    assert len(world.pods()) == 2
    assert world.cluster.pods["shop", "stray"].owner == ("ReplicaSet", "solo")


def test_a_statefulset_leaves_strangers_alone(nodes):
    world = World(*nodes, deployment("db", kind="StatefulSet", replicas=2), bare(app="db"), bare("db-1", app="db"))
    world.settle()
    assert [pod.name for pod in world.pods()] == ["db-0", "db-1", "stray"]
    assert world.cluster.pods["shop", "stray"].owner == ("", "")
    assert world.cluster.pods["shop", "db-1"].owner == ("StatefulSet", "db")


def test_a_deployment_does_not_adopt_but_its_service_selects(nodes):
    stray = bare(app="web")
    stray["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
    world = World(*nodes, deployment(replicas=2), service(), stray).settle()
    assert len(world.pods()) == 3
    assert world.cluster.pods["shop", "stray"].owner == ("", "")
    assert len(world.endpoints()) == 3


def test_a_dump_without_replicasets_keeps_its_pods_until_the_image_changes(nodes):
    owner = {"kind": "ReplicaSet", "name": "web-5d9f", "uid": "0b6e", "controller": True}
    dumped = bare("web-5d9f-abcde", app="web")
    dumped["metadata"]["ownerReferences"] = [owner]
    dumped["spec"] = {"nodeName": "n1", "containers": [{"name": "web", "image": "web:1", "env": []}]}
    dumped["status"] = {"phase": "Running", "podIP": "10.244.0.9"}
    world = World(*nodes, deployment(replicas=2), dumped).settle()
    assert {pod.owner for pod in world.pods()} == {("ReplicaSet", "web-5d9f")}
    assert world.cluster.pods["shop", "web-5d9f-abcde"].ip == "10.244.0.9"
    world.set(deployment(replicas=2, image="web:2"))
    world.settle()
    assert len(world.pods()) == 2
    assert ("ReplicaSet", "web-5d9f") not in {pod.owner for pod in world.pods()}


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_many_pods_are_made_in_slices(kind):
    """No step makes more than SLICE pods, whoever wants them; in the end all are there."""
    number = 450
    hosts = [node(f"n{i}") for i in range(number // 2 if kind == "DaemonSet" else 5)]
    extra = {"podManagementPolicy": "Parallel"} if kind == "StatefulSet" else {}
    world = World(*hosts, deployment(kind=kind, replicas=number // 2, **extra), deployment("two", number // 2))
    steps = []
    while not steps or (world.wake is not None and len(steps) < 100):
        world.now = world.wake or world.now
        created = len([event for event in world.events if event.reason == "SuccessfulCreate"])
        world.reconcile()
        steps.append(len([event for event in world.events if event.reason == "SuccessfulCreate"]) - created)
    assert max(steps) == SLICE
    assert sum(steps) == len(world.pods()) == number


def test_a_second_pod_with_a_host_port_waits_for_another_node():
    """NET-02: the scheduler counts host ports."""
    ports = [{"containerPort": 8080, "hostPort": 9000}]
    world = World(node("n1"), deployment(replicas=2, pod_spec={"containers": [{"name": "c", "ports": ports}]})).settle()
    assert sorted(pod.node for pod in world.pods()) == ["", "n1"]
    words = "1 node(s) didn't have free ports for the requested pod ports"
    messages = {event.message for event in world.events if event.reason == "FailedScheduling"}
    helpless = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    assert messages == {f"0/1 nodes are available: {words}. {helpless}"}
    world.set(node("n2"))
    assert sorted(pod.node for pod in world.settle().pods()) == ["n1", "n2"]
