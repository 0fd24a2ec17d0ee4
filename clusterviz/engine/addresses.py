"""Who gets which address: service IPs, node ports, pod CIDRs, pod IPs.

All choices are deterministic: the next free value in the order the rules give. ``taken`` is any
container of the values in use, as strings or ints.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Container, Iterator
from functools import lru_cache

from clusterviz.engine.errors import AddressError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=4096)
def network(cidr: str) -> Network:
    """Parse a CIDR, host bits masked away (NP-12). Raises `AddressError`."""
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError as error:
        raise AddressError(str(error)) from None


def masked(cidr: str) -> str:
    """A CIDR as text without host bits. Raises `AddressError`. Most blocks of nodes are /24 and need no arithmetic."""
    head, _, bits = cidr.partition("/")
    return cidr if bits == "24" and head.endswith(".0") and plain_address(head) == head else str(network(cidr))


@lru_cache(maxsize=65536)
def parsed(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, None for what is none."""
    try:
        return ipaddress.ip_address(ip)
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def in_cidr(ip: str, cidr: str) -> bool:
    """Whether ``ip`` lies in ``cidr``; False for another family or no address at all."""
    address, net = parsed(ip), network(cidr)
    return address is not None and address.version == net.version and address in net


@lru_cache(maxsize=1024)
def listed(cidrs: str) -> tuple[str, ...]:
    """The CIDRs of a comma-separated list, as dual-stack settings write them."""
    return tuple(cidr for part in cidrs.split(",") if (cidr := part.strip()))


def in_any(ip: str, cidrs: str) -> bool:
    """`in_cidr` over a list as `listed` reads it."""
    return any(in_cidr(ip, cidr) for cidr in listed(cidrs))


def family(ip: str) -> int:
    """4 or 6."""
    return 6 if ":" in ip else 4


def is_loopback(ip: str) -> bool:
    """Whether it is an address of lo."""
    return ip.startswith("127.") or ip == "::1"


def host_port(ip: str, port: int) -> str:
    """``ip:port``, brackets round IPv6."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def sortable(ip: str) -> int:
    """An address as a number; a scope (``%eth0``) does not count."""
    if ":" not in ip and ip.count(".") == 3:
        first, second, third, fourth = ip.split(".")  # many times quicker than an address object
        return int(first) << 24 | int(second) << 16 | int(third) << 8 | int(fourth)
    return int(ipaddress.ip_address(ip.partition("%")[0]))


def canonical(text: str) -> str:
    """An address as Python and the kernel print it; "" for what is none."""
    address = parsed(text)
    return "" if address is None else str(address)


def on_the_wire(text: str) -> str:
    """`canonical`, and the IPv4 address behind an IPv4-mapped one: that is what a socket sends to."""
    address = parsed(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return "" if address is None else str(mapped or address)


# Dotted decimals without leading zeros are canonical as they stand: most addresses, and the dearest to parse.
_IS_PLAIN = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}", re.ASCII).fullmatch


def plain_address(text: str) -> str:
    """`canonical`, quick for IPv4 and without a memory."""
    if _IS_PLAIN(text):
        return text
    return canonical(text)


def public_address(host: str) -> str:
    """An address of the documentation range for a name whose public DNS is not asked."""
    return f"203.0.113.{64 + hashlib.sha256(host.lower().encode(errors='surrogatepass')).digest()[0] % 128}"


@lru_cache(maxsize=65536)
def nth(cidr: str, n: int) -> str:
    """The n-th address of a CIDR: 0 overlay device, 1 bridge (IPM-02)."""
    return str(network(cidr)[n])


@lru_cache(maxsize=65536)
def second(cidr: str) -> str:
    """The address after the first, "" where there is none."""
    return nth(cidr, 1) if network(cidr).num_addresses > 1 else ""


def service_ips(cidr: str) -> Iterator[str]:
    """ClusterIPs in the order they are given out: above the static band first, the band last (SVC-03).

    The first address belongs to default/kubernetes. Raises `AddressError` after the last.
    """
    net = network(cidr)
    last = net.num_addresses - (2 if net.version == 4 else 1)
    band = min(max(16, net.num_addresses // 16), 256)
    for offset in _band_last(2, min(last, 1 << 16), band + 1):
        yield str(net[offset])
    raise AddressError(f"range is full: no free address in {cidr}")


def allocate_node_port(ports: tuple[int, int], taken: Container[int]) -> int:
    """Next free node port, the static band last (SVC-04). Raises `AddressError`."""
    low, high = ports
    size = high - low + 1
    band = min(max(16, size // 32), 128) if size > 16 else 0
    for offset in _band_last(0, size - 1, band):
        if low + offset not in taken:
            return low + offset
    raise AddressError(f"range is full: no free port in {low}-{high}")


def _band_last(first: int, last: int, start: int) -> Iterator[int]:
    yield from range(max(start, first), last + 1)
    yield from range(first, min(start, last + 1))


def allocate_pod_cidr(cluster_cidr: str, mask: int, taken: Container[str]) -> str:
    """Next free per-node block of the cluster CIDR (IPM-01); `AddressError` when none (IPM-05)."""
    net = network(cluster_cidr)
    prefix = max(mask if net.version == 4 else max(mask, 64), net.prefixlen)
    blocks = 1 << (prefix - net.prefixlen)
    size = 1 << (net.max_prefixlen - prefix)
    for index in range(min(blocks, 1 << 16)):
        block = f"{net[index * size]}/{prefix}"
        if block not in taken:
            return block
    raise AddressError(f"CIDRNotAvailable: {cluster_cidr} has no free /{prefix} block")


def allocate_pod_ip(pod_cidr: str, taken: Container[str], last: str = "") -> str:
    """Next higher free address after ``last``, wrapping round (IPM-02, IPM-03).

    .0 is the overlay device and .1 the bridge. Raises `AddressError` when the block is full.
    """
    net = network(pod_cidr)
    high = min(net.num_addresses - (2 if net.version == 4 else 1), 1 << 16)
    span = high - 1
    if span < 1:
        raise AddressError(f"no addresses for pods in {pod_cidr}")
    base = int(net.network_address)
    previous = int(ipaddress.ip_address(last)) - base if last and in_cidr(last, pod_cidr) else 1
    start = previous - 1 if 1 <= previous <= high else 0
    for step in range(span):
        ip = str(net[2 + (start + step) % span])
        if ip not in taken:
            return ip
    raise AddressError(f"no IP addresses available in range set: {pod_cidr}")
