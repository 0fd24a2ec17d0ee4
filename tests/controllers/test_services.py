"""Endpoints, load balancers and node failure (EPS, SVC-06, NOD)."""

import pytest

from clusterviz.engine import Settings
from tests.controllers.world import World, deployment, node, service

DOWN = {"annotations": {"clusterviz.dev/down": "true"}}


def slices(world):
    return [obj for key, obj in world.cluster.objects.items() if key[0] == "EndpointSlice"]


def test_slices_carry_service_name_node_zone_and_conditions(nodes):
    zoned = node("n1", metadata={"labels": {"topology.kubernetes.io/zone": "a"}})
    world = World(zoned, deployment(replicas=1), service()).settle()
    (one,) = slices(world)
    (pod,) = world.pods()
    assert one["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
    assert one["addressType"] == "IPv4"
    assert one["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert one["endpoints"] == [
        {
            "addresses": [pod.ip],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "namespace": "shop", "name": pod.name},
            "nodeName": "n1",
            "zone": "a",
        }
    ]


def test_slices_say_what_the_engine_derives_itself(shop):
    service_ = shop.cluster.services["shop", "web"]
    written = shop.cluster.endpoints(service_)
    for one in slices(shop):
        shop.unset("EndpointSlice", "shop", one["metadata"]["name"])
    assert shop.cluster.endpoints(shop.cluster.services["shop", "web"]) == written


def test_hand_written_slices_are_left_alone(nodes):
    """SVC-12."""
    written = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "legacy-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "legacy"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["203.0.113.80"]}],
        "ports": [{"port": 80}],
    }
    world = World(*nodes, service("legacy", selector=None), written).settle()
    assert slices(world) == [written]


def test_a_service_without_pods_has_an_empty_slice_and_a_deleted_one_none(nodes):
    world = World(*nodes, service()).settle()
    assert [one["endpoints"] for one in slices(world)] == [[]]
    world.unset("Service", "shop", "web")
    world.settle()
    assert slices(world) == []


def test_at_most_a_hundred_endpoints_a_slice():
    """EPS-01."""
    world = World(*[node(f"n{i}") for i in range(3)], deployment(replicas=130), service()).settle()
    assert sorted(len(one["endpoints"]) for one in slices(world)) == [30, 100]


def test_publish_not_ready_addresses_counts_everyone(nodes):
    """SVC-13."""
    world = World(*nodes, deployment(replicas=1), service(publishNotReadyAddresses=True)).settle()
    name = world.pods()[0].name
    world.patch("Pod", name, metadata={"annotations": {"clusterviz.dev/ready": "false"}})
    world.settle()
    assert [e.ready for e in world.endpoints()] == [True]


@pytest.mark.parametrize("provider", [True, False])
def test_load_balancer_address_needs_a_provider(nodes, provider):
    """SVC-06: without one the address stays pending."""
    settings = Settings(load_balancer_provider=provider)
    world = World(*nodes, service(type="LoadBalancer"), settings=settings).settle()
    ips = [entry.ip for entry in world.cluster.services["shop", "web"].load_balancer]
    assert ips == (["198.51.100.20"] if provider else [])


def test_load_balancer_address_goes_with_the_type(nodes):
    world = World(*nodes, service(type="LoadBalancer")).settle()
    world.patch("Service", "web", spec={"type": "ClusterIP"})
    world.settle()
    assert world.get("Service", "web")["status"]["loadBalancer"] == {}


def test_node_down_becomes_unknown_then_pods_unready_then_replaced(shop):
    """NOD-02..06 and back."""
    lost = shop.pods()[0]
    shop.patch("Node", lost.node, "", metadata=DOWN)
    shop.run(shop.timing.unknown_after - 1)
    assert shop.cluster.nodes[lost.node].ready, "nobody noticed yet"
    shop.run(2)
    assert not shop.cluster.nodes[lost.node].ready
    assert [e.ready for e in shop.endpoints() if e.ip == lost.ip] == [False]
    assert len(shop.pods()) == 3, "not replaced before the eviction"
    shop.run(shop.timing.evict_after + 5)
    assert shop.cluster.pods["shop", lost.name].terminating, "NOD-06: it stays Terminating"
    assert sum(e.ready for e in shop.endpoints()) == 3
    assert lost.node not in {pod.node for pod in shop.pods() if not pod.terminating}
    shop.patch("Node", lost.node, "", metadata={"annotations": {}})
    shop.settle()
    assert shop.cluster.nodes[lost.node].ready
    assert lost.name not in {pod.name for pod in shop.pods()}
    assert len(shop.pods()) == 3
    assert {"NodeNotReady", "TaintManagerEviction", "NodeReady"} <= set(shop.reasons())


def test_three_hundred_seconds_of_toleration_pass_in_ten(shop):
    """NOD-04."""
    lost = shop.pods()[0]
    shop.patch("Node", lost.node, "", metadata=DOWN)
    shop.reconcile()
    tainted = None
    while not shop.cluster.pods["shop", lost.name].terminating:
        shop.now = shop.wake
        shop.reconcile()
        effects = {taint["effect"] for taint in shop.get("Node", lost.node, "")["spec"].get("taints", [])}
        tainted = tainted or ("NoExecute" in effects and shop.now)
    assert 9 <= shop.now - tainted <= 10


def test_a_node_back_in_time_keeps_its_pods(shop):
    lost = shop.pods()[0]
    names = {pod.name for pod in shop.pods()}
    shop.patch("Node", lost.node, "", metadata=DOWN)
    shop.run(shop.timing.unknown_after + 2)
    shop.patch("Node", lost.node, "", metadata={"annotations": {}})
    shop.settle()
    assert {pod.name for pod in shop.pods()} == names
    assert all(e.ready for e in shop.endpoints())
    assert not (shop.get("Node", lost.node, "")["spec"].get("taints"))


def test_statefulset_pods_on_a_lost_node_are_not_replaced(nodes):
    """NOD-06."""
    world = World(*nodes, deployment("db", kind="StatefulSet", replicas=2)).settle()
    lost = world.cluster.pods["shop", "db-0"]
    world.patch("Node", lost.node, "", metadata=DOWN)
    world.run(200)
    assert world.cluster.pods["shop", "db-0"].terminating
    assert world.cluster.pods["shop", "db-0"].node == lost.node


def test_daemonset_pods_tolerate_a_lost_node(nodes):
    """NOD-04."""
    world = World(*nodes, deployment("agent", kind="DaemonSet")).settle()
    world.patch("Node", "n1", "", metadata=DOWN)
    world.run(200)
    assert not any(pod.terminating for pod in world.pods())


def test_pods_of_a_deleted_node_go(shop):
    lost = shop.pods()[0]
    shop.unset("Node", "", lost.node)
    shop.settle()
    assert lost.name not in {pod.name for pod in shop.pods()}
    assert len(shop.pods()) == 3


def test_a_wanted_load_balancer_address_is_given_when_free(nodes):
    first = service("web", type="LoadBalancer", loadBalancerIP="198.51.100.77")
    second = service("api", type="LoadBalancer", loadBalancerIP="198.51.100.77")
    world = World(*nodes, second, first).settle()
    ips = {name: world.cluster.services["shop", name].load_balancer[0].ip for name in ("web", "api")}
    assert sorted(ips.values()) == ["198.51.100.20", "198.51.100.77"]
