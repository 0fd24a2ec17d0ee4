"""Rules GW in traces: the way through a data plane, inside the cluster and outside it."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Settings, Trace, Verdict
from clusterviz.engine.packet import Http
from tests.engine.gateway_world import Obj, gateway, gateway_class, listener, path, route, rule
from tests.engine.test_rules_ingress import KIND, front, ingress
from tests.engine.world import actions, ask, build, header, landed, places, pod, policy, seen, service

OWNED = {"gateway.networking.k8s.io/gateway-name": "gw"}


def data_plane(**spec: Any) -> list[Obj]:
    """The Service and pod a controller makes for Gateway shop/gw; the pod listens elsewhere than the Service."""
    proxy = pod("shop/proxy", "10.244.2.9", "n3", app="proxy", ports=(10080, 10443))
    ports = [
        {"name": "http", "port": 80, "targetPort": 10080},
        {"name": "https", "port": 443, "targetPort": 10443},
    ]
    front = service("shop/front", app="proxy", **{"type": "LoadBalancer", "ports": ports, **spec})
    for made in (proxy, front):
        made["metadata"]["labels"] = {**made["metadata"].get("labels", {}), **OWNED}
    return [proxy, front]


GATE = gateway("shop/gw", listener(), listener("tls", port=443, protocol="HTTPS"))
HOSTS = ["shop.example.com"]
TO_WEB = route("shop/web", rule("web"), hosts=HOSTS)


def call(url: str, *objects: Obj, source: str = "internet", seed: int = 0, settings: Settings | None = None) -> Trace:
    return ask(build(*objects, settings=settings), source, url, seed=seed)


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
@pytest.mark.parametrize("source", ["internet", "spy/spy-1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_gw_13_the_data_plane_calls_a_pod_directly(kind: str, source: str, scheme: str) -> None:
    found = call(f"{scheme}://shop.example.com/", GATE, TO_WEB, *data_plane(type=kind), source=source)
    assert found.success and "pod:shop/proxy" in places(found)
    assert seen(found) == "10.244.2.9" and landed(found) in ("10.244.0.2:8080", "10.244.1.2:8080")
    assert found.reverse and header(found.reverse[-1].headers_out, Http).status == 200
    reasons = [step.reason for hop in found.forward for step in hop.steps]
    named = {name for hop in found.forward for step in hop.steps if step.layer == 7 for name in step.settings}
    assert {"gateway_class", "gateway_controller"} <= named
    assert "gateway_chose" in reasons and ("tls_ended" in reasons) is (scheme == "https")


def test_gw_09_shares_of_the_weights_are_the_odds() -> None:
    backends = [{"name": "web", "port": 80, "weight": 3}, {"name": "db", "port": 5432}]
    made = [GATE, *data_plane(), route("shop/web", rule(*backends), hosts=HOSTS)]
    cluster = build(*made)
    odds = {one.label: one.probability for one in ask(cluster, "internet", "http://shop.example.com/").branches}
    assert odds == pytest.approx({"shop/web-1": 0.375, "shop/web-2": 0.375, "shop/db-0": 0.25})
    ends = [places(ask(cluster, "internet", "http://shop.example.com/", seed=seed))[-1] for seed in range(60)]
    assert set(ends) == {"pod:shop/web-1", "pod:shop/web-2", "pod:shop/db-0"}
    assert 5 <= ends.count("pod:shop/db-0") <= 25


@pytest.mark.parametrize(
    ("made", "url", "verdict", "symptom"),
    [
        (rule("web", matches=[path("/a")]), "/b", Verdict.NO_INGRESS_RULE, "HTTP 404 from the gateway"),
        (rule("none"), "/", Verdict.PROXY_BACKEND_INVALID, "HTTP 500 from the gateway"),
        (rule("idle"), "/", Verdict.PROXY_NO_ENDPOINTS, "HTTP 503 from the gateway"),
        (
            rule(filters=[{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]),
            "/x",
            Verdict.REDIRECTED,
            "HTTP 301 to https://shop.example.com/x",
        ),
    ],
)
def test_gw_08_what_the_gateway_answers_itself(made: Obj, url: str, verdict: Verdict, symptom: str) -> None:
    """GW-08, GW-11: an HTTP status on the way back, nothing is sent to a pod."""
    idle = service("shop/idle", app="nobody")
    objects = [GATE, *data_plane(), idle, route("shop/web", made, hosts=HOSTS)]
    found = call(f"http://shop.example.com{url}", *objects)
    assert (found.verdict, found.symptom) == (verdict, symptom) and "proxied" not in actions(found)
    assert str(header(found.reverse[-1].headers_out, Http).status) in symptom
    assert places(found)[-1] == "pod:shop/proxy"


def test_gw_08_an_invalid_backend_gets_its_share_of_the_requests() -> None:
    cluster = build(GATE, *data_plane(), route("shop/web", rule("web", "none"), hosts=HOSTS))
    found = [ask(cluster, "internet", "http://shop.example.com/", seed=seed).verdict for seed in range(40)]
    assert 8 <= found.count(Verdict.PROXY_BACKEND_INVALID) <= 32


def test_gw_12_the_pod_gets_the_rewritten_request() -> None:
    change = {"hostname": "in.test", "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}}
    made = rule("web", matches=[path("/old")], filters=[{"type": "URLRewrite", "urlRewrite": change}])
    found = call("http://shop.example.com/old/x", GATE, *data_plane(), route("shop/web", made, hosts=HOSTS))
    request = header(found.forward[-1].headers_in, Http)
    assert (request.host, request.path) == ("in.test", "/new/x") and request.forwarded_for


def test_gw_13_a_class_nobody_serves() -> None:
    found = call("http://shop.example.com/", GATE, TO_WEB)
    assert found.verdict is Verdict.NO_INGRESS_CONTROLLER and "GW-13" in found.blockers[0].why
    served = call("http://shop.example.com/", GATE, TO_WEB, settings=Settings(gateway_class="any"))
    assert served.success
    other = Settings(gateway_controller="other.io/gateway")
    refused = call("http://shop.example.com/", GATE, TO_WEB, gateway_class(), settings=other)
    assert refused.verdict is Verdict.NO_INGRESS_CONTROLLER


@pytest.mark.parametrize("source", ["internet", "spy/spy-1", "node/n2"])
def test_gw_13_a_data_plane_that_is_not_among_the_objects(source: str) -> None:
    """Its address is assumed, or that of the status; it reaches pods without NAT."""
    found = call("http://shop.example.com/", GATE, TO_WEB, gateway_class(), source=source)
    assert found.success and "gateway:shop/gw" in places(found)
    assert {"gateway-address", "managed-data-plane"} <= {one.code for one in found.assumptions}
    known = {**GATE, "status": {"addresses": [{"type": "IPAddress", "value": "203.0.113.77"}]}}
    found = call("http://shop.example.com/", known, TO_WEB, source=source)
    assert found.success and seen(found) == "203.0.113.77"
    assert "gateway-address" not in {one.code for one in found.assumptions}
    assert call("http://203.0.113.77/", known, TO_WEB, source=source).verdict is Verdict.NO_INGRESS_RULE
    assert call("http://203.0.113.77:81/", known, TO_WEB, source=source).verdict is Verdict.NOBODY_LISTENING


def test_a_policy_that_shuts_the_backend_is_a_gateway_time_out() -> None:
    found = call("http://shop.example.com/", GATE, TO_WEB, *data_plane(), policy("shop/deny", "web"))
    assert found.verdict is Verdict.DENIED_INGRESS and found.symptom == "HTTP 504 from the gateway"


def test_ing_10_plain_http_is_redirected_in_a_trace() -> None:
    site = ingress("i", ("shop.example.com", "Prefix", "/", "web"), tls=[{"hosts": HOSTS, "secretName": "c"}])
    found = call("http://shop.example.com/x", site, KIND, front())
    assert (found.verdict, found.symptom) == (Verdict.REDIRECTED, "HTTP 308 to https://shop.example.com/x")
    assert header(found.reverse[-1].headers_out, Http).status == 308
    secure = call("https://shop.example.com/x", site, KIND, front())
    assert secure.success
    ended = next(step for hop in secure.forward for step in hop.steps if step.reason == "tls_ended")
    assert ended.facts["certificate"] == "shop/c" and "ING-10" in ended.rule.rules


def test_ing_14_the_pod_gets_the_rewritten_path() -> None:
    site = ingress("i", ("shop.example.com", "ImplementationSpecific", "/api(/|$)(.*)", "web"))
    site["metadata"]["annotations"] = {"nginx.ingress.kubernetes.io/rewrite-target": "/$2"}
    found = call("http://shop.example.com/API/cart", site, KIND, front())
    assert header(found.forward[-1].headers_in, Http).path == "/cart"
