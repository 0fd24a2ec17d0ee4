"""What ingress-nginx does that other controllers do not: regular expressions, rewrites, redirects (ING-10, ING-14)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from clusterviz.engine.gateway.regex import compiled
from clusterviz.engine.objects import Ingress, IngressPath

PREFIX = "nginx.ingress.kubernetes.io/"
# Annotations that are followed, and those that change nothing about where a request goes.
FOLLOWED = frozenset({"rewrite-target", "use-regex", "ssl-redirect", "force-ssl-redirect"})
HARMLESS = (
    "proxy-body-size",
    "proxy-connect-timeout",
    "proxy-read-timeout",
    "proxy-send-timeout",
    "proxy-buffer",
    "enable-cors",
    "cors-",
    "enable-access-log",
    "backend-protocol",
    "load-balance",
    "custom-http-errors",
    "client-body-buffer-size",
    "http2-push-preload",
)


def annotation(ingress: Ingress, name: str) -> str:
    """The value of one of its annotations, "" when absent."""
    return ingress.annotations.get(PREFIX + name, "")


def flag(ingress: Ingress, name: str, default: bool = False) -> bool:
    """A boolean annotation, read as the controller does."""
    value = annotation(ingress, name).lower()
    return value in ("true", "t", "1") if value else default


def has_own(ingresses: Iterable[Ingress]) -> bool:
    """Whether somebody wrote annotations of this controller."""
    return any(name.startswith(PREFIX) for ingress in ingresses for name in ingress.annotations)


def unfollowed(ingress: Ingress) -> list[str]:
    """Annotations that might change the answer and are not modelled."""
    names = [name.removeprefix(PREFIX) for name in ingress.annotations if name.startswith(PREFIX)]
    return sorted(name for name in names if name not in FOLLOWED and not name.startswith(HARMLESS))


def regex_mode(paths: Sequence[tuple[Ingress, IngressPath]]) -> bool:
    """Whether the paths of a host are regular expressions: one annotation does it for all of them (ING-14)."""
    return any(
        flag(ingress, "use-regex") or annotation(ingress, "rewrite-target") not in ("", path.path)
        for ingress, path in paths
    )


def _location(path: str) -> Any:
    return compiled(f"^{path}", fold=True)


def readable(pattern: str) -> bool:
    """Whether RE2 can read it; nginx has PCRE, which knows look-arounds too."""
    return _location(pattern) is not None


def regex_fits(pattern: str, path: str) -> bool:
    """Begins with a match, whatever the case; the end is open (ING-14)."""
    found = _location(pattern)
    return found is not None and found.search(path) is not None


def regex_order(one: IngressPath) -> tuple[int, str]:
    """Order of the locations: longest first, then the later in the alphabet (ING-14); lowest rank first."""
    return len(one.path), one.path


def rewritten(ingress: Ingress, rule: IngressPath, path: str) -> str:
    """The path the backend gets: the rewrite target with the groups of the expression in it (ING-14)."""
    target = annotation(ingress, "rewrite-target")
    found = _location(rule.path)
    match = found.search(path) if target and found is not None else None
    if match is None:
        return path
    groups = match.groups()

    def group(number: re.Match[str]) -> str:
        index = int(number[1])
        if index == 0:
            return str(match.group(0))
        return (groups[index - 1] or "") if index <= len(groups) else ""

    made = re.sub(r"\$(\d)", group, target)
    return made if made.startswith("/") else f"/{made}"


def redirects(ingress: Ingress, path: str, *, listed: bool) -> bool:
    """Whether plain HTTP is sent to HTTPS: TLS for the host and ssl-redirect not off, or forced (ING-10)."""
    if path.startswith("/.well-known/acme-challenge"):
        return False
    return flag(ingress, "force-ssl-redirect") or (listed and flag(ingress, "ssl-redirect", default=True))
