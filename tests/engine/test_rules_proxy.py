"""Rules PX, SVC and IPV: addresses, senders and modes, for both families."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Probe, trace
from tests.engine.proxyworld import LB, OUTSIDE, VIP, ask, balanced, bare, effect, entry, slice_of, targets, world
from tests.engine.world import Obj, pod


@pytest.mark.parametrize(
    ("source", "from_node", "expected"),
    [
        ("10.1.2.3", False, ("accept", "")),
        ("10.1.2.3", True, ("accept", "")),
        ("192.168.0.2", True, ("accept", "masquerade")),
        ("192.168.9.2", True, ("accept", "masquerade")),
        ("192.168.0.2", False, ("accept", "masquerade")),
        ("192.168.0.3", False, ("drop", "")),
        ("198.18.7.7", True, ("accept", "masquerade")),
        (OUTSIDE, False, ("drop", "")),
    ],
)
def test_the_short_cut_of_a_local_policy_goes_by_address(
    source: str, from_node: bool, expected: tuple[str, str]
) -> None:
    """PX-05, IPT-06: the detector's CIDR is asked first, so a node's process with such an address is a pod to it."""
    cluster = world(balanced(LB, externalTrafficPolicy="Local"), slice_of(entry("10.180.0.1", "b")))
    found = ask(cluster, LB, source=source, from_node=from_node)
    assert found is not None
    assert (found.verdict, "masquerade" if found.masquerade else "") == expected


@pytest.mark.parametrize(("cidrs", "masqueraded"), [("10.0.0.0/8", False), ("10.0.0.0/8,fd00:10::/48", True)])
def test_a_family_without_a_cidr_has_no_detector(cidrs: str, masqueraded: bool) -> None:
    """PX-08: everybody counts as a pod for ClusterIPs, and nobody for the short cut of a Local policy."""
    six = balanced("fd00:51::1", clusterIP="fd00:96::41", externalTrafficPolicy="Local")
    cluster = world(six, slice_of(entry("fd00:10::1", "b"), kind="IPv6"), cluster_cidr=cidrs)
    found = ask(cluster, "fd00:96::41", source="2001:db8::7")
    assert found is not None and bool(found.masquerade) is masqueraded
    assert effect(ask(cluster, "fd00:51::1", source="fd00:10::9")) == ("dnat" if masqueraded else "drop")


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize(
    ("addresses", "iptables", "nftables"),
    [
        ((), {"192.168.0.2", "192.168.9.2", "127.0.0.1", "fd00::2"}, {"192.168.0.2", "fd00::2"}),
        (("primary",), {"192.168.0.2", "fd00::2"}, {"192.168.0.2", "fd00::2"}),
        (
            ("0.0.0.0/0",),
            {"192.168.0.2", "192.168.9.2", "127.0.0.1", "fd00::2"},
            {"192.168.0.2", "192.168.9.2", "fd00::2"},
        ),
        (("192.168.9.0/24",), {"192.168.9.2", "fd00::2"}, {"192.168.9.2", "fd00::2"}),
        (
            ("fd00::/64",),
            {"192.168.0.2", "192.168.9.2", "127.0.0.1", "fd00::2"},
            {"192.168.0.2", "192.168.9.2", "fd00::2"},
        ),
        (("127.0.0.0/8", "::1/128"), {"127.0.0.1"}, set()),
    ],
)
def test_node_port_addresses_of_both_families(
    mode: Any, addresses: tuple[str, ...], iptables: set[str], nftables: set[str]
) -> None:
    """PX-12: a family without a CIDR of its own gets every address; ::1 never answers."""
    made = balanced(type="NodePort", clusterIPs=[VIP, "fd00:96::41"])
    six = slice_of(entry("fd00:10::1"), name="six", kind="IPv6")
    cluster = world(made, slice_of(entry("10.180.0.1")), six, proxy_mode=mode, nodeport_addresses=addresses)
    asked = ("192.168.0.2", "192.168.9.2", "127.0.0.1", "127.0.0.9", "192.168.0.3", "fd00::2", "::1")
    answering = {
        ip for ip in asked if effect(ask(cluster, ip, 30080, source="::1" if ":" in ip else "127.0.0.1")) == "dnat"
    }
    expected = iptables if mode == "iptables" else nftables
    loose = {"127.0.0.9"} if "127.0.0.1" in expected and addresses != ("127.0.0.0/8", "::1/128") else set()
    assert answering == expected | loose


@pytest.mark.parametrize(
    ("mode", "endpoints", "policy", "expected"),
    [
        ("iptables", (), "Cluster", "reject"),
        ("iptables", (), "Local", "reject"),
        ("iptables", (("10.180.0.1", "b"),), "Local", "drop"),
        ("iptables", (("10.180.0.1", "b"),), "Cluster", "none"),
        ("iptables", (("10.180.0.1", "a"),), "Local", "none"),
        ("nftables", (), "Cluster", "none"),
        ("nftables", (("10.180.0.1", "b"),), "Local", "none"),
    ],
)
def test_a_node_port_on_an_address_it_does_not_answer_on(
    mode: Any, endpoints: tuple[tuple[str, str], ...], policy: str, expected: str
) -> None:
    """IPT-11, PX-12: iptables' filter rule stands for every local address, nftables' only for its own."""
    cluster = world(
        balanced(type="NodePort", externalTrafficPolicy=policy),
        slice_of(*[entry(*one) for one in endpoints]),
        proxy_mode=mode,
        nodeport_addresses=("192.168.0.0/24",),
        localhost_nodeports=False,
    )
    for ip in ("192.168.9.2", "127.0.0.1"):
        assert effect(ask(cluster, ip, 30080, source="10.1.2.3")) == expected
    assert effect(ask(cluster, "192.168.9.2", 30080)) == expected


@pytest.mark.parametrize(
    ("mode", "source", "ip", "expected"),
    [
        ("iptables", LB, LB, "dnat"),
        ("iptables", "5.6.7.8", LB, "dnat"),
        ("nftables", "5.6.7.8", LB, "dnat"),
        ("ipvs", "5.6.7.8", LB, "drop"),
        ("ipvs", LB, LB, "dnat"),
        ("iptables", "fd00:51::1", "fd00:51::1", "drop"),
        ("iptables", OUTSIDE, LB, "drop"),
        ("iptables", "192.168.0.9", LB, "dnat"),
    ],
)
def test_a_balancer_hands_back_through_the_nodes_primary_address(
    mode: Any, source: str, ip: str, expected: str
) -> None:
    """PX-20: any balancer address of the Service, where the node's first address of that family is in a range."""
    made = balanced(LB, "5.6.7.8", "fd00:51::1", clusterIPs=[VIP, "fd00:96::41"])
    made["spec"]["loadBalancerSourceRanges"] = ["192.168.0.0/24", "fd00:9::/64"]
    six = slice_of(entry("fd00:10::1"), name="six", kind="IPv6")
    assert effect(ask(world(made, slice_of(entry("10.180.0.1")), six, proxy_mode=mode), ip, source=source)) == expected


def test_the_nodes_other_addresses_do_not_count_for_handing_back() -> None:
    """PX-20."""
    made = balanced(LB, loadBalancerSourceRanges=["192.168.9.0/24"])
    assert effect(ask(world(made, slice_of(entry("10.180.0.1"))), LB, source=LB)) == "drop"


@pytest.mark.parametrize(("mode", "expected"), [("iptables", "reject"), ("nftables", "drop"), ("ipvs", "drop")])
def test_source_ranges_of_a_service_without_endpoints(mode: Any, expected: str) -> None:
    """SVC-17, PX-07: iptables writes the guard only where somebody is behind it."""
    made = balanced(LB, loadBalancerSourceRanges=["198.51.100.0/24"])
    assert effect(ask(world(made, slice_of(), proxy_mode=mode), LB)) == expected


def test_ranges_of_the_other_family_guard_nothing() -> None:
    """SVC-17, SVC-16."""
    made = balanced(LB, loadBalancerSourceRanges=["2001:db8::/32"])
    assert effect(ask(world(made, slice_of(entry("10.180.0.1"))), LB)) == "dnat"


def test_addresses_of_a_family_the_service_has_no_cluster_ip_of_are_nobodys() -> None:
    """SVC-16, SVC-05: the family's kube-proxy knows no such Service."""
    made = bare(externalIPs=["fd00:18::9", "198.18.0.9"])
    cluster = world(made, slice_of(entry("10.180.0.1")), slice_of(entry("fd00:10::1"), name="six", kind="IPv6"))
    assert ask(cluster, "fd00:18::9", source="2001:db8::7") is None
    assert effect(ask(cluster, "198.18.0.9")) == "dnat"


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
def test_ports_nobody_has(mode: Any) -> None:
    """PX-11: only a ClusterIP's are refused; IPVS has its addresses on kube-ipvs0."""
    cluster = world(bare(externalIPs=["198.18.0.9"]), slice_of(entry("10.180.0.1")), proxy_mode=mode)
    ways = {"iptables": ("none", "none", "none"), "nftables": ("reject", "none", "drop")}
    expected = ways.get(mode, ("reject", "reject", "none"))
    assert tuple(effect(ask(cluster, ip, 81)) for ip in (VIP, "198.18.0.9", "172.30.9.9")) == expected
    assert effect(ask(cluster, VIP, 80, proto="UDP")) == expected[0]


def test_an_address_two_services_share_goes_to_the_one_that_has_endpoints() -> None:
    """IPT-02, IPT-11: without endpoints a Service has no nat rule, so the other one's is met."""
    empty, full = bare(externalIPs=["198.18.0.9"]), bare(clusterIP="172.30.0.42", externalIPs=["198.18.0.9"])
    empty["metadata"]["name"], full["metadata"]["name"] = "aaa", "svc1"
    found = ask(world(empty, full, slice_of(entry("10.180.0.1"))), "198.18.0.9")
    assert found is not None and found.service.name == "svc1" and found.effect == "dnat"


@pytest.mark.parametrize(
    ("spec", "ip", "where", "expected"),
    [
        ({"externalTrafficPolicy": "Local"}, LB, ("a", "b"), ({"10.180.0.1"}, False)),
        ({"externalTrafficPolicy": "Local"}, LB, ("b", "b"), ({"10.180.0.1", "10.180.0.2"}, False)),
        ({}, LB, ("a", "b"), ({"10.180.0.1", "10.180.0.2"}, True)),
        ({"internalTrafficPolicy": "Local"}, VIP, ("b", "b"), ({"10.180.0.1", "10.180.0.2"}, True)),
    ],
)
def test_ipvs_has_one_list_whoever_calls(
    spec: Obj, ip: str, where: tuple[str, str], expected: tuple[set[str], bool]
) -> None:
    """IPV-01: a Local policy without local endpoints uses them all."""
    entries = [entry(f"10.180.0.{index}", on) for index, on in enumerate(where, 1)]
    found = ask(world(balanced(LB, **spec), slice_of(*entries), proxy_mode="ipvs"), ip)
    assert found is not None
    assert ({one.partition(":")[0] for one in targets(found)}, bool(found.masquerade)) == expected


def test_ipvs_refuses_what_is_local_and_has_no_list() -> None:
    """IPV-01, EPS-08."""
    cluster = world(bare(internalTrafficPolicy="Local"), slice_of(entry("10.180.0.1", "b")), proxy_mode="ipvs")
    assert effect(ask(cluster, VIP)) == "reject"


def test_a_hashing_scheduler_of_ipvs_sends_a_source_to_one_endpoint() -> None:
    """IPV-01."""
    entries = [entry(f"10.180.0.{index}") for index in range(1, 5)]
    for scheduler, same in (("sh", True), ("rr", False)):
        cluster = world(bare(), slice_of(*entries), proxy_mode="ipvs", ipvs_scheduler=scheduler)
        picked = {found.endpoint.ip for seed in range(20) if (found := ask(cluster, VIP, seed=seed)) and found.endpoint}
        assert (len(picked) == 1) is same


@pytest.mark.parametrize(
    ("mode", "target", "reason", "felt"),
    [
        ("iptables", VIP, "vip_icmp", "ping gets no answer, while TCP works"),
        ("nftables", VIP, "vip_icmp_refused", "destination port unreachable, at once"),
        ("nftables", "198.18.0.9", "vip_icmp", "ping gets no answer, while TCP works"),
        ("ipvs", VIP, "ping_answered", "ping answered"),
    ],
)
def test_a_ping_to_a_virtual_address(mode: Any, target: str, reason: str, felt: str) -> None:
    """PX-11, IPV-01, NFT-07: nftables refuses everything but ports on a ClusterIP, IPVS has the address on a device."""
    client = pod("ns1/client", "10.0.0.7", "a", app="client")
    cluster = world(client, bare(externalIPs=["198.18.0.9"]), slice_of(entry("10.180.0.1")), proxy_mode=mode)
    found = trace(cluster, Probe.parse("ns1/client", target, protocol="ICMP"))
    assert (found.forward[-1].steps[-1].reason, found.symptom) == (reason, felt)
    assert bool(found.reverse) is (reason != "vip_icmp")


@pytest.mark.parametrize(("mode", "expected"), [("iptables", "reject"), ("nftables", "reject"), ("ipvs", "dnat")])
def test_an_endpoint_at_an_address_that_another_service_refuses(mode: Any, expected: str) -> None:
    """IPT-01, IPT-11: the filter rules are asked after the translation, with the endpoint's address."""
    empty = bare(clusterIP="172.30.0.42", externalIPs=["192.168.0.2"], ports=[{"name": "p", "port": 8080}])
    empty["metadata"]["name"] = "empty"
    cluster = world(empty, balanced(LB), slice_of(entry("192.168.0.2", "a")), proxy_mode=mode)
    found = ask(cluster, LB)
    assert effect(found) == expected
    assert found is not None and found.service.name == ("empty" if expected == "reject" else "svc1")
    # IPT-13: what is marked and forwarded is accepted by KUBE-FORWARD before
    assert effect(ask(cluster, LB, on="b")) == ("reject" if mode == "nftables" else "dnat")
