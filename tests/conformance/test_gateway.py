"""Gateway API's conformance tests for HTTPRoute: routes, requests and expected responses, asked of `ask.http_route`."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import ask

INFRA, WEB = "gateway-conformance-infra", "gateway-conformance-web-backend"


def gateway(name: str, *listeners: dict[str, Any]) -> dict[str, Any]:
    """A Gateway whose listeners are named, HTTP and on port 80 unless told otherwise."""
    built = [
        {"name": f"listener-{index}", "port": 80, "protocol": "HTTP", **one}
        for index, one in enumerate(listeners or ({},), 1)
    ]
    spec = {"gatewayClassName": "any", "listeners": built}
    return {"kind": "Gateway", "metadata": {"name": name, "namespace": INFRA}, "spec": spec}


def route(name: str, *rules: dict[str, Any], gateway_name: str = "same-namespace", section: str = "", **spec: Any):
    """An HTTPRoute of one parent."""
    parent = {"name": gateway_name, "namespace": INFRA, **({"sectionName": section} if section else {})}
    space = spec.pop("namespace", INFRA)
    body = {"parentRefs": [parent], "rules": list(rules), **spec}
    return {"kind": "HTTPRoute", "metadata": {"name": name, "namespace": space}, "spec": body}


def rule(backend: str | None, *matches: dict[str, Any], filters: tuple[Any, ...] = (), **more: Any) -> dict[str, Any]:
    """``backend`` v1, v2 or v3; matches are written by `match`."""
    found: dict[str, Any] = dict(more)
    if matches:
        found["matches"] = list(matches)
    if filters:
        found["filters"] = list(filters)
    if backend:
        found["backendRefs"] = [{"name": f"infra-backend-{backend}", "port": 8080}]
    return found


def match(prefix: str = "", *, exact: str = "", method: str = "", query: Any = (), **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if prefix or exact:
        found["path"] = {"type": "Exact" if exact else "PathPrefix", "value": exact or prefix}
    if method:
        found["method"] = method
    if headers:
        found["headers"] = [{"name": name, "value": value} for name, value in headers.items()]
    if query:
        found["queryParams"] = [{"name": name, "value": value} for name, value in query]
    return found


BACKENDS = [
    {
        "kind": "Service",
        "metadata": {"name": f"infra-backend-{one}", "namespace": INFRA},
        "spec": {"ports": [{"port": 8080}]},
    }
    for one in ("v1", "v2", "v3")
]
PLAIN = gateway("same-namespace")


def ask_of(objects: list[dict[str, Any]], url: str, method: str = "GET", **headers: str) -> str:
    """The backend's version, or the status a client gets."""
    url = url if url.startswith("http") else f"http://{url}" if not url.startswith("/") else f"http://example.test{url}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = ask.http_route([*objects, *BACKENDS], url, method=method, headers=named)
    if answer.outcome == "accepted":
        return answer.backends[0].name.removeprefix("infra-backend-")
    return str(answer.status)


def rows(*found: Any) -> Any:
    return pytest.mark.parametrize(("request_", "expected"), found)


HOSTS = [
    gateway(
        "hosts", {"hostname": "very.specific.com"}, {"hostname": "*.wildcard.io"}, {"hostname": "*.anotherwildcard.io"}
    ),
    *(
        route(f"r{index}", rule(backend, match(f"/s{index}")), gateway_name="hosts", hostnames=names)
        for index, (backend, names) in enumerate(
            (
                ("v1", ["non.matching.com", "*.nonmatchingwildcard.io", "very.specific.com"]),
                (
                    "v2",
                    ["non.matching.com", "wildcard.io", "foo.wildcard.io", "bar.wildcard.io", "foo.bar.wildcard.io"],
                ),
                ("v3", ["non.matching.com", "*.specific.com"]),
                ("v1", ["*.anotherwildcard.io"]),
                ("v2", ["specific.but.wrong.com", "wildcard.io"]),
            ),
            1,
        )
    ),
]


@rows(
    ("very.specific.com/s1", "v1"),
    ("very.specific.com:1234/s1", "v1"),
    ("VERY.Specific.com/s1", "v1"),
    ("non.matching.com/s1", "404"),
    ("foo.nonmatchingwildcard.io/s1", "404"),
    ("foo.wildcard.io/s1", "404"),
    ("very.specific.com/non-matching-prefix", "404"),
    ("foo.wildcard.io/s2", "v2"),
    ("bar.wildcard.io/s2", "v2"),
    ("foo.bar.wildcard.io/s2", "v2"),
    ("non.matching.com/s2", "404"),
    ("wildcard.io/s2", "404"),
    ("very.specific.com/s2", "404"),
    ("foo.wildcard.io/non-matching-prefix", "404"),
    ("very.specific.com/s3", "v3"),
    ("non.matching.com/s3", "404"),
    ("foo.specific.com/s3", "404"),
    ("foo.wildcard.io/s3", "404"),
    ("foo.anotherwildcard.io/s4", "v1"),
    ("bar.anotherwildcard.io/s4", "v1"),
    ("foo.bar.anotherwildcard.io/s4", "v1"),
    ("anotherwildcard.io/s4", "404"),
    ("foo.wildcard.io/s4", "404"),
    ("very.specific.com/s4", "404"),
    ("foo.anotherwildcard.io/non-matching-prefix", "404"),
    ("specific.but.wrong.com/s5", "404"),
    ("wildcard.io/s5", "404"),
)
def test_hostname_intersection(request_, expected):
    """GW-01 to GW-04."""
    port = request_.partition("/")[0].partition(":")[2]
    url = request_.replace(f":{port}", "") if port else request_
    assert ask_of(HOSTS, url) == expected
    if port:
        found = ask.http_route([*HOSTS, *BACKENDS], f"http://{request_}", port=80)
        assert found.backends[0].name.endswith(expected)


ALL_HOSTS = [
    PLAIN,
    route("all", rule("v2"), hostnames=["first.com", "sub.first.com", "second.com", "sub.second.com"]),
]


@rows(
    *((f"{host}/", "v2") for host in ("first.com", "sub.first.com", "second.com", "sub.second.com")),
    ("third.com/", "404"),
    ("sub.third.com/", "404"),
)
def test_a_listener_without_hostname(request_, expected):
    """GW-01, GW-03."""
    assert ask_of(ALL_HOSTS, request_) == expected


LISTENERS = [
    gateway("named", *({"hostname": one} for one in ("bar.com", "foo.bar.com", "*.bar.com", "*.foo.com"))),
    *(route(f"backend-v{one}", rule(f"v{one}"), gateway_name="named", section=f"listener-{one}") for one in (1, 2, 3)),
]
LISTENERS[-1]["spec"]["parentRefs"].append({"name": "named", "sectionName": "listener-4"})


@rows(
    ("bar.com/", "v1"),
    ("foo.bar.com/", "v2"),
    ("baz.bar.com/", "v3"),
    ("boo.bar.com/", "v3"),
    ("multiple.prefixes.bar.com/", "v3"),
    ("multiple.prefixes.foo.com/", "v3"),
    ("foo.com/", "404"),
    ("no.matching.host/", "404"),
)
def test_listener_hostname_matching(request_, expected):
    """GW-02, GW-03, GW-13."""
    assert ask_of(LISTENERS, request_) == expected


NAMES = {"empty": None, "example": "*.example.com", "foo": "*.foo.example.com", "abc": "abc.foo.example.com"}
ISOLATED = [
    gateway("isolated", *({"name": name, **({"hostname": host} if host else {})} for name, host in NAMES.items())),
    *(route(f"for-{name}", rule("v1", match(f"/{name}")), gateway_name="isolated", section=name) for name in NAMES),
]


@pytest.mark.parametrize("path", list(NAMES))
@pytest.mark.parametrize(
    ("host", "listener"),
    [
        ("bar.com", "empty"),
        ("bar.example.com", "example"),
        ("bar.foo.example.com", "foo"),
        ("abc.foo.example.com", "abc"),
    ],
)
def test_listeners_are_isolated(host, listener, path):
    """GW-03: routes of a less specific listener do not get the request."""
    assert ask_of(ISOLATED, f"{host}/{path}") == ("v1" if path == listener else "404")


EXACT = [PLAIN, route("exact", rule("v1", match(exact="/one")), rule("v2", match(exact="/two")))]
ORDER = [
    PLAIN,
    route(
        "order",
        rule("v3", match(exact="/match/exact/one")),
        rule("v2", match(exact="/match/exact")),
        rule("v1", match(exact="/match")),
        rule("v2", match("/match/prefix/one")),
        rule("v1", match("/match/prefix")),
        rule("v3", match("/match")),
    ),
]
MATCHING = [
    PLAIN,
    route("matching", rule("v1", match("/"), match(version="one")), rule("v2", match("/v2"), match(version="two"))),
]


@pytest.mark.parametrize(
    ("world", "path", "expected"),
    [
        (EXACT, "/one", "v1"),
        (EXACT, "/two", "v2"),
        (EXACT, "/", "404"),
        (EXACT, "/one/example", "404"),
        (EXACT, "/two/", "404"),
        (EXACT, "/Two", "404"),
        (ORDER, "/match/exact/one", "v3"),
        (ORDER, "/match/exact", "v2"),
        (ORDER, "/match", "v1"),
        (ORDER, "/match/prefix/one/any", "v2"),
        (ORDER, "/match/prefix/any", "v1"),
        (ORDER, "/match/any", "v3"),
        (ORDER, "/matching", "404"),
        (MATCHING, "/", "v1"),
        (MATCHING, "/example", "v1"),
        (MATCHING, "/v2", "v2"),
        (MATCHING, "/v2/", "v2"),
        (MATCHING, "/v2/example", "v2"),
        (MATCHING, "/v2example", "v1"),
        (MATCHING, "/foo/v2/example", "v1"),
    ],
)
def test_paths(world, path, expected):
    """GW-06, GW-07."""
    assert ask_of(world, path) == expected


ACROSS = [
    PLAIN,
    route("part1", rule("v1", match("/"), match(version="one")), hostnames=["example.com", "example.net"]),
    route("part2", rule("v2", match("/v2"), match(version="two")), hostnames=["example.com"]),
]
HEADERS = [
    PLAIN,
    route(
        "headers",
        rule("v1", match(version="one")),
        rule("v2", match(version="two")),
        rule("v1", match(version="two", color="orange")),
        rule("v1", match(color="blue"), match(color="green")),
        rule("v2", match(color="red"), match(color="yellow")),
    ),
]


@pytest.mark.parametrize(
    ("world", "url", "headers", "expected"),
    [
        (MATCHING, "/", {"Version": "one"}, "v1"),
        (MATCHING, "/", {"Version": "two"}, "v2"),
        (ACROSS, "example.com/", {}, "v1"),
        (ACROSS, "example.com/example", {}, "v1"),
        (ACROSS, "example.net/example", {}, "v1"),
        (ACROSS, "example.com/example", {"Version": "one"}, "v1"),
        (ACROSS, "example.com/v2", {}, "v2"),
        (ACROSS, "example.net/v2", {}, "v1"),
        (ACROSS, "example.com/v2/example", {}, "v2"),
        (ACROSS, "example.com/", {"Version": "two"}, "v2"),
        (HEADERS, "/", {"Version": "one"}, "v1"),
        (HEADERS, "/", {"Version": "two"}, "v2"),
        (HEADERS, "/", {"Version": "two", "Color": "orange"}, "v1"),
        (HEADERS, "/", {"Version": "two", "Color": "blue"}, "v2"),
        (HEADERS, "/", {"Color": "orange"}, "404"),
        (HEADERS, "/", {"Some-Other-Header": "one"}, "404"),
        (HEADERS, "/", {"Color": "blue"}, "v1"),
        (HEADERS, "/", {"Color": "green"}, "v1"),
        (HEADERS, "/", {"Color": "red"}, "v2"),
        (HEADERS, "/", {"Color": "yellow"}, "v2"),
        (HEADERS, "/", {"Color": "purple"}, "404"),
        (HEADERS, "/", {"COLOR": "Blue"}, "404"),
    ],
)
def test_headers(world, url, headers, expected):
    """GW-05, GW-06, GW-07: header names in any case, values exactly."""
    assert ask_of(world, url, **headers) == expected


METHODS = [
    PLAIN,
    route(
        "methods",
        rule("v1", match(method="POST")),
        rule("v2", match(method="GET")),
        rule("v1", match("/path1", method="GET")),
        rule("v2", match(method="PUT", version="one")),
        rule("v3", match("/path2", method="POST", version="two")),
        rule("v1", match("/path3", method="PATCH"), match("/path4", method="DELETE", version="three")),
        rule("v1", match("/path5")),
        rule("v2", match(method="PATCH")),
        rule("v3", match(version="four")),
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "version", "expected"),
    [
        ("POST", "/", "", "v1"),
        ("GET", "/", "", "v2"),
        ("HEAD", "/", "", "404"),
        ("GET", "/path1", "", "v1"),
        ("PUT", "/", "one", "v2"),
        ("POST", "/path2", "two", "v3"),
        ("PATCH", "/path3", "", "v1"),
        ("DELETE", "/path4", "three", "v1"),
        ("PUT", "/", "", "404"),
        ("DELETE", "/path4", "", "404"),
        ("PATCH", "/path5", "", "v1"),
        ("PATCH", "/", "four", "v2"),
    ],
)
def test_methods(method, path, version, expected):
    """GW-06, GW-07."""
    assert ask_of(METHODS, path, method, **({"version": version} if version else {})) == expected


QUERIES = [
    PLAIN,
    route(
        "queries",
        rule("v1", match(query=[("animal", "whale")])),
        rule("v2", match(query=[("animal", "dolphin")])),
        rule("v3", match(query=[("animal", "dolphin"), ("color", "blue")])),
        rule("v3", match(query=[("ANIMAL", "Whale")])),
        rule("v1", match("/path1", query=[("animal", "whale")])),
        rule("v2", match(query=[("animal", "whale")], version="one")),
        rule("v3", match("/path2", query=[("animal", "whale")], version="two")),
        rule(
            "v1",
            match("/path3", query=[("animal", "shark")]),
            match("/path4", query=[("animal", "kraken")], version="three"),
        ),
        rule("v1", match("/path5")),
        rule("v2", match(query=[("animal", "hydra")])),
        rule("v3", match(version="four")),
    ),
]


@pytest.mark.parametrize(
    ("path", "version", "expected"),
    [
        ("/?animal=whale", "", "v1"),
        ("/?animal=dolphin", "", "v2"),
        ("/?animal=dolphin&color=blue", "", "v3"),
        ("/?ANIMAL=Whale", "", "v3"),
        ("/?animal=whale&otherparam=irrelevant", "", "v1"),
        ("/?animal=dolphin&color=yellow", "", "v2"),
        ("/?color=blue", "", "404"),
        ("/?animal=dog", "", "404"),
        ("/?animal=whaledolphin", "", "404"),
        ("/", "", "404"),
        ("/path1?animal=whale", "", "v1"),
        ("/?animal=whale", "one", "v2"),
        ("/path2?animal=whale", "two", "v3"),
        ("/path3?animal=shark", "", "v1"),
        ("/path4?animal=kraken", "three", "v1"),
        ("/?animal=shark", "", "404"),
        ("/path4?animal=kraken", "", "404"),
        ("/path5?animal=hydra", "", "v1"),
        ("/?animal=hydra", "four", "v3"),
        ("/?animal=wh%61le", "", "v1"),
    ],
)
def test_query_parameters(path, version, expected):
    """GW-06, GW-07."""
    assert ask_of(QUERIES, path, **({"version": version} if version else {})) == expected
