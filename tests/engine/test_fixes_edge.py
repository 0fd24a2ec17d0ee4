"""Fixes at the edge: Ingresses, Gateways, redirects; and the order in which fixes are told."""

from __future__ import annotations

import msgspec
import pytest

from clusterviz.engine import Cluster, Probe, Settings, Verdict, trace
from clusterviz.engine.fixes import suggest
from tests.engine import gateway_world as gw
from tests.engine.test_fixes import carried_out, groups
from tests.engine.test_rules_gateway_traces import GATE, data_plane
from tests.engine.world import Obj, ask, base, build, pod, policy, service

HOST = "shop.example.com"
FRONT = service("ingress/front", app="ingress-nginx", type="LoadBalancer", target=80)
CLASS = {
    "kind": "IngressClass",
    "metadata": {"name": "nginx"},
    "spec": {"controller": "k8s.io/ingress-nginx"},
}


def ingress(name: str, backend: str, *, port: int = 80, path: str = "/", kind: str = "nginx") -> Obj:
    target = {"service": {"name": backend, "port": {"number": port}}}
    rule = {"host": HOST, "http": {"paths": [{"path": path, "pathType": "Prefix", "backend": target}]}}
    return {
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"ingressClassName": kind, "rules": [rule]},
    }


@pytest.mark.parametrize(
    ("made", "url", "verdict", "title"),
    [
        ([ingress("main", "web", kind="other")], "/", Verdict.NO_INGRESS_CONTROLLER, "ingressClassName of Ingress"),
        ([ingress("main", "webb")], "/", Verdict.PROXY_NO_ENDPOINTS, "lead to Service web, port 80"),
        ([ingress("main", "web", port=81)], "/", Verdict.PROXY_NO_ENDPOINTS, "lead to Service web, port 80"),
        ([ingress("main", "web", path="/cart")], "/carts", Verdict.NO_INGRESS_RULE, f"Ask for {HOST}/cart"),
        ([ingress("main", "web", path="/cart")], "/pay", Verdict.NO_INGRESS_RULE, "Add path /pay"),
    ],
)
def test_fixes_of_an_ingress(made: list[Obj], url: str, verdict: Verdict, title: str) -> None:
    """ING-01, ING-08, ING-09."""
    cluster = build(FRONT, CLASS, *made)
    failed = ask(cluster, "internet", f"http://{HOST}{url}")
    assert failed.verdict is verdict
    found = suggest(cluster, failed)
    assert found and all(fix.verified for fix in found)
    assert any(title in fix.title for fix in found), [fix.title for fix in found]
    for group in groups(found):
        assert carried_out(cluster, failed.probe, group).success, [fix.title for fix in group]


TO_HTTPS = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}


@pytest.mark.parametrize(
    ("rule", "verdict", "title"),
    [
        (gw.rule(filters=[TO_HTTPS]), Verdict.REDIRECTED, f"Call https://{HOST}/"),
        (gw.rule("webb"), Verdict.PROXY_BACKEND_INVALID, "lead to Service web, port 80"),
        (
            gw.rule({"name": "far", "namespace": "spy", "port": 80}),
            Verdict.PROXY_BACKEND_INVALID,
            "Allow HTTPRoutes of namespace shop to use Service spy/far",
        ),
    ],
)
def test_fixes_of_a_route(rule: Obj, verdict: Verdict, title: str) -> None:
    """GW-08, GW-10, GW-11: what is told is what the gateway then does."""
    secure = gw.route("shop/secure", gw.rule("web"), hosts=[HOST], parents=[{"name": "gw", "sectionName": "tls"}])
    plain = gw.route("shop/web", rule, hosts=[HOST], parents=[{"name": "gw", "sectionName": "http"}])
    cluster = build(GATE, *data_plane(), service("spy/far", app="spy"), secure, plain)
    failed = ask(cluster, "internet", f"http://{HOST}/")
    assert failed.verdict is verdict
    found = suggest(cluster, failed)
    assert any(title in fix.title and fix.verified for fix in found), [fix.title for fix in found]


def test_the_fault_itself_is_mended_before_it_is_hidden() -> None:
    """EPS-02: a pod that is not ready is made ready first; sending to unready ones comes last."""
    slow = pod("shop/slow", "10.244.2.7", "n3", app="slow")
    slow["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    cluster = build(slow, service("shop/slow", app="slow"))
    found = suggest(cluster, ask(cluster, "shop/client", "service:shop/slow:80"))
    assert found[0].title == "Make pod shop/slow ready."
    assert "not ready" in found[-1].title and all(fix.verified for fix in found)


def test_a_second_port_of_the_same_number_has_a_name_of_its_own() -> None:
    """SVC-10: kube-apiserver refuses two ports of one name."""
    cluster = build()
    found = suggest(cluster, ask(cluster, "shop/client", "10.96.0.20:80", protocol="UDP"))
    patch = next(fix.patch for fix in found if "a port 80/UDP" in fix.title)
    assert "name: port-80-tcp" in patch and "name: port-80-udp" in patch and patch.count("targetPort: 8080") == 2


def test_smaller_packets_or_a_larger_wire() -> None:
    """NET-07, NET-13."""
    cluster = build()
    large = trace(cluster, msgspec.structs.replace(Probe.parse("shop/client", "10.244.2.2:5432"), length=1480))
    found = suggest(cluster, large)
    assert [(fix.kind, fix.setting, fix.value, fix.verified) for fix in found] == [
        ("call", "", "", True),
        ("setting", "mtu", "1530", True),
    ]
    assert "at most 1450 bytes" in found[0].title


def test_the_address_of_the_other_family() -> None:
    """SVC-16."""
    both = pod("shop/both", "10.244.2.7", "n3", app="both")
    both["status"]["podIPs"] = [{"ip": "10.244.2.7"}, {"ip": "fd00:2::7"}]
    cluster = Cluster.from_objects([*base(), both], Settings())
    found = suggest(cluster, ask(cluster, "shop/client", "[fd00:2::7]:8080"))
    assert [(fix.kind, fix.value, fix.verified) for fix in found] == [("call", "10.244.2.7:8080", True)]


def test_a_label_others_rely_on_is_not_the_first_to_change() -> None:
    """NP-08: one more rule disturbs nobody, another value of a label may."""
    rules = [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]
    cluster = build(policy("shop/in", "db", ingress=rules))
    found = suggest(cluster, ask(cluster, "shop/client", "10.244.2.2:5432"))
    assert [fix.title.split()[0] for fix in found] == ["Let", "Label"]
