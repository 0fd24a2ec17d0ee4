"""Host names of listeners and routes: a wildcard is a suffix of one or more labels (GW-02)."""

from __future__ import annotations


def plain(host: str) -> str:
    """A Host header without its port, lower case, without brackets or a trailing dot (GW-04)."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".") if host.count(":") < 2 else host


def covers(pattern: str, host: str) -> bool:
    """Whether a hostname, "" for any, admits a host or a narrower wildcard."""
    if not pattern:
        return True
    if pattern.startswith("*."):
        return host == pattern or (host.endswith(pattern[1:]) and len(host) > len(pattern) - 1)
    return host == pattern


def intersect(first: str, second: str) -> str | None:
    """The hosts both admit, as one hostname; None when there is none (GW-01)."""
    if covers(first, second) and second:
        return second
    if covers(second, first):
        return first
    return second if covers(first, second) else None


def specific(hostname: str) -> tuple[int, int, int]:
    """Order of listeners: exact, then the wildcard with more labels, then any (GW-03)."""
    rank = 0 if not hostname else 1 if hostname.startswith("*.") else 2
    return rank, hostname.count("."), len(hostname)
