"""The handler tests of CoreDNS's kubernetes plugin: questions and answers of upstream, asked of `ask.dns`."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from clusterviz.engine import ask
from tests.conformance.objects import endpoint, service, slices

ZONE = "cluster.local"
HTTP = {"name": "http", "port": 80}
WEB = (("http", 80, "TCP"),)
SETTINGS = {"dns_ttl": 5, "service_cidr": "10.0.0.0/16,10::/112"}


def zone_of(name: str, *found: dict[str, Any]) -> list[dict[str, Any]]:
    """Slices of one Service, a family each."""
    families = {6: [], 4: []}
    for one in found:
        families[6 if ":" in one["addresses"][0] else 4].append(one)
    built = [slices(name, *some, ports=WEB) for some in families.values() if some]
    for index, one in enumerate(built):
        one["metadata"]["name"] += f"-{index}"
    return built


WORLD = [
    *({"kind": "Namespace", "metadata": {"name": name}} for name in ("testns", "podns", "svcns")),
    service("kube-system/kubedns", "10.0.0.10", {"name": "dns", "protocol": "UDP", "port": 53}),
    service("testns/svc1", "10.0.0.1", HTTP),
    *zone_of("testns/svc1", endpoint("172.0.0.1", hostname="ep1a")),
    service("testns/svcempty", "10.0.0.7", HTTP),
    service("testns/svc6", "1234:abcd::1", HTTP),
    service("testns/svc-dual-stack", "10.0.0.3", HTTP, clusterIPs=["10.0.0.3", "10::3"]),
    service("testns/hdls1", "None"),
    *zone_of(
        "testns/hdls1",
        endpoint("172.0.0.2"),
        endpoint("172.0.0.3"),
        endpoint("172.0.0.4", hostname="dup-name"),
        endpoint("172.0.0.5", hostname="dup-name"),
        endpoint("5678:abcd::1"),
        endpoint("5678:abcd::2"),
    ),
    service("testns/hdlsprtls", "None"),
    slices("testns/hdlsprtls", endpoint("172.0.0.20"), ports=()),
    service("testns/external", "", HTTP, type="ExternalName", externalName="ext.interwebs.test"),
    service("testns/inward", "", HTTP, type="ExternalName", externalName="svc1.testns.svc.cluster.local."),
    {"kind": "Pod", "metadata": {"name": "foo", "namespace": "podns"}, "status": {"podIP": "10.240.0.1"}},
    service("testns/other", "192.168.1.100", HTTP),
    *zone_of(
        "testns/other",
        endpoint("10.0.9.100", hostname="ep1a"),
        endpoint("10.0.9.99", hostname="double-ep"),
        endpoint("1234:abcd::9", hostname="ep1b"),
        endpoint("fd00:77:30::2:9ba6", hostname="ip6svc1in"),
    ),
    service("testns/twin", "192.168.1.101", HTTP),
    *zone_of("testns/twin", endpoint("10.0.9.99", hostname="double-ep")),
]
# The same endpoint in a second slice of its Service: they overlap for a moment.
WORLD.append(slices("testns/other", endpoint("10.0.9.100", hostname="ep1a"), ports=WEB))
WORLD[-1]["metadata"]["name"] = "other-late"
CLUSTER = ask.world(WORLD, SETTINGS)
REVERSE = ask.world(WORLD, {**SETTINGS, "cluster_cidr": "10.0.0.0/8,fd00::/16", "service_cidr": "192.168.0.0/16"})


def short(name: str) -> str:
    return name.removesuffix(f".{ZONE}").removesuffix(".testns.svc")


def rows(*found: tuple[str, str, str, str]) -> Any:
    return pytest.mark.parametrize(
        ("name", "type_", "rcode", "expected"), found, ids=[f"{a}-{b}" for a, b, _, _ in found]
    )


def told(answer: Any) -> str:
    """Records as ``type value``, additional ones as ``+owner value``; names without the zone and namespace."""
    mine = [f"{one.type} {short(one.value)}" for one in answer.records]
    more = [f"+{short(one.owner)} {one.value}" for one in answer.additional]
    return " | ".join(sorted(mine) + sorted(more))


FOUR = "A 172.0.0.2 | A 172.0.0.3 | A 172.0.0.4 | A 172.0.0.5"
SRV_HEADLESS = " | ".join(
    [
        *(
            f"SRV 0 16 80 {name}.hdls1"
            for name in ("172-0-0-2", "172-0-0-3", "5678-abcd--1", "5678-abcd--2", "dup-name")
        ),
        "+172-0-0-2.hdls1 172.0.0.2",
        "+172-0-0-3.hdls1 172.0.0.3",
        "+5678-abcd--1.hdls1 5678:abcd::1",
        "+5678-abcd--2.hdls1 5678:abcd::2",
        "+dup-name.hdls1 172.0.0.4",
        "+dup-name.hdls1 172.0.0.5",
    ]
)
OK, NX = "NOERROR", "NXDOMAIN"


@rows(
    ("svc1", "A", OK, "A 10.0.0.1"),
    ("svcempty", "A", OK, "A 10.0.0.7"),
    ("svc1", "SRV", OK, "SRV 0 100 80 svc1 | +svc1 10.0.0.1"),
    ("svcempty", "SRV", OK, "SRV 0 100 80 svcempty | +svcempty 10.0.0.7"),
    ("svc6", "SRV", OK, "SRV 0 100 80 svc6 | +svc6 1234:abcd::1"),
    ("_http._tcp.svc1", "SRV", OK, "SRV 0 100 80 svc1 | +svc1 10.0.0.1"),
    ("_http._tcp.svcempty", "SRV", OK, "SRV 0 100 80 svcempty | +svcempty 10.0.0.7"),
    ("_http._udp.svc1", "SRV", NX, ""),
    ("_other._tcp.svc1", "SRV", NX, ""),
    ("hdls1", "A", OK, FOUR),
    ("hdlsprtls", "A", OK, "A 172.0.0.20"),
    ("172-0-0-20.hdlsprtls", "A", OK, "A 172.0.0.20"),
    ("172-0-0-2.hdls1", "A", OK, "A 172.0.0.2"),
    ("172-0-0-3.hdls1", "A", OK, "A 172.0.0.3"),
    ("dup-name.hdls1", "A", OK, "A 172.0.0.4 | A 172.0.0.5"),
    ("ep1a.svc1", "A", OK, "A 172.0.0.1"),
    ("172-0-0-1.svc1", "A", NX, ""),
    ("_http._tcp.hdls1", "SRV", OK, SRV_HEADLESS),
    ("5678-abcd--2.hdls1", "AAAA", OK, "AAAA 5678:abcd::2"),
    ("5678-abcd--1.hdls1", "AAAA", OK, "AAAA 5678:abcd::1"),
    ("5678-abcd--1.hdls1", "A", OK, ""),
    ("external", "CNAME", OK, "CNAME ext.interwebs.test"),
    ("external", "A", OK, "CNAME ext.interwebs.test"),
    ("inward", "A", OK, "A 10.0.0.1 | CNAME svc1"),
    ("svc1", "AAAA", OK, ""),
    ("svc0", "AAAA", NX, ""),
    ("svc0", "A", NX, ""),
    ("bogusendpoint.hdls1", "A", NX, ""),
    ("bogusendpoint.svc0", "A", NX, ""),
    ("svc6", "AAAA", OK, "AAAA 1234:abcd::1"),
    ("svc6", "A", OK, ""),
    ("_http._tcp.svc6", "SRV", OK, "SRV 0 100 80 svc6 | +svc6 1234:abcd::1"),
    ("hdls1", "AAAA", OK, "AAAA 5678:abcd::1 | AAAA 5678:abcd::2"),
    ("svc-dual-stack", "A", OK, "A 10.0.0.3"),
    ("svc-dual-stack", "AAAA", OK, "AAAA 10::3"),
    ("svc-dual-stack", "SRV", OK, "SRV 0 50 80 svc-dual-stack | +svc-dual-stack 10.0.0.3 | +svc-dual-stack 10::3"),
    ("svc1", "SOA", OK, ""),
    ("svc1", "PTR", OK, ""),
    ("svc1", "TXT", OK, ""),
    ("svc1", "HINFO", OK, ""),
    ("endpoint.external", "CNAME", NX, ""),
    ("a.b.svc1", "A", NX, ""),
)
def test_services(name, type_, rcode, expected):
    """DNS-01 to DNS-05: a name without records carries the zone's SOA."""
    answer = ask.dns(CLUSTER, f"{name}.testns.svc.{ZONE}.", type_)
    assert (answer.rcode, told(answer)) == (rcode, expected)
    assert bool(answer.authority) is (not expected)
    assert all(one.type == "SOA" and one.owner == ZONE for one in answer.authority)
    assert all(one.ttl == 5 for one in answer.records)


@rows(
    (ZONE, "SOA", OK, f"SOA ns.dns.{ZONE} hostmaster.{ZONE} "),
    (ZONE, "NS", OK, f"NS ns.dns.{ZONE}"),
    (ZONE, "HINFO", OK, ""),
    (ZONE, "A", OK, ""),
    (ZONE, "AAAA", OK, ""),
    (ZONE, "SRV", OK, ""),
    (f"svc.{ZONE}", "A", OK, ""),
    (f"pod.{ZONE}", "A", OK, ""),
    (f"testns.svc.{ZONE}", "A", OK, ""),
    (f"svcns.svc.{ZONE}", "A", OK, ""),
    (f"svc.{ZONE}", "NS", OK, ""),
    (f"testns.svc.{ZONE}", "NS", OK, ""),
    (f"foo.{ZONE}", "NS", NX, ""),
    (f"foo.{ZONE}", "A", NX, ""),
    (f"foo.svc.{ZONE}", "NS", NX, ""),
    (f"svc0.svc-nons.svc.{ZONE}", "A", NX, ""),
    (f"svc1.svc-nons.svc.{ZONE}", "A", NX, ""),
    (f"dns-version.{ZONE}", "TXT", OK, "TXT 1.1.0"),
    (f"example.org.{ZONE}", "PTR", NX, ""),
    (f"100.0.0.10.{ZONE}", "PTR", NX, ""),
)
def test_the_zone_itself(name, type_, rcode, expected):
    """DNS-06."""
    answer = ask.dns(CLUSTER, f"{name}.", type_)
    assert answer.rcode == rcode
    values = " | ".join(f"{one.type} {one.value}" for one in answer.records)
    assert values.startswith(expected) if expected else not values
    assert bool(answer.authority) is (not expected)
    for one in (*answer.records, *answer.authority):
        assert one.type != "SOA" or f"\tSOA\tns.dns.{ZONE}. hostmaster.{ZONE}. " in one.text


PODS = [
    ("insecure", "10-240-0-1.podns", "A", "10.240.0.1"),
    ("insecure", "172-0-0-2.podns", "A", "172.0.0.2"),
    ("insecure", "1234-abcd--1.podns", "AAAA", "1234:abcd::1"),
    ("insecure", "172-0-0-2.podns", "AAAA", OK),
    *(("insecure", "blah.podns", type_, NX) for type_ in ("A", "AAAA", "HINFO")),
    ("insecure", "blah.pod-nons", "A", NX),
    ("insecure", "10-240-0-1.pod-nons", "A", NX),
    ("insecure", "podns", "A", OK),
    ("insecure", "pod-nons", "A", NX),
    ("verified", "10-240-0-1.podns", "A", "10.240.0.1"),
    ("verified", "10-240-0-1.testns", "A", NX),
    ("verified", "podns", "A", OK),
    ("verified", "pod-nons", "A", NX),
    ("verified", "172-0-0-2.podns", "A", NX),
    ("disabled", "10-240-0-1.podns", "A", NX),
    ("disabled", "172-0-0-2.podns", "A", NX),
]


@pytest.mark.parametrize(("mode", "name", "type_", "expected"), PODS)
def test_pods(mode, name, type_, expected):
    """DNS-08: the expectation is the address, or the rcode of an answer without records."""
    answer = ask.dns(CLUSTER, f"{name}.pod.{ZONE}", type_, settings={**SETTINGS, "dns_pod_mode": mode})
    assert (answer.addresses[0] if answer.addresses else answer.rcode) == expected


REVERSED = [
    ("10.0.9.100", {"ep1a.other"}),
    ("192.168.1.100", {"other"}),
    ("1234:abcd::9", None),
    ("fd00:77:30::2:9ba6", {"ip6svc1in.other"}),
    ("10.0.9.101", set()),
    ("10.0.9.99", {"double-ep.other", "double-ep.twin"}),
    ("10.240.0.1", set()),
    ("8.8.8.8", None),
]


@pytest.mark.parametrize(("address", "names"), REVERSED)
def test_reverse(address, names):
    """DNS-07: none for what lies outside the zones, which is somebody else's to answer."""
    answer = ask.dns(REVERSE, ip_address(address).reverse_pointer, "PTR")
    if names is None:
        assert answer.rcode == "FORWARDED" or answer.records
    else:
        assert answer.rcode == (OK if names else NX)
        assert {short(one.value) for one in answer.records} == names


def test_not_under_a_reverse_zone():
    """DNS-07."""
    assert ask.dns(REVERSE, "svc1.testns.svc.0.10.in-addr.arpa.", "A").rcode == NX


CASES = [
    ("SvC1.TeStNs.SvC.cLuStEr.LoCaL", "A", "SvC1.TeStNs.SvC.cLuStEr.LoCaL", "10.0.0.1"),
    ("_HtTp._TcP.sVc1.TeStNs.SvC.cLuStEr.LoCaL", "SRV", "", "0 100 80 svc1.testns.svc.cLuStEr.LoCaL"),
    ("not-a-service.testns.svc.ClUsTeR.lOcAl", "A", "", ""),
]


@pytest.mark.parametrize(("name", "type_", "owner", "value"), CASES)
def test_case(name, type_, owner, value):
    """DNS-09: the question's case stays in the owner and in the zone's name."""
    answer = ask.dns(CLUSTER, name, type_)
    if value:
        assert [(one.owner, one.value) for one in answer.records] == [(owner or name, value)]
        assert all(one.owner.endswith("cLuStEr.LoCaL") for one in answer.additional)
    else:
        assert answer.rcode == NX and answer.authority[0].owner == "ClUsTeR.lOcAl"


def test_options():
    """DNS-10."""
    late = ask.dns(CLUSTER, f"svc0.testns.svc.{ZONE}", settings={**SETTINGS, "dns_synced": False})
    assert late.rcode == "SERVFAIL"
    hide = {**SETTINGS, "dns_ignore_empty_service": True}
    assert ask.dns(CLUSTER, f"svcempty.testns.svc.{ZONE}", settings=hide).rcode == NX
    assert ask.dns(CLUSTER, f"external.testns.svc.{ZONE}", "CNAME", settings=hide).rcode == OK
    assert ask.dns(CLUSTER, f"svc1.testns.svc.{ZONE}", settings=hide).addresses == ("10.0.0.1",)
