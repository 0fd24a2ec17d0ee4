"""Rules NP: who may talk with whom, asked alone with `judge`."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings, Verdict
from clusterviz.engine.datapath.policy import Direction, PolicyVerdict, judge
from tests.engine.world import ask, build, node, pod, policy, service

CLIENT, SPY, DB, WEB = "10.244.0.3", "10.244.1.3", "10.244.2.2", "10.244.0.2"
SHOP = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
OUTSIDE = "203.0.113.7"


def says(
    rules: Any,
    peer: str,
    port: int = 5432,
    proto: str = "TCP",
    *,
    way: Direction = "Ingress",
    **spec: Any,
) -> PolicyVerdict:
    """Judge shop/db-0 under one policy with these rules."""
    field = way.lower()
    body = {"policyTypes": [way], field: rules} | spec
    cluster = build(policy("shop/p", "db", **body), settings=Settings())
    return judge(cluster, way, cluster.pods[("shop", "db-0")], peer, proto, port)


def labels(**found: str) -> dict[str, Any]:
    return {"matchLabels": found}


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ([], set()),
        (None, set()),
        ([{}], {CLIENT, SPY, OUTSIDE}),
        ([None], {CLIENT, SPY, OUTSIDE}),
        ([{"from": []}], {CLIENT, SPY, OUTSIDE}),
        ([{"from": [{"podSelector": {}}]}], {CLIENT}),
        ([{"from": [{"podSelector": {"matchLabels": None}}]}], {CLIENT}),
        ([{"from": [{"podSelector": labels(app="client")}]}], {CLIENT}),
        ([{"from": [{"podSelector": labels(app="spy")}]}], set()),
        ([{"from": [{"namespaceSelector": {}}]}], {CLIENT, SPY}),
        ([{"from": [{"namespaceSelector": SHOP}]}], {CLIENT}),
        ([{"from": [{"namespaceSelector": {}, "podSelector": labels(app="spy")}]}], {SPY}),
        ([{"from": [{"namespaceSelector": SHOP, "podSelector": labels(app="spy")}]}], set()),
        ([{"from": [{"namespaceSelector": SHOP}, {"podSelector": labels(app="spy")}]}], {CLIENT}),
        ([{"from": [{"ipBlock": {"cidr": "10.244.1.99/16"}}]}], {CLIENT, SPY}),
        ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}]}], {OUTSIDE}),
        (
            [
                {"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}]},
                {"from": [{"podSelector": {}}]},
            ],
            {OUTSIDE, CLIENT},
        ),
        ([{"from": [{"ipBlock": {"cidr": "::/0"}}]}], set()),
        ([{"from": [{"podSelector": {}}], "ports": [{"port": 1}]}], set()),
    ],
)
def test_peers(rules: Any, allowed: set[str]) -> None:
    """NP-03, NP-05, NP-08, NP-09, NP-10, NP-11, NP-12."""
    assert {peer for peer in (CLIENT, SPY, OUTSIDE) if says(rules, peer).allowed} == allowed


@pytest.mark.parametrize(
    ("entry", "proto", "port", "allowed"),
    [
        ({"port": 5432}, "TCP", 5432, True),
        ({"port": "5432"}, "TCP", 5432, True),
        ({"port": 5432}, "UDP", 5432, False),
        ({"port": 5432, "protocol": "SCTP"}, "TCP", 5432, False),
        ({"port": 5432, "protocol": "SCTP"}, "SCTP", 5432, True),
        ({}, "TCP", 1, True),
        ({}, "UDP", 1, False),
        ({"protocol": "UDP"}, "UDP", 9, True),
        ({"port": 5400, "endPort": 5432}, "TCP", 5432, True),
        ({"port": 5400, "endPort": 5431}, "TCP", 5432, False),
        ({"port": 5432, "endPort": 5432}, "TCP", 5432, True),
        ({"port": "p5432"}, "TCP", 5432, True),
        ({"port": "p5432"}, "TCP", 80, False),
        ({"port": "p5432"}, "UDP", 5432, False),
        ({"port": "nothing"}, "TCP", 5432, False),
        ({"port": 5432}, "ICMP", None, False),
    ],
)
def test_ports(entry: dict[str, Any], proto: str, port: int, allowed: bool) -> None:
    """NP-15, NP-16, NP-17."""
    assert says([{"ports": [entry]}], CLIENT, port, proto).allowed is allowed


@pytest.mark.parametrize(
    ("peer", "named", "allowed"),
    [(WEB, "p8080", True), (WEB, "p5432", False), (OUTSIDE, "p8080", False), ("192.168.0.11", "p8080", False)],
)
def test_a_name_in_egress_is_the_destinations(peer: str, named: str, allowed: bool) -> None:
    """NP-15, NP-16: never for outside addresses or nodes."""
    assert says([{"ports": [{"port": named}]}], peer, 8080, way="Egress").allowed is allowed


@pytest.mark.parametrize(
    ("spec", "ingress", "egress"),
    [
        ({}, True, False),
        ({"egress": [{}]}, True, True),
        ({"egress": []}, True, False),
        ({"ingress": [{}]}, True, False),
        ({"policyTypes": ["Egress"]}, False, True),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, False, True),
        ({"policyTypes": ["Ingress"], "egress": [{}]}, True, False),
        ({"policyTypes": []}, True, False),
    ],
)
def test_directions_a_policy_isolates(spec: dict[str, Any], ingress: bool, egress: bool) -> None:
    """NP-01, NP-04."""
    cluster = build(policy("shop/p", "db", **spec))
    db = cluster.pods[("shop", "db-0")]
    isolated = [bool(judge(cluster, way, db, SPY, "TCP", 1).selecting) for way in ("Ingress", "Egress")]
    assert isolated == [ingress, egress]


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ({"key": "app", "operator": "In", "values": ["client", "x"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["client"]}, False),
        ({"key": "none", "operator": "NotIn", "values": ["x"]}, True),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
        ({"key": "none", "operator": "In", "values": ["x"]}, False),
    ],
)
def test_expressions(expression: dict[str, Any], matches: bool) -> None:
    """NP-18."""
    rule = [{"from": [{"podSelector": {"matchExpressions": [expression]}}]}]
    assert says(rule, CLIENT).allowed is matches
    both = {"matchExpressions": [expression], "matchLabels": {"app": "other"}}
    assert not says([{"from": [{"podSelector": both}]}], CLIENT).allowed


@pytest.mark.parametrize(
    ("peer", "why"),
    [
        (DB, "itself"),
        ("192.168.0.13", "own_node"),
        ("10.244.2.1", "own_node"),
        ("10.244.2.0", "own_node"),
        ("192.168.0.11", "denied"),
        ("10.244.0.0", "denied"),
    ],
)
def test_the_pod_itself_and_its_node_always_pass_other_nodes_do_not(peer: str, why: str) -> None:
    """NP-19, NP-20."""
    assert says([], peer).why == why


def test_other_nodes_are_outside_addresses() -> None:
    """NP-20: an ipBlock matches them, selectors do not."""
    assert says([{"from": [{"ipBlock": {"cidr": "192.168.0.0/24"}}]}], "192.168.0.11").allowed
    assert not says([{"from": [{"namespaceSelector": {}}]}], "192.168.0.11").allowed


def test_host_network_pods_are_neither_guarded_nor_selected() -> None:
    """NP-21."""
    agent = pod("shop/agent", "", "n1", app="agent", hostNetwork=True)
    agent["status"] = {"phase": "Running"}
    deny = policy("shop/all", policyTypes=["Ingress", "Egress"])
    cluster = build(agent, deny)
    assert judge(cluster, "Ingress", cluster.pods[("shop", "agent")], SPY, "TCP", 8080).why == "host_network"
    allow = policy("shop/p", "db", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "agent"}}}]}])
    found = ask(build(agent, allow), "shop/agent", f"{DB}:5432")
    assert found.verdict is Verdict.DENIED_INGRESS


def test_policies_only_add() -> None:
    """NP-03, NP-05: a deny-all beside an allowing one denies nothing more."""
    deny = policy("shop/a-deny", policyTypes=["Ingress"])
    allow = policy("shop/b-allow", "db", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}])
    cluster = build(deny, allow)
    db = cluster.pods[("shop", "db-0")]
    found = judge(cluster, "Ingress", db, CLIENT, "TCP", 5432)
    assert found.allowed and found.matched is not None
    assert (found.matched[0].name, found.matched[1]) == ("b-allow", 0)
    assert not judge(cluster, "Ingress", db, SPY, "TCP", 5432).allowed


def test_a_denial_tells_of_each_rule_which_part_failed() -> None:
    """NP-26."""
    rules = [
        {"from": [{"podSelector": labels(app="x")}], "ports": [{"port": 1}]},
        {"from": [{"podSelector": labels(app="client")}], "ports": [{"port": 80}]},
    ]
    found = says(rules, CLIENT)
    assert [one.rule for one in found.considered] == ["shop/p ingress[1]", "shop/p ingress[0]"]
    assert found.considered[0].why == "port: TCP 5432 is not among TCP 80"
    assert "peer: " in found.considered[1].why and "port: " in found.considered[1].why


def test_namespaces_are_known_by_name_without_an_object_and_by_their_labels_with_one() -> None:
    """NP-10, NP-11."""
    team = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "spy", "labels": {"team": 7}}}
    rule = [{"from": [{"namespaceSelector": {"matchLabels": {"team": "7"}}}]}]
    cluster = build(team, policy("shop/p", "db", ingress=rule))
    db = cluster.pods[("shop", "db-0")]
    assert judge(cluster, "Ingress", db, SPY, "TCP", 1).allowed
    assert not judge(cluster, "Ingress", db, CLIENT, "TCP", 1).allowed


def test_egress_to_a_service_is_judged_for_the_pod_behind_it() -> None:
    """NP-13, NP-14, NP-25, TRC-05: the ClusterIP in an ipBlock is of no use, the pod's port counts."""
    by_vip = policy(
        "shop/p", "client", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": "10.96.0.20/32"}}]}]
    )
    by_pod = policy("shop/p", "client", policyTypes=["Egress"], egress=[{"ports": [{"port": 8080}]}])
    assert ask(build(by_vip), "shop/client", "10.96.0.20:80").verdict is Verdict.DENIED_EGRESS
    assert ask(build(by_pod), "shop/client", "10.96.0.20:80").success


def test_egress_to_the_outside_is_judged_before_masquerade() -> None:
    """EGR-03, NP-12."""
    for cidr, passes in (("203.0.113.0/24", True), ("198.51.100.0/24", False)):
        rule = [{"to": [{"ipBlock": {"cidr": cidr}}]}]
        found = ask(
            build(policy("shop/p", "client", policyTypes=["Egress"], egress=rule)), "shop/client", "203.0.113.80:443"
        )
        assert found.success is passes


@pytest.mark.parametrize(("external", "passes"), [("Local", True), ("Cluster", False)])
def test_an_ip_block_sees_the_client_only_where_its_address_is_kept(external: str, passes: bool) -> None:
    """NP-13, SRC-5."""
    made = [
        node("n1", podCIDR="10.244.0.0/24"),
        node("n2", podCIDR="10.244.1.0/24"),
        pod("shop/web", "10.244.1.2", "n2", app="web"),
        service("shop/np", app="web", type="NodePort", externalTrafficPolicy=external),
        policy("shop/p", "web", ingress=[{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]),
    ]
    cluster = Cluster.from_objects(made, Settings())
    door = "n2" if external == "Local" else "n1"
    assert ask(cluster, "internet", f"node:{door}:30086").success is passes
