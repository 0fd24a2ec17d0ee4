"""Cluster.from_objects: what is given is kept, what is missing is allocated, bad objects are named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clusterviz.engine import Change, Cluster, ObjectError, Probe, Settings, trace
from tests.engine.world import ask, base, build, node, pod, service


def deployment(name: str, replicas: int = 2, **template: Any) -> dict[str, Any]:
    namespace, _, short = name.partition("/")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": short, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": short}},
            "template": {
                "metadata": {"labels": {"app": short}},
                "spec": {"containers": [{"name": "main", "ports": [{"containerPort": 8080}]}], **template},
            },
        },
    }


def test_manifests_alone_become_a_living_cluster() -> None:
    cluster = Cluster.from_objects(
        [deployment("shop/web"), service("shop/web", app="web"), deployment("shop/client", 1)]
    )
    assert list(cluster.nodes) == ["n1", "n2", "n3"]
    assert "nodes-assumed" in [notice.code for notice in cluster.warnings]
    assert {p.node for p in cluster.pods.values()} == {"n1", "n2", "n3"}
    assert ask(cluster, "shop/client", "http://web/").success


def test_pods_of_a_workload_that_has_some_are_left_as_they_are() -> None:
    given = pod("shop/web-abc-1", "10.244.0.2", "n1", app="web")
    cluster = Cluster.from_objects([deployment("shop/web", 3), given])
    assert list(cluster.pods) == [("shop", "web-abc-1")]


def test_stateful_and_daemon_sets_get_their_own_names() -> None:
    """LIF-08."""
    state = deployment("shop/db") | {"kind": "StatefulSet"}
    state["spec"]["serviceName"] = "db"
    every = deployment("shop/agent") | {"kind": "DaemonSet"}
    cluster = Cluster.from_objects([state, every])
    assert ("shop", "db-0") in cluster.pods
    assert ("shop", "db-1") in cluster.pods
    assert sorted(p.node for p in cluster.pods.values() if p.labels["app"] == "agent") == ["n1", "n2", "n3"]


def test_given_addresses_are_kept() -> None:
    made = [
        node("a", podCIDR="10.42.7.0/24")
        | {
            "status": {
                "addresses": [{"type": "InternalIP", "address": "172.31.5.9"}, {"type": "Hostname", "address": "a"}]
            }
        },
        pod("shop/x", "10.42.7.33", "a", app="x"),
        service("shop/x", app="x", clusterIP="10.43.1.1", type="NodePort"),
        service("kube-system/kube-dns", app="dns", clusterIP="10.43.0.10"),
    ]
    made[2]["spec"]["ports"][0]["nodePort"] = 31000
    cluster = Cluster.from_objects(made)
    assert cluster.pods[("shop", "x")].ip == "10.42.7.33"
    assert cluster.nodes["a"].ip == "172.31.5.9"
    assert cluster.services[("shop", "x")].ports[0].node_port == 31000
    assert (cluster.settings.cluster_cidr, cluster.settings.service_cidr) == ("10.42.0.0/16", "10.43.0.0/16")
    assert cluster.settings.dns_ip == "10.43.0.10"
    found = ask(cluster, "internet", "172.31.5.9:31000")
    assert found.success


def test_missing_addresses_do_not_depend_on_the_order_of_the_objects() -> None:
    made = [deployment("shop/web", 4), deployment("shop/api", 3), *(service(f"shop/s{i}", app="web") for i in range(4))]
    assert Cluster.from_objects(made).objects == Cluster.from_objects(reversed(made)).objects


def test_allocation_leaves_the_static_bands_free() -> None:
    """SVC-03, SVC-04, IPM-02."""
    cluster = Cluster.from_objects([service("shop/a", app="a", type="NodePort"), deployment("shop/a", 1)])
    found = cluster.services[("shop", "a")]
    assert found.ip == "10.96.1.1"
    assert found.ports[0].node_port == 30086
    assert next(iter(cluster.pods.values())).ip == "10.244.0.2"


def test_lists_are_unpacked() -> None:
    """IMP-01: as kubectl get -o json prints them."""
    plain = {"kind": "List", "apiVersion": "v1", "items": base()}
    typed = {
        "kind": "PodList",
        "apiVersion": "v1",
        "items": [{"metadata": {"name": "p"}, "status": {"podIP": "10.244.0.50"}}],
    }
    cluster = Cluster.from_objects(json.loads(json.dumps([plain, typed])))
    assert ("shop", "web-1") in cluster.pods
    assert cluster.pods[("default", "p")].ip == "10.244.0.50"


def test_given_endpoint_slices_are_the_truth_even_for_addresses_outside() -> None:
    """SVC-12."""
    legacy = service("shop/legacy", port=80, target=80)
    slices = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "legacy-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "legacy"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.10"]}, {"addresses": ["192.0.2.11"], "conditions": {"ready": False}}],
        "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
    }
    cluster = build(legacy, slices)
    for seed in range(10):
        found = ask(cluster, "shop/client", "http://legacy/", seed=seed)
        assert found.verdict == "exited_cluster"
        assert found.branches[0].address == "192.0.2.10:8080"


def test_a_named_target_port_is_each_pods_own() -> None:
    """SVC-10: a pod that lacks the name is an endpoint without the port."""
    other = pod("shop/web-9", "10.244.2.9", "n3", app="named", ports=(9000,))
    other["spec"]["containers"][0]["ports"][0]["name"] = "http"
    third = pod("shop/web-8", "10.244.2.8", "n3", app="named", ports=(7000,))
    cluster = build(other, third, service("shop/named", app="named", target="http"))
    endpoints = cluster.endpoints(cluster.services[("shop", "named")])
    assert [(e.ip, e.ports) for e in endpoints] == [("10.244.2.8", ()), ("10.244.2.9", (("", 9000, "TCP"),))]


def test_ipv6_and_dual_stack_are_read() -> None:
    """SVC-16."""
    made = [
        node("n1", podCIDRs=["10.244.0.0/24", "fd00:1::/64"]),
        pod("shop/a", "", "n1", app="a")
        | {"status": {"phase": "Running", "podIPs": [{"ip": "10.244.0.2"}, {"ip": "fd00:1::2"}]}},
        pod("shop/b", "", "n1", app="b")
        | {"status": {"phase": "Running", "podIPs": [{"ip": "10.244.0.3"}, {"ip": "fd00:1::3"}]}},
        service("shop/b", app="b", clusterIPs=["10.96.0.50", "fd00:96::50"], clusterIP="10.96.0.50"),
    ]
    cluster = Cluster.from_objects(made)
    assert ask(cluster, "shop/a", "[fd00:1::3]:8080").success
    endpoints = {e.ip for e in cluster.endpoints(cluster.services[("shop", "b")])}
    assert endpoints == {"10.244.0.3", "fd00:1::3"}
    found = ask(cluster, "shop/a", "[fd00:96::50]:80")
    assert found.success
    assert found.branches[0].address == "[fd00:1::3]:8080"


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        ({"apiVersion": "v1", "metadata": {"name": "x"}}, "kind"),
        ({"kind": "Pod", "metadata": {}}, "metadata.name"),
        ({"kind": "Pod", "metadata": {"name": "x"}, "spec": []}, ""),
        ({"kind": "Pod", "metadata": {"name": "x"}, "spec": "no"}, "spec"),
        ({"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": {"name": "a"}}}, "spec.containers"),
        ({"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": ["a"]}}, "spec.containers[0]"),
        ({"kind": "Service", "metadata": {"name": "x"}, "spec": {"ports": [{"port": "80"}]}}, "spec.ports[0].port"),
        ({"kind": "Service", "metadata": {"name": "x"}, "spec": {"type": "Magic"}}, "spec.type"),
        (
            {
                "kind": "NetworkPolicy",
                "metadata": {"name": "x"},
                "spec": {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}},
            },
            "spec.podSelector.matchExpressions[0].operator",
        ),
        ({"kind": "Deployment", "metadata": {"name": "x"}, "spec": {"replicas": "three"}}, "spec.replicas"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_field(obj: dict[str, Any], field: str) -> None:
    if not field:
        Cluster.from_objects([obj])  # an empty list where an object is expected counts as absent
        return
    with pytest.raises(ObjectError) as caught:
        Cluster.from_objects([obj])
    assert caught.value.field == field


def test_the_same_object_twice_is_refused() -> None:
    with pytest.raises(ObjectError, match="Duplicate"):
        Cluster.from_objects([*base(), base()[0]])


def test_unknown_kinds_are_kept() -> None:
    crd = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": "shop"},
        "spec": {"a": 1},
    }
    assert build(crd).objects[("Widget", "shop", "w")] == crd


def test_a_snapshot_never_changes() -> None:
    cluster = build()
    before = cluster.fingerprint
    probe = Probe.parse("shop/client", "http://web/")
    answer = trace(cluster, probe)
    later = cluster.apply(
        [Change("unset", ("Pod", "shop", "web-1")), Change("set", pod("shop/new", "10.244.2.50", "n3", app="web"))]
    )
    assert cluster.fingerprint == before != later.fingerprint
    assert trace(cluster, probe) == answer
    assert {e.pod for e in later.endpoints(later.services[("shop", "web")])} == {"pod:shop/web-2", "pod:shop/new"}


def test_full_pod_cidr_leaves_the_pod_pending_with_a_word() -> None:
    """IPM-03."""
    tiny = Settings(cluster_cidr="10.244.0.0/28", node_mask=29)
    cluster = Cluster.from_objects([node("n1"), deployment("shop/web", 7)], tiny)
    waiting = [p for p in cluster.pods.values() if not p.ip]
    assert waiting
    assert all(p.phase == "Pending" for p in waiting)
    assert "no-pod-ip" in [notice.code for notice in cluster.warnings]
