"""Rules ING asked alone, on partial objects: no pod, node or controller."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Request, Settings
from clusterviz.engine.datapath.ingress import IngressMatch, route_request
from clusterviz.engine.validation import validate
from tests.engine.test_rules_ingress import KIND, backend, ingress
from tests.engine.world import Obj

NGINX = "nginx.ingress.kubernetes.io/"


def noted(made: Obj, **annotations: str) -> Obj:
    """The Ingress with annotations of ingress-nginx; underscores stand for dashes."""
    notes = {NGINX + name.replace("_", "-"): value for name, value in annotations.items()}
    return {**made, "metadata": {**made["metadata"], "annotations": notes}}


def target(name: str = "web", **spec: Any) -> Obj:
    ports = [{"name": "http", "port": 80}, {"name": "alt", "port": 8080}]
    return {"kind": "Service", "metadata": {"name": name, "namespace": "shop"}, "spec": {"ports": ports, **spec}}


def endpoints(name: str, *, ready: bool = True, port: str = "http") -> Obj:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": port, "port": 8080}],
        "endpoints": [{"addresses": ["10.9.0.1"], "conditions": {"ready": ready}}],
    }


def ask(url: str, *objects: Obj, settings: Settings | None = None) -> IngressMatch:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    cluster = Cluster.from_objects(objects, settings or Settings())
    return route_request(cluster, Request(scheme=scheme, host=host, path=slash + path))


def got(found: IngressMatch) -> str:
    return found.backend.service if found.backend and not found.status else str(found.status)


def test_a_lone_ingress_with_its_service_is_enough() -> None:
    """ING-08, ING-09: no class object, no pods; what was taken for granted is said."""
    found = ask("http://x.test/a", ingress("i", ("x.test", "Prefix", "/", "web")), target())
    assert got(found) == "web" and [one.code for one in found.assumptions] == ["endpoints-unknown"]
    assert {"ING-02", "ING-05", "ING-07", "ING-09"} <= set(found.rules)


@pytest.mark.parametrize(
    ("classes", "name", "settings", "served"),
    [
        ([], "nginx", {}, True),
        ([], "", {}, True),
        ([("nginx", "k8s.io/ingress-nginx", False, "")], "nginx", {}, True),
        ([("nginx", "k8s.io/ingress-nginx", False, "")], "other", {}, False),
        ([("nginx", "k8s.io/ingress-nginx", False, "")], "", {}, False),
        ([("nginx", "k8s.io/ingress-nginx", True, "")], "", {}, True),
        ([("nginx", "k8s.io/ingress-nginx", False, "")], "", {"ingress_class": "nginx"}, True),
        ([("nginx", "k8s.io/ingress-nginx", True, "")], "", {"ingress_controller": "k8s.io/ingress-nginx"}, True),
        ([("nginx", "k8s.io/ingress-nginx", True, "")], "", {"ingress_controller": "traefik.io/x"}, False),
        (
            [("old", "a.io/a", True, "2020-01-01T00:00:00Z"), ("new", "b.io/b", True, "2024-01-01T00:00:00Z")],
            "",
            {"ingress_controller": "b.io/b"},
            True,
        ),
        (
            [("old", "a.io/a", True, "2020-01-01T00:00:00Z"), ("new", "b.io/b", True, "2024-01-01T00:00:00Z")],
            "",
            {"ingress_controller": "a.io/a"},
            False,
        ),
    ],
)
def test_ing_01_which_class_is_served(classes: Any, name: str, settings: Any, served: bool) -> None:
    made = ingress("i", ("x.test", "Prefix", "/", "web"))
    made["spec"]["ingressClassName"] = name
    kinds = [
        {
            "kind": "IngressClass",
            "metadata": {
                "name": own,
                "creationTimestamp": created,
                "annotations": {"ingressclass.kubernetes.io/is-default-class": str(default).lower()},
            },
            "spec": {"controller": controller},
        }
        for own, controller, default, created in classes
    ]
    assert got(ask("http://x.test/", made, target(), *kinds, settings=Settings(**settings))) == (
        "web" if served else "404"
    )


def test_ing_01_an_old_class_annotation_needs_no_class_object() -> None:
    made = ingress("i", ("x.test", "Prefix", "/", "web"))
    del made["spec"]["ingressClassName"]
    made["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "other"}
    assert got(ask("http://x.test/", made, target(), KIND)) == "web"


@pytest.mark.parametrize(
    ("port", "extra", "expected"),
    [
        (80, [endpoints("web")], "web"),
        ("http", [endpoints("web")], "web"),
        (8080, [endpoints("web", port="alt")], "web"),
        ("alt", [endpoints("web")], "503"),
        (81, [endpoints("web")], "503"),
        ("none", [endpoints("web")], "503"),
        (80, [endpoints("web", ready=False)], "503"),
        (80, [endpoints("other")], "503"),
        (80, [], "web"),
    ],
)
def test_ing_09_backends_by_number_and_by_name(port: Any, extra: list[Obj], expected: str) -> None:
    made = ingress("i", defaultBackend=backend("web", port))
    found = ask("http://x.test/", made, target(), *extra)
    assert got(found) == expected and bool(found.why) is (expected == "503")


def test_ing_09_a_backend_in_another_namespace_is_not_found() -> None:
    made = ingress("i", defaultBackend=backend("web"))
    far = target()
    far["metadata"]["namespace"] = "other"
    assert ask("http://x.test/", made, far).why == "no such Service"


TLS = [{"hosts": ["x.test"], "secretName": "x-cert"}, {"hosts": ["*.wild.test"], "secretName": "w-cert"}]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.test/", "shop/x-cert"),
        ("https://x.test:8443/", "shop/x-cert"),
        ("https://a.wild.test/", "shop/w-cert"),
        ("https://a.b.wild.test/", "default"),
        ("https://wild.test/", "default"),
        ("https://other.test/", "default"),
        ("http://other.test/", ""),
    ],
)
def test_ing_10_the_certificate_follows_the_name_asked_for(url: str, expected: str) -> None:
    made = ingress("i", ("", "Prefix", "/", "web"), tls=TLS)
    found = ask(url, made, target())
    assert found.certificate == expected and got(found) == "web"


@pytest.mark.parametrize(
    ("url", "tls", "annotations", "location"),
    [
        ("http://x.test/a?q=1", TLS, {}, "https://x.test/a?q=1"),
        ("http://x.test:8080/a", TLS, {}, "https://x.test/a"),
        ("https://x.test/a", TLS, {}, ""),
        ("http://a.wild.test/", TLS, {}, "https://a.wild.test/"),
        ("http://other.test/", TLS, {}, ""),
        ("http://x.test/", [], {}, ""),
        ("http://x.test/", TLS, {"ssl_redirect": "false"}, ""),
        ("http://x.test/", [], {"ssl_redirect": "true"}, ""),
        ("http://x.test/", [], {"force_ssl_redirect": "true"}, "https://x.test/"),
        ("http://x.test/", TLS, {"ssl_redirect": "false", "force_ssl_redirect": "true"}, "https://x.test/"),
        ("http://x.test/.well-known/acme-challenge/t", TLS, {}, ""),
    ],
)
def test_ing_10_plain_http_is_sent_to_https(url: str, tls: Any, annotations: dict[str, str], location: str) -> None:
    made = noted(ingress("i", ("", "Prefix", "/", "web"), **({"tls": tls} if tls else {})), **annotations)
    found = ask(url, made, target(), KIND)
    assert found.location == location and found.status == (308 if location else 0)


@pytest.mark.parametrize("name", ["", "own"])
def test_ing_10_a_class_nothing_is_known_of_is_taken_for_ingress_nginx(name: str) -> None:
    made = ingress("i", ("x.test", "Prefix", "/", "web"), tls=TLS)
    made["spec"]["ingressClassName"] = name
    found = ask("http://x.test/", made, target())
    assert found.status == 308 and "controller-assumed" in [one.code for one in found.assumptions]
    assert "controller-assumed" not in [one.code for one in ask("https://x.test/", made, target()).assumptions]


def test_ing_10_other_controllers_do_not_redirect() -> None:
    made = ingress("i", ("x.test", "Prefix", "/", "web"), tls=TLS)
    kind = {**KIND, "spec": {"controller": "traefik.io/ingress-controller"}}
    assert got(ask("http://x.test/", made, target(), kind)) == "web"


@pytest.mark.parametrize(
    ("path", "expected", "sent"),
    [
        ("/something/new", "long", "/new"),
        ("/something", "long", "/"),
        ("/SOMETHING/New", "long", "/New"),
        ("/somethingelse", "short", "/somethingelse"),
        ("/foo/bar", "bar", "/foo/bar"),
        ("/FOO/BARS", "bar", "/FOO/BARS"),
        ("/foo/x", "foo", "/foo/x"),
        ("/exactly/more", "exact", "/exactly/more"),
        ("/", "404", "/"),
    ],
)
def test_ing_14_one_annotation_makes_every_path_of_the_host_an_expression(path: str, expected: str, sent: str) -> None:
    """Case-insensitive, open at the end, longest first, Exact or not; rewrites only where they are written."""
    rewriting = noted(
        ingress("rewriting", ("x.test", "ImplementationSpecific", "/something(/|$)(.*)", "long")), rewrite_target="/$2"
    )
    other = ingress(
        "plain",
        ("x.test", "Prefix", "/s.*e", "short"),
        ("x.test", "Prefix", "/foo", "foo"),
        ("x.test", "Prefix", "/foo/bar", "bar"),
        ("x.test", "Exact", "/exactly", "exact"),
        ("y.test", "Exact", "/exactly", "exact"),
    )
    services = [target(name) for name in ("long", "short", "foo", "bar", "exact")]
    found = ask(f"http://x.test{path}", rewriting, other, *services, KIND)
    assert (got(found), found.rewritten) == (expected, sent)
    assert ("ING-14" in found.rules) is (expected != "404")
    assert got(ask("http://y.test/exactly/more", rewriting, other, *services, KIND)) == "404"


@pytest.mark.parametrize(
    ("annotations", "path", "expected"),
    [
        ({}, "/fooBAR", "404"),
        ({"use_regex": "true"}, "/fooBAR", "web"),
        ({"use_regex": "false"}, "/fooBAR", "404"),
        ({"rewrite_target": "/"}, "/fooBAR", "web"),
        ({"rewrite_target": "/foo"}, "/fooBAR", "404"),
    ],
)
def test_ing_14_what_switches_it_on(annotations: dict[str, str], path: str, expected: str) -> None:
    made = noted(ingress("i", ("x.test", "Prefix", "/foo", "web")), **annotations)
    assert got(ask(f"http://x.test{path}", made, target(), KIND)) == expected


def test_ing_14_what_cannot_be_judged_is_said() -> None:
    made = noted(
        ingress("i", ("x.test", "Prefix", "/(?!no)", "web"), ("x.test", "Prefix", "/", "all")), use_regex="true"
    )
    found = ask("http://x.test/yes", made, target(), target("all"), KIND)
    assert [one.code for one in found.assumptions] == ["regex-dialect", "endpoints-unknown"]
    canary = noted(ingress("i", ("x.test", "Prefix", "/", "web")), canary="true", proxy_read_timeout="5")
    found = ask("http://x.test/", canary, target(), KIND)
    assert "canary" in found.assumptions[0].text and "proxy-read-timeout" not in found.assumptions[0].text


def test_the_nearest_miss_is_told_first() -> None:
    """ING-03, ING-07, ING-12."""
    old = ingress("old", ("x.test", "Prefix", "/shop", "web"), created="2020-01-01T00:00:00Z")
    new = ingress(
        "new",
        ("x.test", "Prefix", "/shop", "other"),
        ("x.test", "Prefix", "/", "root"),
        ("x.test", "Exact", "/shop/cart", "cart"),
        ("", "Prefix", "/", "any"),
        ("y.test", "Prefix", "/", "y"),
        created="2024-01-01T00:00:00Z",
    )
    found = ask("http://x.test/shop/x", new, old, target())
    assert got(found) == "web" and found.path.path == "/shop" and "ING-12" in found.rules
    assert [one.rule for one in found.considered] == [
        "shop/new Prefix /shop",
        "shop/new Prefix /",
        "shop/new Exact /shop/cart",
        "shop/new host any",
        "shop/new host y.test",
    ]
    assert "older" in found.considered[0].why and "longer" in found.considered[1].why


def test_ing_12_an_ingress_without_age_is_the_newest() -> None:
    dated = ingress("z", ("x.test", "Prefix", "/", "web"), created="2024-01-01T00:00:00Z")
    fresh = ingress("a", ("x.test", "Prefix", "/", "other"))
    assert got(ask("http://x.test/", fresh, dated, target())) == "web"


@pytest.mark.parametrize(
    ("controller", "message"),
    [
        ("k8s.io/ingress-nginx", ""),
        ("traefik.io/ingress-controller", ""),
        ("", "spec.controller: Required value"),
        ("nginx", "must be a domain-prefixed path"),
        ("nginx/", "must be a domain-prefixed path"),
        ("K8S/x", "a lowercase RFC 1123 subdomain"),
        (f"a.io/{'x' * 250}", "must have at most 250 bytes"),
    ],
)
def test_ing_01_the_controller_of_a_class(controller: str, message: str) -> None:
    found = [str(flaw) for flaw in validate({**KIND, "spec": {"controller": controller}})]
    assert (message in found[0]) if message else not found


def test_ing_01_the_controller_of_a_class_is_for_ever() -> None:
    assert "field is immutable" in str(validate({**KIND, "spec": {"controller": "a.io/b"}}, KIND)[0])
