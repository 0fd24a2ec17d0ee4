"""A capture holds the frames the trace tells of: same addresses, ports, TTLs and overlay headers, at every point."""

from __future__ import annotations

import io

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.capture import UnknownPointError, captures, packets, pcap, points
from clusterviz.engine import Trace, trace
from clusterviz.engine.packet import IP, L4, Stack, wrapping
from tests.capture.wire import expected, read
from tests.capture.world import ask, cluster, six, traces
from tests.strategies import clusters, probes

TRACES = traces()


def frames(data: bytes) -> list[tuple[float, bytes]]:
    return [(float(at), bytes(frame)) for at, frame in dpkt.pcap.Reader(io.BytesIO(data))]


def check(found: Trace) -> None:
    """Every frame of every file says what the header stack it was made from says."""
    files = captures(found)
    seen = packets(found)
    assert list(files) == [point.id for point in points(found)]
    for name, data in files.items():
        stacks = [one.sight.stack for one in sorted(seen, key=lambda one: one.at) if one.sight.point.id == name]
        bare = bool(stacks) and isinstance(stacks[0][0], IP)
        assert [read(frame, bare=bare) for _, frame in frames(data)] == [expected(stack) for stack in stacks]


@pytest.mark.parametrize("title", TRACES)
def test_every_frame_round_trips(title: str) -> None:
    check(TRACES[title])


@given(st.data())
@settings(max_examples=20)
def test_frames_round_trip_in_random_clusters(data: st.DataObject) -> None:
    world = data.draw(clusters())
    check(trace(world, data.draw(probes(world))))


@pytest.mark.parametrize("title", TRACES)
def test_every_frame_is_a_stack_of_a_hop(title: str) -> None:
    """Nothing is invented: only the bridge shows what no hop holds, packets between PREROUTING and POSTROUTING."""
    journeys = (TRACES[title], *(child.trace for child in TRACES[title].children))
    hops = [hop for one in journeys for hop in one.forward + one.reverse]
    told = {bare(stack) for hop in hops for stack in (hop.headers_in, hop.headers_out)}
    told |= {bare(stack[len(wrapping(stack)) :]) for hop in hops for stack in (hop.headers_in, hop.headers_out)}
    for packet in packets(TRACES[title]):
        if packet.sight.point.interface != "cni0" and packet.quoted is None:
            assert bare(packet.sight.stack) in told, packet.sight.point


def bare(stack: Stack) -> tuple[object, ...]:
    """IP addresses, TTLs and ports; what a DNS or HTTP message says is another layer."""
    return tuple(
        (h.src, h.dst, h.ttl) if isinstance(h, IP) else (h.sport, h.dport) for h in stack if isinstance(h, IP | L4)
    )


def test_the_same_trace_makes_the_same_bytes_and_another_seed_other_ones() -> None:
    world = cluster()
    first, again, other = (captures(ask(world, "shop/client", "10.244.1.2:8080", seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_capture_of_one_point_is_the_one_of_all() -> None:
    found = TRACES["other node"]
    assert {point.id: pcap(found, point) for point in points(found)} == captures(found)


def test_an_unknown_point_names_the_known_ones() -> None:
    with pytest.raises(UnknownPointError, match="pod_nobody_eth0") as caught:
        pcap(TRACES["same node"], "pod_nobody_eth0")
    assert caught.value.allowed == ("pod_shop_client_eth0", "node_n1_cni0", "pod_shop_web-1_eth0")


def test_the_bridge_shows_a_packet_after_dnat_and_before_masquerade() -> None:
    """PX-01, PX-09: bridge netfilter runs PREROUTING on the frame, POSTROUTING comes when it leaves."""
    seen = [one for one in packets(TRACES["egress"]) if one.say.flags == "SYN"]
    ways = {one.sight.point.id: expected(one.sight.stack).ips[0][:2] for one in seen}
    assert ways["node_n1_cni0"] == ("10.244.0.3", "203.0.113.80")
    assert ways["node_n1_eth0"] == ("192.168.0.11", "203.0.113.80")
    calls = (packets(ask(six(), "shop/client", "http://web/", seed=seed)) for seed in range(16))
    far = next(call for call in calls if any(one.sight.point.id == "node_n2_cni0" for one in call))
    to_service = [one for one in far if one.say.flags == "SYN"]
    ways = {one.sight.point.id: expected(one.sight.stack).ips[0][:2] for one in to_service}
    assert ways["pod_shop_client_eth0"] == ("fd00:10:244::3", "fd00:10:96::20")
    assert ways["node_n1_cni0"] == ("fd00:10:244::3", "fd00:10:244:1::2")


def test_a_node_has_one_mac_on_each_network() -> None:
    """The card of a node has the same MAC towards the outside as towards other nodes."""
    macs = set()
    for one in packets(TRACES["node port"]):
        if one.sight.point.id == "node_n3_eth0":
            (source, target), (ip, *_) = expected(one.sight.stack).macs[0], expected(one.sight.stack).ips
            macs.add(source if ip[0] == "192.168.0.13" else target)
    assert macs == {"0a:58:c0:a8:00:0d"}
