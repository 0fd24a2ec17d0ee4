"""Rules DNS: whole answers (owner, TTL, authority, additional) of plain and partial objects, asked alone."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.datapath.dns import Answer, query
from clusterviz.engine.datapath.resolver import resolve
from tests.engine.world import Obj, build, pod, service

ZONE = "k8s.test"
SOA = f"{ZONE}. SOA 5"


def bare(name: str, **spec: Any) -> Obj:
    """A Service as somebody writes it by hand: neither selector nor pods."""
    namespace, _, short = name.partition("/")
    return {"kind": "Service", "metadata": {"name": short, "namespace": namespace}, "spec": spec}


def written(service_name: str, *endpoints: tuple[str, str], port: int | None = 80, **more: Any) -> Obj:
    """An EndpointSlice by hand: (address, hostname) without pods."""
    namespace, _, short = service_name.partition("/")
    version = "IPv6" if ":" in endpoints[0][0] else "IPv4"
    entries = [{"addresses": [ip], **({"hostname": host} if host else {}), **more} for ip, host in endpoints]
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{short}-{version.lower()}",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": short},
        },
        "addressType": version,
        "endpoints": entries,
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}] if port else [],
    }


HTTP = [{"name": "http", "port": 80}]
SETTINGS = Settings(
    cluster_domain=ZONE,
    cluster_cidr="172.0.0.0/16,1234:abcd::/64",
    service_cidr="10.0.0.0/16,fd00::/108",
    dns_ip="10.0.0.10",
    dns_ttl=5,
)
OBJECTS = [
    bare("ns1/one", clusterIP="10.0.0.1", ports=HTTP),
    written("ns1/one", ("172.0.0.1", "ep1a")),
    bare("ns1/empty", clusterIP="10.0.0.2", ports=HTTP),
    bare("ns1/both", clusterIPs=["10.0.0.3", "fd00::3"], clusterIP="10.0.0.3", ports=HTTP),
    bare("ns1/six", clusterIP="fd00::6", ports=HTTP),
    bare("ns1/portless", clusterIP="10.0.0.7"),
    bare("ns1/head", clusterIP="None", ports=HTTP),
    written("ns1/head", ("172.0.0.2", ""), ("172.0.0.3", ""), ("172.0.0.4", "twin"), ("172.0.0.5", "twin")),
    written("ns1/head", ("1234:abcd::1", ""), ("1234:abcd::2", "")),
    bare("ns1/plain", clusterIP="None"),
    written("ns1/plain", ("172.0.0.20", ""), port=None),
    bare("ns1/unready", clusterIP="None", ports=HTTP),
    written("ns1/unready", ("172.0.0.30", ""), conditions={"ready": False, "serving": True}),
    bare("ns1/ext", type="ExternalName", externalName="ext.example.net"),
    bare("ns1/to-one", type="ExternalName", externalName=f"one.ns1.svc.{ZONE}."),
    bare("kube-system/kube-dns", clusterIP="10.0.0.10", ports=[{"name": "dns", "port": 53, "protocol": "UDP"}]),
    {"kind": "Pod", "metadata": {"name": "p", "namespace": "ns1"}, "status": {"podIP": "172.0.0.2"}},
    {"kind": "Namespace", "metadata": {"name": "void"}},
]


def world(**settings: Any) -> Cluster:
    plain = {name: getattr(SETTINGS, name) for name in Settings.__struct_fields__}
    return Cluster.from_objects(OBJECTS, Settings(**(plain | settings)))


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return world()


def told(answer: Answer) -> list[str]:
    """Records as ``owner. TYPE TTL value``; SOA without its value."""
    return [
        f"{one.owner}. {one.type} {one.ttl}" + ("" if one.type == "SOA" else f" {one.value}")
        for one in (*answer.records, *answer.authority)
    ]


S = f"svc.{ZONE}"
NODATA, NXDOMAIN = ("NOERROR", [SOA]), ("NXDOMAIN", [SOA])


@pytest.mark.parametrize(
    ("rule", "name", "kind", "expected"),
    [
        ("DNS-01", f"one.ns1.{S}", "A", ("NOERROR", [f"one.ns1.{S}. A 5 10.0.0.1"])),
        ("DNS-01", f"one.ns1.{S}", "AAAA", NODATA),
        ("DNS-01", f"empty.ns1.{S}", "A", ("NOERROR", [f"empty.ns1.{S}. A 5 10.0.0.2"])),
        ("DNS-01", f"both.ns1.{S}", "AAAA", ("NOERROR", [f"both.ns1.{S}. AAAA 5 fd00::3"])),
        ("DNS-01", f"six.ns1.{S}", "A", NODATA),
        ("DNS-01", f"portless.ns1.{S}", "A", ("NOERROR", [f"portless.ns1.{S}. A 5 10.0.0.7"])),
        ("DNS-01", f"one.ns1.{S}", "SOA", NODATA),
        ("DNS-01", f"one.ns1.{S}", "MX", NODATA),
        ("DNS-01", f"one.ns1.{S}", "CNAME", NODATA),
        ("DNS-02", f"head.ns1.{S}", "A", ("NOERROR", [f"head.ns1.{S}. A 5 172.0.0.{n}" for n in (2, 3, 4, 5)])),
        ("DNS-02", f"head.ns1.{S}", "AAAA", ("NOERROR", [f"head.ns1.{S}. AAAA 5 1234:abcd::{n}" for n in (1, 2)])),
        ("DNS-02", f"plain.ns1.{S}", "A", ("NOERROR", [f"plain.ns1.{S}. A 5 172.0.0.20"])),
        ("DNS-02", f"unready.ns1.{S}", "A", NXDOMAIN),
        ("DNS-03", f"twin.head.ns1.{S}", "A", ("NOERROR", [f"twin.head.ns1.{S}. A 5 172.0.0.{n}" for n in (4, 5)])),
        ("DNS-03", f"172-0-0-4.head.ns1.{S}", "A", NXDOMAIN),
        (
            "DNS-03",
            f"1234-abcd--2.head.ns1.{S}",
            "AAAA",
            ("NOERROR", [f"1234-abcd--2.head.ns1.{S}. AAAA 5 1234:abcd::2"]),
        ),
        ("DNS-03", f"ep1a.one.ns1.{S}", "A", ("NOERROR", [f"ep1a.one.ns1.{S}. A 5 172.0.0.1"])),
        ("DNS-03", f"x.one.ns1.{S}", "A", NXDOMAIN),
        ("DNS-04", f"_http._tcp.one.ns1.{S}", "A", ("NOERROR", [f"_http._tcp.one.ns1.{S}. A 5 10.0.0.1"])),
        ("DNS-04", f"_http._udp.one.ns1.{S}", "SRV", NXDOMAIN),
        ("DNS-04", f"portless.ns1.{S}", "SRV", NODATA),
        ("DNS-04", f"plain.ns1.{S}", "SRV", NODATA),
        ("DNS-04", f"ext.ns1.{S}", "SRV", NODATA),
        ("DNS-05", f"ext.ns1.{S}", "CNAME", ("NOERROR", [f"ext.ns1.{S}. CNAME 5 ext.example.net"])),
        ("DNS-05", f"ext.ns1.{S}", "TXT", NODATA),
        ("DNS-05", f"sub.ext.ns1.{S}", "CNAME", NXDOMAIN),
        ("DNS-05", f"_a._b.ext.ns1.{S}", "CNAME", ("NOERROR", [f"_a._b.ext.ns1.{S}. CNAME 5 ext.example.net"])),
        (
            "DNS-05",
            f"to-one.ns1.{S}",
            "A",
            ("NOERROR", [f"to-one.ns1.{S}. CNAME 5 one.ns1.{S}", f"one.ns1.{S}. A 5 10.0.0.1"]),
        ),
        ("DNS-05", f"to-one.ns1.{S}", "AAAA", NODATA),
        ("DNS-06", ZONE, "A", NODATA),
        ("DNS-06", ZONE, "HINFO", NODATA),
        ("DNS-06", ZONE, "SOA", ("NOERROR", [SOA])),
        ("DNS-06", ZONE, "NS", ("NOERROR", [f"{ZONE}. NS 5 kube-dns.kube-system.{S}"])),
        ("DNS-06", f"ns.dns.{ZONE}", "A", ("NOERROR", [f"ns.dns.{ZONE}. A 5 10.0.0.10"])),
        ("DNS-06", S, "NS", NODATA),
        ("DNS-06", f"ns1.{S}", "A", NODATA),
        ("DNS-06", f"void.{S}", "A", NODATA),
        ("DNS-06", f"one.nowhere.{S}", "A", NXDOMAIN),
        ("DNS-06", f"foo.{S}", "NS", NXDOMAIN),
        ("DNS-06", f"foo.{ZONE}", "A", NXDOMAIN),
        ("DNS-06", f"a.b.c.one.ns1.{S}", "A", NXDOMAIN),
        ("DNS-06", f"*.ns1.{S}", "A", NXDOMAIN),
        ("DNS-06", f"one.*.{S}", "A", NXDOMAIN),
        ("DNS-06", f"any.one.ns1.{S}", "A", NXDOMAIN),
        ("DNS-06", f"dns-version.{ZONE}", "TXT", ("NOERROR", [f"dns-version.{ZONE}. TXT 28800 1.1.0"])),
        ("DNS-06", f"dns-version.{ZONE}", "A", NXDOMAIN),
        ("DNS-06", f"gone.ns1.{S}", "TXT", NODATA),
        ("DNS-08", f"172-0-0-9.ns1.pod.{ZONE}", "A", ("NOERROR", [f"172-0-0-9.ns1.pod.{ZONE}. A 5 172.0.0.9"])),
        ("DNS-08", f"x.172-0-0-9.ns1.pod.{ZONE}", "A", ("NOERROR", [f"x.172-0-0-9.ns1.pod.{ZONE}. A 5 172.0.0.9"])),
        ("DNS-08", f"172-0-0-9.ns1.pod.{ZONE}", "AAAA", NODATA),
        ("DNS-08", f"blah.ns1.pod.{ZONE}", "HINFO", NXDOMAIN),
        ("DNS-08", f"ns1.pod.{ZONE}", "A", NODATA),
        ("DNS-07", f"one.ns1.{S}", "PTR", NODATA),
        ("DNS-07", f"foo.{ZONE}", "PTR", NXDOMAIN),
        ("DNS-07", "10.0.0.1", "PTR", ("NOERROR", [f"1.0.0.10.in-addr.arpa. PTR 5 one.ns1.{S}"])),
        ("DNS-07", "172.0.0.4", "PTR", ("NOERROR", [f"4.0.0.172.in-addr.arpa. PTR 5 twin.head.ns1.{S}"])),
        ("DNS-07", "172.0.0.30", "PTR", ("NXDOMAIN", ["0.172.in-addr.arpa. SOA 5"])),
        ("DNS-07", "9.0.0.10.in-addr.arpa", "A", ("NXDOMAIN", ["0.10.in-addr.arpa. SOA 5"])),
        ("DNS-07", "0.10.in-addr.arpa", "SOA", ("NOERROR", ["0.10.in-addr.arpa. SOA 5"])),
        ("DNS-07", "192.0.2.1", "PTR", ("FORWARDED", [])),
    ],
)
def test_whole_answers(cluster: Cluster, rule: str, name: str, kind: str, expected: tuple[str, list[str]]) -> None:
    """DNS-01 to DNS-08: rcode, records, and the SOA when there is none."""
    answer = query(cluster, name + "." if rule != "DNS-07" else name, kind)
    assert (answer.rcode, told(answer)) == expected


def test_reverse_names_of_ipv6(cluster: Cluster) -> None:
    """DNS-07: every nibble a label; the zone is cut at the CIDR."""
    answer = query(cluster, "1234:abcd::2", "PTR")
    assert [one.value for one in answer.records] == [f"1234-abcd--2.head.ns1.{S}"]
    missing = query(cluster, "1234:abcd::9", "PTR")
    assert missing.rcode == "NXDOMAIN"
    assert missing.authority[0].owner == "0.0.0.0.0.0.0.0.d.c.b.a.4.3.2.1.ip6.arpa"


def test_case_is_kept_in_the_owner_and_the_zone(cluster: Cluster) -> None:
    """DNS-09: names match whatever their case; the question's owner and zone come back as asked."""
    answer = query(cluster, "_HtTp._TcP.oNe.Ns1.SvC.K8s.TEST.", "SRV")
    assert answer.records[0].owner == "_HtTp._TcP.oNe.Ns1.SvC.K8s.TEST"
    assert answer.records[0].value == "0 100 80 one.ns1.svc.K8s.TEST"
    assert answer.additional[0].owner == "one.ns1.svc.K8s.TEST"
    missing = query(cluster, "no.ns1.svc.K8S.test")
    assert missing.authority[0].value.startswith("ns.dns.K8S.test hostmaster.K8S.test ")


@pytest.mark.parametrize(
    ("name", "records", "extra"),
    [
        (
            f"_http._tcp.head.ns1.{S}",
            5,
            {"172.0.0.2", "172.0.0.3", "172.0.0.4", "172.0.0.5", "1234:abcd::1", "1234:abcd::2"},
        ),
        (f"both.ns1.{S}", 1, {"10.0.0.3", "fd00::3"}),
        (f"twin.head.ns1.{S}", 1, {"172.0.0.4", "172.0.0.5"}),
        (f"six.ns1.{S}", 1, {"fd00::6"}),
    ],
)
def test_service_records_share_a_hundred(cluster: Cluster, name: str, records: int, extra: set[str]) -> None:
    """DNS-04: weight 100 over the addresses, rounded down; one record a name, one address record an address."""
    answer = query(cluster, name, "SRV")
    assert len(answer.records) == records
    assert {one.value.split()[1] for one in answer.records} == {str(100 // len(extra))}
    assert {one.value for one in answer.additional} == extra


def test_name_servers_bring_their_addresses(cluster: Cluster) -> None:
    """DNS-06, DNS-14: the DNS Service by name; ns.dns where no object says which it is."""
    assert [one.value for one in query(cluster, ZONE, "NS").additional] == ["10.0.0.10"]
    alone = Cluster.from_objects(OBJECTS[:1], SETTINGS)
    answer = query(alone, ZONE, "NS")
    assert [one.value for one in answer.records] == [f"ns.dns.{ZONE}"]
    assert [one.value for one in answer.additional] == ["10.0.0.10"]


@pytest.mark.parametrize(
    ("zones", "name", "rcode"),
    [
        (("in-addr.arpa",), "9.0.0.10.in-addr.arpa", "FORWARDED"),
        (("in-addr.arpa",), f"gone.ns1.{S}", "NXDOMAIN"),
        ((".",), f"gone.ns1.{S}", "FORWARDED"),
        ((".",), f"one.ns1.{S}", "NOERROR"),
        ((".",), f"ns1.{S}", "NOERROR"),
        ((ZONE,), f"gone.ns1.{S}", "FORWARDED"),
    ],
)
def test_unknown_names_may_be_passed_on(zones: tuple[str, ...], name: str, rcode: str) -> None:
    """DNS-07: fallthrough concerns names that do not exist, in the zones it names."""
    assert query(world(dns_fallthrough=zones), name, "A").rcode == rcode


@pytest.mark.parametrize("name", [f"one.ns1.{S}", f"gone.ns1.{S}", f"172-0-0-9.ns1.pod.{ZONE}", f"foo.{ZONE}"])
def test_until_it_has_read_the_cluster(name: str) -> None:
    """DNS-10: SERVFAIL with the SOA; the zone itself is known."""
    waiting = world(dns_synced=False)
    answer = query(waiting, name)
    assert answer.rcode == "SERVFAIL" and answer.authority
    assert query(waiting, ZONE).rcode == "NOERROR"
    assert resolve(waiting, waiting.pods[("ns1", "p")], "one").rcode == "SERVFAIL"


@pytest.mark.parametrize(
    ("name", "rcode"),
    [("empty", "NXDOMAIN"), ("one", "NOERROR"), ("ext", "NOERROR"), ("head", "NOERROR"), ("unready", "NXDOMAIN")],
)
def test_empty_services_may_be_ignored(name: str, rcode: str) -> None:
    """DNS-10: ignore empty_service concerns ClusterIP Services without a ready endpoint."""
    assert query(world(dns_ignore_empty_service=True), f"{name}.ns1.{S}").rcode == rcode


def test_endpoints_may_be_named_after_their_pod() -> None:
    """DNS-03: endpoint_pod_names; a hostname still comes first."""
    objects = [pod("shop/db-9", "10.244.0.40", "n1", app="x"), service("shop/hl", app="x", clusterIP="None")]
    for named, found in ((True, ("10.244.0.40",)), (False, ())):
        made = build(*objects, settings=Settings(dns_endpoint_pod_names=named))
        assert query(made, "db-9.hl.shop.svc.cluster.local").addresses == found


def test_a_verified_pod_name_needs_the_primary_address() -> None:
    """DNS-08: a pod of that namespace whose first address it is, and which is not on its way out."""
    two = pod("ns/two", "10.244.0.70", "n1", app="two")
    two["status"]["podIPs"] = [{"ip": "10.244.0.70"}, {"ip": "fd00:1::70"}]
    host = pod("ns/host", "", "n1", app="host", hostNetwork=True)
    host["status"] = {"phase": "Running", "podIP": "192.168.0.11", "podIPs": [{"ip": "192.168.0.11"}]}
    made = build(two, host, settings=Settings(dns_pod_mode="verified"))
    for label, rcode in (("10-244-0-70", "NOERROR"), ("fd00-1--70", "NXDOMAIN"), ("192-168-0-11", "NOERROR")):
        assert query(made, f"{label}.ns.pod.cluster.local", "ANY").rcode == rcode


def test_a_chain_of_aliases_ends() -> None:
    """DNS-05: eight are followed, a ninth is not."""
    chain = [
        service(f"shop/a{n}", type="ExternalName", externalName=f"a{n + 1}.shop.svc.cluster.local") for n in range(9)
    ]
    made = build(*chain, service("shop/a9", clusterIP="10.96.0.99"))
    assert query(made, "a1.shop.svc.cluster.local").addresses == ("10.96.0.99",)
    assert len(query(made, "a1.shop.svc.cluster.local").records) == 9
    assert query(made, "a0.shop.svc.cluster.local").records == ()


def test_a_name_outside_says_who_answers(cluster: Cluster) -> None:
    """DNS-12, EGR-04: forwarded to the nodes' nameservers; an alias outside as well."""
    assert query(cluster, "www.example.com").upstream == ("192.168.0.1",)
    assert query(world(dns_upstream=("9.9.9.9",)), "www.example.com").upstream == ("9.9.9.9",)
    assert query(cluster, f"ext.ns1.{S}").upstream == ("192.168.0.1",)
    assert query(cluster, f"one.ns1.{S}").upstream == ()
