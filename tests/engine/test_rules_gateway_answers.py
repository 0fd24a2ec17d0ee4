"""Rules GW-08 to GW-12: what a gateway answers itself, weights, grants, redirects and rewrites."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Change
from clusterviz.engine.gateway import GatewayAnswer
from tests.engine.gateway_world import (
    Obj,
    build,
    endpoint_slice,
    gateway,
    grant,
    listener,
    path,
    put,
    route,
    rule,
    said,
    service,
)


def ask(*backends: Obj | str, extra: tuple[Obj, ...] = (), filters: Any = None, **spec: Any) -> GatewayAnswer:
    """One route with one rule of these backends; Services a and b have an endpoint, idle none, cold none ready."""
    return put(
        build(
            service("infra/a"),
            service("infra/b"),
            service("infra/idle"),
            service("infra/cold"),
            service("other/far"),
            service("infra/udp", ports=[{"port": 80, "protocol": "UDP"}]),
            endpoint_slice("infra/a", "10.244.0.2", "10.244.0.3"),
            endpoint_slice("infra/b", "10.244.0.4"),
            endpoint_slice("other/far", "10.244.0.5"),
            endpoint_slice("infra/cold", "10.244.0.6", ready=False),
            gateway("infra/gw"),
            route("infra/r", rule(*backends, filters=filters), **spec),
            *extra,
        )
    )


def ref(name: str, **rest: Any) -> Obj:
    return {"name": name, "port": 80, **rest}


@pytest.mark.parametrize(
    ("backends", "status", "reasons"),
    [
        ([], 500, []),
        (["none"], 500, ["BackendNotFound"]),
        ([ref("a", port=81)], 500, ["BackendNotFound"]),
        ([{"name": "a"}], 500, ["BackendNotFound"]),
        (["udp"], 500, ["BackendNotFound"]),
        ([ref("a", kind="Secret")], 500, ["InvalidKind"]),
        ([ref("a", group="x.io", kind="Bucket")], 500, ["InvalidKind"]),
        ([ref("far", namespace="other")], 500, ["RefNotPermitted"]),
        ([ref("gone", namespace="other")], 500, ["RefNotPermitted"]),
        (["idle"], 503, ["NoReadyEndpoint"]),
        (["cold"], 503, ["NoReadyEndpoint"]),
        (["a"], 0, [""]),
        ([ref("a", weight=0)], 500, [""]),
        ([ref("a", weight=0), ref("b", weight=0)], 500, ["", ""]),
        (["none", ref("a", kind="Secret")], 500, ["BackendNotFound", "InvalidKind"]),
        ([ref("none", weight=1), ref("idle", weight=9)], 503, ["BackendNotFound", "NoReadyEndpoint"]),
        ([ref("none"), ref("a", weight=0)], 500, ["BackendNotFound", ""]),
    ],
)
def test_gw_08_statuses(backends: Any, status: int, reasons: list[str]) -> None:
    found = ask(*backends)
    assert found.status == status and [one.reason for one in found.backends] == reasons
    assert found.outcome == {0: "accepted", 500: "error", 503: "unavailable"}[status]
    assert bool(found.why) is bool(status) and ("GW-08" in found.rules) is bool(status)


def test_gw_08_404_when_no_rule_matches() -> None:
    cluster = build(service("infra/a"), gateway("infra/gw"), route("infra/r", rule("a", matches=[path("/x")])))
    found = put(cluster, "x.test", "/y")
    assert (found.outcome, found.status, found.route) == ("not_found", 404, None) and "GW-08" in found.rules


@pytest.mark.parametrize(
    ("backends", "shares", "errors"),
    [
        (["a"], [1.0], {}),
        (["a", "b"], [0.5, 0.5], {}),
        ([ref("a", weight=70), ref("b", weight=30), ref("b", weight=0)], [0.7, 0.3, 0.0], {}),
        ([ref("a", weight=9), ref("b")], [0.9, 0.1], {}),
        (["a", "none"], [0.5, 0.5], {500: 0.5}),
        ([ref("a", weight=8), ref("none"), ref("a", kind="Secret")], [0.8, 0.1, 0.1], {500: 0.2}),
        ([ref("a", weight=1), ref("idle", weight=3)], [0.25, 0.75], {503: 0.75}),
        ([ref("a"), ref("idle"), ref("none", weight=2)], [0.25, 0.25, 0.5], {500: 0.5, 503: 0.25}),
        ([ref("a"), ref("none", weight=0)], [1.0, 0.0], {}),
    ],
)
def test_gw_09_weights(backends: Any, shares: list[float], errors: dict[int, float]) -> None:
    """GW-08, GW-09: share = weight / sum; an invalid backend keeps its share, which gets the error."""
    found = ask(*backends)
    assert found.outcome == "accepted"
    assert [one.share for one in found.backends] == pytest.approx(shares)
    assert found.errors == pytest.approx(errors)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ([], 500),
        ([grant("other/g", "infra")], 0),
        ([grant("other/g", "infra", only="far")], 0),
        ([grant("other/g", "infra", only="near")], 500),
        ([grant("other/g", "team")], 500),
        ([grant("other/g", "infra", kind="Gateway")], 500),
        ([grant("other/g", "infra", to="Secret")], 500),
        ([grant("infra/g", "infra")], 500),
        ([grant("other/g1", "team"), grant("other/g2", "infra")], 0),
    ],
)
def test_gw_10_a_backend_of_another_namespace_needs_a_grant_there(given: list[Obj], status: int) -> None:
    assert ask(ref("far", namespace="other"), extra=tuple(given)).status == status


REDIRECTS = [
    ("http", 80, {}, 302, "http://x.test/a/b"),
    ("http", 80, {"port": 80}, 302, "http://x.test/a/b"),
    ("http", 80, {"port": 8080}, 302, "http://x.test:8080/a/b"),
    ("http", 80, {"scheme": "https"}, 302, "https://x.test/a/b"),
    ("http", 80, {"scheme": "https", "port": 443}, 302, "https://x.test/a/b"),
    ("http", 80, {"scheme": "https", "port": 8443}, 302, "https://x.test:8443/a/b"),
    ("http", 8080, {}, 302, "http://x.test:8080/a/b"),
    ("http", 8080, {"port": 80}, 302, "http://x.test/a/b"),
    ("http", 8080, {"scheme": "https"}, 302, "https://x.test/a/b"),
    ("http", 8080, {"scheme": "http"}, 302, "http://x.test/a/b"),
    ("https", 443, {}, 302, "https://x.test/a/b"),
    ("https", 443, {"port": 443}, 302, "https://x.test/a/b"),
    ("https", 443, {"port": 8443}, 302, "https://x.test:8443/a/b"),
    ("https", 443, {"scheme": "http"}, 302, "http://x.test/a/b"),
    ("https", 443, {"scheme": "http", "port": 80}, 302, "http://x.test/a/b"),
    ("https", 443, {"scheme": "http", "port": 8080}, 302, "http://x.test:8080/a/b"),
    ("https", 8443, {}, 302, "https://x.test:8443/a/b"),
    ("http", 80, {"hostname": "new.test"}, 302, "http://new.test/a/b"),
    ("http", 80, {"statusCode": 301, "hostname": "new.test"}, 301, "http://new.test/a/b"),
    ("http", 80, {"statusCode": 308}, 308, "http://x.test/a/b"),
    (
        "http",
        80,
        {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/full"}},
        302,
        "http://x.test/full",
    ),
    (
        "http",
        80,
        {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}, "hostname": "n.test"},
        302,
        "http://n.test/new/b",
    ),
]


@pytest.mark.parametrize(("scheme", "port", "spec", "status", "location"), REDIRECTS)
def test_gw_11_redirects(scheme: str, port: int, spec: Obj, status: int, location: str) -> None:
    filters = [{"type": "RequestRedirect", "requestRedirect": spec}]
    cluster = build(
        gateway("infra/gw", listener(port=port, protocol=scheme.upper())),
        route("infra/r", rule(matches=[path("/a")], filters=filters)),
    )
    found = put(cluster, f"x.test:{port}", "/a/b", scheme=scheme)
    assert (found.outcome, found.status, found.redirect.location) == ("redirect", status, location)
    assert "GW-11" in found.rules and not found.backends
    assert put(cluster, f"x.test:{port}", "/a/b?q=1", scheme=scheme).redirect.location == f"{location}?q=1"


REWRITES = [
    ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
    ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
    ("/foo/bar", "/foo/", "/xyz", "/xyz/bar"),
    ("/foo/bar", "/foo/", "/xyz/", "/xyz/bar"),
    ("/foo", "/foo", "/xyz", "/xyz"),
    ("/foo/", "/foo", "/xyz", "/xyz/"),
    ("/foo/bar", "/foo", "", "/bar"),
    ("/foo/", "/foo", "", "/"),
    ("/foo", "/foo", "", "/"),
    ("/foo/", "/foo", "/", "/"),
    ("/foo", "/foo", "/", "/"),
    ("/foo/bar/", "/foo", "/", "/bar/"),
    ("/foo", "/foo/", "/xyz", "/xyz"),
    ("/foo", "/", "/xyz", "/xyz/foo"),
    ("/foo/bar", "/foo/bar", "/a/b/c", "/a/b/c"),
    ("/foo/foo", "/foo", "/x", "/x/foo"),
]


@pytest.mark.parametrize(("asked", "prefix", "new", "expected"), REWRITES)
def test_gw_12_replace_prefix_match(asked: str, prefix: str, new: str, expected: str) -> None:
    change = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": new}}
    made = rule("a", matches=[path(prefix)], filters=[{"type": "URLRewrite", "urlRewrite": change}])
    found = put(build(service("infra/a"), gateway("infra/gw"), route("infra/r", made)), "x.test", asked)
    assert found.request.path == expected and found.backends[0].request.path == expected


def test_gw_12_rewrites_and_headers() -> None:
    """Names without case, add appends with a comma, the backend's own filters after the rule's."""
    modifier = {
        "set": [{"name": "X-Set", "value": "new"}, {"name": "x-set", "value": "ignored"}],
        "add": [{"name": "X-Add", "value": "two"}, {"name": "X-Fresh", "value": "1"}],
        "remove": ["x-REMOVE"],
    }
    filters = [
        {
            "type": "URLRewrite",
            "urlRewrite": {"hostname": "in.test", "path": {"type": "ReplaceFullPath", "replaceFullPath": "/one"}},
        },
        {"type": "RequestHeaderModifier", "requestHeaderModifier": modifier},
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "Server", "value": "me"}]}},
    ]
    own = [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "X-Who", "value": "b"}]}}]
    cluster = build(
        service("infra/a"),
        service("infra/b"),
        gateway("infra/gw"),
        route("infra/r", rule("a", ref("b", filters=own), filters=filters)),
    )
    found = put(cluster, "x.test", "/p?q=1", headers={"x-set": "old", "X-ADD": "one", "X-Remove": "x", "Keep": "k"})
    sent = found.request
    assert (sent.host, sent.path, sent.query) == ("in.test", "/one", "q=1")
    assert dict(sent.headers) == {"X-Set": "new", "X-ADD": "one,two", "X-Fresh": "1", "Keep": "k"}
    assert sent.set == (("X-Set", "new"),) and sent.removed == ("x-REMOVE",) and len(sent.added) == 2
    assert found.response.set == (("Server", "me"),)
    first, second = found.backends
    assert first.request == sent and dict(second.request.headers) == {**dict(sent.headers), "X-Who": "b"}
    assert "GW-12" in found.rules


def test_gw_08_a_redirect_needs_no_backend_and_a_backend_may_have_its_own() -> None:
    spec = {"type": "RequestRedirect", "requestRedirect": {"hostname": "n.test"}}
    assert ask(filters=[spec]).redirect.location == "http://n.test/"
    found = ask("a", ref("none", filters=[spec]))
    assert found.backends[1].redirect.location == "http://n.test/" and not found.errors


def test_mirrors_are_told_and_get_no_share() -> None:
    def mirror(name: str, **rest: Any) -> Obj:
        return {"type": "RequestMirror", "requestMirror": {"backendRef": ref(name), **rest}}

    found = ask("a", filters=[mirror("b"), mirror("none", percent=20), mirror("b", fraction={"numerator": 1})])
    assert [(one.name, one.share, one.reason) for one in found.mirrors] == [
        ("b", 1.0, ""),
        ("none", 0.2, "BackendNotFound"),
        ("b", 0.01, ""),
    ]
    assert found.outcome == "accepted" and not found.errors


def test_a_filter_that_is_not_there_fails_the_request() -> None:
    own = {"type": "ExtensionRef", "extensionRef": {"group": "x.io", "kind": "Limit", "name": "l"}}
    limit = {"apiVersion": "x.io/v1", "kind": "Limit", "metadata": {"name": "l", "namespace": "infra"}}
    other = {**limit, "metadata": {"name": "other", "namespace": "infra"}}
    assert ask("a", filters=[own], extra=(other,)).status == 500
    found = ask("a", filters=[own], extra=(limit,))
    assert found.status == 0 and found.assumptions[0].code == "filter-not-modelled"


def test_services_without_any_endpoint_in_the_objects_are_taken_to_be_ready() -> None:
    found = put(build(service("infra/a"), gateway("infra/gw"), route("infra/r", rule("a"))))
    assert said(found) == "a" and found.backends[0].ready is None
    assert [one.code for one in found.assumptions] == ["endpoints-unknown"]
    known = ask("a")
    assert known.backends[0].ready == 2 and not known.assumptions


def test_useless_objects_are_told() -> None:
    """GW-01, GW-07, GW-08, GW-09, GW-13."""
    cluster = build(
        service("infra/a"),
        gateway("infra/lone"),
        gateway("infra/twins", listener("one"), listener("two")),
        gateway("infra/gw"),
        route("infra/fine", rule("a")),
        route("infra/lost", rule("a"), parents=[{"name": "none"}]),
        route("infra/empty", rule("none", ref("a", weight=0))),
        route("infra/zero", rule(ref("a", weight=0))),
        route("infra/regex", rule("a", matches=[path("(", "RegularExpression")])),
    )
    found = {(one.ref, one.code) for one in cluster.warnings if "gateway" in one.ref or "route" in one.ref}
    assert found == {
        *((f"gateway:infra/{name}", "no-controller") for name in ("gw", "lone", "twins")),
        ("gateway:infra/lone", "no-routes"),
        ("gateway:infra/twins", "no-routes"),
        ("gateway:infra/twins", "listener-invalid"),
        ("httproute:infra/lost", "not-attached"),
        ("httproute:infra/empty", "backend-invalid"),
        ("httproute:infra/zero", "backend-invalid"),
        ("httproute:infra/regex", "regex-unreadable"),
    }


def test_of_a_thousand_routes_only_those_of_the_host_are_looked_at() -> None:
    """GW-02, GW-03: listener and host lead to the routes; a change elsewhere keeps the index, one of a route not."""
    hosts = [f"h{index}.test" for index in range(1000)]
    made = [route(f"a/r{index}", rule("s"), hosts=[host]) for index, host in enumerate(hosts)]
    wild = route("a/wild", rule("w"), hosts=["*.h7.test"])
    cluster = build(gateway("a/gw"), *made, wild, service("a/s"), service("a/w"))
    on = cluster.attached.on(("a", "gw"), "http")
    assert on.of_host("h7.test") == [("a", "r7")] and on.of_host("x.y.h7.test") == [("a", "wild")]
    assert on.of_host(".h7.test") == on.of_host("test") == [] and len([*on.others("h7.test")]) == 1000
    assert put(cluster, "h7.test").route == ("a", "r7") and len(put(cluster, "h7.test").considered) == 50
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "a"}, "spec": {"containers": [{"name": "c"}]}}
    later = cluster.apply([Change("set", pod)])
    assert later.attached is cluster.attached
    moved = later.apply([Change("set", route("a/r7", rule("s"), hosts=["other.test"]))])
    assert put(moved, "other.test").route == ("a", "r7") and put(moved, "h7.test").status == 404


def test_a_secret_that_comes_mends_the_listener_it_is_for() -> None:
    """GW-13: Secrets have no records, and the listener is judged anew all the same."""
    gate = gateway("a/gw", listener("tls", port=443, protocol="HTTPS"))
    other = {"kind": "Secret", "metadata": {"name": "other", "namespace": "a"}}
    cluster = build(gate, route("a/r", rule("s")), service("a/s"), other)
    assert put(cluster, scheme="https").outcome == "no_listener"
    cert = {"kind": "Secret", "metadata": {"name": "cert", "namespace": "a"}}
    assert put(cluster.apply([Change("set", cert)]), scheme="https").route == ("a", "r")
