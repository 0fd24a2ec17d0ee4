"""The packets of kube-network-policies' own tests: pods of an address and a label, policies on top of each other."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import ask

A, B, C, D = "192.168.1.11", "192.168.2.22", "192.168.3.33", "192.168.4.44"
LABEL = {"matchLabels": {"a": "b"}}


def pod(name: str, space: str, address: str, **labels: str) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": 80, "protocol": "TCP"}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": space, "labels": labels},
        "spec": {"containers": [{"name": "c", "ports": ports}]},
        "status": {"podIP": address},
    }


def policy(name: str, space: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": space}, "spec": spec}


WORLD = [
    *({"kind": "Namespace", "metadata": {"name": one, "labels": {"a": "b"}}} for one in ("foo", "bar")),
    pod("a", "foo", A, a="b"),
    pod("b", "bar", B, a="b"),
    pod("c", "blocked", C, c="d"),
    pod("d", "bar", D, c="d"),
]


def going(name: str, *peers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return policy(name, "foo", podSelector=LABEL, policyTypes=["Egress"], egress=[{"to": list(peers), **more}])


IN = policy("deny-in", "bar", podSelector={}, policyTypes=["Ingress"])
OUT = policy("deny-out", "bar", podSelector={}, policyTypes=["Egress"])
ALL = policy("all", "bar", podSelector={}, policyTypes=["Ingress"], ingress=[{}])
BLOCK = {"ipBlock": {"cidr": "192.168.0.0/16"}}
FROM_BLOCK = policy("block", "bar", podSelector={}, policyTypes=["Ingress"], ingress=[{"from": [BLOCK]}])
# Its last port is beyond the last there is: upstream's test writes so, and a range has no other end.
PORTS = going("ports", ports=[{"protocol": "TCP", "port": 30000, "endPort": 65537}])
TO_BLOCK, TO_PODS = going("to-block", BLOCK), going("to-pods", {"podSelector": LABEL})
TO_SPACES = going("to-spaces", {"namespaceSelector": LABEL})
TO_BOTH = going("to-both", {"podSelector": LABEL, "namespaceSelector": LABEL})
FROM_BOTH = policy(
    "from-both",
    "bar",
    podSelector=LABEL,
    policyTypes=["Ingress"],
    ingress=[{"from": [{"podSelector": LABEL, "namespaceSelector": LABEL}]}],
)
PACKETS = [
    ("no policy", [], A, B, 80, True),
    ("deny ingress", [IN], A, B, 80, False),
    ("deny egress", [OUT], B, A, 80, False),
    ("deny egress, towards it", [OUT], A, B, 80, True),
    ("allow all beside deny", [IN, ALL], A, B, 80, True),
    ("a block beside deny", [IN, FROM_BLOCK], A, B, 80, True),
    ("outside the block", [FROM_BLOCK], "10.0.0.1", B, 80, False),
    ("another port", [OUT, PORTS], A, B, 80, False),
    ("a port of the range", [OUT, PORTS], A, B, 30080, True),
    ("ports or a block", [OUT, PORTS, TO_BLOCK], A, B, 80, True),
    ("pods of another namespace", [OUT, PORTS, TO_PODS], A, B, 80, False),
    ("pods without the label", [OUT, PORTS, TO_PODS], A, C, 80, False),
    ("namespaces", [OUT, PORTS, TO_SPACES], A, B, 80, True),
    ("namespaces without the label", [OUT, PORTS, TO_SPACES], A, C, 80, False),
    ("both selectors", [OUT, PORTS, TO_BOTH], A, B, 80, True),
    ("both selectors, neither fits", [OUT, PORTS, TO_BOTH], A, C, 80, False),
    ("both selectors, one fits", [OUT, PORTS, TO_BOTH], A, D, 80, False),
    ("from both selectors", [IN, FROM_BOTH], A, B, 80, True),
    ("from both, another pod", [IN, FROM_BOTH], A, D, 80, False),
]


@pytest.mark.parametrize(
    ("policies", "source", "target", "port", "allowed"), [one[1:] for one in PACKETS], ids=[one[0] for one in PACKETS]
)
def test_packets(policies, source, target, port, allowed):
    """NP-03, NP-06 to NP-12."""
    assert ask.policy([*WORLD, *policies], source=source, destination=target, port=port).allowed is allowed


ENTRIES = [
    ({"port": 30000}, 30000, "TCP", True),
    ({"port": 30000, "protocol": "TCP"}, 30000, "TCP", True),
    ({"port": 30000, "protocol": "UDP"}, 30000, "UDP", True),
    ({"port": 30000, "protocol": "TCP"}, 138, "TCP", False),
    ({"port": 30000, "protocol": "UDP"}, 138, "UDP", False),
    ({"port": 30000, "endPort": 65537, "protocol": "TCP"}, 30138, "TCP", True),
    ({"port": 30000, "endPort": 65537, "protocol": "UDP"}, 30138, "UDP", True),
    ({"port": 30000, "endPort": 65537, "protocol": "TCP"}, 138, "TCP", False),
    ({"port": 30000, "endPort": 65537, "protocol": "UDP"}, 138, "UDP", False),
    ({"port": "http", "protocol": "TCP"}, 80, "TCP", True),
    ({"port": "http", "protocol": "UDP"}, 80, "TCP", False),
    ({"port": "http", "protocol": "TCP"}, 81, "TCP", False),
    ({"protocol": "TCP"}, 9, "TCP", True),
    ({}, 9, "TCP", True),
    ({}, 9, "UDP", False),
]


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize(("entry", "port", "protocol", "allowed"), ENTRIES)
def test_port_entries(entry, port, protocol, allowed, direction):
    """NP-15, NP-16, NP-17: the destination's names count, in both directions."""
    rule = [{"ports": [entry]}]
    made = (
        policy("p", "bar", podSelector={}, policyTypes=["Ingress"], ingress=rule)
        if direction == "ingress"
        else policy("p", "foo", podSelector={}, policyTypes=["Egress"], egress=rule)
    )
    assert ask.policy([*WORLD, made], source=A, destination=B, port=port, protocol=protocol).allowed is allowed
