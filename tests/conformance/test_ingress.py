"""ingress-controller-conformance's features and the Ingress documentation's tables, asked of `ask.ingress`."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import ask


def path(kind: str | None, value: str | None, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"backend": backend(name)}
    if kind:
        found["pathType"] = kind
    if value is not None:
        found["path"] = value
    return found


def backend(name: str) -> dict[str, Any]:
    return {"service": {"name": name, "port": {"number": 8080}}}


def ingress(hosts: dict[str, list[dict[str, Any]]], name: str = "i", default: str = "", **more: Any) -> dict[str, Any]:
    """An Ingress: its paths by host, "" for any host."""
    rules = [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in hosts.items()]
    spec: dict[str, Any] = {"rules": rules, **more}
    if default:
        spec["defaultBackend"] = backend(default)
    return {"kind": "Ingress", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def served(objects: list[dict[str, Any]], url: str) -> str:
    """The Service that gets the request, or the controller's own status."""
    found = ask.ingress(objects, url if "://" in url or url.startswith("/") else f"http://{url}")
    return found.backend.service if found.backend else str(found.status)


FEATURES = [
    ingress(
        {
            "exact-path-rules": [path("Exact", "/foo", "foo-exact")],
            "prefix-path-rules": [
                path("Prefix", "/foo", "foo-prefix"),
                path("Prefix", "/aaa/bbb", "aaa-slash-bbb-prefix"),
                path("Prefix", "/aaa", "aaa-prefix"),
            ],
            "mixed-path-rules": [path("Prefix", "/foo", "foo-prefix"), path("Exact", "/foo", "foo-exact")],
            "trailing-slash-path-rules": [
                path("Prefix", "/aaa/bbb/", "aaa-slash-bbb-slash-prefix"),
                path("Exact", "/foo/", "foo-slash-exact"),
            ],
            "*.foo.com": [path("Prefix", "/", "wildcard-foo-com")],
            "foo.bar.com": [path("Prefix", "/", "foo-bar-com")],
        }
    )
]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("exact-path-rules/foo", "foo-exact"),
        ("exact-path-rules/foo/", "404"),
        ("exact-path-rules/FOO", "404"),
        ("exact-path-rules/bar", "404"),
        ("prefix-path-rules/foo", "foo-prefix"),
        ("prefix-path-rules/foo/", "foo-prefix"),
        ("prefix-path-rules/FOO", "404"),
        ("prefix-path-rules/aaa/bbb", "aaa-slash-bbb-prefix"),
        ("prefix-path-rules/aaa/bbb/ccc", "aaa-slash-bbb-prefix"),
        ("prefix-path-rules/aaa/ccc", "aaa-prefix"),
        ("prefix-path-rules/aaaccc", "404"),
        ("mixed-path-rules/foo", "foo-exact"),
        ("mixed-path-rules/foo/bar", "foo-prefix"),
        ("trailing-slash-path-rules/aaa/bbb", "aaa-slash-bbb-slash-prefix"),
        ("trailing-slash-path-rules/aaa/bbb/", "aaa-slash-bbb-slash-prefix"),
        ("trailing-slash-path-rules/foo", "404"),
        ("trailing-slash-path-rules/foo/", "foo-slash-exact"),
        ("foo.bar.com", "foo-bar-com"),
        ("foo.bar.com:8080/", "foo-bar-com"),
        ("FOO.Bar.com/x", "foo-bar-com"),
        ("subdomain.bar.com", "404"),
        ("bar.foo.com", "wildcard-foo-com"),
        ("baz.bar.foo.com", "404"),
        ("foo.com", "404"),
        ("nobody.example/", "404"),
    ],
)
def test_features(url, expected):
    """ING-02 to ING-05, ING-07, ING-08."""
    assert served(FEATURES, url) == expected


# The documentation's table of examples: the paths, the request, and the path that takes it.
TABLE = [
    ([("Prefix", "/")], "/anything/at/all", "/"),
    ([("Exact", "/foo")], "/foo", "/foo"),
    ([("Exact", "/foo")], "/bar", ""),
    ([("Exact", "/foo")], "/foo/", ""),
    ([("Exact", "/foo/")], "/foo", ""),
    ([("Prefix", "/foo")], "/foo", "/foo"),
    ([("Prefix", "/foo")], "/foo/", "/foo"),
    ([("Prefix", "/foo/")], "/foo", "/foo/"),
    ([("Prefix", "/foo/")], "/foo/", "/foo/"),
    ([("Prefix", "/aaa/bb")], "/aaa/bbb", ""),
    ([("Prefix", "/aaa/bbb")], "/aaa/bbb", "/aaa/bbb"),
    ([("Prefix", "/aaa/bbb/")], "/aaa/bbb", "/aaa/bbb/"),
    ([("Prefix", "/aaa/bbb")], "/aaa/bbb/", "/aaa/bbb"),
    ([("Prefix", "/aaa/bbb")], "/aaa/bbb/ccc", "/aaa/bbb"),
    ([("Prefix", "/aaa/bbb")], "/aaa/bbbxyz", ""),
    ([("Prefix", "/"), ("Prefix", "/aaa")], "/aaa/ccc", "/aaa"),
    ([("Prefix", "/aaa"), ("Prefix", "/")], "/aaa/ccc", "/aaa"),
    ([("Prefix", "/"), ("Prefix", "/aaa"), ("Prefix", "/aaa/bbb")], "/aaa/bbb", "/aaa/bbb"),
    ([("Prefix", "/"), ("Prefix", "/aaa"), ("Prefix", "/aaa/bbb")], "/ccc", "/"),
    ([("Prefix", "/aaa")], "/ccc", ""),
    ([("Prefix", "/foo"), ("Exact", "/foo")], "/foo", "Exact /foo"),
    ([("Exact", "/foo"), ("Prefix", "/foo")], "/foo", "Exact /foo"),
    ([("Exact", "/foo"), ("Prefix", "/foo")], "/foo/bar", "/foo"),
    ([("ImplementationSpecific", "/foo")], "/foo/bar", "/foo"),
    ([("ImplementationSpecific", None)], "/foo/bar", "None"),
    ([("Exact", "/a/b"), ("Prefix", "/a/b/c")], "/a/b/c", "/a/b/c"),
    ([("Prefix", "/foo")], "/foo?x=/bar", "/foo"),
    ([("Exact", "/foo")], "/foo?x=1", "/foo"),
]


@pytest.mark.parametrize("default", ["", "fallback"])
@pytest.mark.parametrize("host", ["", "shop.example.com"])
@pytest.mark.parametrize(("paths", "request_", "taken"), TABLE)
def test_table_of_paths(paths, request_, taken, host, default):
    """ING-04 to ING-08: with and without a host, with and without a default backend."""
    names = {f"s{index}": (kind, value) for index, (kind, value) in enumerate(paths)}
    built = ingress({host: [path(kind, value, name) for name, (kind, value) in names.items()]}, default=default)
    got = served([built], f"http://shop.example.com{request_}")
    if not taken:
        assert got == (default or "404")
    else:
        kind, value = names[got]
        assert f"{kind} {value}".endswith(taken if " " in taken else f" {taken}")


HOSTS = {"a.foo.com": "exact", "*.foo.com": "wild", "": "any"}


@pytest.mark.parametrize(
    ("host", "hosts", "expected"),
    [
        ("a.foo.com", ("a.foo.com", "*.foo.com", ""), "exact"),
        ("a.foo.com", ("", "*.foo.com", "a.foo.com"), "exact"),
        ("b.foo.com", ("a.foo.com", "*.foo.com", ""), "wild"),
        ("b.foo.com", ("", "*.foo.com"), "wild"),
        ("a.b.foo.com", ("a.foo.com", "*.foo.com", ""), "any"),
        ("foo.com", ("a.foo.com", "*.foo.com", ""), "any"),
        ("other.org", ("a.foo.com", "*.foo.com", ""), "any"),
        ("other.org", ("a.foo.com", "*.foo.com"), "404"),
    ],
)
@pytest.mark.parametrize("apart", [False, True], ids=["one Ingress", "an Ingress each"])
def test_hosts(host, hosts, expected, apart):
    """ING-02, ING-03, ING-12: the same, written in one Ingress or in several."""
    by_host = {one: [path("Prefix", "/", HOSTS[one])] for one in hosts}
    objects = (
        [ingress({one: paths}, name=f"i{index}") for index, (one, paths) in enumerate(by_host.items())]
        if apart
        else [ingress(by_host)]
    )
    assert served(objects, f"http://{host}/") == expected


CLASS = {"kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
DEFAULT = {
    **CLASS,
    "metadata": {"name": "nginx", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
}


@pytest.mark.parametrize(
    ("objects", "name", "controller", "expected"),
    [
        ([CLASS], "nginx", "", "web"),
        ([CLASS], "other", "", "404"),
        ([CLASS], "nginx", "k8s.io/ingress-nginx", "web"),
        ([CLASS], "nginx", "example.com/other", "404"),
        ([DEFAULT], None, "", "web"),
        ([CLASS], None, "", "404"),
    ],
)
def test_classes(objects, name, controller, expected):
    """ING-01."""
    made = ingress({"": [path("Prefix", "/", "web")]}, **({"ingressClassName": name} if name else {}))
    found = ask.ingress([made, *objects], "http://a.test/", settings={"ingress_controller": controller})
    assert (found.backend.service if found.backend else str(found.status)) == expected


def test_only_a_default_backend():
    """ING-08."""
    made = ingress({}, default="all")
    assert {served([made], url) for url in ("http://a.test/", "https://b.test/x/y", "/z")} == {"all"}


SERVICE = {
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"clusterIP": "10.96.0.5", "ports": [{"name": "http", "port": 8080, "targetPort": 80}]},
}


@pytest.mark.parametrize(
    ("port", "slices", "status"),
    [
        ({"number": 8080}, True, 0),
        ({"name": "http"}, True, 0),
        ({"number": 80}, True, 503),
        ({"name": "nope"}, True, 503),
        ({"number": 8080}, False, 503),
    ],
)
def test_backends(port, slices, status):
    """ING-09: the port of the Service by number or name, and somebody ready behind it."""
    made = ingress({"": [{"pathType": "Prefix", "path": "/", "backend": {"service": {"name": "web", "port": port}}}]})
    found = {
        "kind": "EndpointSlice",
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [{"addresses": ["10.1.1.1"]}] if slices else [],
        "ports": [{"name": "http", "port": 80}],
    }
    assert ask.ingress([SERVICE, made, found], "http://a.test/").status == status
