"""Rules DNS-11 to DNS-15: a pod's resolv.conf, what its resolver asks, and what the client is told."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Settings, Verdict
from clusterviz.engine.datapath.dns import query
from clusterviz.engine.datapath.resolver import resolv_conf, resolve, uses_cluster_dns
from tests.engine.test_rules_dns_answers import HTTP, bare, written
from tests.engine.world import Obj, ask, build, pod, service

CLUSTER = (
    ("10.96.0.10",),
    ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"),
    ("ndots:5",),
)
HOST = ("9.9.9.9", "1.1.1.1"), ("corp.example",), ()


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, CLUSTER),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, HOST),
        ({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True}, CLUSTER),
        ({"dnsPolicy": "Default"}, HOST),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["8.8.8.8"]}}, (("8.8.8.8",), (), ())),
        (
            {
                "dnsConfig": {
                    "searches": ["a.b", "corp.example"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
                }
            },
            (CLUSTER[0], (*CLUSTER[1], "a.b"), ("ndots:2", "edns0")),
        ),
        (
            {"dnsPolicy": "Default", "dnsConfig": {"nameservers": ["1.1.1.1", "8.8.8.8", "8.8.4.4"]}},
            (("9.9.9.9", "1.1.1.1", "8.8.8.8"), ("corp.example",), ()),
        ),
    ],
)
def test_resolv_conf(spec: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """DNS-11, DNS-15: by policy; dnsConfig is added without doubles; three nameservers at most."""
    made = pod("shop/tool", "" if spec.get("hostNetwork") else "10.244.0.50", "n1", app="tool", **spec)
    if spec.get("hostNetwork"):
        made["status"] = {"phase": "Running"}
    found = build(made, settings=Settings(dns_search=("corp.example",), dns_upstream=("9.9.9.9", "1.1.1.1")))
    conf = resolv_conf(found, found.pods[("shop", "tool")])
    assert (conf.nameservers, conf.searches, conf.options) == expected


def test_the_file_and_its_limits() -> None:
    """DNS-15: 32 suffixes and 2048 characters; what is cut is told."""
    long = [f"{'x' * 60}.{n:02}.example" for n in range(40)]
    made = pod("shop/tool", "10.244.0.50", "n1", app="tool", dnsConfig={"searches": long})
    conf = resolv_conf(found := build(made), found.pods[("shop", "tool")])
    assert len(" ".join(conf.searches)) <= 2048 and len(conf.searches) <= 32
    assert {*conf.searches, *conf.left_out} >= set(long)
    plain = resolv_conf(found, found.pods[("shop", "client")])
    assert plain.text == (
        "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
    )
    assert resolv_conf(found, None).text == "nameserver 192.168.0.1\n"


@pytest.mark.parametrize(
    ("nameserver", "ours"), [("10.96.0.10", True), ("10.244.2.53", True), ("fd00::a", True), ("8.8.8.8", False)]
)
def test_the_first_nameserver_decides_who_answers(nameserver: str, ours: bool) -> None:
    """DNS-14, DNS-15: the DNS Service by any of its addresses, or a pod behind it."""
    made = pod("shop/tool", "10.244.0.50", "n1", app="tool", dnsPolicy="None", dnsConfig={"nameservers": [nameserver]})
    dns = pod("kube-system/coredns", "10.244.2.53", "n3", app="dns", ports=(53,))
    port = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    front = service(
        "kube-system/kube-dns", app="dns", clusterIP="10.96.0.10", clusterIPs=["10.96.0.10", "fd00::a"], ports=port
    )
    found = build(made, dns, front, settings=Settings(service_cidr="10.96.0.0/12,fd00::/108"))
    tool = found.pods[("shop", "tool")]
    assert uses_cluster_dns(found, tool) is ours
    assert bool(resolve(found, tool, "web.shop.svc.cluster.local").addresses) is ours
    verdict = ask(found, "shop/tool", "http://web.shop.svc.cluster.local/").verdict
    assert verdict is (Verdict.DELIVERED if ours else Verdict.NAME_NOT_FOUND)


def test_each_try_says_what_came_back() -> None:
    """DNS-12: NODATA goes on to the next suffix, a trailing dot stops it, outside names end upstream."""
    found = build(service("shop/web6", clusterIP="fd00::9"), settings=Settings(service_cidr="10.96.0.0/12,fd00::/108"))
    client = found.pods[("shop", "client")]
    assert resolve(found, client, "shop.svc").tries[1] == ("shop.svc.svc.cluster.local", "NXDOMAIN")
    assert resolve(found, client, "web6").addresses == ("fd00::9",)
    assert resolve(found, client, "shop.svc.cluster.local.").rcode == "NODATA"
    assert resolve(found, client, "web.").rcode == "NXDOMAIN"
    outside = resolve(found, client, "www.example.com.")
    assert outside.outside and outside.tries == (("www.example.com", "FORWARDED"),)


def many(count: int) -> list[Obj]:
    addresses = tuple((f"10.244.7.{n}", "") for n in range(1, count + 1))
    dns = pod("kube-system/coredns", "10.244.2.53", "n3", app="dns", ports=(53,))
    ports = [{"name": name, "port": 53, "protocol": name.upper()} for name in ("udp", "tcp")]
    front = service("kube-system/kube-dns", app="dns", clusterIP="10.96.0.10", ports=ports)
    dns["spec"]["containers"][0]["ports"] = [
        {"containerPort": 53, "protocol": "UDP"},
        {"containerPort": 53, "protocol": "TCP"},
    ]
    return [bare("shop/many", clusterIP="None", ports=HTTP), written("shop/many", *addresses), dns, front]


UDP_ONLY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "dns", "namespace": "shop"},
    "spec": {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"ports": [{"protocol": "UDP", "port": 53}]}, {"ports": [{"port": 80}]}],
    },
}


@pytest.mark.parametrize(
    ("count", "extra", "asked", "blocked"),
    [
        (10, [], ["UDP"], False),
        (40, [], ["UDP", "TCP"], False),
        (10, [UDP_ONLY], ["UDP"], False),
        (40, [UDP_ONLY], ["UDP", "TCP"], True),
    ],
)
def test_a_long_answer_is_asked_again_by_tcp(count: int, extra: list[Obj], asked: list[str], blocked: bool) -> None:
    """DNS-14: more than 512 bytes do not fit UDP; a policy that allows DNS by UDP alone breaks such names."""
    found = build(*many(count), *extra)
    assert query(found, "many.shop.svc.cluster.local").truncated is (count > 28)
    answer = ask(found, "shop/client", "http://many/")
    assert [child.trace.probe.protocol for child in answer.children if child.cause == "dns"] == asked
    assert (answer.verdict is Verdict.DNS_BLOCKED) is blocked


@pytest.mark.parametrize(
    ("name", "settings", "felt"),
    [
        ("nothing", {}, "name not found (NXDOMAIN), no connection is tried"),
        ("shop.svc.cluster.local.", {}, "the name has no address (NODATA), no connection is tried"),
        ("web", {"dns_synced": False}, "the name look-up fails at once: temporary failure in name resolution"),
    ],
)
def test_what_a_client_is_told(name: str, settings: dict[str, Any], felt: str) -> None:
    """DNS-01, DNS-06, DNS-10: no such name, no address, and no answer are different errors."""
    answer = ask(build(settings=Settings(**settings)), "shop/client", f"{name}:80")
    assert (answer.verdict, answer.symptom) == (Verdict.NAME_NOT_FOUND, felt)
