"""Every frame on the way and back: addresses, ports, TTL and tunnel headers as the trace shows them."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

import dpkt
import pytest

from clusterviz.engine import trace
from clusterviz.engine.packet import IP, L4, Ethernet, Stack, Vxlan
from clusterviz.engine.trace import Hop
from tests.kernel.conftest import Labs
from tests.kernel.judge import Question

pytestmark = pytest.mark.kernel

VXLAN_HEADER = 8
CASES = [
    ("NET-05", "vxlan", "pod:shop/client", "10.244.0.2", 8080),
    ("NET-06 NET-07 NET-08", "vxlan", "pod:shop/client", "10.244.1.2", 8080),
    ("NET-11", "host-gw", "pod:shop/client", "10.244.1.2", 8080),
    ("NET-10", "vxlan", "node:n1", "10.244.1.2", 8080),
    ("PX-01 PX-10 other node", "vxlan", "pod:shop/client", "10.96.0.111", 80),
    ("PX-01 PX-10 same node", "vxlan", "pod:shop/client", "10.96.0.102", 80),
    ("PX-01 PX-10 nftables", "nftables", "pod:shop/client", "10.96.0.111", 80),
    ("PX-06 hairpin", "vxlan", "pod:shop/web-1", "10.96.0.102", 80),
    ("EGR-01", "vxlan", "pod:shop/client", "203.0.113.80", 443),
    ("PX-05 SRC-5", "vxlan", "203.0.113.7", "192.168.0.11", 30089),
    ("PX-04 SRC-5", "vxlan", "203.0.113.7", "192.168.0.11", 30088),
    ("PX-08 PX-09", "host-gw", "node:n1", "10.96.0.111", 80),
]

# Who says no: a question, and the source of the ICMP error that reaches the sender.
REFUSALS = [
    ("PX-07 pod, ClusterIP", "vxlan", "pod:shop/client", "10.96.0.103", 80, "10.244.0.1"),
    ("PX-07 pod, its node's port", "vxlan", "pod:shop/client", "192.168.0.11", 30083, "192.168.0.11"),
    ("PX-07 pod, another node's port", "vxlan", "pod:shop/client", "192.168.0.12", 30083, "192.168.0.12"),
    ("PX-07 node, another node's port", "vxlan", "node:n1", "192.168.0.12", 30083, "192.168.0.12"),
    ("PX-07 outside, externalIP", "vxlan", "203.0.113.7", "198.18.0.3", 80, "192.168.0.11"),
    ("PX-07 outside, NodePort", "nftables", "203.0.113.7", "192.168.0.11", 30083, "192.168.0.11"),
    ("PX-11 pod", "nftables", "pod:shop/client", "10.96.0.100", 81, "10.244.0.1"),
]


class Frame(NamedTuple):
    """The headers that matter. The ports of tunnels and masquerades are chance, and left out."""

    outer: tuple[str, str, int, int, int] | None
    src: str
    dst: str
    ttl: int
    port: int
    flags: str


class Spot(NamedTuple):
    """Where a frame passes: a namespace's eth0, one way."""

    namespace: str
    out: bool


def told(stack: Stack, port: str) -> tuple[Frame, tuple[str, str]]:
    """The engine's headers, and the MACs of the outermost and innermost frame."""
    ips = [header for header in stack if isinstance(header, IP)]
    l4s = [header for header in stack if isinstance(header, L4)]
    vxlan = next((header for header in stack if isinstance(header, Vxlan)), None)
    frames = [header for header in stack if isinstance(header, Ethernet)]
    outer = (ips[0].src, ips[0].dst, ips[0].ttl, l4s[0].dport, vxlan.vni) if vxlan else None
    inner = Frame(outer, ips[-1].src, ips[-1].dst, ips[-1].ttl, getattr(l4s[-1], port), l4s[-1].flags)
    return inner, (frames[-1].src, frames[-1].dst) if frames else ("", "")


def spots(hops: tuple[Hop, ...]) -> Iterator[tuple[Spot, Stack]]:
    """What the engine says passes each eth0 on the way."""
    for here, after in itertools.pairwise(hops):
        kinds = (here.place.kind, after.place.kind)
        if here.place.kind == "pod":
            yield Spot(here.place.ref, out=True), here.headers_out
        if here.place.kind == "node" and after.place.kind in ("wire", "external", "internet"):
            yield Spot(here.place.ref, out=True), here.headers_out
        if kinds == ("wire", "node"):
            yield Spot(after.place.ref, out=False), here.headers_out
        if kinds == ("node", "pod"):
            yield Spot(after.place.ref, out=False), here.headers_out


def read(data: bytes, port: str) -> tuple[Frame, tuple[str, str]] | None:
    """A TCP frame with SYN, unwrapped from its tunnel; None for anything else."""
    frame = dpkt.ethernet.Ethernet(data)
    outer = None
    if (
        isinstance(frame.data, dpkt.ip.IP)
        and isinstance(frame.data.data, dpkt.udp.UDP)
        and frame.data.data.dport == 8472
    ):
        ip, udp = frame.data, frame.data.data
        vni = int.from_bytes(udp.data[4:7])
        outer = (socket.inet_ntoa(ip.src), socket.inet_ntoa(ip.dst), ip.ttl, udp.dport, vni)
        frame = dpkt.ethernet.Ethernet(udp.data[VXLAN_HEADER:])
    ip = frame.data
    if not isinstance(ip, dpkt.ip.IP) or not isinstance(ip.data, dpkt.tcp.TCP) or not ip.data.flags & dpkt.tcp.TH_SYN:
        return None
    flags = "SYN,ACK" if ip.data.flags & dpkt.tcp.TH_ACK else "SYN"
    made = Frame(outer, socket.inet_ntoa(ip.src), socket.inet_ntoa(ip.dst), ip.ttl, getattr(ip.data, port), flags)
    return made, (frame.src.hex(":"), frame.dst.hex(":"))


def caught(frames: list[dict[str, Any]], spot: Spot, flags: str, port: str) -> tuple[Frame, tuple[str, str]]:
    for frame in frames:
        if (frame["ns"], frame["out"], frame["device"]) == (spot.namespace, spot.out, "eth0"):
            found = read(bytes.fromhex(frame["data"]), port)
            if found is not None and found[0].flags == flags:
                return found
    pytest.fail(f"no {flags} passed {spot}")


@pytest.mark.parametrize(("settings", "source", "ip", "port"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_frames_are_as_told(settings: str, source: str, ip: str, port: int, labs: Labs) -> None:
    made, built = labs(settings)
    question = Question(source, ip, port)
    answer = trace(made, question.probe())
    built.capture(
        [
            "internet",
            *(node.ref for node in made.nodes.values()),
            *(pod.ref for pod in made.pods.values() if not pod.host_network),
        ]
    )
    assert built.fire([question.shot()])[0]["outcome"] == "answered"
    frames = built.captured()
    macs: dict[str, str] = {}
    for hops, flags, side in ((answer.forward, "SYN", "dport"), (answer.reverse, "SYN,ACK", "sport")):
        found = list(spots(hops))
        assert found
        routers = hops[0].place.kind in ("external", "internet")  # the lab's own router is on that way, and counts
        for spot, stack in found:
            (expected, theirs), (seen, ours) = told(stack, side), caught(frames, spot, flags, side)
            assert seen == expected._replace(ttl=expected.ttl - routers), f"{spot} {flags}"
            if theirs != ("", ""):
                macs |= {key: macs.get(key, value) for key, value in zip(theirs, ours, strict=True)}
                assert tuple(macs[key] for key in theirs) == ours, f"{spot} {flags}: other cards than {theirs}: {macs}"
    assert len(set(macs.values())) == len(macs), macs


@pytest.mark.parametrize(
    ("settings", "source", "ip", "port", "refuser"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
def test_a_refusal_comes_from_whom_is_told(
    settings: str, source: str, ip: str, port: int, refuser: str, labs: Labs
) -> None:
    made, built = labs(settings)
    question = Question(source, ip, port)
    home = source if source.startswith(("pod:", "node:")) else "internet"
    built.capture([home])
    assert built.fire([question.shot()])[0]["outcome"] == "refused"
    heard = {
        socket.inet_ntoa(packet.src)
        for frame in built.captured()
        if (packet := dpkt.ethernet.Ethernet(bytes.fromhex(frame["data"])).data) and isinstance(packet, dpkt.ip.IP)
        if isinstance(packet.data, dpkt.icmp.ICMP) and packet.data.type == dpkt.icmp.ICMP_UNREACH
    }
    last = trace(made, question.probe()).reverse[-1]
    assert heard == {refuser} == {header.src for header in last.headers_in if isinstance(header, IP)}
