"""Rules NP asked alone with `policy_verdict`: two addresses, from objects that say little."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.datapath.policy import ConnectionVerdict, policy_verdict

Obj = dict[str, Any]
NAMESPACES = ("x", "y", "z")
APPS = ("a", "b", "c")


def bare(name: str, *ips: str, **spec: Any) -> Obj:
    """A pod of which nothing is known but its labels and addresses."""
    namespace, _, app = name.partition("/")
    ports = [
        {"name": f"serve-{port}-{proto.lower()}", "containerPort": port, "protocol": proto}
        for port in (80, 81)
        for proto in ("TCP", "UDP", "SCTP")
    ]
    status: Obj = {"podIP": ips[0]} if len(ips) == 1 else {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
    return {
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": app, "labels": {"pod": app}},
        "spec": {"containers": [{"name": "c", "ports": ports}], **spec},
        "status": status,
    }


def address(name: str, version: int = 4) -> str:
    """x/a is 192.168.1.1, z/c is 192.168.3.3."""
    namespace, _, app = name.partition("/")
    numbers = NAMESPACES.index(namespace) + 1, APPS.index(app) + 1
    return "192.168.{}.{}".format(*numbers) if version == 4 else "fd00:{}::{}".format(*numbers)


def policy(name: str = "x/p", **spec: Any) -> Obj:
    namespace, _, short = name.partition("/")
    return {"kind": "NetworkPolicy", "metadata": {"namespace": namespace, "name": short}, "spec": spec}


def grid(*extra: Obj, dual: bool = False, settings: Settings | None = None) -> Cluster:
    """Nine pods in three namespaces, no nodes, no placement."""
    pods = [
        bare(name, address(name), *([address(name, 6)] if dual else []))
        for namespace in NAMESPACES
        for app in APPS
        for name in [f"{namespace}/{app}"]
    ]
    spaces = [{"kind": "Namespace", "metadata": {"name": name, "labels": {"ns": name}}} for name in NAMESPACES]
    return Cluster.from_objects([*pods, *spaces, *extra], settings)


def reach(cluster: Cluster, to: str = "x/a", port: int = 80, protocol: str = "TCP", version: int = 4) -> set[str]:
    """Who may call."""
    target = address(to, version)
    names = [f"{namespace}/{app}" for namespace in NAMESPACES for app in APPS]
    return {name for name in names if policy_verdict(cluster, address(name, version), target, port, protocol).allowed}


EVERYBODY = {f"{namespace}/{app}" for namespace in NAMESPACES for app in APPS}
IN_X = {name for name in EVERYBODY if name.startswith("x/")}
IN_Y = {name for name in EVERYBODY if name.startswith("y/")}


NOT_X = {"key": "ns", "operator": "NotIn", "values": ["x"]}


def pods(**labels: str) -> Obj:
    return {"podSelector": {"matchLabels": labels}}


def spaces(**labels: str) -> Obj:
    return {"namespaceSelector": {"matchLabels": labels}}


@pytest.mark.parametrize(
    ("rules", "who"),
    [
        pytest.param([], {"x/a"}, id="NP-05-none"),
        pytest.param([{}], EVERYBODY, id="NP-05-empty"),
        pytest.param([{"from": [pods(pod="b")]}], {"x/a", "x/b"}, id="NP-10-pod-own-namespace"),
        pytest.param([{"from": [spaces(ns="y")]}], IN_Y | {"x/a"}, id="NP-10-namespace"),
        pytest.param([{"from": [{"namespaceSelector": {}}]}], EVERYBODY, id="NP-10-all-namespaces"),
        pytest.param([{"from": [spaces(ns="y") | pods(pod="b")]}], {"x/a", "y/b"}, id="NP-08-and"),
        pytest.param([{"from": [spaces(ns="y"), pods(pod="b")]}], IN_Y | {"x/a", "x/b"}, id="NP-08-or"),
        pytest.param(
            [{"from": [spaces(**{"kubernetes.io/metadata.name": "z"})]}], {"x/a", "z/a", "z/b", "z/c"}, id="NP-11"
        ),
        pytest.param(
            [{"from": [{"namespaceSelector": {"matchExpressions": [NOT_X]}}]}],
            EVERYBODY - {"x/b", "x/c"},
            id="NP-18-not-in",
        ),
        pytest.param([{"from": [{"ipBlock": {"cidr": "192.168.2.77/24"}}]}], IN_Y | {"x/a"}, id="NP-12-host-bits"),
        pytest.param(
            [{"from": [{"ipBlock": {"cidr": "192.168.0.0/16", "except": ["192.168.2.0/24", "192.168.3.3/32"]}}]}],
            EVERYBODY - IN_Y - {"z/c"},
            id="NP-12-excepts",
        ),
        pytest.param(
            [
                {"from": [{"ipBlock": {"cidr": "192.168.0.0/16", "except": ["192.168.2.0/24"]}}]},
                {"from": [{"ipBlock": {"cidr": "192.168.2.2/32"}}]},
            ],
            EVERYBODY - {"y/a", "y/c"},
            id="NP-12-an-except-denies-nothing",
        ),
    ],
)
def test_who_may_call_a_guarded_pod(rules: list[Obj], who: set[str]) -> None:
    """NP-05, NP-08, NP-10, NP-11, NP-12, NP-18; NP-19: x/a always reaches itself."""
    assert reach(grid(policy(podSelector={"matchLabels": {"pod": "a"}}, ingress=rules))) == who


@pytest.mark.parametrize(
    ("selector", "guarded"),
    [
        pytest.param({}, IN_X, id="NP-02-empty"),
        pytest.param({"matchLabels": None}, IN_X, id="NP-02-null"),
        pytest.param({"matchLabels": {"pod": "b"}}, {"x/b"}, id="NP-02-labels"),
        pytest.param({"matchLabels": {"pod": "q"}}, set(), id="NP-01-nobody"),
    ],
)
def test_a_policy_guards_pods_of_its_own_namespace(selector: Obj, guarded: set[str]) -> None:
    """NP-01, NP-02."""
    cluster = grid(policy(podSelector=selector, policyTypes=["Ingress"]))
    isolated = {
        name for name in EVERYBODY if policy_verdict(cluster, "203.0.113.9", address(name), 80).ingress.isolated
    }
    assert isolated == guarded


@pytest.mark.parametrize(
    ("spec", "ways"),
    [
        ({}, (True, False)),
        ({"egress": [{}]}, (True, True)),
        ({"egress": []}, (True, False)),
        ({"policyTypes": ["Egress"]}, (False, True)),
    ],
)
def test_the_directions_a_policy_speaks_of(spec: Obj, ways: tuple[bool, bool]) -> None:
    """NP-04: Ingress always, Egress when listed or when there are egress rules."""
    cluster = grid(policy(podSelector={}, **spec))
    into = policy_verdict(cluster, address("y/a"), address("x/a"), 80).ingress.isolated
    out = policy_verdict(cluster, address("x/a"), address("y/a"), 80).egress.isolated
    assert (into, out) == ways


@pytest.mark.parametrize("version", [4, 6])
def test_a_dual_stack_pod_is_known_by_either_address(version: int) -> None:
    """NP-10, SVC-16: selectors match the pod whichever of its addresses the packet has."""
    made = policy(podSelector={}, ingress=[{"from": [spaces(ns="y")]}])
    assert reach(grid(made, dual=True), version=version) == IN_Y | {"x/a"}


def test_an_ip_block_of_one_family_says_nothing_about_the_other() -> None:
    """NP-12."""
    made = policy(podSelector={}, ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])
    cluster = grid(made, dual=True)
    assert reach(cluster) == EVERYBODY
    assert reach(cluster, version=6) == {"x/a"}
    six = policy(podSelector={}, ingress=[{"from": [{"ipBlock": {"cidr": "fd00:2::/32"}}]}])
    assert reach(grid(six, dual=True), version=6) == IN_Y | {"x/a"}


@pytest.mark.parametrize(
    ("entry", "port", "protocol", "allowed"),
    [
        pytest.param({"port": "serve-80-tcp"}, 80, "TCP", True, id="NP-15-name"),
        pytest.param({"port": "serve-80-tcp"}, 81, "TCP", False, id="NP-16-other-port"),
        pytest.param({"port": "serve-80-udp"}, 80, "TCP", False, id="NP-16-other-protocol"),
        pytest.param({"port": "serve-80-udp", "protocol": "UDP"}, 80, "UDP", True, id="NP-15-udp"),
        pytest.param({"port": "missing"}, 80, "TCP", False, id="NP-16-missing"),
        pytest.param({"port": 81, "protocol": "SCTP"}, 81, "SCTP", True, id="NP-17-sctp"),
        pytest.param({"port": 81, "protocol": "SCTP"}, 81, "TCP", False, id="NP-17-isolates-tcp"),
        pytest.param({"port": 79, "endPort": 81}, 80, "TCP", True, id="NP-15-range"),
        pytest.param({"port": 81, "endPort": 90}, 80, "TCP", False, id="NP-15-below-range"),
        pytest.param({"protocol": "UDP"}, 5353, "UDP", True, id="NP-15-every-port"),
    ],
)
@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_ports_are_the_destinations(way: str, entry: Obj, port: int, protocol: str, allowed: bool) -> None:
    """NP-14..NP-17, both directions: the name is looked up on the pod that is called."""
    spec: Obj = {"podSelector": {}, "policyTypes": [way.capitalize()], way: [{"ports": [entry]}]}
    source, target = ("y/b", "x/a") if way == "ingress" else ("x/a", "y/b")
    found = policy_verdict(grid(policy(**spec)), address(source), address(target), port, protocol)
    assert found.allowed is allowed


def test_a_port_name_never_fits_an_address_that_is_no_pods() -> None:
    """NP-16."""
    spec: Obj = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "serve-80-tcp"}]}]}
    assert not policy_verdict(grid(policy(**spec)), address("x/a"), "203.0.113.9", 80).allowed


def test_a_connection_needs_both_directions() -> None:
    """NP-03, NP-06."""
    deny_out = policy("y/out", podSelector={}, policyTypes=["Egress"])
    deny_in = policy("x/in", podSelector={}, policyTypes=["Ingress"])
    for made, ways in (([deny_out], (False, True)), ([deny_in], (True, False)), ([deny_out, deny_in], (False, False))):
        found = policy_verdict(grid(*made), address("y/a"), address("x/a"), 80)
        assert (found.egress.allowed, found.ingress.allowed) == ways
        assert found.allowed is all(ways)


def test_replies_need_no_rule() -> None:
    """NP-07: only the first packet's directions are judged."""
    cluster = grid(policy(podSelector={}, policyTypes=["Ingress"]))
    assert policy_verdict(cluster, address("x/a"), address("y/a"), 80).allowed
    assert not policy_verdict(cluster, address("y/a"), address("x/a"), 80).allowed


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ([{"from": [{"namespaceSelector": {}}]}], False),
        ([{"from": [{"podSelector": {}}]}], False),
        ([{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}], True),
        ([{"from": []}], True),
    ],
)
def test_addresses_that_are_no_pods(rules: list[Obj], allowed: bool) -> None:
    """NP-09, NP-10: selectors name pods, outside addresses fit an ipBlock or no peer list at all."""
    found = policy_verdict(grid(policy(podSelector={}, ingress=rules)), "203.0.113.9", address("x/a"), 80)
    assert (found.allowed, found.egress.why) == (allowed, "not_a_pod")
    assert policy_verdict(grid(policy(podSelector={})), "203.0.113.9", "203.0.113.10", 80).allowed


def node(name: str, *ips: str, outside: str = "") -> Obj:
    entries = [{"type": "InternalIP", "address": ip} for ip in ips]
    entries += [{"type": "ExternalIP", "address": outside}] if outside else []
    number = int(name[1:])
    return {
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"podCIDRs": [f"10.9.{number}.0/24", f"fd09:{number}::/64"]},
        "status": {"addresses": entries},
    }


def placed(*extra: Obj) -> Cluster:
    """Two nodes of several addresses, a guarded pod on n1, an agent in the network of n2."""
    agent = bare("x/agent", "172.20.0.2", nodeName="n2", hostNetwork=True)
    return Cluster.from_objects(
        [
            node("n1", "172.20.0.1", "fd20::1", "172.21.0.1", outside="198.51.100.1"),
            node("n2", "172.20.0.2", "fd20::2"),
            bare("x/a", "10.9.1.5", "fd09:1::5", nodeName="n1"),
            agent,
            *extra,
        ]
    )


@pytest.mark.parametrize(
    ("peer", "to", "why"),
    [
        ("172.20.0.1", "10.9.1.5", "own_node"),
        ("172.21.0.1", "10.9.1.5", "own_node"),
        ("fd20::1", "fd09:1::5", "own_node"),
        ("198.51.100.1", "10.9.1.5", "own_node"),
        ("10.9.1.1", "10.9.1.5", "own_node"),
        ("fd09:1::1", "fd09:1::5", "own_node"),
        ("172.20.0.2", "10.9.1.5", "denied"),
        ("fd20::2", "fd09:1::5", "denied"),
        ("10.9.2.1", "10.9.1.5", "denied"),
    ],
)
def test_every_address_of_the_pods_own_node_passes_those_of_others_do_not(peer: str, to: str, why: str) -> None:
    """NP-20, both directions."""
    cluster = placed(policy(podSelector={}, policyTypes=["Ingress", "Egress"]))
    assert policy_verdict(cluster, peer, to, 80).ingress.why == why
    assert policy_verdict(cluster, to, peer, 80).egress.why == why


def test_a_host_network_pod_is_its_node() -> None:
    """NP-21: nothing guards it, no selector fits it, its node's address in an ipBlock does."""
    deny = policy("x/all", podSelector={}, policyTypes=["Ingress", "Egress"])
    assert policy_verdict(placed(deny), "10.9.1.5", "172.20.0.2", 80).ingress.why == "not_a_pod"
    by_label = policy(podSelector=pods(pod="a")["podSelector"], ingress=[{"from": [pods(pod="agent")]}])
    assert not policy_verdict(placed(by_label), "172.20.0.2", "10.9.1.5", 80).allowed
    by_block = policy(podSelector={}, ingress=[{"from": [{"ipBlock": {"cidr": "172.20.0.2/32"}}]}])
    assert policy_verdict(placed(by_block), "172.20.0.2", "10.9.1.5", 80).allowed


def test_nodes_that_were_only_assumed_exempt_nobody() -> None:
    """NP-20: without Node objects an address that happens to be an assumed node's is an outside one."""
    cluster = grid(policy(podSelector={}))
    assumed = [ip for node in cluster.nodes.values() for ip in (*node.ips, *cluster.bridge_ips(node))]
    outside = [ip for ip in assumed if ip not in cluster.pod_by_ip]
    assert outside
    assert not any(policy_verdict(cluster, ip, address("x/a"), 80).allowed for ip in outside)


def test_without_enforcement_a_policy_is_only_text() -> None:
    """NP-24."""
    cluster = grid(policy(podSelector={}, policyTypes=["Ingress"]), settings=Settings(enforce_policies=False))
    found = policy_verdict(cluster, address("y/a"), address("x/a"), 80)
    assert found.allowed and found.ingress.isolated and found.ingress.why == "not_enforced"


def explained() -> ConnectionVerdict:
    rules = [
        {"from": [pods(pod="c") | spaces(ns="z", team="q")], "ports": [{"port": 1}]},
        {"from": [pods(pod="b") | spaces(ns="y")], "ports": [{"port": 81}]},
        {"from": [pods(pod="b") | spaces(ns="y")]},
        {"from": [pods(pod="c") | spaces(ns="y")]},
    ]
    none = policy("x/none", podSelector={})
    return policy_verdict(
        grid(policy("x/some", podSelector={}, ingress=rules), none), address("y/b"), address("x/a"), 80
    )


def test_the_answer_names_selecting_policies_the_allowing_rule_and_every_miss_nearest_first() -> None:
    """NP-26 (a) to (d)."""
    found = explained().ingress
    assert [one.name for one in found.selecting] == ["none", "some"]
    assert found.matched is not None and (found.matched[0].name, found.path) == ("some", "spec.ingress[2]")
    assert [(one.rule, one.failed, one.path) for one in found.considered] == [
        ("x/some ingress[1]", ("port",), "spec.ingress[1]"),
        ("x/some ingress[3]", ("peer",), "spec.ingress[3]"),
        ("x/some ingress[0]", ("peer", "port"), "spec.ingress[0]"),
        ("x/none", (), ""),
    ]
    assert "label pod is 'b', wanted 'c'" in found.considered[1].why


def test_the_answer_is_plain_data() -> None:
    """NP-26."""
    plain = explained().to_dict()
    assert plain["allowed"] and not plain["egress"]["isolated"] and plain["egress"]["why"] == "not_isolated"
    assert plain["ingress"]["selecting"] == ["x/none", "x/some"]
    assert (plain["ingress"]["allowed_by"], plain["ingress"]["index"]) == ("x/some", 2)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="'frontend' is not an IP address"):
        policy_verdict(grid(), "frontend", address("x/a"), 80)
    assert policy_verdict(grid(dual=True), "FD00:1:0::1", "fd00:2::0001", 80, "tcp").source == "fd00:1::1"
