"""Damaged objects and impossible questions: an answer, or an error that says what is wrong; nothing else."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import pytest

from clusterviz.engine import ask
from clusterviz.engine.errors import ObjectError, ProbeError
from tests.conformance.objects import endpoint, node, service, slices
from tests.conformance.test_gateway import gateway, match, route, rule

PORT = {"name": "a", "port": 80, "nodePort": 30001, "targetPort": "http"}
POD = {
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {
        "nodeName": "n1",
        "hostname": "h",
        "subdomain": "web",
        "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["a.b"], "options": [{"name": "ndots", "value": "2"}]},
        "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080, "hostPort": 80}]}],
    },
    "status": {"podIP": "10.1.1.1", "conditions": [{"type": "Ready", "status": "True"}]},
}
POLICY = {
    "kind": "NetworkPolicy",
    "metadata": {"name": "np", "namespace": "shop"},
    "spec": {
        "podSelector": {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]},
        "ingress": [
            {
                "from": [
                    {"podSelector": {"matchLabels": {"a": "b"}}},
                    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
                ],
                "ports": [{"port": 80, "endPort": 90, "protocol": "TCP"}, {"port": "http"}],
            }
        ],
        "egress": [{}],
    },
}
PATH = {"path": "/x", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"name": "a"}}}}
WHOLE: list[dict[str, Any]] = [
    service(
        "shop/web",
        "10.96.0.9",
        PORT,
        type="LoadBalancer",
        selector={"app": "web"},
        externalIPs=["198.18.0.1"],
        sessionAffinity="ClientIP",
        loadBalancerSourceRanges=["10.0.0.0/8"],
        balancer=("198.51.100.9",),
    ),
    slices(
        "shop/web",
        endpoint("10.1.1.1", "n1", "rs", hostname="h", hints={"forZones": [{"name": "z"}]}),
        ports=(("a", 8080, "TCP"),),
    ),
    node("n1", "192.0.2.1"),
    POD,
    POLICY,
    {
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "shop"},
        "spec": {
            "tls": [{"hosts": ["a.test"], "secretName": "s"}],
            "rules": [{"host": "a.test", "http": {"paths": [PATH]}}],
        },
    },
    gateway("same-namespace", {"hostname": "*.test", "allowedRoutes": {"namespaces": {"from": "Same"}}}),
    route("r", rule("v1", match("/x", method="GET", query=[("a", "b")], version="one")), hostnames=["a.test"]),
    {"kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}},
]
WORST: list[Any] = [
    None,
    "",
    [],
    {},
    "x",
    -1,
    99999999999,
    True,
    1.5,
    [None],
    [[]],
    {"x": None},
    "80",
    "10.0.0.0/33",
    "\x00",
]


def places(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document but its root."""
    if so_far:
        yield so_far
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from places(inner, (*so_far, key))


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    found = copy.deepcopy(value)
    inner = found
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return found


def asked(objects: list[Any]) -> None:
    """Every question once."""
    world = ask.world(objects, node="n1")
    ask.service(world, source="10.1.1.1", destination="10.96.0.9", port=80, node="n1")
    ask.service(world, source="203.0.113.1", destination="192.0.2.1", port=30001, node="n1")
    ask.policy(world, source="10.1.1.2", destination="10.1.1.1", port=80)
    ask.dns(world, "web.shop.svc.cluster.local", "SRV")
    ask.dns(world, "1.1.1.10.in-addr.arpa", "PTR")
    if ("shop", "p") in world.pods:
        ask.look_up(world, "web", pod="shop/p")
    ask.ingress(world, "http://a.test/x/1")
    ask.http_route(world, "http://a.test/x?a=b", headers={"version": "one"})
    ask.rules(world, node="n1", mode="iptables", service="shop/web" if ("shop", "web") in world.services else "")


@pytest.mark.parametrize("index", range(len(WHOLE)), ids=[one["kind"] for one in WHOLE])
def test_damaged_objects(index):
    """IMP-01: one value after the other is replaced by nonsense; an eighth of all that, the same at every run."""
    damaged = [(place, worst) for place in places(WHOLE[index]) for worst in WORST]
    for place, worst in damaged[index % 8 :: 8]:
        objects = [*WHOLE[:index], replaced(WHOLE[index], place, worst), *WHOLE[index + 1 :]]
        with contextlib.suppress(ObjectError, ProbeError):
            asked(objects)


NO_OBJECTS = [None, 5, [None], ["x"], [1], [[]], "x", [{}], [{"kind": None}], [{"kind": 5}]]


@pytest.mark.parametrize("objects", NO_OBJECTS, ids=range(len(NO_OBJECTS)))
def test_what_is_no_list_of_objects(objects):
    """IMP-01."""
    with pytest.raises(ObjectError):
        ask.world(objects)


def test_the_last_of_one_name_counts():
    """IMP-01: as if each object had been applied."""
    other = {**WHOLE[0], "spec": {**WHOLE[0]["spec"], "clusterIP": "10.96.0.77"}}
    world = ask.world([WHOLE[0], other])
    assert ask.dns(world, "web.shop.svc.cluster.local").addresses == ("10.96.0.77",)


EMPTY = [
    "Service",
    "Pod",
    "Node",
    "EndpointSlice",
    "NetworkPolicy",
    "Ingress",
    "Gateway",
    "HTTPRoute",
    "Unknown",
    "List",
]


@pytest.mark.parametrize("kind", EMPTY)
def test_only_a_kind(kind):
    """IMP-01."""
    asked([{"kind": kind}, {"kind": kind, "metadata": None, "spec": None, "status": None}])


PACKET: dict[str, Any] = {"source": "10.1.1.1", "destination": "10.96.0.9", "port": 80}
IMPOSSIBLE = [
    (ask.service, {**PACKET, "source": ""}),
    (ask.service, {**PACKET, "source": None}),
    (ask.service, {**PACKET, "source": 5}),
    (ask.service, {**PACKET, "source": "10.0.0.0/8"}),
    (ask.service, {**PACKET, "source": "fd00::1"}),
    (ask.service, {**PACKET, "destination": "web"}),
    (ask.service, {**PACKET, "port": "80"}),
    (ask.service, {**PACKET, "port": -1}),
    (ask.service, {**PACKET, "port": 65536}),
    (ask.service, {**PACKET, "port": None}),
    (ask.service, {**PACKET, "protocol": "XYZ"}),
    (ask.service, {**PACKET, "protocol": None}),
    (ask.service, {**PACKET, "settings": 5}),
    (ask.service, {**PACKET, "settings": {"no_such": 1}}),
    (ask.service, {**PACKET, "settings": {"proxy_mode": "userspace"}}),
    (ask.service, {**PACKET, "settings": {"cluster_cidr": "x"}}),
    (ask.service, {**PACKET, "settings": {"nodeport_addresses": "10.0.0.0/8"}}),
    (ask.policy, {**PACKET, "port": "http"}),
    (ask.policy, {**PACKET, "destination": "fd00::1"}),
    (ask.dns, {"name": ""}),
    (ask.dns, {"name": None}),
    (ask.dns, {"name": "a.b", "type": None}),
    (ask.look_up, {"name": "web", "pod": "shop/nobody"}),
    (ask.resolv, {"pod": "nobody"}),
    (ask.ingress, {"url": ""}),
    (ask.ingress, {"url": "a.test/x"}),
    (ask.ingress, {"url": "ftp://a.test/"}),
    (ask.ingress, {"url": "http://a.test:99999/"}),
    (ask.ingress, {"url": "http://[::1/x"}),
    (ask.http_route, {"url": 5}),
    (ask.http_route, {"url": "/", "headers": [("only",)]}),
    (ask.http_route, {"url": "/", "gateway": "nobody"}),
    (ask.rules, {"mode": "ipvs"}),
    (ask.rules, {"family": 5}),
    (ask.rules, {"service": "shop/nobody"}),
    (ask.route, {"destination": "n1"}),
]


@pytest.mark.parametrize(
    ("question", "how"), IMPOSSIBLE, ids=[f"{one.__name__}-{index}" for index, (one, _) in enumerate(IMPOSSIBLE)]
)
def test_impossible_questions(question, how):
    """Each names the field that is wrong."""
    with pytest.raises(ProbeError) as caught:
        question(WHOLE, **how)
    assert caught.value.field and str(caught.value)


def test_what_may_be_left_out():
    """None is as good as nothing where there is a default."""
    nothing: Any = None
    assert ask.rules(WHOLE, service=nothing, mode=nothing) == ask.rules(WHOLE)
    assert ask.http_route(WHOLE, "/", gateway=nothing, method=nothing).status == ask.http_route(WHOLE, "/").status
    assert ask.service(WHOLE, **PACKET, node=nothing).endpoints
