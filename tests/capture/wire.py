"""What a frame says, read back by two who did not write it: our own few lines over dpkt's parser, and tshark."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import dpkt
import pytest

from clusterviz.engine.packet import IP, L4, Ethernet, Geneve, Stack, Vxlan, WireGuard

INSTALL = "apt-get install -y tshark"
ERROR = 0x00800000  # Wireshark's expert severity "error": malformed packets and wrong checksums
FIELDS = (
    *("frame.number", "eth.src", "eth.dst", "ip.src", "ip.dst", "ip.ttl", "ipv6.src", "ipv6.dst", "ipv6.hlim"),
    *("tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "sctp.srcport", "sctp.dstport", "vxlan.vni"),
    "geneve.vni",
    *("ip.checksum.status", "tcp.checksum.status", "udp.checksum.status", "icmp.checksum.status"),
    *("icmpv6.checksum.status", "sctp.checksum.status", "_ws.expert.severity", "_ws.expert.message"),
)


class Facts(NamedTuple):
    """Everything a header stack fixes, outermost first: (src, dst, ttl) and (sport, dport) pairs."""

    macs: tuple[tuple[str, str], ...]
    ips: tuple[tuple[str, str, int], ...]
    ports: tuple[tuple[int, int], ...]
    vni: tuple[int, ...]


def expected(stack: Stack) -> Facts:
    """What a trace's header stack says must be on the wire; inside WireGuard nothing can be read."""
    sealed = next((index for index, header in enumerate(stack) if isinstance(header, WireGuard)), len(stack))
    stack = stack[:sealed]
    ips = [h for h in stack if isinstance(h, IP)]
    return Facts(
        tuple((h.src, h.dst) for h in stack if isinstance(h, Ethernet)),
        tuple((canonical(h.src), canonical(h.dst), h.ttl) for h in ips),
        tuple((h.sport, h.dport) for h in stack if isinstance(h, L4)),
        tuple(h.vni for h in stack if isinstance(h, Vxlan | Geneve)),
    )


def canonical(ip: str | bytes) -> str:
    return str(ipaddress.ip_address(ip))


def read(data: bytes, *, bare: bool = False) -> Facts:
    """The same, parsed from the bytes of a frame, or of a bare IP packet."""
    if bare:
        return read_packet((dpkt.ip.IP if data[0] >> 4 == 4 else dpkt.ip6.IP6)(data))
    frame = dpkt.ethernet.Ethernet(data)
    found = read_packet(frame.data)
    return found._replace(macs=((frame.src.hex(":"), frame.dst.hex(":")), *found.macs))


def read_packet(ip: Any) -> Facts:
    """An IP packet, and what it carries."""
    ttl = ip.hlim if isinstance(ip, dpkt.ip6.IP6) else ip.ttl
    own = Facts((), ((canonical(ip.src), canonical(ip.dst), ttl),), (), ())
    inner = ip.data
    if isinstance(inner, dpkt.ip.IP | dpkt.ip6.IP6):
        return joined(own, read_packet(inner))
    if not hasattr(inner, "sport"):
        return own
    own = own._replace(ports=((inner.sport, inner.dport),))
    payload = bytes(inner.data)
    if isinstance(inner, dpkt.udp.UDP) and inner.dport in (8472, 4789, 6081):
        return joined(own._replace(vni=(int.from_bytes(payload[4:7]),)), read(payload[8:]))
    if isinstance(inner, dpkt.udp.UDP) and inner.dport == 8285:
        return joined(own, read(payload, bare=True))
    return own


def joined(outer: Facts, inner: Facts) -> Facts:
    """Outermost first."""
    return Facts(outer.macs + inner.macs, outer.ips + inner.ips, outer.ports + inner.ports, outer.vni + inner.vni)


def tshark_or_skip() -> str:
    """The program; without it the test is skipped, or fails where everything is required."""
    found = shutil.which("tshark")
    if found is None:
        say = pytest.fail if os.environ.get("CLUSTERVIZ_REQUIRE_ALL") or os.environ.get("CI") else pytest.skip
        say(f"tshark is not installed: {INSTALL}")
    return str(found)


def dissect(program: str, file: Path, fields: tuple[str, ...] = FIELDS) -> list[dict[str, list[str]]]:
    """One entry a frame: the values of the fields, outermost first; checksums are verified."""
    checks = [f"{layer}.check_checksum:TRUE" for layer in ("ip", "tcp", "udp")] + ["sctp.checksum:CRC-32C"]
    command = [program, "-n", "-r", str(file), "-d", "udp.port==8472,vxlan", "-T", "fields", "-E", "separator=\x01"]
    command += [word for check in checks for word in ("-o", check)]
    command += ["-E", "aggregator=\x02"] + [word for field in fields for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [
        {name: value.split("\x02") if value else [] for name, value in zip(fields, line.split("\x01"), strict=True)}
        for line in done.stdout.removesuffix("\n").split("\n")
    ]


def facts_of(row: dict[str, Any]) -> Facts:
    """A dissected frame as `Facts`; headers quoted by an ICMP error come last."""
    pairs = list(zip(row["ip.src"] + row["ipv6.src"], row["ip.dst"] + row["ipv6.dst"], strict=True))
    ttls = [int(one) for one in row["ip.ttl"] + row["ipv6.hlim"]]
    ports: list[tuple[int, int]] = []
    for name in ("udp", "tcp", "sctp"):
        ports += zip(map(int, row[f"{name}.srcport"]), map(int, row[f"{name}.dstport"]), strict=True)
    return Facts(
        tuple(zip(row["eth.src"], row["eth.dst"], strict=True)),
        tuple((canonical(src), canonical(dst), ttl) for (src, dst), ttl in zip(pairs, ttls, strict=True)),
        tuple(ports),
        tuple(int(one, 0) for one in row["vxlan.vni"] + row["geneve.vni"]),
    )
