"""What the two ends say: a conversation fit for the protocol and for what became of the packet."""

from __future__ import annotations

import dpkt
import pytest

from clusterviz.capture import captures, packets
from clusterviz.engine import Probe, Trace, trace
from tests.capture.test_frames import TRACES, frames
from tests.capture.world import cluster
from tests.scenarios.harness import HERE, ask, load

HANDSHAKE = ["SYN", "SYN,ACK", "ACK"]
CLOSE = ["FIN,ACK", "FIN,ACK", "ACK"]
REQUEST = ["PSH,ACK", "ACK", "PSH,ACK", "ACK"]


def flags(found: Trace, point: str) -> list[str]:
    said = [one for one in packets(found) if one.sight.point.id == point and one.say.flags]
    return [one.say.flags for one in sorted(said, key=lambda one: one.at)]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("other node", HANDSHAKE + CLOSE),
        ("service by name", HANDSHAKE + REQUEST + CLOSE),
        ("egress", HANDSHAKE + CLOSE),  # over TLS: what is inside cannot be read
        ("refused", ["SYN", "RST,ACK"]),
        ("policy", ["SYN"] * 4),
    ],
)
def test_tcp_at_the_client(title: str, said: list[str]) -> None:
    assert flags(TRACES[title], "pod_shop_client_eth0") == said


def test_a_dropped_syn_is_sent_again_after_1_3_and_7_seconds() -> None:
    """NP-23: the client waits; Linux doubles the pause between its tries."""
    times = [at for at, _ in frames(captures(TRACES["policy"])["pod_shop_client_eth0"])]
    assert [round(at - times[0], 3) for at in times] == [0, 1, 3, 7]


def test_a_dropped_packet_is_not_seen_behind_the_drop() -> None:
    """NP-06: ingress of the receiver is judged on its node, before its bridge."""
    seen = set(captures(TRACES["policy"]))
    assert "node_n3_flannel.1" in seen
    assert not seen & {"node_n3_cni0", "pod_shop_db-0_eth0"}


def test_sequence_numbers_add_up() -> None:
    """Each end's next number is the last one plus the bytes (and SYN, FIN) it sent; the other acknowledges it."""
    following: dict[bool, int] = {}
    for _, data in frames(captures(TRACES["service by name"])["pod_shop_client_eth0"]):
        tcp = dpkt.ethernet.Ethernet(data).data.data
        if not isinstance(tcp, dpkt.tcp.TCP):
            continue
        mine = tcp.dport == 80
        assert tcp.seq == following.get(mine, tcp.seq)
        if tcp.flags & dpkt.tcp.TH_ACK:
            assert tcp.ack == following[not mine]
        ends = bool(tcp.flags & dpkt.tcp.TH_SYN) + bool(tcp.flags & dpkt.tcp.TH_FIN)
        following[mine] = (tcp.seq + len(tcp.data) + ends) & 0xFFFFFFFF
    assert set(following) == {True, False}


def payloads(title: str, point: str) -> list[bytes]:
    found = [one for one in packets(TRACES[title]) if one.sight.point.id == point and one.say.payload]
    return [one.say.payload for one in found]


def test_the_controller_opens_a_connection_of_its_own_while_the_client_waits() -> None:
    """ING-11, SRC-6: two connections at the controller; the second tells who called."""
    first, second, answer, passed_on = payloads("ingress", "pod_ingress_ctl_eth0")
    assert first.startswith(b"GET / HTTP/1.1\r\nHost: web.example.com\r\n") and b"X-Forwarded-For" not in first
    assert b"\r\nX-Forwarded-For: " in second
    assert answer == passed_on
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_tls_ends_at_the_controller() -> None:
    """ING-10: nobody before the controller can read the request, and everybody behind it can."""
    assert not payloads("ingress over TLS", "internet")
    assert payloads("ingress over TLS", "pod_shop_web-1_eth0") + payloads("ingress over TLS", "pod_shop_web-2_eth0")


@pytest.mark.parametrize(
    ("title", "status"), [("ingress 404", b"404 Not Found"), ("ingress 503", b"503 Service Unavailable")]
)
def test_the_controllers_own_answers(title: str, status: bytes) -> None:
    """ING-08, ING-09."""
    assert payloads(title, "internet")[-1].startswith(b"HTTP/1.1 " + status)


def test_udp_to_a_closed_port_is_answered_with_icmp_that_quotes_it() -> None:
    """IMP-04: the kernel says port unreachable and shows the packet it means."""
    (_, asked), (_, answer) = frames(captures(TRACES["udp refused"])["pod_shop_client_eth0"])
    icmp = dpkt.ethernet.Ethernet(answer).data.data
    assert (icmp.type, icmp.code) == (3, 3)
    assert bytes(icmp.data)[4:] == asked[14:]
    (_, asked), (_, answer) = frames(captures(TRACES["IPv6 udp"])["pod_shop_client_eth0"])
    icmp = dpkt.ethernet.Ethernet(answer).data.data
    assert (icmp.type, icmp.code) == (1, 4)
    assert bytes(icmp.data)[4:] == asked[14:]


def test_reject_is_icmp_from_the_bridge_and_quotes_the_syn_to_the_service() -> None:
    """PX-07, IPT-11: the client's connect() is refused at once, by its node and not by the Service."""
    found = frames(captures(TRACES["no endpoints"])["pod_shop_client_eth0"])
    (_, asked), (_, answer) = found[-2:]
    ip = dpkt.ethernet.Ethernet(answer).data
    assert ip.src == bytes([10, 244, 0, 1])
    assert (ip.data.type, ip.data.code) == (3, 3)
    assert bytes(ip.data.data)[4:] == asked[14:]
    assert dpkt.ip.IP(asked[14:]).dst == bytes([10, 96, 0, 40])


def names(title: str, point: str) -> list[tuple[str, int, int]]:
    """(name, is an answer, rcode) of each DNS message."""
    found = []
    for _, data in frames(captures(TRACES[title])[point]):
        udp = dpkt.ethernet.Ethernet(data).data.data
        if isinstance(udp, dpkt.udp.UDP) and 53 in (udp.sport, udp.dport):
            dns = dpkt.dns.DNS(udp.data)
            found.append((dns.qd[0].name, dns.qr, dns.rcode))
    return found


def test_a_look_up_asks_name_by_name_until_one_answers() -> None:
    """DNS-12: the search list in order, NXDOMAIN for each but the last."""
    assert names("service by name", "pod_shop_client_eth0") == [
        ("web.shop.svc.cluster.local", 0, 0),
        ("web.shop.svc.cluster.local", 1, 0),
    ]
    asked = [name for name, answer, _ in names("no such name", "pod_shop_client_eth0") if not answer]
    assert asked[:3] == ["nope.shop.svc.cluster.local", "nope.svc.cluster.local", "nope.cluster.local"]
    assert [rcode for _, answer, rcode in names("no such name", "pod_shop_client_eth0") if answer][:3] == [3, 3, 3]


@pytest.mark.parametrize(
    ("name", "inner", "status"),
    [
        ("the backend's pods listen on another port", ["SYN", "RST,ACK"], b"502"),
        ("a policy lets only shop pods reach web", ["SYN"] * 4, b"504"),
    ],
)
def test_what_the_controller_meets_behind_it_becomes_a_status(name: str, inner: list[str], status: bytes) -> None:
    """ING-11: the client's connection is well, the controller's own is refused or hangs."""
    scenario, objects = load(HERE / "12-ingress")
    found = ask(scenario, objects, next(one for one in scenario.probes if one.name == name)).trace
    said = flags(found, "pod_ingress-nginx_controller_eth0")
    assert said == [*HANDSHAKE, "PSH,ACK", "ACK", *inner, "PSH,ACK", "ACK", *CLOSE]
    told = [one.say.payload for one in packets(found) if one.sight.point.id == "internet" and one.say.payload]
    assert told[-1].startswith(b"HTTP/1.1 " + status)


def answers(name: str) -> list[dpkt.dns.DNS]:
    """The DNS answers a probe of scenario 7 brings to its client."""
    scenario, objects = load(HERE / "07-dns")
    question = next(one for one in scenario.probes if one.name == name)
    data = captures(ask(scenario, objects, question).trace)["pod_shop_you_eth0"]
    segments = [dpkt.ethernet.Ethernet(frame).data.data for _, frame in frames(data)]
    return [dpkt.dns.DNS(one.data) for one in segments if isinstance(one, dpkt.udp.UDP) and one.sport == 53]


def test_an_external_name_is_answered_with_its_alias_and_the_address() -> None:
    """DNS-05."""
    (answer,) = answers("an alias for a name outside")
    assert [(one.name, one.type) for one in answer.an] == [
        ("partner.shop.svc.cluster.local", dpkt.dns.DNS_CNAME),
        ("pay.example.com", dpkt.dns.DNS_A),
    ]
    assert answer.an[0].cname == "pay.example.com"


def test_a_headless_name_is_answered_with_every_ready_pod() -> None:
    """DNS-02, SVC-08: the client picks one of them."""
    (answer,) = answers("a headless Service answers with its pods")
    assert [one.ip for one in answer.an] == [bytes([10, 244, 1, 2]), bytes([10, 244, 1, 3])]


def test_a_name_of_the_internet_is_answered_by_a_server_upstream() -> None:
    """DNS-12: the cluster's own names first, each with authority; the last answer has none."""
    found = answers("a name of the Internet is asked inside first")
    assert [(one.rcode, one.aa) for one in found] == [(3, 1), (3, 1), (3, 1), (0, 0)]
    assert found[-1].qd[0].name == "www.example.com"


def test_a_blocked_look_up_asks_twice_five_seconds_apart() -> None:
    """DNS-14: glibc's time-out and attempts; no connection follows."""
    found = frames(captures(TRACES["dns blocked"])["pod_spy_spy-1_eth0"])
    assert names("dns blocked", "pod_spy_spy-1_eth0") == [("web.shop.spy.svc.cluster.local", 0, 0)] * 2
    assert round(found[1][0] - found[0][0], 2) == 5


def test_a_packet_too_large_has_the_length_the_probe_says() -> None:
    """NET-13."""
    probe = Probe.parse("shop/client", "10.244.1.2:8080")
    large = trace(cluster(), Probe(source=probe.source, destination=probe.destination, length=1500))
    for _, data in frames(captures(large)["pod_shop_client_eth0"]):
        assert len(data) == 14 + 1500
