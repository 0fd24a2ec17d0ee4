"""Names of chains, and the words a rule begins with."""

from __future__ import annotations

import hashlib
from base64 import b32encode

SERVICES = "KUBE-SERVICES"
EXTERNAL = "KUBE-EXTERNAL-SERVICES"
NODEPORTS = "KUBE-NODEPORTS"
MARK_MASQ = "KUBE-MARK-MASQ"
POSTROUTING = "KUBE-POSTROUTING"
FORWARD = "KUBE-FORWARD"
FIREWALL = "KUBE-FIREWALL"
PROXY_FIREWALL = "KUBE-PROXY-FIREWALL"


def digest(*parts: str) -> str:
    """The 16 characters that end the name of a chain (IPT-14)."""
    return b32encode(hashlib.sha256("".join(parts).encode(errors="surrogatepass")).digest()[:10]).decode()


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
