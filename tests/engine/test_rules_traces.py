"""Rules TRC, and how policy meets translation: NP-13, NP-19, NP-20, NP-22, NP-23, EGR-02, EGR-03, SRC."""

from __future__ import annotations

import pytest

from clusterviz.engine import Change, Settings, Trace, Verdict
from clusterviz.engine.packet import IP, L4, Ethernet, Vxlan
from clusterviz.engine.trace import Action, Step
from tests.engine.world import Obj, actions, ask, build, pod, policy, seen, service

DNS = [
    pod("kube-system/coredns-1", "10.244.2.8", "n3", app="dns", ports=()),
    {
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {"clusterIP": "10.96.0.10", "selector": {"app": "dns"}, "ports": [{"port": 53, "protocol": "UDP"}]},
    },
]


def steps(found: Trace) -> list[Step]:
    return [step for hop in found.forward for step in hop.steps]


def test_trc_01_each_hop_says_where_and_what_came_in_and_went_out() -> None:
    """Place, hook, MACs, IPs, ports, TTL and outer headers, hop by hop without a gap."""
    found = ask(build(), "shop/client", "10.244.1.2:8080")
    assert [hop.place.kind for hop in found.forward] == ["pod", "node", "wire", "node", "pod"]
    for one, following in zip(found.forward, found.forward[1:], strict=False):
        assert one.headers_out == following.headers_in
    wire = found.forward[2].headers_in
    assert [type(header) for header in wire] == [Ethernet, IP, L4, Vxlan, Ethernet, IP, L4]
    ttl = [header.ttl for hop in found.forward for header in hop.headers_out[-2:-1] if isinstance(header, IP)]
    assert ttl == [64, 63, 63, 62, 62]
    assert {step.hook for step in steps(found)} >= {"socket", "prerouting", "forward", "postrouting"}
    assert found.forward[1].in_iface.startswith("veth") and found.forward[1].out_iface == "eth0"


def test_trc_02_each_decision_names_its_rule_and_the_alternatives() -> None:
    guard = policy("shop/guard", "web", ingress=[{"ports": [{"port": 1}]}, {}])
    found = steps(ask(build(guard), "shop/client", "http://web/"))
    (drawn,) = [step for step in found if step.action is Action.LOAD_BALANCED]
    assert drawn.rule is not None and drawn.rule.name.startswith("KUBE-SVC-")
    assert [one.probability for one in drawn.candidates] == [0.5, 0.5]
    assert sum(one.picked for one in drawn.candidates) == 1
    (allowed,) = [step for step in found if step.reason == "policy_allowed"]
    assert allowed.rule is not None and allowed.rule.name == "shop/guard ingress[1]" and allowed.rule.index == 1
    assert [(one.rule, one.failed) for one in allowed.considered] == [("shop/guard ingress[0]", ("port",))]
    assert all(step.rule is None or step.rule.name for step in found)


@pytest.mark.parametrize(
    ("extra", "to", "symptom"),
    [
        ([], "10.244.0.2:8080", "connected"),
        ([service("shop/none", app="x")], "service:shop/none:80", "connection refused, at once"),
        ([policy("shop/deny", "web", policyTypes=["Ingress"])], "10.244.0.2:8080", "times out"),
        (DNS, "http://nosuch/", "name not found"),
    ],
)
def test_trc_03_the_verdict_is_told_as_the_client_feels_it(extra: list[Obj], to: str, symptom: str) -> None:
    assert symptom in ask(build(*extra), "shop/client", to).symptom


def test_trc_04_the_client_sees_the_address_it_called() -> None:
    """PX-10: both rewrites are undone on the node that made them, whichever way the answer comes."""
    made = service("shop/np", app="db", port=5432, target=5432, type="NodePort")
    found = ask(build(made), "internet", "node:n1:30086")
    first, last = found.forward[0].headers_out, found.reverse[-1].headers_out
    gone, came = (next(h for h in stack if isinstance(h, IP)) for stack in (first, last))
    assert (came.src, came.dst) == (gone.dst, gone.src)
    assert [step.action for hop in found.reverse for step in hop.steps].count(Action.UN_NAT) >= 1


def test_trc_05_the_order_from_a_pod_to_a_service_elsewhere() -> None:
    """DNS, DNAT, routing, egress policy for the endpoint, encapsulation, decapsulation, ingress policy, pod."""
    out = policy("shop/out", "client", policyTypes=["Egress"], egress=[{}])
    guard = policy("shop/in", "db", ingress=[{}])
    found = ask(build(*DNS, out, guard), "shop/client", "http://db:5432/")
    assert found.children[0].cause == "dns"
    wanted = ["resolved", "load_balanced", "dnat", "routed", "permitted", "encapsulated", "decapsulated", "permitted"]
    told = [action for action in actions(found) if action in wanted]
    assert told == ["resolved", "load_balanced", "dnat", "routed", "permitted", *wanted[5:7], "routed", "permitted"]
    (first, second) = [step for step in steps(found) if step.reason == "policy_allowed"]
    assert (first.facts["way"], first.facts["peer"], first.facts["port"]) == ("egress", "10.244.2.2", 5432)
    assert (second.facts["way"], second.facts["peer"]) == ("ingress", "10.244.0.3")


def test_egr_03_egress_policy_sees_the_pod_before_masquerade() -> None:
    """EGR-03: judged on the pod's node, on its own address, and before the source is rewritten."""
    out = policy(
        "shop/out", "client", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]
    )
    found = ask(build(out), "shop/client", "203.0.113.80:443")
    told = actions(found)
    assert told.index("permitted") < told.index("masqueraded")
    assert found.success and seen(found) == "192.168.0.11"


NODE_PORT = service("shop/np", app="db", port=5432, target=5432, type="NodePort")
LOCAL = service("shop/np", app="db", port=5432, target=5432, type="NodePort", externalTrafficPolicy="Local")


@pytest.mark.parametrize(
    ("made", "door", "source", "masqueraded"),
    [
        pytest.param(NODE_PORT, "n1", "10.244.0.0", True, id="SRC-4-Cluster"),
        pytest.param(LOCAL, "n1", "10.244.0.3", False, id="SRC-4-Local"),
    ],
)
def test_a_pod_that_calls_a_node_port(made: Obj, door: str, source: str, masqueraded: bool) -> None:
    """SRC-4 and EGR-02 agree: kube-proxy's mark decides first, and after DNAT the packet goes from pod to pod."""
    found = ask(build(made), "shop/client", f"node:{door}:30086")
    assert seen(found) == source and ("masqueraded" in actions(found)) is masqueraded


@pytest.mark.parametrize(
    ("door", "allowed", "other"),
    [
        pytest.param("n3", True, "would deny it", id="own-node"),
        pytest.param("n1", False, "", id="other-node"),
    ],
)
def test_a_masqueraded_sender_is_a_node_and_the_trace_says_that_plugins_differ(
    door: str, allowed: bool, other: str
) -> None:
    """NP-13, NP-20: the pod's own node always passes; a plugin that hooks in before SNAT would judge the client."""
    guard = policy("shop/guard", "db", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}])
    found = ask(build(NODE_PORT, guard), "internet", f"node:{door}:30086")
    assert found.success is allowed
    noted = [one.text for one in found.assumptions if one.code == "policy-after-masquerade"]
    assert (other in noted[0]) if other else not noted


def test_np_19_a_pod_that_draws_itself_is_let_through_and_the_doubt_is_told() -> None:
    shut = policy("shop/shut", "client", policyTypes=["Ingress", "Egress"])
    found = ask(build(shut, service("shop/own", app="client")), "shop/client", "service:shop/own:80")
    assert found.success and seen(found) == "10.244.0.1"
    assert "loopback-policy" in [one.code for one in found.assumptions]


def test_np_22_a_change_of_labels_counts_for_the_next_connection() -> None:
    """Policies, pod labels, namespace labels and the set of pods: nothing is remembered from before."""
    rule = {
        "from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}, "podSelector": {"matchLabels": {"app": "spy"}}}]
    }
    cluster = build(policy("shop/guard", "db", ingress=[rule]))
    assert ask(cluster, "spy/spy-1", "10.244.2.2:5432").verdict is Verdict.DENIED_INGRESS
    space = {"kind": "Namespace", "metadata": {"name": "spy", "labels": {"team": "a"}}}
    opened = cluster.apply([Change("set", space)])
    assert ask(opened, "spy/spy-1", "10.244.2.2:5432").success
    renamed = opened.apply([Change("set", pod("spy/spy-1", "10.244.1.3", "n2", app="other"))])
    assert not ask(renamed, "spy/spy-1", "10.244.2.2:5432").success
    freed = renamed.apply([Change("unset", ("NetworkPolicy", "shop", "guard"))])
    assert ask(freed, "spy/spy-1", "10.244.2.2:5432").success


def test_np_23_a_denied_packet_is_dropped_and_the_simplification_told() -> None:
    found = ask(build(policy("shop/deny", "db", policyTypes=["Ingress"])), "shop/client", "10.244.2.2:5432")
    assert steps(found)[-1].action is Action.DROPPED and not found.reverse
    assert "denied-is-dropped" in [one.code for one in found.assumptions]


def test_np_24_enforcement_is_the_setting_that_decided() -> None:
    made = [policy("shop/deny", "db", policyTypes=["Ingress"])]
    for enforced in (True, False):
        found = ask(build(*made, settings=Settings(enforce_policies=enforced)), "shop/client", "10.244.2.2:5432")
        judged = [step for step in steps(found) if step.reason.startswith("policy_") and step.facts["way"] == "ingress"]
        assert judged[0].settings == ("enforce_policies",) and found.success is not enforced


def test_a_ping_through_a_guard_is_told_as_the_plugins_choice() -> None:
    """NP-17: ports speak of TCP, UDP and SCTP."""
    for rule, passes in (({}, True), ({"ports": [{"port": 5432}]}, False)):
        found = ask(build(policy("shop/guard", "db", ingress=[rule])), "shop/client", "10.244.2.2", protocol="ICMP")
        assert found.success is passes and "icmp-policy" in [one.code for one in found.assumptions]
