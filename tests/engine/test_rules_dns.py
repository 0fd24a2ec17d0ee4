"""Rules DNS: what CoreDNS answers and how a pod's resolver asks."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings, Verdict
from clusterviz.engine.datapath.dns import query
from clusterviz.engine.datapath.resolver import lookup_order, resolv_conf, resolve
from tests.engine.world import Obj, ask, base, build, node, pod, service

S = "svc.cluster.local"


def named(name: str, ip: str, hostname: str = "", **status: Any) -> Obj:
    made = pod(name, ip, "n1", app="hl")
    if hostname:
        made["spec"] |= {"hostname": hostname, "subdomain": "hl"}
    made["status"] |= status
    return made


def external(name: str, target: str) -> Obj:
    return service(f"shop/{name}", type="ExternalName", externalName=target)


NOT_READY = {"conditions": [{"type": "Ready", "status": "False"}]}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    return build(
        named("shop/hl-0", "10.244.0.10", "hl-0"),
        named("shop/hl-1", "10.244.0.11"),
        named("shop/hl-2", "10.244.0.12", "hl-2", **NOT_READY),
        named("shop/twin", "10.244.0.13", "hl-0"),
        service("shop/hl", app="hl", clusterIP="None", ports=ports),
        service("shop/void", app="nobody", clusterIP="None"),
        service("shop/empty", app="nobody", clusterIP="10.96.0.77"),
        service("shop/two", app="hl", clusterIP="10.96.0.60", ports=ports),
        external("out", "example.com"),
        external("in", f"web.shop.{S}"),
        external("gone", f"nothing.shop.{S}"),
        external("a", f"b.shop.{S}"),
        external("b", f"a.shop.{S}"),
        external("ip", "192.0.2.1"),
        settings=Settings(),
    )


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "values"),
    [
        (f"web.shop.{S}", "A", "NOERROR", {"10.96.0.20"}),
        (f"web.shop.{S}", "AAAA", "NOERROR", set()),
        (f"web.shop.{S}", "TXT", "NOERROR", set()),
        (f"empty.shop.{S}", "A", "NOERROR", {"10.96.0.77"}),
        (f"hl.shop.{S}", "A", "NOERROR", {"10.244.0.10", "10.244.0.11", "10.244.0.13"}),
        (f"hl.shop.{S}", "AAAA", "NOERROR", set()),
        (f"void.shop.{S}", "A", "NXDOMAIN", set()),
        (f"hl-0.hl.shop.{S}", "A", "NOERROR", {"10.244.0.10", "10.244.0.13"}),
        (f"10-244-0-11.hl.shop.{S}", "A", "NOERROR", {"10.244.0.11"}),
        (f"hl-2.hl.shop.{S}", "A", "NXDOMAIN", set()),
        (f"10-244-0-2.web.shop.{S}", "A", "NOERROR", {"10.244.0.2"}),
        (f"x.y.z.web.shop.{S}", "A", "NXDOMAIN", set()),
        (f"out.shop.{S}", "A", "NOERROR", {"example.com"}),
        (f"x.out.shop.{S}", "A", "NXDOMAIN", set()),
        (f"in.shop.{S}", "A", "NOERROR", {f"web.shop.{S}", "10.96.0.20"}),
        (f"gone.shop.{S}", "A", "NOERROR", set()),
        (f"a.shop.{S}", "A", "NOERROR", set()),
        (f"ip.shop.{S}", "A", "NXDOMAIN", set()),
        ("cluster.local", "A", "NOERROR", set()),
        (S, "A", "NOERROR", set()),
        (f"shop.{S}", "A", "NOERROR", set()),
        (f"nowhere.{S}", "A", "NXDOMAIN", set()),
        (f"nothing.shop.{S}", "A", "NXDOMAIN", set()),
        ("x.cluster.local", "A", "NXDOMAIN", set()),
        ("example.com", "A", "FORWARDED", set()),
        (f"WEB.Shop.{S}.", "A", "NOERROR", {"10.96.0.20"}),
        ("pod.cluster.local", "A", "NOERROR", set()),
        ("10-244-0-2.shop.pod.cluster.local", "A", "NOERROR", {"10.244.0.2"}),
        ("1-2-3-4.shop.pod.cluster.local", "A", "NOERROR", {"1.2.3.4"}),
        ("1-2-3.shop.pod.cluster.local", "A", "NXDOMAIN", set()),
        ("1-2-3-4.nowhere.pod.cluster.local", "A", "NXDOMAIN", set()),
        ("20.0.96.10.in-addr.arpa", "PTR", "NOERROR", {f"web.shop.{S}"}),
        (
            "11.0.244.10.in-addr.arpa",
            "PTR",
            "NOERROR",
            {f"10-244-0-11.hl.shop.{S}", f"10-244-0-11.two.shop.{S}"},
        ),
        ("9.9.244.10.in-addr.arpa", "PTR", "NXDOMAIN", set()),
        ("8.8.8.8.in-addr.arpa", "PTR", "FORWARDED", set()),
        ("x.in-addr.arpa", "PTR", "FORWARDED", set()),
    ],
)
def test_answers(cluster: Cluster, name: str, kind: str, rcode: str, values: set[str]) -> None:
    """DNS-01, DNS-02, DNS-03, DNS-05, DNS-06, DNS-07, DNS-08, DNS-09."""
    answer = query(cluster, name, kind)
    assert (answer.rcode, {one.value for one in answer.records}) == (rcode, values)
    assert all(owner == name.rstrip(".") for owner, record, _, _ in answer.records if record != "A" or len(values) == 1)


@pytest.mark.parametrize(
    ("name", "records"),
    [
        (f"_http._tcp.two.shop.{S}", {f"0 100 80 two.shop.{S}"}),
        (f"_dns._udp.two.shop.{S}", {f"0 100 53 two.shop.{S}"}),
        (f"_dns._tcp.two.shop.{S}", set()),
        (f"two.shop.{S}", {f"0 50 80 two.shop.{S}", f"0 50 53 two.shop.{S}"}),
        (f"_http._tcp.hl.shop.{S}", {f"0 33 8080 hl-0.hl.shop.{S}", f"0 33 8080 10-244-0-11.hl.shop.{S}"}),
        (f"_80._tcp.web.shop.{S}", set()),
    ],
)
def test_service_records(cluster: Cluster, name: str, records: set[str]) -> None:
    """DNS-04: the ClusterIP Service itself, or each endpoint name with its share; unnamed ports have none."""
    answer = query(cluster, name, "SRV")
    assert {one.value for one in answer.records} == records
    assert answer.rcode == ("NOERROR" if records else "NXDOMAIN")
    assert len(answer.records) == len(records)


def test_the_addresses_of_service_records_come_along(cluster: Cluster) -> None:
    """DNS-04."""
    found = query(cluster, f"_http._tcp.hl.shop.{S}", "SRV").additional
    assert (f"hl-0.hl.shop.{S}", "A", "10.244.0.13", 30) in found
    assert len(found) == 3


@pytest.mark.parametrize(
    ("mode", "real", "any_"), [("disabled", False, False), ("insecure", True, True), ("verified", True, False)]
)
def test_pod_names_by_mode(mode: Any, real: bool, any_: bool) -> None:
    """DNS-08."""
    found = build(settings=Settings(dns_pod_mode=mode))
    names = {"10-244-0-2.shop": real, "1-2-3-4.shop": any_, "10-244-0-2.spy": any_}
    for name, answers in names.items():
        assert (query(found, f"{name}.pod.cluster.local").rcode == "NOERROR") is answers


def test_ready_makes_the_difference_unless_the_service_says_otherwise() -> None:
    """DNS-02, SVC-13."""
    found = build(
        named("shop/hl-2", "10.244.0.12", "hl-2", **NOT_READY),
        service("shop/hl", app="hl", clusterIP="None", publishNotReadyAddresses=True),
    )
    assert query(found, f"hl-2.hl.shop.{S}").addresses == ("10.244.0.12",)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("web", [f"web.shop.{S}", f"web.{S}", "web.cluster.local", "web"]),
        ("web.b.", ["web.b"]),
        ("a.b.c.d.e.f", ["a.b.c.d.e.f", f"a.b.c.d.e.f.shop.{S}", f"a.b.c.d.e.f.{S}", "a.b.c.d.e.f.cluster.local"]),
    ],
)
def test_the_resolver_tries_in_order(cluster: Cluster, name: str, order: list[str]) -> None:
    """DNS-11, DNS-12."""
    assert list(lookup_order(cluster, cluster.pods[("shop", "client")], name)) == order


def test_a_pods_own_dns_config_adds_suffixes_and_sets_ndots() -> None:
    """DNS-12, DNS-15."""
    made = pod("shop/tuned", "10.244.0.60", "n1", app="tuned")
    made["spec"]["dnsConfig"] = {"searches": ["corp.example"], "options": [{"name": "ndots", "value": "1"}]}
    found = build(made)
    tuned = found.pods[("shop", "tuned")]
    assert lookup_order(found, tuned, "www.example.com")[0] == "www.example.com"
    assert lookup_order(found, tuned, "web")[-2:] == ("web.corp.example", "web")
    assert resolve(found, tuned, "www.example.com").tries == (("www.example.com", "FORWARDED"),)
    assert resolve(found, tuned, "web.shop").addresses == ("10.96.0.20",)  # outside first, then the suffixes


def test_counts_of_useless_questions(cluster: Cluster) -> None:
    """DNS-12, DNS-13: hit at the first, at the second, three misses before the outside."""
    client = cluster.pods[("shop", "client")]
    assert [rcode for _, rcode in resolve(cluster, client, "web").tries] == ["NOERROR"]
    assert [rcode for _, rcode in resolve(cluster, client, "web.shop").tries] == ["NXDOMAIN", "NOERROR"]
    found = resolve(cluster, client, "www.example.com")
    assert found.outside and [rcode for _, rcode in found.tries] == ["NXDOMAIN"] * 3 + ["FORWARDED"]
    spy = cluster.pods[("spy", "spy-1")]
    assert not resolve(cluster, spy, "web").addresses and resolve(cluster, spy, "web.shop").addresses


@pytest.mark.parametrize(
    ("policy", "host", "asks"),
    [
        ("ClusterFirst", False, True),
        ("ClusterFirst", True, False),
        ("ClusterFirstWithHostNet", True, True),
        ("Default", False, False),
        ("None", False, False),
    ],
)
def test_who_asks_the_clusters_dns(policy: str, host: bool, asks: bool) -> None:
    """DNS-15: also when the pod uses its node's network."""
    made = pod("shop/tool", "" if host else "10.244.0.50", "n1", app="tool", dnsPolicy=policy, hostNetwork=host)
    if host:
        made["status"] = {"phase": "Running"}
    found = build(made)
    assert bool(resolv_conf(found, found.pods[("shop", "tool")]).searches) is asks
    answer = ask(found, "shop/tool", "http://web/")
    assert answer.verdict is (Verdict.DELIVERED if asks else Verdict.NAME_NOT_FOUND)


def test_ipv6_and_dual_stack_names() -> None:
    """DNS-01, DNS-03, DNS-07, SVC-16."""
    six = pod("shop/six", "", "n1", app="six")
    six["status"] = {"phase": "Running", "podIPs": [{"ip": "fd00:1::5"}]}
    found = Cluster.from_objects(
        [
            node("n1", podCIDRs=["10.244.0.0/24", "fd00:1::/64"]),
            *base()[3:5],
            six,
            service("shop/both", app="web", clusterIP="10.96.0.9", clusterIPs=["10.96.0.9", "fd00:96::9"]),
            service("shop/six", app="six", clusterIP="None"),
        ],
        Settings(),
    )
    assert query(found, f"both.shop.{S}", "AAAA").addresses == ("fd00:96::9",)
    assert query(found, f"fd00-1--5.six.shop.{S}", "AAAA").addresses == ("fd00:1::5",)
    assert query(found, f"six.shop.{S}", "A").rcode == "NOERROR"
    records = {one.value for one in query(found, f"both.shop.{S}", "SRV").records}
    assert records == {f"0 50 80 both.shop.{S}"}
    nibbles = ".".join(reversed("fd000096000000000000000000000009")) + ".ip6.arpa"
    assert [one.value for one in query(found, nibbles, "PTR").records] == [f"both.shop.{S}"]
    assert ask(found, "shop/client", "http://six:8080/").verdict is Verdict.NO_ROUTE


@pytest.mark.parametrize("name", ["pg-7.pg", "pg-7.pg.shop", "late-0.io"])
def test_a_pod_name_that_is_not_there_is_no_site_outside(name: str) -> None:
    """DNS-03, DNS-12: what looks like pod.service is a slip of the pen, whatever the country codes are."""
    made = build(service("shop/pg", clusterIP="None", app="db"), service("shop/io", clusterIP="None", app="db"))
    found = ask(made, "shop/client", f"{name}:5432")
    assert found.verdict is Verdict.NAME_NOT_FOUND
    assert ask(made, "shop/client", "example.de:443").success
    assert not ask(made, "shop/client", "example.db:443").success
