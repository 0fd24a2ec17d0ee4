"""Gateway API's conformance tests for filters, weights and backends, asked of `ask.http_route`."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import ask
from tests.conformance.objects import endpoint, slices
from tests.conformance.test_gateway import BACKENDS, INFRA, PLAIN, WEB, ask_of, gateway, match, route, rule

ON_8080 = gateway("on-8080", {"port": 8080})
ON_443 = gateway("on-443", {"port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "cert"}]}})
CERT = {"kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "cert", "namespace": INFRA}}


def redirect(**how: Any) -> dict[str, Any]:
    return {"type": "RequestRedirect", "requestRedirect": how}


def prefix(value: str) -> dict[str, Any]:
    return {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": value}}


def full(value: str) -> dict[str, Any]:
    return {"path": {"type": "ReplaceFullPath", "replaceFullPath": value}}


def only(how: dict[str, Any], parent: str = "same-namespace", path: str = "/from") -> list[dict[str, Any]]:
    built = route("redirect", rule(None, match(path), filters=(redirect(**how),)), gateway_name=parent)
    return [PLAIN, ON_8080, ON_443, CERT, built]


# Listener's port, what the filter sets, and where the client is sent: scheme and port, the default one unsaid.
TO = "example.org"
PORTS = [
    (80, {}, "http", 80),
    (80, {"port": 80}, "http", 80),
    (80, {"port": 8080}, "http", 8080),
    (80, {"scheme": "https"}, "https", 443),
    (80, {"scheme": "https", "port": 443}, "https", 443),
    (80, {"scheme": "https", "port": 8443}, "https", 8443),
    (8080, {}, "http", 8080),
    (8080, {"port": 80}, "http", 80),
    (8080, {"scheme": "https"}, "https", 443),
    (443, {}, "https", 443),
    (443, {"port": 443}, "https", 443),
    (443, {"port": 8443}, "https", 8443),
    (443, {"scheme": "http"}, "http", 80),
    (443, {"scheme": "http", "port": 80}, "http", 80),
    (443, {"scheme": "http", "port": 8080}, "http", 8080),
]


@pytest.mark.parametrize(("listener", "how", "scheme", "port"), PORTS)
def test_redirect_port_and_scheme(listener, how, scheme, port):
    """GW-11."""
    parent = {80: "same-namespace", 8080: "on-8080", 443: "on-443"}[listener]
    url = "https://example.org/from" if listener == 443 else f"http://example.org:{listener}/from"
    answer = ask.http_route(only({"hostname": TO, **how}, parent), url)
    found = answer.redirect
    assert found and (found.status, found.scheme, found.hostname, found.port) == (302, scheme, TO, port)
    shown = "" if (scheme, port) in (("http", 80), ("https", 443)) else f":{port}"
    assert found.location.removeprefix(f"{scheme}://{TO}{shown}") in ("/from", "/from/")


PATHS = [
    (
        "/original-prefix",
        prefix("/replacement-prefix"),
        "/original-prefix/lemon",
        302,
        None,
        "/replacement-prefix/lemon",
    ),
    ("/full", full("/full-path-replacement"), "/full/path/original", 302, None, "/full-path-replacement"),
    ("/p", {"hostname": TO, **prefix("/replacement-prefix")}, "/p", 302, TO, "/replacement-prefix"),
    ("/p", {"statusCode": 301, **prefix("/replacement-prefix")}, "/p", 301, None, "/replacement-prefix"),
    ("/f", {"hostname": TO, **full("/replacement-full")}, "/f", 302, TO, "/replacement-full"),
    ("/f", {"statusCode": 301, **full("/replacement-full")}, "/f", 301, None, "/replacement-full"),
    *(("/s", {"statusCode": code}, "/s", code, None, "/s") for code in (301, 302, 303, 307, 308)),
    ("/h", {"hostname": TO, "statusCode": 301}, "/h", 301, TO, "/h"),
    ("/h", {"hostname": TO}, "/h/more", 302, TO, "/h/more"),
    # The table of ReplacePrefixMatch in the API's own field text.
    ("/foo", prefix("/xyz"), "/foo/bar", 302, None, "/xyz/bar"),
    ("/foo", prefix("/xyz/"), "/foo/bar", 302, None, "/xyz/bar"),
    ("/foo/", prefix("/xyz"), "/foo/bar", 302, None, "/xyz/bar"),
    ("/foo/", prefix("/xyz/"), "/foo/bar", 302, None, "/xyz/bar"),
    ("/foo", prefix("/xyz"), "/foo", 302, None, "/xyz"),
    ("/foo", prefix("/xyz"), "/foo/", 302, None, "/xyz/"),
    ("/foo", prefix(""), "/foo/bar", 302, None, "/bar"),
    ("/foo", prefix(""), "/foo/", 302, None, "/"),
    ("/foo", prefix(""), "/foo", 302, None, "/"),
    ("/foo", prefix("/"), "/foo/", 302, None, "/"),
    ("/foo", prefix("/"), "/foo", 302, None, "/"),
]


@pytest.mark.parametrize(("path", "how", "request_", "status", "host", "expected"), PATHS)
def test_redirect_path(path, how, request_, status, host, expected):
    """GW-11."""
    found = ask.http_route(only(how, path=path), f"http://asked.test{request_}").redirect
    assert found and (found.status, found.hostname, found.path) == (status, host or "asked.test", expected)


def rewrite(**how: Any) -> dict[str, Any]:
    return {"type": "URLRewrite", "urlRewrite": how}


def headers(**how: Any) -> dict[str, Any]:
    body = {kind: [{"name": name, "value": value} for name, value in how.get(kind, ())] for kind in ("set", "add")}
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": {**body, "remove": list(how.get("remove", ()))}}


CHANGE = headers(
    set=[("X-Header-Set", "set-overwrites-values")],
    add=[("X-Header-Add", "header-val-1"), ("X-Header-Add-Append", "header-val-2")],
    remove=["X-Header-Remove"],
)
MULTIPLE = headers(
    set=[("X-Header-Set-1", "header-set-1"), ("X-Header-Set-2", "header-set-2")],
    add=[("X-Header-Add-1", "header-add-1"), ("X-Header-Add-2", "header-add-2"), ("X-Header-Add-3", "header-add-3")],
    remove=["X-Header-Remove-1", "X-Header-Remove-2"],
)
REWRITE = [
    PLAIN,
    route(
        "rewrite",
        rule("v1", match("/prefix/one"), filters=(rewrite(**prefix("/one")),)),
        rule("v1", match("/strip-prefix"), filters=(rewrite(**prefix("/")),)),
        rule("v1", match("/full/one"), filters=(rewrite(**full("/one")),)),
        rule("v1", match("/full/both"), filters=(rewrite(**full("/test")), CHANGE)),
        rule("v1", match("/prefix/both"), filters=(rewrite(**prefix("/prefix")), CHANGE)),
        rule("v1", match("/one"), filters=(rewrite(hostname="one.example.org"),)),
        rule("v2", match("/host/both"), filters=(rewrite(hostname="test.example.org"), CHANGE)),
        rule("v1", match("/set"), filters=(headers(set=[("X-Header-Set", "set-overwrites-values")]),)),
        rule("v1", match("/add"), filters=(headers(add=[("X-Header-Add", "add-appends-values")]),)),
        rule("v1", match("/remove"), filters=(headers(remove=["X-Header-Remove"]),)),
        rule("v1", match("/multiple"), filters=(MULTIPLE,)),
        rule(
            "v1",
            match("/case"),
            filters=(headers(set=[("X-Header-Set", "s")], add=[("X-Header-Add", "a")], remove=["X-Header-Remove"]),),
        ),
    ),
]
SENT = {"X-Header-Remove": "remove-val", "X-Header-Add-Append": "append-val-1", "X-Header-Set": "set-val"}
GOT = {
    "x-header-add": "header-val-1",
    "x-header-add-append": "append-val-1,header-val-2",
    "x-header-set": "set-overwrites-values",
}
VAL = {"Some-Other-Header": "val"}
REQUESTS = [
    ("/prefix/one/two", {}, "rewrite.example", "/one/two", {}),
    ("/strip-prefix/three", {}, "rewrite.example", "/three", {}),
    ("/strip-prefix", {}, "rewrite.example", "/", {}),
    ("/full/one/two", {}, "rewrite.example", "/one", {}),
    ("/full/both/test", SENT, "rewrite.example", "/test", GOT),
    ("/prefix/both/one", SENT, "rewrite.example", "/prefix/one", GOT),
    ("/one", {}, "one.example.org", "/one", {}),
    ("/host/both", SENT, "test.example.org", "/host/both", GOT),
    ("/set", VAL, "rewrite.example", "/set", {"some-other-header": "val", "x-header-set": "set-overwrites-values"}),
    ("/set", {"X-Header-Set": "other"}, "rewrite.example", "/set", {"x-header-set": "set-overwrites-values"}),
    ("/add", VAL, "rewrite.example", "/add", {"some-other-header": "val", "x-header-add": "add-appends-values"}),
    ("/add", {"X-Header-Add": "other"}, "rewrite.example", "/add", {"x-header-add": "other,add-appends-values"}),
    ("/remove", {"X-Header-Remove": "val"}, "rewrite.example", "/remove", {}),
    (
        "/multiple",
        {"X-Header-Set-2": "set-2", "X-Header-Add-2": "add-2", "X-Header-Remove-2": "gone", "Another-Header": "kept"},
        "rewrite.example",
        "/multiple",
        {
            "x-header-set-1": "header-set-1",
            "x-header-set-2": "header-set-2",
            "x-header-add-1": "header-add-1",
            "x-header-add-2": "add-2,header-add-2",
            "x-header-add-3": "header-add-3",
            "another-header": "kept",
        },
    ),
    (
        "/case",
        {"x-header-set": "1", "x-header-add": "2", "x-header-remove": "3", "Another-Header": "kept"},
        "rewrite.example",
        "/case",
        {"x-header-set": "s", "x-header-add": "2,a", "another-header": "kept"},
    ),
]


@pytest.mark.parametrize(("path", "sent", "host", "there", "expected"), REQUESTS)
def test_what_the_backend_gets(path, sent, host, there, expected):
    """GW-12."""
    answer = ask.http_route([*REWRITE, *BACKENDS], f"http://rewrite.example{path}", headers=sent)
    got = answer.backends[0].request
    merged: dict[str, list[str]] = {}
    for name, value in got.headers:
        merged.setdefault(name.lower(), []).append(value)
    assert (got.host, got.path) == (host, there)
    assert {name: ",".join(values) for name, values in merged.items()} == expected


@pytest.mark.parametrize(
    ("weights", "shares"),
    [((70, 30, 0), (0.7, 0.3, 0)), ((None, None), (0.5, 0.5)), ((1, 3), (0.25, 0.75)), ((0, 0, 5), (0, 0, 1))],
)
def test_weights(weights, shares):
    """GW-09."""
    refs = [
        {"name": f"infra-backend-v{index}", "port": 8080, **({} if weight is None else {"weight": weight})}
        for index, weight in enumerate(weights, 1)
    ]
    answer = ask.http_route([PLAIN, *BACKENDS, route("w", rule(None, backendRefs=refs))], "http://a.test/")
    assert [one.share for one in answer.backends] == pytest.approx(shares)


def grant(to: dict[str, Any] | None = None, **source: str) -> dict[str, Any]:
    """A ReferenceGrant in the backend's namespace; the fields given replace those that fit."""
    came = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": INFRA, **source}
    spec = {"from": [came], "to": [{"group": "", "kind": "Service", **(to or {})}]}
    return {"kind": "ReferenceGrant", "metadata": {"name": "grant", "namespace": WEB}, "spec": spec}


FAR = {"kind": "Service", "metadata": {"name": "web-backend", "namespace": WEB}, "spec": {"ports": [{"port": 8080}]}}
ELSEWHERE = {**grant(), "metadata": {"name": "grant", "namespace": "elsewhere"}}
GRANTS = [
    ([], 500),
    ([grant()], 0),
    ([grant({"name": "web-backend"})], 0),
    ([grant({"name": "other"})], 500),
    ([grant(namespace="default")], 500),
    ([grant(kind="Gateway")], 500),
    ([grant(group="")], 500),
    ([grant({"kind": "Secret"})], 500),
    ([grant({"group": "apps"})], 500),
    ([ELSEWHERE], 500),
    ([grant(namespace="default"), {**grant(), "metadata": {"name": "second", "namespace": WEB}}], 0),
]


@pytest.mark.parametrize(("grants", "status"), GRANTS)
def test_reference_grants(grants, status):
    """GW-08, GW-10."""
    refs = [{"name": "web-backend", "namespace": WEB, "port": 8080}]
    answer = ask.http_route([PLAIN, FAR, *grants, route("g", rule(None, backendRefs=refs))], "http://a.test/")
    assert answer.status == status


INVALID = [
    ([{"name": "nonexistent", "port": 8080}], {500: 1.0}),
    ([{"name": "infra-backend-v1", "kind": "NonExistent", "port": 8080}], {500: 1.0}),
    ([{"name": "infra-backend-v1", "group": "unknownkind.example.com", "kind": "Bucket", "port": 80}], {500: 1.0}),
    ([{"name": "infra-backend-v1", "port": 8080}, {"name": "nonexistent", "port": 8080}], {500: 0.5}),
    ([{"name": "infra-backend-v1", "port": 8080, "weight": 9}, {"name": "gone", "port": 80, "weight": 1}], {500: 0.1}),
    ([{"name": "infra-backend-v1", "port": 8080}, {"name": "gone", "port": 80, "weight": 0}], {}),
    ([], {500: 1.0}),
    ([{"name": "infra-backend-v1", "port": 8080, "weight": 0}], {500: 1.0}),
]


@pytest.mark.parametrize(("refs", "errors"), INVALID)
def test_invalid_backends(refs, errors):
    """GW-08."""
    answer = ask.http_route([PLAIN, *BACKENDS, route("i", rule(None, backendRefs=refs))], "http://a.test/")
    assert answer.errors == pytest.approx(errors)


@pytest.mark.parametrize(
    ("found", "status"), [((), 503), ((endpoint("10.0.0.1", state="s"),), 503), ((endpoint("10.0.0.1"),), 0)]
)
def test_no_ready_endpoint(found, status):
    """GW-08."""
    some = slices(f"{INFRA}/infra-backend-v1", *found, ports=(("", 8080, "TCP"),))
    answer = ask.http_route([PLAIN, *BACKENDS, some, route("e", rule("v1"))], "http://a.test/")
    assert answer.status == status


ATTACH = [
    ({}, INFRA, {}, "v1"),
    ({}, WEB, {}, "404"),
    ({"namespaces": {"from": "All"}}, WEB, {}, "500"),
    ({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "b"}}}}, WEB, {}, "500"),
    ({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "c"}}}}, WEB, {}, "404"),
    ({"kinds": [{"kind": "HTTPRoute"}]}, INFRA, {}, "v1"),
    ({"kinds": [{"kind": "TLSRoute"}]}, INFRA, {}, "404"),
    ({}, INFRA, {"sectionName": "listener-1"}, "v1"),
    ({}, INFRA, {"sectionName": "no-such"}, "404"),
    ({}, INFRA, {"port": 80}, "v1"),
    ({}, INFRA, {"port": 81}, "404"),
    ({}, INFRA, {"sectionName": "listener-1", "port": 81}, "404"),
    ({}, INFRA, {"name": "another"}, "404"),
    ({}, INFRA, {"kind": "Service"}, "404"),
]


@pytest.mark.parametrize(("allowed", "space", "parent", "expected"), ATTACH)
def test_attachment(allowed, space, parent, expected):
    """GW-01: 500 is a route that attaches and whose backend, of another namespace, is not granted."""
    refs = [{"name": "infra-backend-v1", "namespace": INFRA, "port": 8080}]
    built = route("a", rule(None, backendRefs=refs), namespace=space)
    built["spec"]["parentRefs"][0].update(parent)
    place = {"kind": "Namespace", "metadata": {"name": WEB, "labels": {"team": "b"}}}
    listener = {"allowedRoutes": allowed} if allowed else {}
    assert ask_of([place, gateway("same-namespace", listener), built], "a.test/") == expected
