"""Rules IMP, IPM, SVC, TD: objects as people and kubectl give them, and as nobody should."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from clusterviz.engine import Change, Cluster, ObjectError, Probe, ProbeError, Settings, trace
from clusterviz.engine.datapath.place import route_for
from clusterviz.engine.datapath.service import decide
from tests.engine.world import Obj, ask, base, node, pod, policy, service


def slices(name: str, *endpoints: Obj, port: int = 8080, kind: str = "IPv4") -> Obj:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": name}},
        "addressType": kind,
        "endpoints": list(endpoints),
        "ports": [{"name": "", "port": port, "protocol": "TCP"}],
    }


def test_pods_with_only_an_address_and_labels_are_a_cluster() -> None:
    """IPM-01: nodes are assumed; where a pod is placed its endpoint is too (EPS-09)."""
    bare = [
        {"kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "status": {"podIP": ip}}
        for name, ip in (("web", "10.9.8.7"), ("client", "10.9.8.8"))
    ]
    local = {
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    local["spec"] |= {"internalTrafficPolicy": "Local"}  # type: ignore[operator]
    cluster = Cluster.from_objects([*bare, local])
    found = ask(cluster, "default/client", "http://web/")
    assert found.success and found.branches[0].pod == "pod:default/web"


def test_hand_written_slices_without_pods_are_answered_by_assumed_ones() -> None:
    """SVC-12: their node counts, and they may lie outside."""
    made = [
        pod("shop/client", "10.244.0.3", "n1", app="client"),
        service("shop/ext", clusterIP="10.96.0.5"),
        slices(
            "ext",
            {"addresses": ["10.244.1.9"], "nodeName": "n2"},
            {"addresses": ["192.0.2.9"]},
            {"addresses": ["10.244.1.8"], "nodeName": "n2", "conditions": {"ready": False}},
        ),
    ]
    cluster = Cluster.from_objects(made)
    found = [ask(cluster, "shop/client", "http://ext/", seed=seed) for seed in range(20)]
    assert {one.verdict.value for one in found} == {"delivered", "exited_cluster"}
    assert {one.waypoints[-1].ref for one in found} == {"pod:shop/endpoint-10-244-1-9", "external:192.0.2.9"}
    assert "pod-assumed" in [notice.code for notice in cluster.warnings]


def test_slices_of_names_are_left_alone() -> None:
    """EPS-01: addressType FQDN is nothing to kube-proxy or DNS."""
    made = [*base(), service("shop/ext"), slices("ext", {"addresses": ["db.example.com"]}, kind="FQDN")]
    assert ask(Cluster.from_objects(made), "shop/client", "http://ext/").verdict == "no_endpoints_rejected"


def test_a_service_whose_pods_have_no_node_yet_refuses() -> None:
    """EPS-01, LIF-01."""
    waiting = pod("shop/late", "", "", app="late")
    waiting["status"] = {"phase": "Pending"}
    cluster = Cluster.from_objects([*base(), waiting, service("shop/late", app="late")])
    assert ask(cluster, "shop/client", "http://late/").verdict == "no_endpoints_rejected"
    with pytest.raises(ProbeError, match="no address yet"):
        ask(cluster, "shop/late", "http://web/")


def zoned(*zones: str, hints: tuple[str, ...] = (), distribution: str = "PreferClose") -> Cluster:
    """One endpoint a zone on node n<i>; ``hints`` as a slice carries them."""
    nodes = [node(f"n{i}", podCIDR=f"10.244.{i}.0/24") for i in range(len(zones))]
    for made, zone in zip(nodes, zones, strict=True):
        made["metadata"]["labels"] = {"topology.kubernetes.io/zone": zone} if zone else {}
    pods = [pod(f"shop/p{i}", f"10.244.{i}.2", f"n{i}", app="web") for i in range(len(zones))]
    extra = []
    if hints:
        entries = [
            {
                "addresses": [f"10.244.{i}.2"],
                "nodeName": f"n{i}",
                "hints": {"forZones": [{"name": hint}]} if hint else {},
            }
            for i, hint in enumerate(hints)
        ]
        extra.append(slices("web", *entries))
    made_service = service("shop/web", app="web", clusterIP="10.96.0.20", trafficDistribution=distribution)
    return Cluster.from_objects([*nodes, *pods, *extra, made_service], Settings())


@pytest.mark.parametrize(
    ("cluster", "on", "expected"),
    [
        (zoned("a", "a", "b"), "n0", {0, 1}),
        (zoned("a", "a", "b"), "n2", {2}),
        (zoned("a", "a", ""), "n0", {0, 1, 2}),
        (zoned("a", "a", "b", distribution=""), "n0", {0, 1, 2}),
        (zoned("a", "a", "b", distribution="Nearby"), "n0", {0, 1, 2}),
        (zoned("a", "a", "b", distribution="PreferSameNode"), "n0", {0}),
        (zoned("", "", "", distribution="PreferSameNode"), "n1", {1}),
        (zoned("a", "a", "b", distribution="PreferSameZone"), "n1", {0, 1}),
        (zoned("a", "b", "c", hints=("a", "a", "b")), "n0", {0, 1}),
        (zoned("a", "b", "c", hints=("a", "a", "b")), "n2", {0, 1, 2}),
        (zoned("a", "b", "c", hints=("a", "b", "")), "n0", {0, 1, 2}),
        (zoned("a", "b", "c", hints=("a", "b", "c"), distribution=""), "n1", {1}),
    ],
)
def test_traffic_distribution(cluster: Cluster, on: str, expected: set[int]) -> None:
    """TD-01, TD-02, TD-03, TD-04."""
    found = decide(cluster, cluster.nodes[on], "10.244.0.3", "10.96.0.20", "TCP", 80)
    assert found is not None
    assert {c.address for c in found.candidates if c.probability} == {f"10.244.{i}.2" for i in expected}
    assert all(c.why for c in found.candidates if not c.probability)


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        (pod("shop/x", "10.244.0.300", "n1", app="x"), "status.podIP"),
        (service("shop/x", clusterIP="ten"), "spec.clusterIP"),
        (service("shop/x", externalIPs=["1.2.3.4", "x"]), "spec.externalIPs[1]"),
        (service("shop/x", loadBalancerSourceRanges=["10.0.0.0/40"]), "spec.loadBalancerSourceRanges[0]"),
        (node("n9", podCIDR="wide"), "spec.podCIDR"),
        (slices("web", {"addresses": ["db.example.com"]}), "endpoints[0].addresses[0]"),
        (
            policy("shop/x", ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0"}}]}]),
            "spec.ingress[0].from[0].ipBlock.cidr",
        ),
        (
            policy("shop/x", egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["y"]}}]}]),
            "spec.egress[0].to[0].ipBlock.except[0]",
        ),
        ({"kind": "Pod", "metadata": ["x"]}, "metadata"),
        (
            {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": {"nodeSelector": "x"}}}},
            "spec.template.spec.nodeSelector",
        ),
    ],
)
def test_addresses_that_are_none_are_refused_by_field(obj: Obj, field: str) -> None:
    with pytest.raises(ObjectError) as caught:
        Cluster.from_objects([*base(), obj])
    assert caught.value.field == field
    with pytest.raises(ObjectError):
        Cluster.from_objects(base()).apply([Change("set", obj)])


def test_a_node_with_an_empty_address_gets_one() -> None:
    """IPM-01."""
    bare = node("n1", podCIDR="10.244.0.0/24") | {"status": {"addresses": [{"type": "InternalIP", "address": ""}]}}
    cluster = Cluster.from_objects([bare, *base()[1:]])
    assert cluster.nodes["n1"].ip == "192.168.0.11"
    assert ask(cluster, "node/n1", "10.244.1.2:8080").success


def test_a_full_range_is_refused_in_words() -> None:
    """SVC-02."""
    with pytest.raises(ObjectError, match="range is full"):
        Cluster.from_objects([service(f"shop/s{i}") for i in range(9)], Settings(service_cidr="10.96.0.0/29"))


def test_lists_of_nothing_and_replicas_of_null() -> None:
    """IMP-01."""
    state = {
        "kind": "StatefulSet",
        "metadata": {"name": "s"},
        "spec": {
            "replicas": None,
            "selector": {"matchLabels": {"a": 1}},
            "template": {"metadata": {"labels": {"a": 1}}},
        },
    }
    cluster = Cluster.from_objects([{"kind": "List", "items": None}, {"kind": "PodList", "items": []}, state])
    assert list(cluster.pods) == [("default", "s-0")]


JUNK: tuple[Any, ...] = (
    None, "", 0, -1, True, [], {}, "x", "80", 65536, 3.5, "10.0.0.1", "10.0.0.0/8", "fd00::1", "127.0.0.1", "None",
    [None], ["x"], [1], {"a": None}, [{}], [[]], "10.244.0.1", "192.168.0.11",
)  # fmt: skip


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, inner in items for spot in spots(inner, (*path, key)))]


def spoiled(rng: random.Random) -> list[Obj]:
    made: Any = copy.deepcopy(
        [
            *base(),
            service("shop/lb", app="web", type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]),
            service("shop/hl", app="web", clusterIP="None"),
            policy(
                "shop/p", "web", ingress=[{"from": [{"podSelector": {}}], "ports": [{"port": 8080, "endPort": 8090}]}]
            ),
            slices("db", {"addresses": ["10.244.2.2"], "nodeName": "n3", "targetRef": {"kind": "Pod", "name": "db-0"}}),
        ]
    )
    *where, last = rng.choice([spot for spot in spots(made) if spot])
    inside = made
    for key in where:
        inside = inside[key]
    if isinstance(inside, dict) and rng.random() < 0.2:
        del inside[last]
    else:
        inside[last] = copy.deepcopy(rng.choice(JUNK))
    return list(made)


def test_whatever_is_wrong_with_the_objects_only_our_own_errors_come_out() -> None:
    rng = random.Random(7)
    probes = [
        Probe.parse(source, to, seed=3)
        for source in ("shop/client", "node/n1", "internet")
        for to in ("http://web/", "service:shop/lb:80", "service:shop/hl:8080", "10.96.0.30:5432", "10.244.1.2:8080")
    ]
    answered = 0
    for _ in range(250):
        try:
            cluster = Cluster.from_objects(spoiled(rng), expand=rng.random() < 0.8)
        except ObjectError:
            continue
        for probe in rng.sample(probes, 3):
            try:
                found = trace(cluster, probe).to_dict()
            except ProbeError:
                continue
            assert bool(found["blockers"]) is not found["success"]
            answered += 1
    assert answered > 200


def test_host_bits_of_a_pod_cidr_are_masked() -> None:
    """IPM-01: kube-apiserver takes them, and no kernel shows them."""
    made = Cluster.from_objects([{"kind": "Node", "metadata": {"name": "n1"}, "spec": {"podCIDR": "10.1.2.3/24"}}])
    assert made.nodes["n1"].pod_cidrs == ("10.1.2.0/24",)
    assert route_for(made, made.nodes["n1"], "10.1.2.9").text == "10.1.2.0/24 dev cni0"


def test_a_dual_stack_service_with_one_address_given_gets_the_other() -> None:
    """SVC-16: where the cluster has both families; else it stays as it is."""
    spec = {"clusterIP": "10.96.0.9", "ipFamilyPolicy": "PreferDualStack", "ports": [{"port": 80}]}
    service = {"kind": "Service", "metadata": {"name": "s"}, "spec": spec}
    both = Settings(cluster_cidr="10.244.0.0/16,fd00:244::/56", service_cidr="10.96.0.0/12,fd00:96::/108")
    found = [Cluster.from_objects([service], settings).services["default", "s"] for settings in (both, Settings())]
    assert [one.cluster_ips for one in found] == [("10.96.0.9", "fd00:96::101"), ("10.96.0.9",)]
