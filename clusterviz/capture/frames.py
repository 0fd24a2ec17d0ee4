"""Bytes: a header stack and what is said in it as an Ethernet frame, and frames as a pcap file."""

from __future__ import annotations

import hashlib
import io
import ipaddress
import struct
from collections.abc import Iterable

import dpkt

from clusterviz.capture.talk import Packet, Say
from clusterviz.engine.packet import ICMP, IP, L4, Ethernet, Geneve, Stack, Vxlan, WireGuard, wrapping

EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z: the same trace always makes the same file
LONGEST = 65_535
WINDOW = 64_240
TRANSPARENT_ETHERNET = 0x6558  # the protocol type of frames inside Geneve (RFC 8926)
PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16}
CHUNKS = {
    "INIT": 1,
    "INIT,ACK": 2,
    "HEARTBEAT": 4,
    "HEARTBEAT,ACK": 5,
    "ABORT": 6,
    "SHUTDOWN": 7,
    "SHUTDOWN,ACK": 8,
    "COOKIE,ECHO": 10,
    "COOKIE,ACK": 11,
    "SHUTDOWN,COMPLETE": 14,
}
COOKIE = b"clusterviz-cookie-01"
HEARTBEAT = b"\0\x01\0\x08beat"  # its one parameter: type, length, what the sender likes
UNREACHABLE = {4: (3, 3), 6: (1, 4)}
ECHO = {("echo-request", 4): 8, ("echo-reply", 4): 0, ("echo-request", 6): 128, ("echo-reply", 6): 129}


RAW = 101  # LINKTYPE_RAW: packets begin with their IP header


def pcap_file(packets: Iterable[Packet], *, dont_fragment: bool) -> bytes:
    """A classic pcap file (microseconds) of packets in the order of their times, of Ethernet frames or bare packets."""
    found = sorted(packets, key=lambda one: one.at)
    bare = bool(found) and isinstance(found[0].sight.stack[0], IP)
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file, snaplen=LONGEST, linktype=RAW if bare else dpkt.pcap.DLT_EN10MB)
    for packet in found:
        quoted = b"" if packet.quoted is None else _network(*packet.quoted, df=dont_fragment)
        data = bytes(_frame(packet.sight.stack, packet.say, quoted, df=dont_fragment))
        writer.writepkt_time(data, EPOCH + packet.at / 1_000_000)
    return file.getvalue()


def _frame(stack: Stack, say: Say, quoted: bytes, *, df: bool) -> dpkt.Packet:
    """A frame, or a bare packet. ``quoted`` is the packet an ICMP error tells about."""
    first = stack[0]
    if not isinstance(first, Ethernet):
        return _packet(stack, say, quoted, df=df)
    kind = dpkt.ethernet.ETH_TYPE_IP6 if first.type == "IPv6" else dpkt.ethernet.ETH_TYPE_IP
    inner = _packet(stack[1:], say, quoted, df=df)
    return dpkt.ethernet.Ethernet(src=_mac(first.src), dst=_mac(first.dst), type=kind, data=inner)


def _network(stack: Stack, say: Say, *, df: bool) -> bytes:
    """The innermost IP packet alone, as a router quotes it."""
    start = max(index for index, header in enumerate(stack) if isinstance(header, IP))
    return bytes(_packet(stack[start:], say, b"", df=df))


def _packet(stack: Stack, say: Say, quoted: bytes, *, df: bool) -> dpkt.Packet:
    ip, inner = stack[0], stack[1]
    assert isinstance(ip, IP)
    if wrapping(stack):
        return _ip(ip, *_carrier(stack, say, quoted, df=df), say.ident ^ 0x5A5A, df=False)
    if isinstance(inner, ICMP):
        return _ip(ip, 1 if ip.version == 4 else 58, _icmp(ip.version, inner, say, quoted), say.ident, df=df)
    assert isinstance(inner, L4)
    makers = {"TCP": _tcp, "UDP": lambda l4, one: _udp(l4, one.payload), "SCTP": _sctp}
    return _ip(ip, PROTOCOLS[inner.proto], makers[inner.proto](inner, say), say.ident, df=df)


def _carrier(stack: Stack, say: Say, quoted: bytes, *, df: bool) -> tuple[int, dpkt.Packet | bytes]:
    """Protocol number and content of a packet between nodes that carries another (NET-06, NET-12)."""
    ip, l4 = stack[0], stack[1]
    assert isinstance(ip, IP)
    if isinstance(l4, IP):
        return (4 if l4.version == 4 else 41), _packet(stack[1:], say, quoted, df=df)
    assert isinstance(l4, L4)
    header, rest = (stack[2], stack[3:]) if not isinstance(stack[2], IP) else (None, stack[2:])
    carried = bytes(_frame(rest, say, quoted, df=df))
    unsummed = ip.version == 4  # Linux sends VXLAN and Geneve over IPv4 without a UDP checksum
    match header:
        case Vxlan():
            return 17, _udp(l4, struct.pack(">II", 0x08000000, header.vni << 8) + carried, zero=unsummed)
        case Geneve():
            head = struct.pack(">HHI", 0, TRANSPARENT_ETHERNET, header.vni << 8)
            return 17, _udp(l4, head + carried, zero=unsummed)
        case WireGuard():
            return 17, _udp(l4, struct.pack("<IIQ", header.type, l4.sport, say.ident) + _sealed(carried))
    return 17, _udp(l4, carried)


def _sealed(packet: bytes) -> bytes:
    """As long as WireGuard makes it, padding and tag included, and as unreadable; not really encrypted."""
    length = -(-len(packet) // 16) * 16 + 16
    blocks = range(-(-length // 64))
    return b"".join(hashlib.blake2b(packet, salt=block.to_bytes(16)).digest() for block in blocks)[:length]


def _ip(ip: IP, protocol: int, data: dpkt.Packet | bytes, ident: int, *, df: bool) -> dpkt.Packet:
    src, dst = ipaddress.ip_address(ip.src).packed, ipaddress.ip_address(ip.dst).packed
    if ip.version == 6:
        packet = dpkt.ip6.IP6(src=src, dst=dst, nxt=protocol, hlim=ip.ttl, plen=len(data), data=data)
        if protocol == 17 and not isinstance(data, bytes) and bytes(packet) and data.sum == 0:
            data.sum = 0xFFFF  # a sum of zero would mean that there is none (RFC 768)
        return packet
    return dpkt.ip.IP(src=src, dst=dst, p=protocol, ttl=ip.ttl, id=ident, df=int(df), data=data)


def _udp(l4: L4, payload: bytes, *, zero: bool = False) -> dpkt.Packet | bytes:
    """``zero``: without a checksum."""
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
        "HEARTBEAT": HEARTBEAT,
        "HEARTBEAT,ACK": HEARTBEAT,
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
