"""Bytes: a header stack and what is said in it as an Ethernet frame, and frames as a pcap file."""

from __future__ import annotations

import io
import ipaddress
from collections.abc import Iterable

import dpkt

from clusterviz.capture.talk import Packet, Say
from clusterviz.engine.packet import ICMP, IP, L4, Ethernet, Stack, Vxlan

EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z: the same trace always makes the same file
LONGEST = 65_535
WINDOW = 64_240
PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16}
CHUNKS = {
    "INIT": 1,
    "INIT,ACK": 2,
    "ABORT": 6,
    "SHUTDOWN": 7,
    "SHUTDOWN,ACK": 8,
    "COOKIE,ECHO": 10,
    "COOKIE,ACK": 11,
    "SHUTDOWN,COMPLETE": 14,
}
COOKIE = b"clusterviz-cookie-01"
UNREACHABLE = {4: (3, 3), 6: (1, 4)}
ECHO = {("echo-request", 4): 8, ("echo-reply", 4): 0, ("echo-request", 6): 128, ("echo-reply", 6): 129}


class VxlanHeader(dpkt.Packet):  # type: ignore[misc]  # dpkt has no types
    """RFC 7348: a flag that says the VNI is valid, and the VNI in the upper three bytes of the second word."""

    __hdr__ = (("flags", "I", 0x08000000), ("vni", "I", 0))


def pcap_file(packets: Iterable[Packet], *, dont_fragment: bool) -> bytes:
    """A classic pcap file (microseconds, Ethernet) of packets in the order of their times."""
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file, snaplen=LONGEST)
    for packet in sorted(packets, key=lambda one: one.at):
        quoted = b"" if packet.quoted is None else _network(*packet.quoted, df=dont_fragment)
        data = bytes(frame(packet.sight.stack, packet.say, quoted, df=dont_fragment))
        writer.writepkt_time(data, EPOCH + packet.at / 1_000_000)
    return file.getvalue()


def frame(stack: Stack, say: Say, quoted: bytes, *, df: bool) -> dpkt.ethernet.Ethernet:
    """The frame of a stack that begins with an Ethernet header. ``quoted`` is the packet an ICMP error tells about."""
    first = stack[0]
    assert isinstance(first, Ethernet)
    kind = dpkt.ethernet.ETH_TYPE_IP6 if first.type == "IPv6" else dpkt.ethernet.ETH_TYPE_IP
    inner = _packet(stack[1:], say, quoted, df=df)
    return dpkt.ethernet.Ethernet(src=_mac(first.src), dst=_mac(first.dst), type=kind, data=inner)


def _network(stack: Stack, say: Say, *, df: bool) -> bytes:
    """The innermost IP packet alone, as a router quotes it."""
    start = max(index for index, header in enumerate(stack) if isinstance(header, IP))
    return bytes(_packet(stack[start:], say, b"", df=df))


def _packet(stack: Stack, say: Say, quoted: bytes, *, df: bool) -> dpkt.Packet:
    ip, inner, rest = stack[0], stack[1], stack[2:]
    assert isinstance(ip, IP)
    if rest and isinstance(rest[0], Vxlan):
        assert isinstance(inner, L4)
        wrapped = VxlanHeader(vni=rest[0].vni << 8, data=frame(rest[1:], say, quoted, df=df))
        return _ip(ip, 17, _udp(inner, bytes(wrapped), zero=ip.version == 4), say.ident ^ 0x5A5A, df=False)
    if isinstance(inner, ICMP):
        return _ip(ip, 1 if ip.version == 4 else 58, _icmp(ip.version, inner, say, quoted), say.ident, df=df)
    assert isinstance(inner, L4)
    makers = {"TCP": _tcp, "UDP": lambda l4, one: _udp(l4, one.payload), "SCTP": _sctp}
    return _ip(ip, PROTOCOLS[inner.proto], makers[inner.proto](inner, say), say.ident, df=df)


def _ip(ip: IP, protocol: int, data: dpkt.Packet, ident: int, *, df: bool) -> dpkt.Packet:
    src, dst = ipaddress.ip_address(ip.src).packed, ipaddress.ip_address(ip.dst).packed
    if ip.version == 6:
        packet = dpkt.ip6.IP6(src=src, dst=dst, nxt=protocol, hlim=ip.ttl, plen=len(data), data=data)
        if bytes(packet) and protocol == 17 and data.sum == 0:
            data.sum = 0xFFFF  # a sum of zero would mean that there is none (RFC 768)
        return packet
    return dpkt.ip.IP(src=src, dst=dst, p=protocol, ttl=ip.ttl, id=ident, df=int(df), data=data)


def _udp(l4: L4, payload: bytes, *, zero: bool = False) -> dpkt.Packet | bytes:
    """``zero``: Linux sends VXLAN over IPv4 without a UDP checksum (RFC 7348)."""
    udp = dpkt.udp.UDP(sport=l4.sport, dport=l4.dport, ulen=8 + len(payload), data=payload)
    return bytes(udp) if zero else udp


def _tcp(l4: L4, say: Say) -> dpkt.Packet:
    flags = sum(FLAGS[flag] for flag in say.flags.split(","))
    window = 0 if "RST" in say.flags else WINDOW
    return dpkt.tcp.TCP(
        sport=l4.sport, dport=l4.dport, seq=say.seq, ack=say.ack, flags=flags, win=window, data=say.payload
    )


def _sctp(l4: L4, say: Say) -> dpkt.Packet:
    """One chunk; INIT chunks carry the sender's tag, window, streams and first number."""
    streams = say.ack.to_bytes(4) + WINDOW.to_bytes(4) + b"\0\x0a\0\x0a" + say.ack.to_bytes(4)
    bodies = {
        "INIT": streams,
        "INIT,ACK": streams + b"\0\x07" + (4 + len(COOKIE)).to_bytes(2) + COOKIE,
        "COOKIE,ECHO": COOKIE,
        "SHUTDOWN": say.seq.to_bytes(4),
    }
    body = bodies.get(say.flags, b"")
    chunk = dpkt.sctp.Chunk(type=CHUNKS[say.flags], len=4 + len(body), data=body)
    found = dpkt.sctp.SCTP(sport=l4.sport, dport=l4.dport, vtag=say.seq)
    chunk.padding = b""
    found.chunks = [chunk]
    return found


def _icmp(version: int, header: ICMP, say: Say, quoted: bytes) -> dpkt.Packet:
    kind = ECHO.get((header.type, version))
    if kind is None:
        kind, code = UNREACHABLE[version]
        data = bytes(4) + quoted
    else:
        code, data = 0, say.ack.to_bytes(2) + say.seq.to_bytes(2) + say.payload
    return (dpkt.icmp.ICMP if version == 4 else dpkt.icmp6.ICMP6)(type=kind, code=code, data=data)


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))
