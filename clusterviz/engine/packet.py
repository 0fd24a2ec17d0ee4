"""Headers of a packet, as a stack with the outermost header first.

Field names are the ones on the wire. A stack is a plain tuple, so two equal packets compare equal
and a hop can share the stack of the one before it.
"""

from __future__ import annotations

import msgspec


class Ethernet(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="eth"):
    """Ethernet header; ``type`` is ``IPv4`` or ``IPv6``."""

    src: str
    dst: str
    type: str = "IPv4"


class IP(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="ip"):
    """IP header; ``ttl`` is the IPv6 hop limit too; ``proto`` is TCP, UDP, SCTP, ICMP, or IPIP for IP in IP."""

    src: str
    dst: str
    proto: str
    ttl: int = 64
    version: int = 4


class L4(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="l4"):
    """TCP, UDP or SCTP header; ``flags`` only for TCP."""

    proto: str
    sport: int
    dport: int
    flags: str = ""


def port_of(l4: L4) -> str:
    """The port that is called, with its protocol unless it is TCP's: ``8080``, ``53/UDP``."""
    return str(l4.dport) if l4.proto == "TCP" else f"{l4.dport}/{l4.proto}"


class ICMP(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="icmp"):
    """ICMP message."""

    type: str


class Vxlan(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="vxlan"):
    """VXLAN header (NET-07)."""

    vni: int


class Geneve(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="geneve"):
    """Geneve header without options (NET-12)."""

    vni: int


class WireGuard(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="wireguard"):
    """WireGuard's transport data message, type 4; what follows is encrypted on the wire (NET-12)."""

    type: int = 4


class Http(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="http"):
    """HTTP request line, or the status of a response."""

    method: str = "GET"
    host: str = ""
    path: str = "/"
    status: int = 0
    forwarded_for: str = ""


class Dns(msgspec.Struct, frozen=True, gc=False, tag_field="layer", tag="dns"):
    """DNS question, or answer."""

    qname: str
    qtype: str = "A"
    rcode: str = ""
    answers: tuple[str, ...] = ()


Header = Ethernet | IP | L4 | ICMP | Vxlan | Geneve | WireGuard | Http | Dns
Stack = tuple[Header, ...]


def wrapping(stack: Stack) -> Stack:
    """The headers an encapsulation put round the inner frame or packet; none when nothing is wrapped (NET-07)."""
    kinds = [type(header) for header in stack]
    if kinds.count(IP) < 2:
        return ()
    inner = len(kinds) - 1 - kinds[::-1].index(IP)
    return stack[: inner - 1 if isinstance(stack[inner - 1], Ethernet) else inner]


class Rewrite(msgspec.Struct, frozen=True, gc=False):
    """One changed header field: ``old`` became ``new`` because of ``why``."""

    layer: str
    field: str
    old: str
    new: str
    why: str = ""
