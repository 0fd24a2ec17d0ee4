"""Rules ING: hosts, paths, backends, and the ways in to a controller."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings, Verdict
from clusterviz.engine.datapath.ingress import match_request
from tests.engine.world import Obj, ask, base, build, places, pod, seen, service

KIND = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "nginx"},
    "spec": {"controller": "k8s.io/ingress-nginx"},
}


def backend(name: str, port: Any = 80) -> Obj:
    return {"service": {"name": name, "port": {"name" if isinstance(port, str) else "number": port}}}


def ingress(name: str, *rules: tuple[str, str, str, str], created: str = "", **spec: Any) -> Obj:
    """rules: (host, pathType, path, backend Service)."""
    hosts: dict[str, list[Obj]] = {}
    for host, kind, path, target in rules:
        hosts.setdefault(host, []).append({"path": path, "pathType": kind, "backend": backend(target)})
    made = [{**({"host": h} if h else {}), "http": {"paths": paths}} for h, paths in hosts.items()]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": created},
        "spec": {"ingressClassName": "nginx", **({"rules": made} if made else {}), **spec},
    }


def choose(host: str, path: str, *ingresses: Obj) -> str:
    cluster = Cluster.from_objects(ingresses, Settings())
    ordered = sorted(cluster.ingresses.values(), key=lambda one: (one.created, one.namespace, one.name))
    found = match_request(ordered, host, path)
    return found.backend.service if found.backend else "404"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("foo.com", "exact"),
        ("FOO.com:8080", "exact"),
        ("foo.com.", "exact"),
        ("bar.foo.com", "wild"),
        ("baz.bar.foo.com", "any"),
        ("other.org", "any"),
        ("a.foo.com", "a"),
        ("", "any"),
    ],
)
def test_hosts(host: str, expected: str) -> None:
    """ING-02, ING-03."""
    rules = [("foo.com", "exact"), ("*.foo.com", "wild"), ("a.foo.com", "a"), ("", "any")]
    assert choose(host, "/", ingress("i", *((h, "Prefix", "/", name) for h, name in rules))) == expected


def test_paths_are_compared_only_inside_the_chosen_host() -> None:
    """ING-03, ING-08."""
    made = ingress("i", ("foo.com", "Prefix", "/a", "exact"), ("", "Prefix", "/", "any"))
    assert choose("foo.com", "/b", made) == "404"


@pytest.mark.parametrize(
    ("kind", "rule", "path", "matches"),
    [
        ("Exact", "/foo", "/foo", True),
        ("Exact", "/foo", "/foo/", False),
        ("Exact", "/foo/", "/foo", False),
        ("Exact", "/foo", "/FOO", False),
        ("Exact", "/foo", "/foo?x=1", True),
        ("Prefix", "/", "/anything/x", True),
        ("Prefix", "/foo", "/foo/", True),
        ("Prefix", "/foo/", "/foo", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", False),
        ("Prefix", "/aaa/bb", "/aaa/bbb", False),
        ("Prefix", "/Foo", "/foo", False),
        ("ImplementationSpecific", "/foo", "/foo/x", True),
    ],
)
def test_paths(kind: str, rule: str, path: str, matches: bool) -> None:
    """ING-04, ING-05, ING-06."""
    assert (choose("x.com", path, ingress("i", ("x.com", kind, rule, "hit"))) == "hit") is matches


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/foo", "exact"), ("/foo/", "prefix"), ("/foo/bar/x", "long"), ("/", "root"), ("/foobar", "root")],
)
def test_the_longest_path_and_then_the_exact_one(path: str, expected: str) -> None:
    """ING-07."""
    rules = [
        ("/", "Prefix", "root"),
        ("/foo", "Prefix", "prefix"),
        ("/foo", "Exact", "exact"),
        ("/foo/bar", "Prefix", "long"),
    ]
    for order in (rules, rules[::-1]):
        assert choose("x.com", path, ingress("i", *(("x.com", kind, p, name) for p, kind, name in order))) == expected


def test_the_older_ingress_wins_and_rules_of_a_host_are_merged() -> None:
    """ING-12."""
    old = ingress("z-old", ("x.com", "Prefix", "/", "old"), created="2024-01-01T00:00:00Z")
    new = ingress(
        "a-new", ("x.com", "Prefix", "/", "new"), ("x.com", "Prefix", "/more", "more"), created="2025-01-01T00:00:00Z"
    )
    assert choose("x.com", "/", new, old) == "old"
    assert choose("x.com", "/more", new, old) == "more"


def test_default_backends() -> None:
    """ING-08: of the host's own Ingress, then of one without rules, else 404."""
    mine = ingress("z-mine", ("x.com", "Prefix", "/a", "a"), defaultBackend=backend("mine"))
    all_ = ingress("a-all", defaultBackend=backend("all"))
    assert choose("x.com", "/b", mine, all_) == "mine"
    assert choose("y.com", "/b", mine, all_) == "all"
    assert choose("y.com", "/b", ingress("i", ("x.com", "Prefix", "/", "a"))) == "404"
    assert choose("x.com", "/a", mine, all_) == "a"


def front(**spec: Any) -> Obj:
    ports = [{"name": "http", "port": 80, "targetPort": 80}, {"name": "https", "port": 443, "targetPort": 443}]
    return service("ingress/front", app="ingress-nginx", **{"ports": ports, "type": "LoadBalancer", **spec})


SITE = ingress("site", ("shop.example.com", "Prefix", "/", "web"))


def host_controller(on: str = "n2") -> list[Obj]:
    """The classroom with its controller on the network of its node instead."""
    made = [one for one in base() if one["metadata"]["name"] != "ctl"]
    controller = pod("ingress/ctl", "", on, app="ingress-nginx", ports=(80, 443), hostNetwork=True)
    controller["metadata"]["labels"] |= {"app.kubernetes.io/name": "ingress-nginx"}
    controller["status"] = {"phase": "Running"}
    return [*made, controller, SITE, KIND]


def test_a_controller_on_its_nodes_network_is_reached_at_the_node() -> None:
    """ING-01, ING-11, NET-02."""
    cluster = Cluster.from_objects(host_controller(), Settings())
    assert "no-controller" not in [notice.code for notice in cluster.warnings]
    for to in ("http://shop.example.com/", "http://192.168.0.12/"):
        found = ask(cluster, "internet", to)
        assert places(found)[:2] == ["internet", "node:n2"]
        assert found.verdict is (Verdict.DELIVERED if "shop" in to else Verdict.NO_INGRESS_RULE)
    for seed in range(8):
        found = ask(cluster, "internet", "http://shop.example.com/", seed=seed)
        assert found.success and seen(found) in ("10.244.1.1", "10.244.1.0")
        assert found.reverse[-1].place.ref == "internet"
    assert ask(cluster, "internet", "http://192.168.0.11/").verdict is Verdict.NOBODY_LISTENING


@pytest.mark.parametrize(
    ("spec", "provider", "url", "verdict"),
    [
        ({}, True, "http://shop.example.com/", Verdict.DELIVERED),
        ({}, False, "http://shop.example.com/", Verdict.NO_LB_PROVIDER),
        ({}, False, "http://shop.example.com:30086/", Verdict.DELIVERED),
        ({"type": "NodePort"}, False, "http://shop.example.com/", Verdict.DELIVERED),
        ({"type": "NodePort"}, False, "https://shop.example.com/", Verdict.DELIVERED),
        ({"type": "ClusterIP"}, True, "http://shop.example.com/", Verdict.NO_ROUTE),
        ({"externalTrafficPolicy": "Local"}, True, "http://shop.example.com/", Verdict.DELIVERED),
    ],
)
def test_ways_in_to_the_controller(spec: dict[str, Any], provider: bool, url: str, verdict: Verdict) -> None:
    """ING-11, SVC-06: balancer, node port, or neither."""
    cluster = build(SITE, KIND, front(**spec), settings=Settings(load_balancer_provider=provider))
    found = ask(cluster, "internet", url)
    assert found.verdict is verdict
    if found.success:
        assert "pod:ingress/ctl" in places(found)


def test_a_class_nobody_marked_default_serves_no_ingress_without_a_class() -> None:
    """ING-01."""
    bare = {**SITE, "spec": {key: value for key, value in SITE["spec"].items() if key != "ingressClassName"}}
    assert (
        ask(build(bare, KIND, front()), "internet", "http://shop.example.com/").verdict is Verdict.NO_INGRESS_CONTROLLER
    )
    default = {
        **KIND,
        "metadata": {"name": "nginx", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
    }
    assert ask(build(bare, default, front()), "internet", "http://shop.example.com/").success


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (backend("missing"), "no such Service"),
        (backend("web", 81), "no such port"),
        (backend("web", "x"), "no such port"),
        (backend("idle"), "no ready endpoint"),
    ],
)
def test_backends_that_are_not_there_are_503(target: Obj, why: str) -> None:
    """ING-09: an HTTP status, not a refused connection."""
    made = ingress("site", defaultBackend=target)
    cluster = build(made, KIND, front(), service("shop/idle", app="nobody"))
    found = ask(cluster, "internet", f"http://{cluster.services[('ingress', 'front')].lb_ips[0]}/")
    assert found.verdict is Verdict.PROXY_NO_ENDPOINTS and why in found.blockers[0].why
    assert "503" in found.symptom and found.reverse


def test_the_controller_spreads_over_all_ready_endpoints() -> None:
    """ING-13."""
    cluster = build(SITE, KIND, front())
    found = [ask(cluster, "internet", "http://shop.example.com/", seed=seed) for seed in range(40)]
    assert {one.waypoints[-1].ref for one in found} == {"pod:shop/web-1", "pod:shop/web-2"}
    assert [branch.probability for branch in found[0].branches] == [0.5, 0.5]


def test_the_controllers_metrics_are_its_own() -> None:
    made = next(one for one in base() if one["metadata"]["name"] == "ctl")
    made["spec"]["containers"][0]["ports"].append({"name": "metrics", "containerPort": 10254})
    cluster = Cluster.from_objects(
        [*(one for one in base() if one["metadata"]["name"] != "ctl"), made, SITE, KIND], Settings()
    )
    assert ask(cluster, "shop/client", "http://10.244.2.3:10254/metrics").verdict is Verdict.DELIVERED
    assert ask(cluster, "shop/client", "http://10.244.2.3:80/").verdict is Verdict.NO_INGRESS_RULE


def test_a_controller_outside_the_cluster_is_known_by_the_address_in_the_status() -> None:
    """ING-01, ING-11: no pods of it among the objects; what is assumed is said."""
    named = {**SITE, "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.net"}]}}}
    assert ask(build(named, KIND), "internet", "http://shop.example.com/").success
    known = {**SITE, "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.80"}]}}}
    cluster = build(known, KIND)
    found = ask(cluster, "internet", "http://shop.example.com/")
    assert found.success and "ingress:shop/site" in places(found) and seen(found) == "203.0.113.80"
    assert {"managed-data-plane", "public-dns"} <= {one.code for one in found.assumptions}
    assert ask(cluster, "shop/client", "http://203.0.113.80/").verdict is Verdict.NO_INGRESS_RULE
    assert ask(cluster, "internet", "http://203.0.113.80:22/").verdict is Verdict.NOBODY_LISTENING
    assert ask(cluster, "internet", "203.0.113.80:80").verdict is Verdict.INSUFFICIENT_INFO


def controller(name: str, ip: str, **args: str) -> list[Obj]:
    """A controller pod of ingress-nginx with flags, and its Service."""
    made = pod(f"{name}/ctl", ip, "n3", app=name, ports=(80, 443))
    made["metadata"]["labels"] |= {"app.kubernetes.io/name": "ingress-nginx"}
    made["spec"]["containers"][0]["args"] = [f"--{key.replace('_', '-')}={value}" for key, value in args.items()]
    return [made, service(f"{name}/front", app=name, type="LoadBalancer", target=80)]


def test_two_controllers_of_one_kind_are_told_apart_by_their_class() -> None:
    """ING-01: --controller-class is what an IngressClass names."""
    inner = {**KIND, "metadata": {"name": "inner"}, "spec": {"controller": "example.com/inner"}}
    mine = {**SITE, "spec": {**SITE["spec"], "ingressClassName": "inner"}}
    pods = controller("inner", "10.244.2.7", controller_class="example.com/inner")
    cluster = build(mine, inner, KIND, front(), *pods)
    found = ask(cluster, "internet", "http://shop.example.com/")
    assert found.success and "pod:inner/ctl" in places(found)
    other = next(iter(cluster.services[("ingress", "front")].lb_ips))
    assert ask(cluster, "internet", f"http://{other}/").verdict is Verdict.NO_INGRESS_RULE
    only = build(mine, inner, *pods)
    asked = ask(only, "internet", f"http://{only.services[('inner', 'front')].lb_ips[0]}/")
    assert asked.verdict is Verdict.NO_INGRESS_RULE


def test_the_controllers_own_default_backend_takes_what_no_rule_fits() -> None:
    """ING-08."""
    made = controller("edge", "10.244.2.7", default_backend_service="shop/web")
    objects = [one for one in base() if one["metadata"]["name"] != "ctl"]
    cluster = Cluster.from_objects([*objects, SITE, KIND, *made], Settings())
    address = cluster.services[("edge", "front")].lb_ips[0]
    found = ask(cluster, "internet", f"http://{address}/")
    assert found.success and places(found)[-1] in ("pod:shop/web-1", "pod:shop/web-2")
    rule = next(step.rule for hop in found.forward for step in hop.steps if step.reason == "proxy_chose")
    assert rule is not None and "ING-08" in rule.rules


@pytest.mark.parametrize(
    ("name", "end"),
    [("api.example.com", "external:"), ("web.shop.svc.cluster.local", "pod:shop/web")],
)
def test_a_backend_that_is_only_a_name_is_called_by_that_name(name: str, end: str) -> None:
    """SVC-09, ING-09."""
    alias = service("shop/alias", type="ExternalName", externalName=name)
    made = ingress("i", ("shop.example.com", "Prefix", "/", "alias"))
    found = ask(build(made, KIND, front(), alias), "internet", "http://shop.example.com/")
    assert found.success and places(found)[-1].startswith(end)
    assert "external-backend" in {one.code for one in found.assumptions}
    assert found.symptom.startswith("an answer")


def test_only_the_nearest_misses_are_told() -> None:
    """Three thousand Ingresses of other hosts say nothing about a request."""
    many = [ingress(f"i{n}", (f"h{n}.test", "Prefix", "/", "web")) for n in range(120)]
    cluster = Cluster.from_objects(many, Settings())
    found = match_request(list(cluster.ingresses.values()), "h7.test", "/")
    assert found.backend is not None and len(found.considered) == 50


def test_a_proxy_calls_only_endpoints_of_a_family_it_has() -> None:
    """ING-13, SVC-16: the others are named, with why."""

    def half(name: str, ip: str, kind: str) -> Obj:
        labels = {"kubernetes.io/service-name": "both"}
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": name, "namespace": "shop", "labels": labels},
            "addressType": kind,
            "ports": [{"port": 8080}],
            "endpoints": [{"addresses": [ip]}],
        }

    slices = [half("four", "10.244.0.2", "IPv4"), half("six", "fd00::2", "IPv6")]
    made = ingress("i", ("shop.example.com", "Prefix", "/", "both"))
    cluster = build(made, KIND, front(), service("shop/both"), *slices)
    for seed in range(6):
        found = ask(cluster, "internet", "http://shop.example.com/", seed=seed)
        assert places(found)[-1] == "pod:shop/web-1"
    step = next(step for hop in found.forward for step in hop.steps if step.reason == "proxy_chose")
    assert {one.address: one.why for one in step.candidates} == {
        "10.244.0.2": "",
        "fd00::2": "the proxy has no address of its family",
    }
