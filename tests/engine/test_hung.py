"""A pod whose process hangs: what its kernel still does, and what nobody does (EPS-04)."""

from __future__ import annotations

import pytest

from clusterviz.engine import Cluster, Probe, Verdict, decide, trace
from clusterviz.engine.fixes import suggest
from clusterviz.engine.objects import HUNG_ANNOTATION
from clusterviz.engine.packet import L4
from tests.engine.world import Obj, base, pod, service


def world() -> list[Obj]:
    dns = pod("kube-system/coredns", "10.244.2.9", "n3", app="dns", ports=())
    dns["spec"]["containers"][0]["ports"] = [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]
    front = service("kube-system/kube-dns", app="dns", clusterIP="10.96.0.10")
    front["spec"]["ports"] = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    edge = {
        "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {"ingressClassName": "nginx", "rules": [rule]},
    }
    controller = service("ingress/ctl", app="ingress-nginx", target=80, type="LoadBalancer")
    return [*base(), dns, front, edge, controller]


def hang(objects: list[Obj], *names: str) -> Cluster:
    for obj in objects:
        if obj["kind"] == "Pod" and obj["metadata"]["name"] in names:
            obj["metadata"]["annotations"] = {HUNG_ANNOTATION: "true"}
    return Cluster.from_objects(objects)


@pytest.mark.parametrize(
    ("to", "protocol", "verdict", "symptom"),
    [
        ("10.244.2.2:5432", "", Verdict.DELIVERED, "connected"),
        ("http://10.244.2.2:5432/", "", Verdict.NO_ANSWER, "connected, then no answer: the request times out"),
        ("10.244.2.2:5432", "UDP", Verdict.NOBODY_LISTENING, "ICMP port unreachable, at once: connection refused"),
        ("10.244.2.2:53", "UDP", Verdict.NO_ANSWER, "no answer: the same as a lost packet"),
        ("10.244.2.2", "ICMP", Verdict.DELIVERED, "ping answered"),
        ("http://10.244.2.2:81/", "", Verdict.NOBODY_LISTENING, "connection refused, at once"),
    ],
)
def test_the_kernel_shakes_hands_and_the_process_reads_nothing(
    to: str, protocol: str, verdict: Verdict, symptom: str
) -> None:
    objects = world()
    db = next(obj for obj in objects if obj["metadata"]["name"] == "db-0")
    db["spec"]["containers"][0]["ports"].append({"name": "dns", "containerPort": 53, "protocol": "UDP"})
    cluster = hang(objects, "db-0")
    probe = Probe.parse("shop/client", to, protocol=protocol)
    found = trace(cluster, probe)
    assert (found.verdict, found.symptom) == (verdict, symptom)
    assert decide(cluster, probe).verdict is verdict
    told = {one.code for one in found.assumptions}
    assert ("hung-accepts" in told) == (verdict is Verdict.DELIVERED and protocol != "ICMP")


def test_the_reply_of_a_hung_server_is_the_handshake_alone() -> None:
    found = trace(hang(world(), "db-0"), Probe.parse("shop/client", "http://10.244.2.2:5432/"))
    assert found.forward[-1].steps[-1].reason == "hung_request"
    assert found.reverse[0].steps[0].reason == "answered_handshake"
    ports = [header for header in found.reverse[-1].headers_in if isinstance(header, L4)]
    assert ports[-1].flags == "SYN,ACK"
    assert not any(header.__struct_config__.tag == "http" for hop in found.reverse for header in hop.headers_in)


def test_behind_a_hung_pod_an_ingress_gives_up_and_a_hung_controller_says_nothing() -> None:
    url = "http://shop.example.com/"
    behind = trace(hang(world(), "web-1", "web-2"), Probe.parse("internet", url))
    assert (behind.verdict, behind.symptom) == (Verdict.NO_ANSWER, "HTTP 504 from the Ingress controller")
    ahead = trace(hang(world(), "ctl"), Probe.parse("internet", url))
    assert ahead.verdict is Verdict.NO_ANSWER
    assert ahead.symptom == "connected, then no answer: the request times out"


def test_names_are_not_found_while_every_dns_pod_hangs() -> None:
    found = trace(hang(world(), "coredns"), Probe.parse("shop/client", "http://web/"))
    assert found.verdict is Verdict.DNS_BLOCKED


def test_restarting_it_helps() -> None:
    cluster = hang(world(), "db-0")
    found = trace(cluster, Probe.parse("shop/client", "http://10.244.2.2:5432/"))
    fix = suggest(cluster, found)[0]
    assert fix.verified and fix.ref == "pod:shop/db-0" and "annotations" in fix.patch
