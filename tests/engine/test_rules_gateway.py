"""Rules GW-02 to GW-07 and GW-13: which match of which route takes a request."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import ProbeError
from clusterviz.engine.gateway import attachments, match_http
from clusterviz.engine.probe import Request
from tests.engine.gateway_world import Obj, build, gateway, listener, path, put, route, rule, said, service

NAMES = ("a", "b", "c", "d", "e", "old", "new", "wild", "exact", "any", "s1", "s2", "s3", "s4", "s5")
SERVICES = [service(f"infra/{name}") for name in NAMES]


@pytest.mark.parametrize(
    ("own", "hosts", "both"),
    [
        ("", [], ("",)),
        ("", ["a.test"], ("a.test",)),
        ("a.test", [], ("a.test",)),
        ("very.specific.test", ["very.specific.test", "no.test"], ("very.specific.test",)),
        ("very.specific.test", ["*.specific.test"], ("very.specific.test",)),
        ("*.wild.test", ["foo.wild.test", "foo.bar.wild.test", "wild.test"], ("foo.wild.test", "foo.bar.wild.test")),
        ("*.wild.test", ["*.wild.test"], ("*.wild.test",)),
        ("*.wild.test", ["*.deep.wild.test"], ("*.deep.wild.test",)),
        ("*.deep.wild.test", ["*.wild.test"], ("*.deep.wild.test",)),
        ("*.wild.test", ["wild.test"], None),
        ("*.wild.test", ["notwild.test"], None),
        ("a.test", ["b.test", "*.a.test"], None),
        ("A.test", ["a.TEST"], ("a.test",)),
    ],
)
def test_gw_02_hostnames_of_listener_and_route_must_meet(own: str, hosts: Any, both: Any) -> None:
    cluster = build(gateway("infra/gw", listener(hostname=own)), route("infra/r", rule("a"), hosts=hosts))
    found = attachments(cluster)[0]
    assert found.accepted is (both is not None)
    assert found.hostnames == (both or ()) and found.reason == ("" if both else "NoMatchingListenerHostname")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("very.specific.test", "s1"),
        ("foo.wild.test", "s2"),
        ("foo.bar.wild.test", "s2"),
        ("wild.test", "404"),
        ("no.test", "404"),
        ("not.specific.test", "404"),
        ("VERY.specific.test:8080", "s1"),
    ],
)
def test_gw_03_route_hostnames_outside_the_listeners_are_not_served(host: str, expected: str) -> None:
    """GW-02, GW-03, GW-04."""
    cluster = build(
        *SERVICES,
        gateway("infra/gw", listener("one", "very.specific.test"), listener("two", "*.wild.test")),
        route("infra/r1", rule("s1"), hosts=["no.test", "*.specific.test"]),
        route("infra/r2", rule("s2"), hosts=["no.test", "wild.test", "foo.wild.test", "foo.bar.wild.test"]),
    )
    assert said(put(cluster, host, port=80)) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("abc.foo.example.test", "/s4"),
        ("x.foo.example.test", "/s3"),
        ("a.b.foo.example.test", "/s3"),
        ("foo.example.test", "/s2"),
        ("x.example.test", "/s2"),
        ("example.test", "/s1"),
        ("other.test", "/s1"),
    ],
)
def test_gw_03_the_most_specific_listener_takes_the_request_alone(host: str, expected: str) -> None:
    hosts = {
        "s1": "",
        "s2": "*.example.test",
        "s3": "*.foo.example.test",
        "s4": "abc.foo.example.test",
    }
    made = gateway("infra/gw", *(listener(name, hostname) for name, hostname in hosts.items()))
    routes = [
        route(f"infra/{name}", rule(name, matches=[path(f"/{name}")]), parents=[{"name": "gw", "sectionName": name}])
        for name in hosts
    ]
    cluster = build(*SERVICES, made, *routes)
    for name in hosts:
        answer = put(cluster, host, f"/{name}")
        assert said(answer) == (name if f"/{name}" == expected else "404")


@pytest.mark.parametrize("port", [80, None])
@pytest.mark.parametrize("host", ["x.test", "x.test:80", "x.test:1234", "X.TEST", "x.test."])
def test_gw_04_the_port_of_the_host_header_does_not_count(host: str, port: int | None) -> None:
    cluster = build(*SERVICES, gateway("infra/gw"), route("infra/r", rule("a"), hosts=["x.test"]))
    assert said(put(cluster, host, port=port)) == "a"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.test", "exact"),
        ("x.example.test", "wild"),
        ("x.foo.example.test", "d"),
        ("abc.foo.example.test", "e"),
        ("else.test", "any"),
    ],
)
def test_gw_05_the_longest_matching_hostname_goes_first(host: str, expected: str) -> None:
    """Even before the path, and whatever the age of the routes."""
    cluster = build(
        *SERVICES,
        gateway("infra/gw"),
        route("infra/a-any", rule("any", matches=[path("/long/path", "Exact")]), created="2020-01-01T00:00:00Z"),
        route("infra/b-exact", rule("exact"), hosts=["example.test"]),
        route("infra/c-wild", rule("wild"), hosts=["*.example.test"]),
        route("infra/d-deep", rule("d"), hosts=["*.foo.example.test"]),
        route("infra/e-host", rule("e"), hosts=["abc.foo.example.test", "*.test.other"]),
    )
    assert said(put(cluster, host, "/long/path")) == expected


def test_gw_05_a_longer_wildcard_does_not_beat_an_exact_hostname() -> None:
    cluster = build(
        *SERVICES,
        gateway("infra/gw"),
        route("infra/a", rule("wild"), hosts=["*.a.test"], created="2020-01-01T00:00:00Z"),
        route("infra/b", rule("exact"), hosts=["b.a.test"], created="2024-01-01T00:00:00Z"),
    )
    assert said(put(cluster, "b.a.test")) == "exact"


V1, V2 = [{"name": "Version", "value": "one"}], [{"name": "version", "value": "two"}]
COLOUR = {"name": "color", "value": "blue"}
ORDERED: list[tuple[str, list[Obj]]] = [
    ("a", [path("/")]),
    ("b", [path("/v2"), path("/", headers=V2)]),
    ("c", [path("/v2/example", headers=V1, queryParams=[COLOUR])]),
    ("d", [path("/v2/example", "Exact")]),
    ("e", [path("/v2", method="POST")]),
    ("s1", [path("/v2", headers=[*V2, COLOUR])]),
    ("s2", [path("/v2", queryParams=[COLOUR, {"name": "n", "value": "1"}])]),
    ("s3", [path("/v2/[0-9]+", "RegularExpression")]),
]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("target", "method", "headers", "expected"),
    [
        ("/", "GET", {}, "a"),
        ("/v2", "GET", {}, "b"),
        ("/v2/", "GET", {}, "b"),
        ("/v2x", "GET", {}, "a"),
        ("/v2x", "GET", {"version": "two"}, "b"),
        ("/v2x", "GET", {"VERSION": "two"}, "b"),
        ("/v2x", "GET", {"version": "Two"}, "a"),
        ("/v2/example", "GET", {}, "d"),
        ("/v2/example", "POST", {}, "d"),
        ("/v2/example/", "GET", {}, "b"),
        ("/v2/example/x?color=blue", "GET", {"version": "one"}, "c"),
        ("/v2/example/x?color=blue", "POST", {"version": "one"}, "c"),
        ("/v2/example/x?color=red", "GET", {"version": "one"}, "b"),
        ("/v2/x", "POST", {"version": "two", "color": "blue"}, "e"),
        ("/v2/x", "PUT", {"version": "two", "color": "blue"}, "s1"),
        ("/v2/x?color=blue&n=1", "PUT", {"version": "two", "color": "blue"}, "s1"),
        ("/v2/x?color=blue&n=1", "PUT", {}, "s2"),
        ("/v2/x?n=1&color=blue&color=red", "PUT", {}, "s2"),
        ("/v2/x?n=1&color=red&color=blue", "PUT", {}, "b"),
        ("/v2/77", "POST", {}, "s3"),
        ("/v2/77/x", "GET", {}, "b"),
        ("/x/v2/77", "GET", {}, "a"),
    ],
)
def test_gw_06_precedence_of_matches(
    target: str, method: str, headers: dict[str, str], expected: str, reverse: bool
) -> None:
    """GW-06, GW-07: the same whatever the order of the rules, in one route or one each."""
    rules = [rule(name, matches=matches) for name, matches in ORDERED]
    rules = rules[::-1] if reverse else rules
    one = build(*SERVICES, gateway("infra/gw"), route("infra/r", *rules))
    many = build(*SERVICES, gateway("infra/gw"), *(route(f"infra/r{i}", made) for i, made in enumerate(rules)))
    for cluster in (one, many):
        assert said(put(cluster, "x.test", target, method=method, headers=headers)) == expected


def test_gw_06_prefix_length_is_counted_in_characters() -> None:
    rules = [rule("a", matches=[path("/aaaaaaaaaa")]), rule("b", matches=[path("/a/b")])]
    cluster = build(*SERVICES, gateway("infra/gw"), route("infra/r", *rules))
    assert said(put(cluster, "x.test", "/a/b")) == "b" and said(put(cluster, "x.test", "/aaaaaaaaaa")) == "a"
    deep = [rule("a", matches=[path("/a/b/c")]), rule("b", matches=[path("/a/b", method="GET")])]
    assert said(put(build(*SERVICES, gateway("infra/gw"), route("infra/r", *deep)), "x.test", "/a/b/c")) == "a"


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        (("2024-01-01T00:00:00Z", "2023-01-01T00:00:00Z"), "b"),
        (("2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z"), "a"),
        (("", ""), "a"),
        (("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"), "a"),
        (("", "2024-01-01T00:00:00Z"), "b"),
    ],
)
def test_gw_06_then_the_oldest_route_then_the_alphabet(ages: tuple[str, str], expected: str) -> None:
    routes = [route(f"infra/r-{name}", rule(name), created=created) for name, created in zip("ab", ages, strict=True)]
    for order in (routes, routes[::-1]):
        assert said(put(build(*SERVICES, gateway("infra/gw"), *order))) == expected


def test_gw_06_the_namespace_counts_in_the_alphabet_and_the_first_rule_wins_in_a_route() -> None:
    everyone = gateway("infra/gw", listener(allowedRoutes={"namespaces": {"from": "All"}}))
    parents = [{"name": "gw", "namespace": "infra"}]
    cluster = build(
        everyone,
        service("a-space/new"),
        service("b-space/old"),
        route("b-space/aaa", rule("old"), parents=parents),
        route("a-space/zzz", rule("new"), rule("old"), parents=parents),
    )
    assert said(put(cluster)) == "new"


@pytest.mark.parametrize(
    ("matches", "target", "hit"),
    [
        ([], "/anything?x=1", True),
        ([{"method": "GET"}], "/deep/path", True),
        ([{"method": "POST"}], "/", False),
        ([path("/foo", "Exact")], "/foo", True),
        ([path("/foo", "Exact")], "/foo?x=1", True),
        ([path("/foo", "Exact")], "/foo/", False),
        ([path("/foo", "Exact")], "/Foo", False),
        ([path("/foo")], "/foo", True),
        ([path("/foo")], "/foo/", True),
        ([path("/foo/")], "/foo", True),
        ([path("/foo")], "/foo/bar", True),
        ([path("/foo")], "/foobar", False),
        ([path("/foo")], "/FOO", False),
        ([path("/f.o", "RegularExpression")], "/fzo", True),
        ([path("/f.o", "RegularExpression")], "/fzo/x", False),
        ([path("(unclosed", "RegularExpression")], "/", False),
        ([{"headers": [{"name": "X", "value": "a.*z", "type": "RegularExpression"}]}], "/", True),
        ([{"headers": [{"name": "x", "value": "no"}, {"name": "y", "value": "2"}]}, {"method": "GET"}], "/", True),
        ([{"headers": [{"name": "x", "value": "abcz"}, {"name": "y", "value": "2"}]}], "/", False),
        ([{"headers": [{"name": "x", "value": "abcz"}, {"name": "X", "value": "ignored"}]}], "/", True),
        ([{"queryParams": [{"name": "q", "value": "1"}]}], "/?q=1", True),
        ([{"queryParams": [{"name": "q", "value": "1"}]}], "/?Q=1", False),
        ([{"queryParams": [{"name": "q", "value": "[0-9]+", "type": "RegularExpression"}]}], "/?q=42", True),
        ([{"queryParams": [{"name": "q", "value": "1"}]}], "/?q=2&q=1", False),
    ],
)
def test_gw_07_conditions_of_a_match(matches: Any, target: str, hit: bool) -> None:
    cluster = build(*SERVICES, gateway("infra/gw"), route("infra/r", rule("a", matches=matches)))
    assert said(put(cluster, "x.test", target, headers={"x": "abcz"})) == ("a" if hit else "404")


def test_gw_07_a_malicious_expression_costs_no_time() -> None:
    cluster = build(
        *SERVICES, gateway("infra/gw"), route("infra/r", rule("a", matches=[path("/(a+)+b", "RegularExpression")]))
    )
    assert said(put(cluster, "x.test", "/" + "a" * 2000)) == "404"


def test_gw_13_gateways_and_their_ports_are_apart() -> None:
    cluster = build(
        *SERVICES,
        gateway("infra/gw"),
        gateway("infra/two", listener(port=8080)),
        route("infra/a", rule("a")),
        route("infra/b", rule("b"), parents=[{"name": "two"}]),
    )
    assert said(put(cluster, to=("infra", "gw"))) == "a"
    assert said(put(cluster, to=("infra", "two"))) == "b"
    assert said(put(cluster, port=8080)) == "b" and said(put(cluster, "x.test:8080")) == "b"
    assert put(cluster, to=("infra", "gw"), port=8080).outcome == "no_listener"
    assert put(cluster, scheme="https").outcome == "no_listener"
    with pytest.raises(ProbeError, match="not found"):
        match_http(cluster, ("infra", "none"), Request(host="x.test"))


def test_routes_without_a_gateway_can_be_asked() -> None:
    cluster = build(service("infra/a"), route("infra/r", rule("a"), hosts=["x.test"]))
    answer = put(cluster, "x.test")
    assert said(answer) == "a" and answer.gateway == ("infra", "gw")
    assert [one.code for one in answer.assumptions] == ["gateway-implied", "endpoints-unknown"]
    assert said(put(cluster, "y.test")) == "404"


def test_kinds_of_other_groups_are_left_alone() -> None:
    mesh = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "gw", "namespace": "x"}}
    cluster = build({**mesh, "spec": {"servers": [{"port": {"number": 80}}]}})
    assert not cluster.gateways and ("Gateway", "x", "gw") in cluster.objects


def test_gw_06_the_nearest_miss_is_told_first() -> None:
    cluster = build(
        *SERVICES,
        gateway("infra/gw"),
        route("infra/a", rule("a", matches=[path("/shop", headers=V1)])),
        route("infra/b", rule("b", matches=[path("/shop/cart", "Exact")])),
        route("infra/c", rule("c"), hosts=["other.test"]),
        route("infra/d", rule("d", matches=[path("/")])),
        route("infra/e", rule("e"), parents=[{"name": "gw", "sectionName": "none"}]),
    )
    found = put(cluster, "x.test", "/shop/x")
    assert said(found) == "d"
    assert [one.ref for one in found.considered] == [f"httproute:infra/{name}" for name in "abce"]
    assert "header Version is missing" in found.considered[0].why
    lost = put(cluster, "x.test", "/shop/cart")
    assert said(lost) == "b" and "path type" in lost.considered[0].why
