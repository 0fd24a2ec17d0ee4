"""A stranger's questions of partial objects, their answers written down from the rules before they were asked."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import ask

Obj = dict[str, Any]
META = {"namespace": "prod"}
SERVER: Obj = {
    "kind": "Pod",
    "metadata": {**META, "name": "b", "labels": {"app": "b"}},
    "spec": {"containers": [{"name": "c", "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}]},
    "status": {"podIP": "10.200.1.2"},
}
SIX: Obj = {"kind": "Pod", "metadata": {**META, "name": "s", "labels": {"app": "b"}}, "status": {"podIP": "fd00:2::2"}}
WEB: Obj = {
    "kind": "Service",
    "metadata": {**META, "name": "web"},
    "spec": {"clusterIP": "172.20.5.9", "ports": [{"port": 80}]},
}


def wall(**spec: Any) -> Obj:
    return {"kind": "NetworkPolicy", "metadata": {**META, "name": "p"}, "spec": {"podSelector": {}, **spec}}


@pytest.mark.parametrize(
    ("spec", "source", "port", "protocol", "allowed"),
    [
        ({"ingress": [{"ports": [{"port": "dns"}]}]}, "10.200.9.9", 53, "UDP", False),  # a port is TCP unless it says
        ({"ingress": [{"ports": [{"port": "dns", "protocol": "UDP"}]}]}, "10.200.9.9", 53, "UDP", True),
        ({"ingress": [{"ports": [{"protocol": "UDP"}]}]}, "10.200.9.9", 99, "UDP", True),
        ({"egress": [{}]}, "10.200.9.9", 80, "TCP", False),  # without policyTypes ingress is always one of them
        ({"egress": [{}], "policyTypes": ["Egress"]}, "10.200.9.9", 80, "TCP", True),
        ({"ingress": [{"from": []}]}, "203.0.113.1", 80, "TCP", True),
        ({"ingress": []}, "10.200.1.2", 80, "TCP", True),  # a pod always reaches itself
    ],
)
def test_policies(spec: Obj, source: str, port: int, protocol: str, allowed: bool) -> None:
    """NP-15, NP-19, and which ways a policy isolates."""
    found = ask.policy([SERVER, wall(**spec)], source=source, destination="10.200.1.2", port=port, protocol=protocol)
    assert found.allowed is allowed


@pytest.mark.parametrize(
    ("source", "allowed"), [("2001:db8:2::1", True), ("2001:db8:1::1", False), ("192.0.2.1", False)]
)
def test_blocks_of_ipv6(source: str, allowed: bool) -> None:
    block = {"cidr": "2001:db8::/32", "except": ["2001:db8:1::/48"]}
    made = [SIX, SERVER, wall(ingress=[{"from": [{"ipBlock": block}]}])]
    target = "fd00:2::2" if ":" in source else "10.200.1.2"
    assert ask.policy(made, source=source, destination=target, port=80).allowed is allowed


def test_an_empty_list_of_egress_rules_isolates_nobody_unless_its_type_is_named() -> None:
    """kube-apiserver adds Egress to the types only where there is an egress rule."""
    asked: Obj = {"source": "10.200.1.2", "destination": "10.200.9.9", "port": 80}
    assert ask.policy([SERVER, wall(egress=[])], **asked).allowed
    assert not ask.policy([SERVER, wall(egress=[], policyTypes=["Egress"])], **asked).allowed


@pytest.mark.parametrize(
    ("listens", "path", "url", "status"),
    [
        ("*.test", "/", "http://a.b.test/", 0),  # of a gateway a star is any number of labels, of an Ingress one
        ("*.test", "/", "http://test/", 404),
        ("x.test", "/api", "http://x.test/apis", 404),
        ("x.test", "/api/", "http://x.test/api", 0),
    ],
)
def test_routes(listens: str, path: str, url: str, status: int) -> None:
    """GW-02, and a prefix goes by elements."""
    listener = {"name": "l", "port": 80, "protocol": "HTTP", "hostname": listens}
    match, backend = {"path": {"type": "PathPrefix", "value": path}}, {"name": "web", "port": 80}
    made = [
        WEB,
        {
            "kind": "Gateway",
            "metadata": {**META, "name": "g"},
            "spec": {"gatewayClassName": "c", "listeners": [listener]},
        },
        {
            "kind": "HTTPRoute",
            "metadata": {**META, "name": "r"},
            "spec": {"parentRefs": [{"name": "g"}], "rules": [{"matches": [match], "backendRefs": [backend]}]},
        },
    ]
    assert ask.http_route(made, url).status == status


@pytest.mark.parametrize(("url", "status"), [("http://a.test/", 0), ("http://a.b.test/", 404), ("http://test/", 404)])
def test_a_star_of_an_ingress_is_one_label(url: str, status: int) -> None:
    """ING-02."""
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
    made = {
        "kind": "Ingress",
        "metadata": {**META, "name": "i"},
        "spec": {"rules": [{"host": "*.test", "http": {"paths": [path]}}]},
    }
    address = {"kind": "EndpointSlice", "metadata": {**META, "labels": {"kubernetes.io/service-name": "web"}}}
    ends = {**address, "endpoints": [{"addresses": ["10.200.1.2"]}], "ports": [{"port": 80}]}
    assert ask.ingress([WEB, ends, made], url).status == status


NODES: list[Obj] = [
    {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}},
        "spec": {"podCIDRs": [f"100.64.{index}.0/24"]},
        "status": {"addresses": [{"type": "InternalIP", "address": ip} for ip in ips]},
    }
    for index, (name, zone, ips) in enumerate(
        [("a", "za", ["10.77.0.4", "172.31.5.5"]), ("b", "zb", ["10.77.0.5"]), ("c", "za", ["10.77.0.6"])]
    )
]
HOME = {"cluster_cidr": "100.64.0.0/16", "service_cidr": "172.20.0.0/16", "node_cidr": "10.77.0.0/24"}
HERE, THERE, OUTSIDE = "100.64.0.9", "100.64.1.9", "198.18.0.9"
NODE_PORT: Obj = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 31000}]}
LOCAL: Obj = {**NODE_PORT, "externalTrafficPolicy": "Local"}


def entry(ip: str, node: str, zone: str = "", for_node: str = "", **conditions: bool) -> Obj:
    hints = {"forZones": [{"name": zone}] if zone else [], "forNodes": [{"name": for_node}] if for_node else []}
    return {"addresses": [ip], "nodeName": node, "conditions": conditions, "hints": hints}


LEAVING: Any = {"ready": False, "serving": True, "terminating": True}


@pytest.mark.parametrize(
    ("spec", "entries", "node", "source", "to", "expected"),
    [
        # who leaves serves where nobody else does; what merely serves does not (EPS-05, EPS-07)
        ({}, [entry(HERE, "a", **LEAVING), entry(THERE, "b", ready=False)], "a", "100.64.0.7", "", {HERE: False}),
        ({}, [entry(HERE, "a", ready=False, serving=True)], "a", "100.64.0.7", "", "reject"),
        (LOCAL, [entry(HERE, "a", **LEAVING), entry(THERE, "b")], "a", OUTSIDE, "10.77.0.4", {HERE: False}),
        # hints: of the node, else of the zone, else all; never of the local list (EPS-06, TD-03, TD-04)
        ({}, [entry(HERE, "a", "za", "a"), entry(THERE, "b", "zb", "b")], "c", "100.64.2.7", "", {HERE: False}),
        ({}, [entry(HERE, "a", "za", "a"), entry("100.64.2.9", "c", "za", "c")], "c", HERE, "", {"100.64.2.9": False}),
        ({}, [entry(HERE, "a", "za"), entry(THERE, "b")], "a", "100.64.0.7", "", {HERE: False, THERE: False}),
        (LOCAL, [entry(HERE, "a", "zb"), entry(THERE, "b", "zb")], "a", OUTSIDE, "10.77.0.4", {HERE: False}),
        # a node port on a second address of a node; from a pod, the node itself and outside (PX-04, PX-05, PX-12)
        (NODE_PORT, [entry(THERE, "b")], "a", OUTSIDE, "172.31.5.5", {THERE: True}),
        (NODE_PORT, [entry(THERE, "b")], "a", OUTSIDE, "10.77.0.5", "not_a_service"),
        (LOCAL, [entry(THERE, "b")], "a", OUTSIDE, "172.31.5.5", "drop"),
        (LOCAL, [entry(THERE, "b")], "a", "100.64.2.7", "172.31.5.5", {THERE: False}),
        (LOCAL, [entry(THERE, "b")], "a", "10.77.0.4", "172.31.5.5", {THERE: True}),
        ({"internalTrafficPolicy": "Local"}, [entry(THERE, "b")], "a", "100.64.0.7", "", "drop"),
        ({"internalTrafficPolicy": "Local"}, [], "a", "100.64.0.7", "", "reject"),
        ({}, [entry(HERE, "a"), entry(THERE, "b")], "a", HERE, "", {HERE: True, THERE: False}),  # itself (PX-06)
    ],
)
def test_services_with_written_endpoints(
    spec: Obj, entries: list[Obj], node: str, source: str, to: str, expected: Any
) -> None:
    """Nodes with several addresses, EndpointSlices without pods, pod addresses of the shared range."""
    made = {**WEB, "spec": {**WEB["spec"], **spec}}
    label = {"kubernetes.io/service-name": "web"}
    slices = {"kind": "EndpointSlice", "metadata": {**META, "name": "s", "labels": label}, "endpoints": entries}
    port = 31000 if to else 80
    asked: Obj = {"source": source, "destination": to or "172.20.5.9", "port": port, "node": node, "settings": HOME}
    found = ask.service([*NODES, made, {**slices, "ports": [{"port": 8080}]}], **asked)
    given = {one.address: one.masquerade for one in found.targets}
    assert (given if found.verdict == "accept" else found.verdict) == expected
