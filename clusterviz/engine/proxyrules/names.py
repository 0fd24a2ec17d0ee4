"""Names of chains, and the words a rule begins with."""

from __future__ import annotations

import hashlib
from functools import lru_cache

SERVICES = "KUBE-SERVICES"
EXTERNAL = "KUBE-EXTERNAL-SERVICES"
NODEPORTS = "KUBE-NODEPORTS"
MARK_MASQ = "KUBE-MARK-MASQ"
POSTROUTING = "KUBE-POSTROUTING"
FORWARD = "KUBE-FORWARD"
FIREWALL = "KUBE-FIREWALL"
PROXY_FIREWALL = "KUBE-PROXY-FIREWALL"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# Two characters of base32 for each ten bits: a large node has some hundred thousand names, and the library takes long.
PAIRS = tuple(first + second for first in BASE32 for second in BASE32)


def digest(*parts: str) -> str:
    """The 16 characters that end the name of a chain (IPT-14)."""
    found = hashlib.sha256("".join(parts).encode(errors="surrogatepass")).digest()
    high, low = int.from_bytes(found[:5]), int.from_bytes(found[5:10])
    return (
        f"{PAIRS[high >> 30]}{PAIRS[high >> 20 & 1023]}{PAIRS[high >> 10 & 1023]}{PAIRS[high & 1023]}"
        f"{PAIRS[low >> 30]}{PAIRS[low >> 20 & 1023]}{PAIRS[low >> 10 & 1023]}{PAIRS[low & 1023]}"
    )


@lru_cache(maxsize=256)
def port_digest(name: str, protocol: str) -> str:
    """`digest` of a Service port, which several chains are named after."""
    return digest(name, protocol)


def host(ip: str) -> str:
    """One address as iptables prints it."""
    return f"{ip}/128" if ":" in ip else f"{ip}/32"


def socket(ip: str, port: int) -> str:
    """Address and port of an endpoint, the address in brackets when it has colons."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def comment(text: str) -> str:
    """The comment match; iptables quotes what is not one plain word, and every comment here is such."""
    return f'-m comment --comment "{text}"'


def probability(left: int) -> str:
    """The chance of the first of ``left`` endpoints, as kube-proxy prints it (IPT-07)."""
    return f"{1 / left:.10f}"
