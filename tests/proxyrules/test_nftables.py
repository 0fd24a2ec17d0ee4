"""What stands in the nftables table, against upstream's names and shapes."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine.proxyrules import NoRuleTextError, nftables
from clusterviz.engine.proxyrules.nftnames import duration, hashed
from tests.proxyrules.nftworld import table
from tests.proxyrules.world import cluster, endpoints, service

SERVICE = "ULMVA6XW-ns1/svc1/tcp/p80"
FIRST = "5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80"
NODE_PORT = [{"name": "p80", "port": 80, "nodePort": 30080}]
GONE: dict[str, Any] = {"conditions": {"ready": False, "serving": False}}


def endpoint(number: int) -> str:
    return f"endpoint-{hashed(f'ns1/svc1/tcp/p80__10.180.0.{number}/80')}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ns1/svc1/tcp/p80", "ULMVA6XW-"),
        ("ns2/svc2/tcp/p80", "42NFTM6N-"),
        ("ns5/svc5/tcp/p80", "HVFWP5L3-"),
        ("ns1/svc1/tcp/p80__10.180.0.1/80", "5OJB2KTY-"),
        ("ns4/svc4/tcp/p80__10.180.0.4/80", "UNZV3OEC-"),
        ("ns5/svc5/tcp/p80__10.180.0.3/80", "GTK6MW7G-"),
    ],
)
def test_names(name: str, expected: str) -> None:
    """NFT-03: H is the first 8 characters of base32(sha256(name))."""
    assert hashed(name) == expected + name


def test_a_long_name_is_cut() -> None:
    """NFT-03: 240 characters at most, dots at the end."""
    assert len(hashed("x" * 231)) == 240
    assert hashed("x" * 231).endswith("xxxx")
    assert len(hashed("x" * 232)) == 240
    assert hashed("x" * 232).endswith("x...")


def test_an_address_with_colons() -> None:
    """NFT-03: colons become dots in the name, and stay in the translation."""
    found = table(service(clusterIPs=["fd00:96::41"]), endpoints((("fd00:180::1", "a"),)), family=6)
    (chain,) = (name for name in found if name.startswith("endpoint-"))
    assert chain == f"endpoint-{hashed('ns1/svc1/tcp/p80__fd00.180..1/80')}"
    assert found[chain][-1] == "meta l4proto tcp dnat to [fd00:180::1]:80"
    assert found["service-ips"][-1] == f"fd00:96::41 . tcp . 80 : goto service-{SERVICE}"
    assert found["nodeport-ips"][-1] == "fd00::2"


def test_sets_and_maps() -> None:
    """NFT-01."""
    found = table(service(), endpoints())
    assert list(found)[:7] == [
        "cluster-ips",
        "nodeport-ips",
        "firewall-ips",
        "no-endpoint-nodeports",
        "no-endpoint-services",
        "service-ips",
        "service-nodeports",
    ]
    assert found["cluster-ips"] == ["type ipv4_addr", 'comment "Active ClusterIPs"', "10.96.0.41"]
    assert found["nodeport-ips"][-1] == "192.168.0.2"
    assert found["service-ips"][-1] == f"10.96.0.41 . tcp . 80 : goto service-{SERVICE}"


@pytest.mark.parametrize(
    ("chain", "hook", "jumps"),
    [
        ("filter-prerouting-pre-dnat", "filter hook prerouting priority dstnat - 10", ["firewall-check"]),
        ("filter-output-pre-dnat", "filter hook output priority -110", ["firewall-check"]),
        ("nat-prerouting", "nat hook prerouting priority dstnat", ["services"]),
        ("nat-output", "nat hook output priority -100", ["services"]),
        ("filter-input", "filter hook input priority filter", ["nodeport-endpoints-check", "service-endpoints-check"]),
        ("filter-forward", "filter hook forward priority filter", ["service-endpoints-check", "cluster-ips-check"]),
        ("filter-output", "filter hook output priority filter", ["service-endpoints-check", "cluster-ips-check"]),
        ("nat-postrouting", "nat hook postrouting priority srcnat", ["masquerading"]),
    ],
)
def test_hooks(chain: str, hook: str, jumps: list[str]) -> None:
    """NFT-02: source ranges before translation, refusals after it, masquerade last."""
    lines = table()[chain]
    assert lines[0] == f"type {hook}; policy accept;"
    assert [line.rpartition(" ")[2] for line in lines[1:]] == jumps
    assert all(line.startswith("ct state new ") == chain.startswith("filter") for line in lines[1:])


def test_the_draw() -> None:
    """NFT-04: one number for each endpoint, in the order of addresses; also when there is only one."""
    ways = ", ".join(f"{index} : goto {endpoint(index + 1)}" for index in range(3))
    assert table(service(), endpoints())[f"service-{SERVICE}"][-1] == f"numgen random mod 3 vmap {{ {ways} }}"
    alone = table(service(), endpoints((("10.180.0.1", "a"),)))
    assert alone[f"service-{SERVICE}"][-1] == f"numgen random mod 1 vmap {{ 0 : goto endpoint-{FIRST} }}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["ip daddr 10.96.0.41 ip saddr != 10.244.0.0/16 jump mark-for-masquerade"]),
        ({"masquerade_all": True}, ["ip daddr 10.96.0.41 jump mark-for-masquerade"]),
        ({"detect_local": False}, []),
    ],
)
def test_who_is_masqueraded_on_the_way_to_a_cluster_ip(settings: dict[str, Any], expected: list[str]) -> None:
    """NFT-05, PX-08."""
    assert table(service(), endpoints(), **settings)[f"service-{SERVICE}"][:-1] == expected


def test_an_endpoint() -> None:
    """NFT-05, PX-06: mark what reaches itself, translate."""
    assert table(service(), endpoints())[f"endpoint-{FIRST}"] == [
        "ip saddr 10.180.0.1 jump mark-for-masquerade",
        "meta l4proto tcp dnat to 10.180.0.1:80",
    ]


SHORT_CUTS = [
    f'ip saddr 10.244.0.0/16 goto service-{SERVICE} comment "short-circuit pod traffic"',
    'fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"',
    f'fib saddr type local goto service-{SERVICE} comment "short-circuit local traffic"',
]


@pytest.mark.parametrize(
    ("policy", "on", "expected"),
    [
        ("Cluster", "a", ["jump mark-for-masquerade", f"goto service-{SERVICE}"]),
        ("Local", "a", [*SHORT_CUTS, f"goto local-{SERVICE}"]),
        ("Local", "c", SHORT_CUTS),
    ],
)
def test_what_comes_from_outside(policy: str, on: str, expected: list[str]) -> None:
    """NFT-05, PX-04, PX-05; node c has no endpoint, so a drop stands beside it (PX-07)."""
    third = {"kind": "Node", "metadata": {"name": "c"}}
    spec = service(type="NodePort", ports=NODE_PORT, externalTrafficPolicy=policy)
    found = table(third, spec, endpoints(), on=on)
    assert found[f"external-{SERVICE}"] == expected
    assert found["service-nodeports"][-1] == f"tcp . 30080 : goto external-{SERVICE}"
    refused = found["no-endpoint-nodeports"][2:]
    assert refused == (['tcp . 30080 comment "ns1/svc1:p80" : drop'] if on == "c" else [])


def test_nobody_anywhere() -> None:
    """PX-07: no chain, only refusals for every address."""
    spec = service(type="LoadBalancer", ports=NODE_PORT, lb=("1.2.3.4",), externalIPs=["198.18.0.9"])
    found = table(spec, endpoints(**GONE))
    refused = ["10.96.0.41", "198.18.0.9", "1.2.3.4"]
    said = 'comment "ns1/svc1:p80" : goto reject-chain'
    assert found["no-endpoint-services"][2:] == [f"{ip} . tcp . 80 {said}" for ip in refused]
    assert found["no-endpoint-nodeports"][2:] == [f"tcp . 30080 {said}"]
    assert found["service-ips"][2:] == []
    assert not [name for name in found if "/" in name]
    assert found["cluster-ips"][-1] == "10.96.0.41"


def test_internal_local_without_local_endpoints() -> None:
    """PX-03, PX-07: others have some, so it is dropped."""
    found = table(service(internalTrafficPolicy="Local"), endpoints((("10.180.0.2", "b"),)))
    assert found["no-endpoint-services"][-1] == '10.96.0.41 . tcp . 80 comment "ns1/svc1:p80" : drop'
    assert found["service-ips"][2:] == []


def test_affinity() -> None:
    """NFT-06: a set of clients for each endpoint, asked first and refreshed."""
    one = endpoints((("10.180.0.1", "a"),))
    sticky = {"clientIP": {"timeoutSeconds": 90}}
    found = table(service(sessionAffinity="ClientIP", sessionAffinityConfig=sticky), one)
    assert found[f"affinity-{FIRST}"] == ["type ipv4_addr", "size 65535", "flags dynamic,timeout", "timeout 1m30s"]
    assert found[f"service-{SERVICE}"][1] == f"ip saddr @affinity-{FIRST} goto endpoint-{FIRST}"
    assert found[f"endpoint-{FIRST}"][1] == f"update @affinity-{FIRST} {{ ip saddr }}"


@pytest.mark.parametrize(("seconds", "text"), [(10800, "3h"), (1, "1s"), (86400, "1d"), (3661, "1h1m1s")])
def test_timeouts(seconds: int, text: str) -> None:
    """NFT-06."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (["203.0.113.0/25"], "203.0.113.0/25"),
        (["203.0.113.5/32"], "203.0.113.5"),
        (["192.168.0.0/24", "203.0.113.0/25"], "{ 1.2.3.4, 192.168.0.0/24, 203.0.113.0/25 }"),
        (["203.0.113.0/24", "203.0.113.0/25"], "203.0.113.0/24"),
    ],
)
def test_source_ranges(ranges: list[str], expected: str) -> None:
    """SVC-17; the balancer's own address is admitted when the node is (PX-20)."""
    spec = service(type="LoadBalancer", lb=("1.2.3.4",), loadBalancerSourceRanges=ranges)
    found = table(spec, endpoints())
    assert found[f"firewall-{SERVICE}"] == [f"ip saddr != {expected} drop"]
    assert found["firewall-ips"][-1] == f"1.2.3.4 . tcp . 80 : goto firewall-{SERVICE}"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "ip daddr 10.96.0.0/12 drop"),
        ({"service_cidr": "10.9.0.0/16,fd00:96::/112,10.8.0.0/24"}, "ip daddr { 10.8.0.0/24, 10.9.0.0/16 } drop"),
        ({"service_cidr": "fd00:96::/112"}, ""),
    ],
)
def test_addresses_nobody_owns(settings: dict[str, Any], said: str) -> None:
    """NFT-07, PX-11: unknown ports of ClusterIPs are refused, unowned addresses of the Service CIDR dropped."""
    refuse, *drop = table(**settings)["cluster-ips-check"]
    assert refuse.startswith("ip daddr @cluster-ips reject ")
    assert [line.partition(" comment")[0] for line in drop] == ([said] if said else [])


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ((), ["192.168.0.2"]),
        (("primary",), ["192.168.0.2"]),
        (("192.168.0.0/16", "10.244.0.0/16", "127.0.0.0/8"), ["192.168.0.2", "10.244.0.1", "10.244.0.0"]),
        (("203.0.113.0/24",), []),
    ],
)
def test_where_node_ports_answer(addresses: tuple[str, ...], expected: list[str]) -> None:
    """NFT-07, PX-12: the primary address unless CIDRs are given; loopback never."""
    found = table(nodeport_addresses=addresses)
    assert found["nodeport-ips"][2:] == expected
    assert found["services"][-1].startswith("ip daddr @nodeport-ips meta l4proto")


def test_node_ports_on_every_address() -> None:
    """NFT-07, PX-12: 0.0.0.0/0 is every local address but loopback."""
    found = table(nodeport_addresses=("0.0.0.0/0",))
    assert "nodeport-ips" not in found
    every = "ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap"
    assert found["services"][-1] == f"fib daddr type local {every} @service-nodeports"
    assert found["nodeport-endpoints-check"] == [f"{every} @no-endpoint-nodeports"]
    assert table(nodeport_addresses=("::/0",), family=6)["services"][-1].startswith(
        "fib daddr type local ip6 daddr != ::1 meta"
    )


def test_an_address_two_services_claim_goes_to_the_cluster_ip() -> None:
    """NFT-01: a map has one verdict for a key, so the text loads."""
    thief = service(clusterIP="10.96.0.40", externalIPs=["10.96.0.41"])
    thief["metadata"]["name"] = "a-thief"
    found = table(thief, service(), endpoints())
    (line,) = (line for line in found["service-ips"] if line.startswith("10.96.0.41 "))
    assert line.endswith(f"service-{SERVICE}")


def test_only_one_service() -> None:
    made = cluster(service(), endpoints(), proxy_mode="nftables")
    text = nftables(made, made.nodes["a"], only=("ns1", "nobody"))
    assert "svc1" not in text
    assert "chain services {" in text


@pytest.mark.parametrize("mode", ["iptables", "ipvs"])
def test_other_modes_have_no_such_text(mode: str) -> None:
    made = cluster(proxy_mode=mode)
    with pytest.raises(NoRuleTextError, match=f"{mode} mode"):
        nftables(made, made.nodes["a"])
