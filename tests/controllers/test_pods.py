"""The life of pods (LIF-01, LIF-02, IPM-02, EPS-03)."""

import re

import pytest

from clusterviz.engine import ask
from clusterviz.engine.addresses import in_cidr
from tests.controllers.world import World, deployment, node, service


def test_pods_are_named_after_deployment_and_template(shop):
    for pod in shop.pods():
        assert re.fullmatch(r"web-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}", pod.name)
        assert pod.owner == ("ReplicaSet", pod.name.rpartition("-")[0])
        assert pod.labels["pod-template-hash"] == pod.owner[1].rpartition("-")[2]


def test_a_pod_is_pending_then_running_then_ready(nodes):
    world = World(*nodes, deployment(replicas=1), service())
    seen = []
    world.reconcile()
    while True:
        (pod,) = world.pods()
        seen.append((pod.phase, bool(pod.ip), pod.ready, [e.ready for e in world.endpoints()]))
        if world.wake is None:
            break
        world.now = world.wake
        world.reconcile()
    assert seen == [
        ("Pending", False, False, []),
        ("Running", True, False, [False]),
        ("Running", True, True, [True]),
    ]
    kubelet = ["Pulling", "Pulled", "Created", "Started"]
    assert world.reasons() == ["ScalingReplicaSet", "SuccessfulCreate", "Scheduled", *kubelet]


def test_an_image_is_pulled_once_a_node_unless_its_tag_moves():
    world = World(node("n1"), deployment(replicas=2), deployment("tip", replicas=2, image="tip:latest")).settle()
    pulled = [event.message for event in world.events if event.reason == "Pulled"]
    assert sorted(pulled) == [
        'Container image "web:1" already present on machine',
        'Successfully pulled image "tip:latest" in 1s (1s including waiting)',
        'Successfully pulled image "tip:latest" in 1s (1s including waiting)',
        'Successfully pulled image "web:1" in 1s (1s including waiting)',
    ]


def test_addresses_come_from_the_node_and_are_unique(shop):
    ips = [pod.ip for pod in shop.pods()]
    assert len(set(ips)) == 3
    for pod in shop.pods():
        assert in_cidr(pod.ip, shop.cluster.nodes[pod.node].pod_cidrs[0])
        assert not pod.ip.endswith((".0", ".1"))


def test_a_deleted_pod_terminates_and_another_with_new_name_and_address_comes(shop):
    """LIF-02."""
    old = shop.pods()[0]
    before = {pod.ip for pod in shop.pods()}
    vip = shop.cluster.services["shop", "web"].ip
    shop.delete_pod(old.name)
    shop.reconcile()
    leaving = next(e for e in shop.endpoints() if e.ip == old.ip)
    assert (leaving.ready, leaving.serving, leaving.terminating) == (False, True, True)  # EPS-02
    shop.settle()
    names = {pod.name for pod in shop.pods()}
    assert old.name not in names
    assert len(names) == 3
    (new,) = {pod.ip for pod in shop.pods()} - before
    assert new != old.ip
    assert {e.ip for e in shop.endpoints()} == {pod.ip for pod in shop.pods()}
    assert shop.cluster.services["shop", "web"].ip == vip
    assert "Killing" in shop.reasons()


def test_the_last_pods_of_a_service_serve_while_they_terminate(nodes):
    """LIF-03, EPS-05: new connections still get there until the grace is over, then they are refused."""
    world = World(*nodes, deployment(replicas=2), service()).settle()
    vip = world.cluster.services["shop", "web"].ip
    world.patch("Deployment", "web", spec={"replicas": 0})
    world.reconcile()

    def call():
        return ask.service(world.cluster, source="10.244.0.9", destination=vip, port=80, node="n1")

    assert all(pod.terminating for pod in world.pods())
    assert set(call().endpoints) == {f"{pod.ip}:8080" for pod in world.pods()}
    world.settle()
    assert call().verdict == "reject"


def test_one_of_several_gets_nothing_new_while_it_terminates(shop):
    """LIF-03, EPS-02."""
    old = shop.pods()[0]
    vip = shop.cluster.services["shop", "web"].ip
    shop.delete_pod(old.name)
    shop.reconcile()
    found = ask.service(shop.cluster, source="10.244.0.9", destination=vip, port=80, node="n1")
    assert f"{old.ip}:8080" not in found.endpoints
    assert (f"{old.ip}:8080", "terminating, and others are ready") in found.excluded


def test_grace_is_capped(shop):
    """LIF-02."""
    name = shop.pods()[0].name
    shop.delete_pod(name)
    shop.run(shop.timing.grace_cap - 2)
    assert name in {pod.name for pod in shop.pods()}
    shop.run(3)
    assert name not in {pod.name for pod in shop.pods()}


def test_a_freed_address_is_not_reused_at_once():
    """IPM-02: the next higher free one, wrapping round."""
    world = World(node("n1"), deployment(replicas=2), service()).settle()
    seen = {pod.ip for pod in world.pods()}
    for _ in range(4):
        world.delete_pod(world.pods()[0].name)
        world.settle()
        fresh = {pod.ip for pod in world.pods()} - seen
        assert len(fresh) == 1
        seen |= fresh


def test_readiness_by_annotation_takes_the_pod_out_and_back(shop):
    name = shop.pods()[0].name
    ip = shop.pods()[0].ip
    shop.patch("Pod", name, metadata={"annotations": {"clusterviz.dev/ready": "false"}})
    shop.settle()
    gone = next(e for e in shop.endpoints() if e.ip == ip)
    assert (gone.ready, gone.serving, gone.terminating) == (False, False, False)
    assert len(shop.pods()) == 3, "an unready pod is not replaced"
    assert shop.cluster.pods["shop", name].ip == ip
    assert "Unhealthy" in shop.reasons()
    shop.patch("Pod", name, metadata={"annotations": {}})
    shop.settle()
    assert all(e.ready for e in shop.endpoints())


def test_host_network_pods_share_the_address_of_their_node(nodes):
    """NET-02, EPS-09."""
    world = World(*nodes, deployment(replicas=2, pod_spec={"hostNetwork": True}), service()).settle()
    for pod in world.pods():
        assert pod.ip == world.cluster.nodes[pod.node].ip
    assert {e.ip for e in world.endpoints()} == {pod.ip for pod in world.pods()}


def test_a_full_pod_cidr_leaves_the_pod_in_container_creating():
    """IPM-03."""
    small = node("n1", spec={"podCIDR": "10.244.9.0/30", "podCIDRs": ["10.244.9.0/30"]})
    world = World(small, deployment(replicas=2)).run(60)
    assert sorted((pod.phase, pod.ip) for pod in world.pods()) == [("Pending", ""), ("Running", "10.244.9.2")]
    assert "FailedCreatePodSandBox" in world.reasons()
    (stuck,) = [pod for pod in world.pods() if not pod.ip]
    assert stuck.reason == "ContainerCreating"


def test_a_node_without_network_starts_no_pod_but_those_of_its_own_network():
    """NET-14: they wait until the network is there."""
    conditions = [{"type": "NetworkUnavailable", "status": "True"}]
    bare = node("n1", status={"conditions": conditions})
    agent = deployment("agent", kind="DaemonSet", pod_spec={"hostNetwork": True})
    world = World(bare, deployment(replicas=1), agent).run(30)
    assert {pod.labels["app"]: pod.phase for pod in world.pods()} == {"web": "Pending", "agent": "Running"}
    assert "NetworkNotReady" in world.reasons()
    others = [entry for entry in world.get("Node", "n1", "")["status"]["conditions"] if entry["type"] == "Ready"]
    world.patch("Node", "n1", "", status={"conditions": others})
    world.settle()
    assert [pod.phase for pod in world.pods()] == ["Running", "Running"]


@pytest.mark.parametrize("status", [{"phase": "Running", "podIP": "10.244.0.77"}, {"podIP": "10.244.0.77"}])
def test_given_addresses_are_kept(status):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "given", "namespace": "shop"},
        "spec": {"nodeName": "n1", "containers": [{"name": "c"}]},
        "status": status,
    }
    world = World(node("n1"), pod).settle()
    (record,) = world.pods()
    assert (record.ip, record.phase, record.ready) == ("10.244.0.77", "Running", True)
