"""A stranger's questions of partial objects, their answers written down from the rules before they were asked."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import ask

Obj = dict[str, Any]
META = {"namespace": "prod"}
SERVER = {
    "kind": "Pod",
    "metadata": {**META, "name": "b", "labels": {"app": "b"}},
    "spec": {"containers": [{"name": "c", "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}]},
    "status": {"podIP": "10.200.1.2"},
}
SIX = {"kind": "Pod", "metadata": {**META, "name": "s", "labels": {"app": "b"}}, "status": {"podIP": "fd00:2::2"}}
WEB = {
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
