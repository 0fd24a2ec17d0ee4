"""Rules EPS, TD and SVC: endpoints from hand-written slices, partial objects and pods."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, ObjectError, Settings
from tests.engine.proxyworld import VIP, ask, bare, effect, entry, host, slice_of, targets, world
from tests.engine.world import Obj, node, pod, service


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry("10.180.0.1")], {"10.180.0.1:8080"}),
        ([entry("10.180.0.1", ready=False)], set()),
        ([entry("10.180.0.1", ready=False, terminating=True)], {"10.180.0.1:8080"}),
        ([entry("10.180.0.1", ready=False, serving=False, terminating=True)], set()),
        ([entry("10.180.0.1", ready=True, terminating=True)], {"10.180.0.1:8080"}),
        ([entry("10.180.0.1", ready=False, terminating=True), entry("10.180.0.1")], {"10.180.0.1:8080"}),
        ([entry("10.180.0.1"), entry("10.180.0.1", ready=False, serving=False, terminating=True)], {"10.180.0.1:8080"}),
        ([{"addresses": ["10.180.0.1", "10.180.0.2"]}], {"10.180.0.1:8080"}),
        ([entry("10.180.0.10"), entry("10.180.0.9")], {"10.180.0.10:8080", "10.180.0.9:8080"}),
    ],
)
def test_what_kube_proxy_takes_from_slices(entries: list[Obj], expected: set[str]) -> None:
    """EPS-01, EPS-02: absent conditions are true, true, false; who stays beats who leaves; one address each."""
    halves = slice_of(*entries[:1]), slice_of(*entries[1:], name="svc1-b")
    found = ask(world(bare(), *halves), VIP)
    assert targets(found) == expected
    assert found is not None and found.effect == ("dnat" if expected else "reject")


def test_endpoints_stand_in_the_order_of_their_text() -> None:
    """IPT-16."""
    found = ask(world(bare(), slice_of(entry("10.180.0.9"), entry("10.180.0.10"))), VIP)
    assert found is not None and [one.address for one in found.candidates] == ["10.180.0.10", "10.180.0.9"]


def test_slices_of_names_other_ports_and_other_services_are_nothing() -> None:
    """SVC-10, SVC-12: FQDN slices, ports of another name or protocol, ports without a number."""
    others = [
        slice_of({"addresses": ["backend.example"]}, name="fqdn", kind="FQDN"),
        slice_of(entry("10.180.0.2"), name="name", ports=[{"name": "other", "port": 8080}]),
        slice_of(entry("10.180.0.3"), name="proto", ports=[{"name": "p80", "port": 8080, "protocol": "UDP"}]),
        slice_of(entry("10.180.0.4"), name="number", ports=[{"name": "p80", "protocol": "TCP"}]),
        slice_of(entry("10.180.0.5"), name="ports", ports=[]),
    ]
    found = ask(world(bare(), *others), VIP)
    assert found is not None and found.verdict == "reject"
    assert {one.why for one in found.candidates} == {"has no port for this Service port"}
    two = [{"name": "p80", "port": 8080}, {"name": "p81", "port": 8081}]
    several = bare(ports=[{"name": "p80", "port": 80}, {"name": "p81", "port": 81}])
    cluster = world(several, slice_of(entry("10.180.0.1"), ports=two), *others)
    assert targets(ask(cluster, VIP, 80)) == {"10.180.0.1:8080"}
    assert targets(ask(cluster, VIP, 81)) == {"10.180.0.1:8081"}


def test_every_excluded_endpoint_says_why() -> None:
    """TRC-02, EPS-05..07, TD-03, SVC-16."""
    hints = {"hints": {"forZones": [{"name": "east"}]}}, {"hints": {"forZones": [{"name": "west"}]}}
    entries = [
        entry("10.180.0.1", "a") | hints[0],
        entry("10.180.0.2", "b") | hints[1],
        entry("10.180.0.3", "a", ready=False),
        entry("10.180.0.4", "a", ready=False, serving=True, terminating=True),
        entry("10.180.0.5", "a", ready=False, serving=False, terminating=True),
    ]
    made = bare(clusterIPs=[VIP, "fd00:96::41"], internalTrafficPolicy="Cluster")
    objects = [made, slice_of(*entries), slice_of(entry("fd00:10::1"), name="six", kind="IPv6")]
    objects.append(host("c", "192.168.0.4", zone="east"))
    cluster = world(*objects, slice_of(entry("10.180.0.6"), name="none", ports=[]))
    found = ask(cluster, VIP, on="c")
    assert found is not None
    assert {one.address: one.why for one in found.candidates} == {
        "10.180.0.1": "",
        "10.180.0.2": "in another zone, and the Service prefers near ones",
        "10.180.0.3": "not ready",
        "10.180.0.4": "terminating, and others are ready",
        "10.180.0.5": "terminating",
        "10.180.0.6": "has no port for this Service port",
        "fd00:10::1": "has an IPv6 address, the call is IPv4",
    }
    local = world(bare(internalTrafficPolicy="Local"), slice_of(entry("10.180.0.1", "a"), entry("10.180.0.2", "b")))
    found = ask(local, VIP)
    assert found is not None
    assert [one.why for one in found.candidates] == ["", "on another node, and the policy is Local"]


@pytest.mark.parametrize(
    ("hints", "on", "expected"),
    [
        ((("a", ""), ("b", "")), "a", {"1"}),
        ((("a", ""), ("b", "")), "c", {"1", "2"}),
        ((("a", "east"), ("b", "east")), "c", {"1", "2"}),
        ((("a", "east"), ("b", "west")), "c", {"1"}),
        ((("a", ""), ("", "")), "a", {"1", "2"}),
        ((("a", "east"), ("", "west")), "c", {"1"}),
        ((("", "east"), ("", "")), "c", {"1", "2"}),
        ((("", "west"), ("", "west")), "c", {"1", "2"}),
    ],
)
def test_hints_by_node_then_by_zone_then_all(hints: Any, on: str, expected: set[str]) -> None:
    """TD-03, TD-04: used only where every ready endpoint has one and one is for here; node c is in zone east."""
    entries = []
    for index, (name, zone) in enumerate(hints, 1):
        given: Obj = {"forNodes": [{"name": name}]} if name else {}
        given |= {"forZones": [{"name": zone}]} if zone else {}
        entries.append(entry(f"10.180.0.{index}", "b") | ({"hints": given} if given else {}))
    unready = entry("10.180.0.9", "b", ready=False)
    cluster = world(bare(), slice_of(*entries, unready), host("c", "192.168.0.4", zone="east"))
    assert {one.rpartition(".")[2].partition(":")[0] for one in targets(ask(cluster, VIP, on=on))} == expected


def test_a_node_may_have_only_a_name_and_an_endpoint_only_an_address() -> None:
    """SVC-12, EPS-09: no nodeName is no node of ours, so a Local policy does not use it."""
    cluster = Cluster.from_objects([{"kind": "Node", "metadata": {"name": "a"}}, bare(), slice_of(entry("10.180.0.1"))])
    assert targets(ask(cluster, VIP)) == {"10.180.0.1:8080"}
    local = Cluster.from_objects(
        [
            {"kind": "Node", "metadata": {"name": "a"}},
            bare(internalTrafficPolicy="Local"),
            slice_of(entry("10.180.0.1")),
        ]
    )
    assert effect(ask(local, VIP)) == "drop"


def test_an_endpoints_object_is_mirrored_unless_slices_are_there() -> None:
    """SVC-12."""
    legacy = {
        "kind": "Endpoints",
        "metadata": {"name": "svc1", "namespace": "ns1"},
        "subsets": [
            {
                "addresses": [{"ip": "10.180.0.1"}],
                "notReadyAddresses": [{"ip": "10.180.0.2"}],
                "ports": [{"name": "p80", "port": 8080}],
            }
        ],
    }
    assert targets(ask(world(bare(), legacy), VIP)) == {"10.180.0.1:8080"}
    assert targets(ask(world(bare(), legacy, slice_of(entry("10.180.0.3"))), VIP)) == {"10.180.0.3:8080"}


def test_named_target_ports_differ_from_pod_to_pod_and_host_pods_are_their_node() -> None:
    """SVC-10, EPS-09, SVC-13."""
    pods = [
        pod("ns1/one", "10.180.0.1", "a", app="x", ports=(8080,)),
        pod("ns1/two", "10.180.0.2", "a", app="x", ports=(9090,)),
        pod("ns1/none", "10.180.0.3", "a", app="x", ports=(7070,)),
        pod("ns1/host", "192.168.0.3", "b", app="x", ports=(6060,), hostNetwork=True),
    ]
    for made, name in zip(pods, ("web", "web", "other", "web"), strict=True):
        made["spec"]["containers"][0]["ports"][0]["name"] = name
    made = bare(selector={"app": "x"}, ports=[{"name": "p80", "port": 80, "targetPort": "web"}])
    found = ask(world(*pods, made), VIP)
    assert targets(found) == {"10.180.0.1:8080", "10.180.0.2:9090", "192.168.0.3:6060"}
    assert found is not None
    assert {one.address: one.node for one in found.candidates}["192.168.0.3"] == "b"
    for one in pods:
        one["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    assert effect(ask(world(*pods, made), VIP)) == "reject"
    assert effect(ask(world(*pods, made | {"spec": {**made["spec"], "publishNotReadyAddresses": True}}), VIP)) == "dnat"


@pytest.mark.parametrize(
    ("spec", "families"),
    [
        ({}, ["IPv4"]),
        ({"ipFamilyPolicy": "PreferDualStack"}, ["IPv4", "IPv6"]),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6"]}, ["IPv6", "IPv4"]),
        ({"ipFamilies": ["IPv6"]}, ["IPv6"]),
        ({"ipFamilies": ["IPv6", "IPv4"]}, ["IPv6", "IPv4"]),
        ({"clusterIP": "172.30.0.9", "ipFamilyPolicy": "PreferDualStack"}, ["IPv4", "IPv6"]),
        ({"clusterIP": "fd00:96::9", "ipFamilyPolicy": "PreferDualStack"}, ["IPv6", "IPv4"]),
        ({"clusterIP": "172.30.0.9"}, ["IPv4"]),
    ],
)
def test_families_a_service_gets(spec: Obj, families: list[str]) -> None:
    """SVC-16: and one set of endpoints a family."""
    made = bare(selector={"app": "x"}, **spec)
    if "clusterIP" not in spec:
        del made["spec"]["clusterIP"]
    one = pod("ns1/one", "10.0.0.9", "a", app="x")
    one["status"]["podIPs"] = [{"ip": "10.0.0.9"}, {"ip": "fd00:10::9"}]
    cluster = world(made, one)
    found = cluster.services[("ns1", "svc1")]
    assert [f"IPv{6 if ':' in ip else 4}" for ip in found.cluster_ips] == families
    for ip in found.cluster_ips:
        assert targets(ask(cluster, ip, source="fd00:10::1" if ":" in ip else "10.0.0.1")) == {
            "fd00:10::9:80" if ":" in ip else "10.0.0.9:80"
        }


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            "spec.ipFamilyPolicy",
            "this cluster is not configured for dual-stack",
        ),
        ({"ipFamilies": ["IPv6"]}, "spec.ipFamilies[0]", "not configured on this cluster"),
        (
            {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4", "IPv6"]},
            "spec.ipFamilyPolicy",
            "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
        ),
    ],
)
def test_families_a_cluster_does_not_have_are_refused(spec: Obj, field: str, words: str) -> None:
    """SVC-16, in kube-apiserver's words."""
    made = service("ns1/web", **spec)
    with pytest.raises(ObjectError, match=words) as refused:
        Cluster.from_objects([node("n1"), made], Settings())
    assert refused.value.field == field
    lenient = service("ns1/web", ipFamilyPolicy="PreferDualStack")
    assert len(Cluster.from_objects([node("n1"), lenient], Settings()).services[("ns1", "web")].cluster_ips) == 1
