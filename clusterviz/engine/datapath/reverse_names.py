"""Reverse names: which address one stands for, and which zone of the cluster holds it (DNS-07)."""

from __future__ import annotations

from clusterviz.engine.addresses import canonical, family, in_cidr, listed, network
from clusterviz.engine.settings import Settings


def from_arpa(name: str) -> str:
    """The address a reverse name stands for, "" when it stands for none."""
    name = name.lower()
    if name.endswith(".in-addr.arpa"):
        return canonical(".".join(reversed(name.removesuffix(".in-addr.arpa").split("."))))
    if name.endswith(".ip6.arpa"):
        return _nibbles(name.removesuffix(".ip6.arpa").split(".")[::-1])
    return ""


def _nibbles(digits: list[str]) -> str:
    """An IPv6 address from its hexadecimal digits, "" when there are not 32."""
    text = "".join(digits)
    if len(digits) != 32 or len(text) != 32:
        return ""
    return canonical(":".join(text[i : i + 4] for i in range(0, 32, 4)))


def reverse_zone(settings: Settings, name: str) -> str:
    """The reverse zone of pod and Service addresses that holds the name, on a label boundary; "" for none (DNS-07)."""
    version = 4 if name.endswith(".in-addr.arpa") else 6 if name.endswith(".ip6.arpa") else 0
    if not version:
        return ""
    suffix = "in-addr.arpa" if version == 4 else "ip6.arpa"
    labels = name.removesuffix("." + suffix).split(".")[::-1]
    for cidr in listed(f"{settings.cluster_cidr},{settings.service_cidr}"):
        if family(cidr) != version:
            continue
        count = -(-network(cidr).prefixlen // (8 if version == 4 else 4))
        known = labels[:count]
        first = canonical(".".join((known + ["0"] * 4)[:4])) if version == 4 else _nibbles((known + ["0"] * 32)[:32])
        if len(known) == count and first and in_cidr(first, cidr):
            return ".".join([*known[::-1], suffix])
    return ""
