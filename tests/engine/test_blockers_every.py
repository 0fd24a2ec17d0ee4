"""For each verdict a world in which two things stop the call, and neither hides the other (TRC-03)."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pytest

from clusterviz.engine import Probe, Settings, Verdict, trace
from clusterviz.engine.fixes import suggest
from clusterviz.engine.objects import CUT_ANNOTATION, HUNG_ANNOTATION, LISTEN_ANNOTATION
from clusterviz.engine.remedies.words import WORK
from clusterviz.engine.trace import SUCCESSES, Blocker, Fix
from tests.engine import gateway_world as gw
from tests.engine.test_fixes_edge import CLASS, FRONT, HOST, ingress
from tests.engine.test_rules_gateway_traces import GATE, data_plane
from tests.engine.world import Obj, base, build, pod, policy, service

# After these nothing can be said: a circle has no end, and of a way nobody knows no part is known.
LAST = {Verdict.TTL_EXPIRED, Verdict.INSUFFICIENT_INFO}
URL = f"http://{HOST}/"
MUTE = policy("shop/mute", "client", policyTypes=["Egress"])
SHUT = policy("shop/shut", "slow", policyTypes=["Ingress"])
GUARD = policy("shop/guard", "db", policyTypes=["Ingress"])
WALL = policy("shop/wall", "web", policyTypes=["Ingress"])


def marked(found: Obj, **annotations: str) -> Obj:
    names = {"cut": CUT_ANNOTATION, "hung": HUNG_ANNOTATION, "listen": LISTEN_ANNOTATION, "down": "clusterviz.dev/down"}
    found["metadata"]["annotations"] = {names[name]: value for name, value in annotations.items()}
    return found


def slow(*, ready: bool = False, **status: Any) -> Obj:
    made = marked(pod("shop/slow-1", "10.244.1.9", "n2", app="slow"), listen="8080")
    made["status"] |= {"conditions": [{"type": "Ready", "status": str(ready)}], **status}
    return made


def known(name: str, **annotations: str) -> Obj:
    """An object of the classroom, with annotations."""
    return marked(next(one for one in base() if one["metadata"]["name"] == name), **annotations)


def other_route() -> Obj:
    return gw.route("spy/away", gw.rule({"name": "web", "namespace": "shop", "port": 80}), hosts=[HOST], parents=PARENT)


PARENT = [{"name": "gw", "namespace": "shop"}]
OPEN_GATE = gw.gateway("shop/gw", gw.listener(allowedRoutes={"namespaces": {"from": "All"}}))
OWN_DNS = service("kube-system/kube-dns", clusterIP="10.96.0.10")
HUNG_PROXY = marked(data_plane()[0], hung="true")
TO_NONE = gw.route("shop/web", gw.rule("none"), hosts=[HOST])
TO_SLOW = gw.route("shop/web", gw.rule("slow"), hosts=[HOST])
CART = gw.route("shop/web", gw.rule("web", matches=[gw.path("/cart")]), hosts=[HOST])
UNSERVED = gw.gateway("shop/gw", gw.listener(hostname=HOST), gatewayClassName="missing")
NOBODY = {"gateway_class": "other"}
SECURE = ingress("main", "web")
SECURE["spec"]["tls"] = [{"hosts": [HOST], "secretName": "cert"}]


class Case(NamedTuple):
    """``also`` is the second verdict; ``mended``: fixes are known that take both causes away."""

    extra: list[Obj]
    to: str
    also: str
    source: str = "shop/client"
    protocol: str = ""
    settings: dict[str, Any] = {}
    length: int = 0
    mended: bool = True


WORLDS: dict[str, Case] = {
    "denied_egress": Case([MUTE, GUARD], "10.244.2.2:5432", "denied_ingress"),
    "denied_ingress": Case([GUARD], "10.244.2.2:1", "nobody_listening"),
    "no_endpoints_rejected": Case([slow(), SHUT, service("shop/slow", app="slow")], "http://slow/", "denied_ingress"),
    "no_local_endpoint_dropped": Case(
        [SHUT, slow(ready=True), service("shop/slow", app="slow", internalTrafficPolicy="Local")],
        "service:shop/slow:80",
        "denied_ingress",
    ),
    "source_range_dropped": Case(
        [WALL, service("shop/edge", app="web", type="LoadBalancer", loadBalancerSourceRanges=["192.0.2.0/24"])],
        "service:shop/edge:80",
        "denied_ingress",
        source="internet",
    ),
    "vip_port_unknown": Case([WALL], "10.96.0.20:8080", "denied_ingress"),
    "vip_icmp_unanswered": Case([GUARD], "10.96.0.30", "denied_ingress", protocol="ICMP"),
    "nobody_listening": Case([known("db-0", hung="true", listen="1")], "http://10.244.2.2:5432/", "no_answer"),
    "no_answer": Case(
        [FRONT, CLASS, known("ctl", hung="true"), ingress("main", "none")], URL, "proxy_no_endpoints", "internet"
    ),
    "name_not_found": Case(
        [slow(), SHUT, service("shop/slow", app="slow", clusterIP="None")], "http://slow:8080/", "denied_ingress"
    ),
    "dns_blocked": Case([OWN_DNS], "http://nowhere.shop/", "name_not_found", mended=False),
    "no_route": Case([GUARD, known("n1", cut="n3")], "10.244.2.2:5432", "denied_ingress"),
    "node_down": Case([GUARD, known("n3", down="true")], "10.244.2.2:5432", "denied_ingress"),
    "pod_gone": Case([MUTE], "10.244.0.99:80", "denied_egress"),
    "pod_not_running": Case([slow(phase="Pending")], "10.244.1.9:81", "nobody_listening", mended=False),
    "no_lb_provider": Case(
        [slow(ready=True), SHUT, service("shop/slow", app="slow", type="LoadBalancer")],
        "service:shop/slow:80",
        "denied_ingress",
        source="internet",
        settings={"load_balancer_provider": False},
    ),
    "no_lb_backend": Case(
        [slow(), SHUT, service("shop/slow", app="slow", type="LoadBalancer", externalTrafficPolicy="Local")],
        "service:shop/slow:80",
        "denied_ingress",
        source="internet",
    ),
    "no_ingress_controller": Case(
        [FRONT, CLASS, ingress("main", "none", kind="other")], URL, "proxy_no_endpoints", "internet"
    ),
    "no_ingress_rule": Case(
        [FRONT, CLASS, WALL, ingress("main", "web", path="/cart")], URL, "denied_ingress", "internet"
    ),
    "proxy_no_endpoints": Case(
        [FRONT, CLASS, slow(), SHUT, service("shop/slow", app="slow"), ingress("main", "slow")],
        URL,
        "denied_ingress",
        "internet",
    ),
    "proxy_backend_invalid": Case([OPEN_GATE, *data_plane(), other_route(), WALL], URL, "denied_ingress", "internet"),
    "redirected": Case([FRONT, CLASS, WALL, SECURE], URL, "denied_ingress", "internet"),
    "hairpin_dropped": Case(
        [marked(pod("shop/deaf", "10.244.0.9", "n1", app="deaf"), listen="1"), service("shop/own", app="deaf")],
        "service:shop/own:80",
        "nobody_listening",
        source="shop/deaf",
        settings={"hairpin": False},
    ),
    "reply_lost": Case(
        [gw.gateway("shop/gw", gw.listener(), addresses=[]), gw.route("shop/web", gw.rule("none"), hosts=[HOST])],
        URL,
        "proxy_backend_invalid",
        settings={"egress_nat": False, "gateway_class": "any"},
    ),
    "mtu_exceeded": Case([GUARD], "10.244.2.2:5432", "denied_ingress", length=1500),
}

# Other ways to the same verdicts: a proxy behind a first blocker, the gateway's 404 and 503, a port nobody has.
MORE: list[tuple[str, Case]] = [
    ("denied_egress", Case([FRONT, CLASS, MUTE, ingress("main", "none")], URL, "proxy_no_endpoints")),
    ("no_answer", Case([GATE, HUNG_PROXY, data_plane()[1], TO_NONE], URL, "proxy_backend_invalid", "internet")),
    (
        "no_ingress_controller",
        Case([UNSERVED, TO_NONE], URL, "proxy_backend_invalid", "internet", settings=NOBODY),
    ),
    ("no_ingress_rule", Case([GATE, *data_plane(), WALL, CART], URL, "denied_ingress", "internet")),
    (
        "proxy_no_endpoints",
        Case([FRONT, CLASS, WALL, ingress("main", "web", port=81)], URL, "denied_ingress", "internet"),
    ),
    (
        "proxy_no_endpoints",
        Case(
            [GATE, *data_plane(), slow(), SHUT, service("shop/slow", app="slow"), TO_SLOW],
            URL,
            "denied_ingress",
            "internet",
        ),
    ),
    (
        "proxy_backend_invalid",
        Case(
            [OPEN_GATE, *data_plane(), slow(), service("shop/web", app="slow"), other_route()],
            URL,
            "proxy_no_endpoints",
        ),
    ),
    ("no_route", Case([WALL], "10.244.0.2:8080", "denied_ingress", "internet")),
    ("no_route", Case([MUTE], "10.111.0.9:80", "denied_egress", settings={"proxy_mode": "nftables"})),
    (
        "no_endpoints_rejected",
        Case([MUTE, service("shop/none", app="none")], "service:shop/none:80", "denied_egress"),
    ),
    (
        "vip_port_unknown",
        Case(
            [slow(ready=True), service("shop/edge", app="slow", target=9, type="LoadBalancer")],
            "service:shop/edge:8080",
            "nobody_listening",
            "internet",
        ),
    ),
]


def test_every_way_to_fail_has_its_world() -> None:
    """A new verdict has to be thought of here, too."""
    assert {*WORLDS} == {one.value for one in set(Verdict) - SUCCESSES - LAST}


@pytest.mark.parametrize(("verdict", "case"), [*WORLDS.items(), *MORE])
def test_a_second_cause_is_told_beside_the_first(verdict: str, case: Case) -> None:
    """TRC-03, NP-06, ING-09, GW-08: mending the one alone would only show the other."""
    names = {(one["kind"], one["metadata"]["name"]) for one in case.extra}
    cluster = build(settings=msgspec.convert(case.settings, Settings))
    kept = [one for one in base() if (one["kind"], one["metadata"]["name"]) not in names]
    cluster = type(cluster).from_objects([*kept, *case.extra], cluster.settings)
    probe = Probe.parse(case.source, case.to, protocol=case.protocol)
    found = trace(cluster, msgspec.structs.replace(probe, length=case.length) if case.length else probe)
    told = [one.verdict.value for one in found.blockers]
    assert found.verdict.value == verdict and told[0] == verdict, told
    assert case.also in told[1:], told
    assert all(one.ref and one.rule and one.why for one in found.blockers)
    assert len({(one.verdict, one.ref, one.why) for one in found.blockers}) == len(told), found.blockers
    fixes = suggest(cluster, found)
    assert case.mended == any(one.verified for one in fixes), fixes
    assert case.mended or set(told) == {one.verdict.value for one in found.blockers if said(one, fixes)}


def said(blocker: Blocker, fixes: tuple[Fix, ...]) -> bool:
    """Whether somebody is told what to do about it where no change of an object is known."""
    return any(one.kind == "work" and one.title and blocker.why in one.why for one in fixes)


def test_every_way_to_fail_has_words_for_people() -> None:
    """Where no YAML helps, the answer says so and what to do."""
    assert WORK.keys() == set(Verdict) - SUCCESSES
    cluster = build(slow(phase="Pending"))
    found = suggest(cluster, trace(cluster, Probe.parse("shop/client", "10.244.1.9:8080")))
    assert [(one.kind, one.ref, one.verified) for one in found] == [("work", "pod:shop/slow-1", False)]
    assert found[0].title.startswith("Find out from its events") and "is Pending" in found[0].why
