"""Seeded chance: the same seed and the same choice give the same number, in any order of asking."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b


def draw(seed: int, *what: object) -> float:
    """A number in [0, 1) for this seed and this choice."""
    return drawn_from("\x1f".join(map(str, (seed, *what))))


def drawn_from(text: str) -> float:
    """`draw` for whoever keeps the text of a choice: seed and parts, joined by U+001F."""
    return (
        int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=7).digest(), "big") / 72057594037927936
    )


def source_port(seed: int, *what: object) -> int:
    """An ephemeral port (32768-60999, Linux's default range)."""
    return 32768 + int(draw(seed, "sport", *what) * 28232)


@lru_cache(maxsize=65536)
def mac(ip: str) -> str:
    """The MAC of an interface, derived from its address as CNI plugins do (0a:58 + IPv4)."""
    if ":" in ip:
        digest = blake2b(ip.encode(), digest_size=4).digest()
        return "0a:58:" + ":".join(f"{byte:02x}" for byte in digest)
    return "0a:58:" + ":".join(f"{int(part):02x}" for part in ip.split("."))
