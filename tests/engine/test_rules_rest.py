"""Rules of several families that stand between mechanisms (IPM-05, SVC-01, TD-05, NP-22, TRC-01)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from clusterviz.engine import Cluster, Settings, Verdict, decide
from clusterviz.engine.cluster import Change
from clusterviz.engine.packet import IP
from tests.engine.world import ask, base, build, node, places, pod, policy, seen, service


def test_a_node_without_a_free_block_is_told_and_has_none():
    """IPM-05: two blocks of /25 fit a /24, a third node gets none."""
    cluster = Cluster.from_objects(
        [node(f"n{i}") for i in range(3)], Settings(cluster_cidr="10.1.0.0/24", node_mask=25)
    )
    assert [one.pod_cidrs for one in cluster.nodes.values()] == [("10.1.0.0/25",), ("10.1.0.128/25",), ()]
    (notice,) = [notice for notice in cluster.warnings if notice.code == "cidr-not-available"]
    assert notice.ref == "node:n2"


@pytest.mark.parametrize(
    ("kind", "has_ip", "has_node_port", "has_balancer"),
    [
        ("", True, False, False),
        ("ClusterIP", True, False, False),
        ("NodePort", True, True, False),
        ("LoadBalancer", True, True, True),
        ("ExternalName", False, False, False),
    ],
)
def test_each_type_of_service_includes_the_one_before(kind, has_ip, has_node_port, has_balancer):
    """SVC-01: and each door leads to the pod."""
    fields = {"type": kind} if kind else {}
    if kind == "ExternalName":
        fields["externalName"] = "db.example.com"
    cluster = build(service("shop/doors", app="web", **fields))
    record = cluster.services["shop", "doors"]
    assert bool(record.ip) == has_ip
    assert bool(record.ports[0].node_port) == has_node_port
    assert bool(record.lb_ips) == has_balancer
    if has_ip:
        assert ask(cluster, "shop/client", f"{record.ip}:80").success
    if has_node_port:
        assert ask(cluster, "internet", f"192.168.0.11:{record.ports[0].node_port}").success
    if has_balancer:
        assert ask(cluster, "internet", f"{record.lb_ips[0]}:80").success


def test_near_endpoints_are_a_preference_and_take_everything():
    """TD-05: one near endpoint gets all of its zone's traffic; with none near it goes far, where Local drops."""
    zones = [
        {**node(name), "metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}}}
        for name, zone in (("n1", "a"), ("n2", "b"), ("n3", "b"))
    ]
    rest = [obj for obj in base() if obj["kind"] != "Node" and obj["metadata"]["name"] != "web"]
    near = service("shop/web", app="web", clusterIP="10.96.0.20", trafficDistribution="PreferSameZone")

    def branches(source, *extra):
        found = ask(Cluster.from_objects([*zones, *rest, near, *extra], Settings()), source, "10.96.0.20:80")
        return {branch.address: branch.probability for branch in found.branches if branch.probability}

    crowd = [pod(f"shop/web-{i}", f"10.244.1.{i}", "n2", app="web") for i in range(10, 19)]
    assert branches("shop/client", *crowd) == {"10.244.0.2:8080": 1.0}, "one pod near, eleven far"
    (gone,) = [obj for obj in rest if obj["metadata"]["name"] == "web-1"]
    rest.remove(gone)
    assert branches("shop/client") == {"10.244.1.2:8080": 1.0}
    local = {**near, "spec": {**near["spec"], "internalTrafficPolicy": "Local"}}
    cluster = Cluster.from_objects([*zones, *rest, local], Settings())
    assert ask(cluster, "shop/client", "10.96.0.20:80").verdict is Verdict.NO_LOCAL_ENDPOINT_DROPPED


@pytest.mark.parametrize("change", ["policy", "pod label", "namespace label", "another pod"])
def test_changes_count_for_the_next_connection(change):
    """NP-22."""
    allow = {
        "from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}, {"podSelector": {"matchLabels": {"app": "ok"}}}]
    }
    wall = policy("shop/wall", "db", policyTypes=["Ingress"], ingress=[allow])
    space = {"kind": "Namespace", "metadata": {"name": "shop"}}
    before = build(wall, space)
    assert ask(before, "shop/client", "10.244.2.2:5432").verdict is Verdict.DENIED_INGRESS
    objects = {
        "policy": policy("shop/wall", "nobody", policyTypes=["Ingress"]),
        "pod label": pod("shop/client", "10.244.0.3", "n1", app="ok"),
        "namespace label": {**space, "metadata": {"name": "shop", "labels": {"team": "a"}}},
        "another pod": pod("shop/fresh", "10.244.0.9", "n1", app="ok"),
    }
    after = before.apply([Change("set", objects[change])])
    caller = "shop/fresh" if change == "another pod" else "shop/client"
    assert ask(after, caller, "10.244.2.2:5432").success
    assert ask(before, "shop/client", "10.244.2.2:5432").verdict is Verdict.DENIED_INGRESS


@pytest.mark.parametrize(
    ("source", "to"),
    [("shop/client", "http://web/"), ("internet", "pod:shop/db-0:5432"), ("spy/spy-1", "192.0.2.9:443")],
)
def test_every_hop_tells_where_it_is_and_the_packet_before_and_after(source, to):
    """TRC-01: and what leaves one hop is what enters the next."""
    found = ask(build(), source, to)
    for leg in (found.forward, found.reverse):
        for hop in leg:
            assert hop.place.ref
            assert hop.place.label
            assert any(isinstance(header, IP) for header in hop.headers_in or hop.headers_out)
            assert all(step.hook for step in hop.steps if step.rule and step.rule.made_by.startswith("kube-proxy"))
        for here, there in pairwise(leg):
            assert here.headers_out == there.headers_in


def test_an_external_ip_of_a_node_leads_to_its_node_ports():
    """SVC-04, SRC-5: the provider's gateway translates it, and the trace says that this is assumed."""
    addresses = [{"type": "ExternalIP", "address": "203.0.113.11"}, {"type": "InternalIP", "address": "192.168.0.11"}]
    objects = [obj for obj in base() if obj["metadata"]["name"] != "n1"]
    public = {**node("n1", podCIDR="10.244.0.0/24"), "status": {"addresses": addresses}}
    door = service("shop/door", app="web", type="NodePort", externalTrafficPolicy="Local")
    cluster = Cluster.from_objects([*objects, public, door], Settings())
    port = cluster.services["shop", "door"].ports[0].node_port
    found = ask(cluster, "internet", f"203.0.113.11:{port}")
    assert found.success
    assert "node-external-ip" in {one.code for one in found.assumptions}
    assert not ask(cluster, "internet", f"203.0.113.12:{port}").success
    round_about = ask(cluster, "shop/web-2", f"203.0.113.11:{port}")
    assert places(round_about)[-3:] == ["external:203.0.113.11", "node:n1", "pod:shop/web-1"]
    assert seen(round_about) == "192.168.0.12" and round_about.reverse[-1].place.ref == "pod:shop/web-2"
    assert decide(cluster, round_about.probe).verdict is round_about.verdict
