"""The truth tables of Kubernetes' NetworkPolicy end-to-end tests, asked of `ask.policy` for every pair of pods.

The world is upstream's: namespaces x, y and z with pods a, b and c, which are an address, labels and two
named ports a protocol. An expectation begins with everything allowed; each line changes a part of the table:
``- from > to`` denies, ``+ from > to`` allows, and a star stands for any.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from clusterviz.engine import ask

NAME = "kubernetes.io/metadata.name"
PODS = [f"{space}/{pod}" for space, pod in product("xyz", "abc")]
V4 = {one: f"10.{200 + index}.7.{index + 2}" for index, one in enumerate(PODS)}
V6 = {one: f"fd00:42::{index + 2:x}" for index, one in enumerate(PODS)}


def world(addresses: dict[str, str], **labels: dict[str, str]) -> list[dict[str, Any]]:
    """The nine pods; ``labels`` adds some to a pod, or to a namespace, by name with an underscore."""
    ports = [
        {"name": f"serve-{number}-{protocol.lower()}", "containerPort": number, "protocol": protocol}
        for number, protocol in product((80, 81), ("TCP", "UDP", "SCTP"))
    ]
    made = [
        {
            "kind": "Pod",
            "metadata": {
                "name": one[2],
                "namespace": one[0],
                "labels": {"pod": one[2], **labels.get(one.replace("/", "_"), {})},
            },
            "spec": {"containers": [{"name": "c", "ports": ports}]},
            "status": {"podIP": address},
        }
        for one, address in addresses.items()
    ]
    spaces = [one for one in labels if "_" not in one]
    return made + [{"kind": "Namespace", "metadata": {"name": one, "labels": labels[one]}} for one in spaces]


def policy(where: str, *, name: str = "p", **spec: Any) -> dict[str, Any]:
    """A policy in a namespace for a pod (``x/a``) or all of them (``x``); the spec as it is written."""
    space, _, pod = where.partition("/")
    selector = {"matchLabels": {"pod": pod}} if pod else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space},
        "spec": {"podSelector": selector, **spec},
    }


def pods(*names: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {"pod": names[0]}} if len(names) == 1 else within("pod", "In", *names)}


def spaces(*names: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAME: names[0]}}}


def within(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


NOT_X = {"namespaceSelector": within(NAME, "NotIn", "x")}
TCP, UDP, SCTP = "TCP", "UDP", "SCTP"
DENY: dict[str, Any] = {"policyTypes": ["Ingress"]}
DENY_OUT: dict[str, Any] = {"policyTypes": ["Egress"]}
EVERYBODY = {"podSelector": {}, "namespaceSelector": {}}


def come(*peers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"ingress": [{**({"from": list(peers)} if peers else {}), **more}]}


def go(*peers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"egress": [{**({"to": list(peers)} if peers else {}), **more}], "policyTypes": ["Egress"]}


def at(port: int | str | None, protocol: str = "") -> dict[str, Any]:
    entry = {"port": port} if port is not None else {}
    return {"ports": [{**entry, **({"protocol": protocol} if protocol else {})}]}


ONLY_Y_81 = policy("x/a", **come(spaces("y"), **at(81, TCP)))
ONLY_Y_80 = policy("x/a", name="second", **come(spaces("y"), **at(80, TCP)))
CASES: list[tuple[str, list[dict[str, Any]], int, str, str]] = [
    ("default deny ingress", [policy("x", **DENY)], 80, TCP, "- * > x/*"),
    ("default deny all", [policy("x", policyTypes=["Ingress", "Egress"])], 80, TCP, "- * > x/*, - x/* > *"),
    ("pod selector", [policy("x/a", **come(pods("b")))], 80, TCP, "- * > x/a, + x/b > x/a"),
    (
        "allow to a target",
        [policy("x", **DENY), policy("x/a", name="allow", **come(EVERYBODY))],
        80,
        TCP,
        "- * > x/*, + * > x/a",
    ),
    ("all namespaces", [policy("x/a", **come({"namespaceSelector": {"matchLabels": {}}}))], 80, TCP, ""),
    ("another namespace", [policy("x/a", **come(spaces("y")))], 80, TCP, "- x/* > x/a, - z/* > x/a"),
    (
        "pod expressions",
        [policy("x/a", **come({"podSelector": within("pod", "In", "b")}))],
        80,
        TCP,
        "- * > x/a, + x/b > x/a",
    ),
    (
        "namespace expressions",
        [policy("x/a", **come({"namespaceSelector": within(NAME, "In", "y")}))],
        80,
        TCP,
        "- x/* > x/a, - z/* > x/a",
    ),
    ("pod or namespace", [policy("x/a", **come(NOT_X, pods("b")))], 80, TCP, "- x/a > x/a, - x/c > x/a"),
    (
        "pod and namespace",
        [policy("x/a", **come({**NOT_X, **pods("b")}))],
        80,
        TCP,
        "- * > x/a, + y/b > x/a, + z/b > x/a",
    ),
    (
        "several pods and namespaces",
        [policy("x/a", **come({**NOT_X, **pods("b", "c")}))],
        80,
        TCP,
        "- x/* > x/a, - y/a > x/a, - z/a > x/a",
    ),
    ("any pod selector", [policy("x/a", **come(pods("b"), pods("c")))], 80, TCP, "- * > x/a, + x/b > x/a, + x/c > x/a"),
    (
        "a pod of another namespace",
        [policy("x/a", **come({**spaces("y"), **pods("a")}))],
        80,
        TCP,
        "- * > x/a, + y/a > x/a",
    ),
    ("ports", [ONLY_Y_81], 81, TCP, "- x/* > x/a, - z/* > x/a"),
    ("ports, the other", [ONLY_Y_81], 80, TCP, "- * > x/a"),
    ("stacked, 81", [ONLY_Y_81, ONLY_Y_80], 81, TCP, "- x/* > x/a, - z/* > x/a"),
    ("stacked, 80", [ONLY_Y_81, ONLY_Y_80], 80, TCP, "- x/* > x/a, - z/* > x/a"),
    ("allow all, 80", [policy("x", ingress=[{}])], 80, TCP, ""),
    ("allow all, 81", [policy("x", ingress=[{}])], 81, TCP, ""),
    ("named port, 81", [policy("x", **come(**at("serve-81-tcp")))], 81, TCP, ""),
    ("named port, 80", [policy("x", **come(**at("serve-81-tcp")))], 80, TCP, "- * > x/*"),
    (
        "named and namespace, 80",
        [policy("x/a", **come(spaces("y"), **at("serve-80-tcp", TCP)))],
        80,
        TCP,
        "- x/* > x/a, - z/* > x/a",
    ),
    ("named and namespace, 81", [policy("x/a", **come(spaces("y"), **at("serve-80-tcp", TCP)))], 81, TCP, "- * > x/a"),
    ("named egress, 80", [policy("x", **go(**at("serve-80-tcp")))], 80, TCP, ""),
    ("named egress, 81", [policy("x", **go(**at("serve-80-tcp")))], 81, TCP, "- x/* > *"),
    ("named port of another protocol", [policy("x", **come(**at("serve-81-udp")))], 81, TCP, "- * > x/*"),
    ("named port nobody has", [policy("x", **come(**at("nope")))], 80, TCP, "- * > x/*"),
    ("updated to deny", [policy("x", ingress=[], policyTypes=["Ingress"])], 81, TCP, "- * > x/*"),
    ("null rules", [policy("x", ingress=None, policyTypes=["Ingress"])], 81, TCP, "- * > x/*"),
    (
        "same namespace only",
        [policy("x", **come({"podSelector": {"matchLabels": {}}}))],
        80,
        TCP,
        "- y/* > x/*, - z/* > x/*",
    ),
    ("deny egress of a pod", [policy("x/a", **DENY_OUT)], 80, TCP, "- x/a > *"),
    ("deny egress of a namespace", [policy("x", **DENY_OUT)], 80, TCP, "- x/* > *"),
    (
        "both directions, 80",
        [policy("x/a", **{**come(pods("b")), **go(**at(80)), "policyTypes": ["Egress", "Ingress"]})],
        80,
        TCP,
        "- * > x/a, + x/b > x/a",
    ),
    (
        "both directions, 81",
        [policy("x/a", **{**come(pods("b")), **go(**at(80)), "policyTypes": ["Egress", "Ingress"]})],
        81,
        TCP,
        "- * > x/a, - x/a > *, + x/b > x/a",
    ),
    (
        "types left out, egress written",
        [policy("x/a", **come(pods("b")), egress=[at(80)])],
        81,
        TCP,
        "- * > x/a, - x/a > *, + x/b > x/a",
    ),
    (
        "denied by the client",
        [
            policy("x/a", **go({**spaces("y"), **pods("a")})),
            policy("y/a", **come({**spaces("x"), **pods("a")})),
            policy("y/b", name="b", **come({**spaces("x"), **pods("a")})),
        ],
        80,
        TCP,
        "- x/a > *, - * > y/a, + x/a > y/a, - * > y/b",
    ),
    (
        "egress to a pod elsewhere",
        [policy("x/a", **go({**spaces("y"), **pods("a")}))],
        80,
        TCP,
        "- x/a > *, + x/a > y/a",
    ),
    ("protocol only, its own", [policy("x/a", **come(**at(None, TCP)))], 80, TCP, ""),
    ("protocol only, another", [policy("x/a", **come(**at(None, TCP)))], 80, UDP, "- * > x/a"),
    ("ports before allow all", [policy("x", **come(**at(80)))], 81, TCP, "- * > x/*"),
    ("ports and allow all", [policy("x", **come(**at(80))), policy("x", name="all", ingress=[{}])], 81, TCP, ""),
    ("egress before allow all", [policy("x", **go(**at(80)))], 81, TCP, "- x/* > *"),
    ("egress and allow all", [policy("x", **go(**at(80))), policy("x", name="all", **go())], 81, TCP, ""),
    ("one directions' independence", [policy("x/a", **go()), policy("x/a", name="in", **DENY)], 80, TCP, "- * > x/a"),
    (
        "SCTP is not TCP",
        [policy("x", **DENY), policy("x/a", name="sctp", **come(**at(81, SCTP)))],
        81,
        TCP,
        "- * > x/*",
    ),
    ("SCTP isolates", [policy("x/a", **come(**at(80, SCTP)))], 81, TCP, "- * > x/a"),
    ("SCTP allows SCTP", [policy("x/a", **come(**at(80, SCTP)))], 80, SCTP, ""),
    ("UDP is not TCP", [policy("x/a", **come(**at(81, UDP)))], 81, TCP, "- * > x/a"),
    (
        "namespaces by name, out",
        [policy("x/a", **go({"namespaceSelector": within(NAME, "NotIn", "y")}))],
        80,
        TCP,
        "- x/a > y/*",
    ),
    ("UDP, default deny", [policy("x", **DENY)], 80, UDP, "- * > x/*"),
    ("UDP, ports", [policy("x/a", **come(spaces("y"), **at(81, UDP)))], 81, UDP, "- x/* > x/a, - z/* > x/a"),
    ("UDP, a pod elsewhere", [policy("x/a", **come({**spaces("y"), **pods("a")}))], 80, UDP, "- * > x/a, + y/a > x/a"),
    ("SCTP, default deny", [policy("x", **DENY)], 80, SCTP, "- * > x/*"),
    ("SCTP, ports", [policy("x/a", **come(spaces("y"), **at(81, SCTP)))], 81, SCTP, "- x/* > x/a, - z/* > x/a"),
    (
        "SCTP, a pod elsewhere",
        [policy("x/a", **come({**spaces("y"), **pods("a")}))],
        80,
        SCTP,
        "- * > x/a, + y/a > x/a",
    ),
    ("a range, inside", [policy("x/a", **come(ports=[{"port": 70, "endPort": 80}]))], 80, TCP, ""),
    ("a range, outside", [policy("x/a", **come(ports=[{"port": 70, "endPort": 80}]))], 81, TCP, "- * > x/a"),
    ("empty lists are no limits", [policy("x/a", ingress=[{"from": [], "ports": []}])], 80, TCP, ""),
    (
        "absent label and NotIn",
        [policy("x/a", **come({"podSelector": within("no-such", "NotIn", "v")}))],
        80,
        TCP,
        "- * > x/a, + x/* > x/a",
    ),
    ("exists", [policy("x/a", **come({"podSelector": within("pod", "Exists")}))], 80, TCP, "- * > x/a, + x/* > x/a"),
    ("does not exist", [policy("x/a", **come({"podSelector": within("pod", "DoesNotExist")}))], 80, TCP, "- * > x/a"),
]


def table(expectation: str) -> dict[tuple[str, str], bool]:
    """The verdict of every ordered pair; what a pod says to itself is left out, as upstream leaves it out."""
    found = {(one, other): True for one, other in product(PODS, PODS) if one != other}
    for line in filter(None, (part.strip() for part in expectation.split(","))):
        sign, source, _, target = line.split()
        for one, other in found:
            if fits(source, one) and fits(target, other):
                found[one, other] = sign == "+"
    return found


def fits(pattern: str, pod: str) -> bool:
    return pattern in ("*", pod) or (pattern.endswith("/*") and pattern[0] == pod[0])


def differences(objects: list[dict[str, Any]], addresses: dict[str, str], port: int, protocol: str, expectation: str):
    """Pairs whose verdict is not the expected one."""
    cluster = ask.world(objects)
    got = {
        (one, other): ask.policy(
            cluster, source=addresses[one], destination=addresses[other], port=port, protocol=protocol
        ).allowed
        for one, other in product(PODS, PODS)
        if one != other
    }
    return {pair: verdict for pair, verdict in got.items() if verdict != table(expectation)[pair]}


@pytest.mark.parametrize("addresses", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(("name", "policies", "port", "protocol", "expected"), CASES, ids=[one[0] for one in CASES])
def test_truth_tables(name, policies, port, protocol, expected, addresses):
    """NP-01 to NP-18."""
    assert differences([*world(addresses), *policies], addresses, port, protocol, expected) == {}


BY_LABEL = [
    (come({"namespaceSelector": {"matchLabels": {"ns2": "updated"}}}), {}, "- * > x/a"),
    (
        come({"namespaceSelector": {"matchLabels": {"ns2": "updated"}}}),
        {"y": {"ns2": "updated"}},
        "- * > x/a, + y/* > x/a",
    ),
    (come({"podSelector": {"matchLabels": {"pod": "b", "pod2": "updated"}}}), {}, "- * > x/a"),
    (
        come({"podSelector": {"matchLabels": {"pod": "b", "pod2": "updated"}}}),
        {"x_b": {"pod2": "updated"}},
        "- * > x/a, + x/b > x/a",
    ),
]


@pytest.mark.parametrize(("spec", "labels", "expected"), BY_LABEL)
def test_labels_that_change(spec, labels, expected):
    """NP-11, NP-22."""
    assert differences([*world(V4, **labels), policy("x/a", **spec)], V4, 80, TCP, expected) == {}


def test_a_pod_that_becomes_selected():
    """NP-02, NP-22."""
    isolated = policy("x", **DENY)
    isolated["spec"]["podSelector"] = {"matchLabels": {"target": "isolated"}}
    assert differences([*world(V4), isolated], V4, 80, TCP, "") == {}
    assert differences([*world(V4, x_a={"target": "isolated"}), isolated], V4, 80, TCP, "- * > x/a") == {}


BLOCKS = [
    (["HOST y/b"], [], "- x/a > *, + x/a > y/b"),
    (["WIDE"], ["HOST x/b"], "- x/a > x/b"),
    (["WIDE", "HOST x/b"], ["HOST x/b"], ""),
    (["HOST x/b"], [], "- x/a > *, + x/a > x/b"),
]


@pytest.mark.parametrize("addresses", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("apart", [False, True], ids=["one policy", "a policy each"])
@pytest.mark.parametrize(("cidrs", "excepted", "expected"), BLOCKS)
def test_address_blocks(cidrs, excepted, expected, apart, addresses):
    """NP-12: an exception denies nothing that another peer or policy allows."""
    full = 128 if ":" in addresses["x/a"] else 32
    wide = "fd00:42::1/32" if full == 128 else "10.201.1.2/5"

    def written(text: str) -> str:
        return wide if text == "WIDE" else f"{addresses[text.split()[1]]}/{full}"

    peers = [
        {"ipBlock": {"cidr": written(one), **({"except": list(map(written, excepted))} if one == "WIDE" else {})}}
        for one in cidrs
    ]
    built = (
        [policy("x/a", name=f"p{index}", **go(one)) for index, one in enumerate(peers)]
        if apart
        else [policy("x/a", **go(*peers))]
    )
    assert differences([*world(addresses), *built], addresses, 80, TCP, expected) == {}


OUTSIDE = [
    (come({"ipBlock": {"cidr": "192.168.0.0/16"}}), False),
    (come({"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.5/32"]}}), False),
    (come({"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.64/26"]}}), True),
    (come(EVERYBODY), False),
    (come({"namespaceSelector": {}}), False),
    (come(), True),
    (come({"ipBlock": {"cidr": "0.0.0.0/0"}}), True),
    (come({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}}), False),
    (come({"ipBlock": {"cidr": "203.0.113.77/24"}}), True),
    (come({"ipBlock": {"cidr": "::/0"}}), False),
    (DENY, False),
    (DENY_OUT, True),
]


@pytest.mark.parametrize(("spec", "allowed"), OUTSIDE)
def test_outside_addresses(spec, allowed):
    """NP-09, NP-10, NP-12: selectors match pods only."""
    found = ask.policy([*world(V4), policy("x/a", **spec)], source="203.0.113.5", destination=V4["x/a"], port=80)
    assert found.allowed is allowed


def test_a_pod_and_itself():
    """NP-19."""
    objects = [*world(V4), policy("x", policyTypes=["Ingress", "Egress"])]
    assert ask.policy(objects, source=V4["x/a"], destination=V4["x/a"], port=80).allowed
