"""Names of chains and sets in nftables mode, and how nft prints what a rule is made of (NFT-03)."""

from __future__ import annotations

import hashlib
import ipaddress
from base64 import b32encode

TABLE = "kube-proxy"
LONGEST = 240
LONGEST_COMMENT = 128
UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def hashed(name: str) -> str:
    """``H-name``: H is the first 8 characters of base32(sha256(name)); a long name is cut and ends in dots."""
    full = f"{b32encode(hashlib.sha256(name.encode(errors='surrogatepass')).digest()[:5]).decode()}-{name}"
    return full if len(full) <= LONGEST else f"{full[: LONGEST - 3]}..."


def port_path(namespace: str, service: str, protocol: str, port: str) -> str:
    """``namespace/service/protocol/port``: what a Service port is called inside a chain's name."""
    return f"{namespace}/{service}/{protocol.lower()}/{port}"


def endpoint_path(port: str, ip: str, number: int) -> str:
    """The same with the endpoint; a name may hold no colon."""
    return f"{port}__{ip.replace(':', '.')}/{number}"


def duration(seconds: int) -> str:
    """A timeout as nft prints it: ``3h``, ``1m30s``."""
    words = []
    for unit, size in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words) or "0s"


def quoted(text: str) -> str:
    """A comment; nft takes 128 characters at most."""
    return f'comment "{text[:LONGEST_COMMENT]}"'


def sources(ranges: tuple[str, ...], single: tuple[str, ...]) -> str:
    """CIDRs and addresses as an anonymous set prints them: sorted, overlapping ones joined, one without braces."""
    networks = [ipaddress.ip_network(one) for one in (*ranges, *single)]
    joined = list(ipaddress.collapse_addresses(networks))  # type: ignore[type-var]
    words = [str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net) for net in joined]
    return words[0] if len(words) == 1 else f"{{ {', '.join(words)} }}"
