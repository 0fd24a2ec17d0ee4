"""HTTP routing by an Ingress controller: host, then path (ING)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from clusterviz.engine.objects import Ingress, IngressBackend, IngressPath
from clusterviz.engine.trace import Considered


class IngressMatch(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes. ``backend`` None: 404. ``path`` None: a default backend took it (ING-08)."""

    ingress: Ingress | None = None
    host: str = ""
    path: IngressPath | None = None
    backend: IngressBackend | None = None
    considered: tuple[Considered, ...] = ()


def host_matches(rule: str, host: str) -> bool:
    """Exact, or one more label for ``*.``; no host matches any (ING-02)."""
    if not rule:
        return True
    if rule.startswith("*."):
        first, _, rest = host.partition(".")
        return bool(first) and rest == rule[2:]
    return rule == host


def path_matches(kind: str, rule: str, path: str) -> bool:
    """Exact is byte-equal, Prefix goes by elements; ImplementationSpecific as Prefix (ING-04..06)."""
    if kind == "Exact":
        return rule == path
    wanted = [part for part in rule.split("/") if part]
    return [part for part in path.split("/") if part][: len(wanted)] == wanted


def match_request(ingresses: Sequence[Ingress], host: str, path: str) -> IngressMatch:
    """The backend for a request among the Ingresses of one controller, oldest first (ING-03, 07, 12)."""
    host = host.lower().partition("]")[0].lstrip("[") if host.startswith("[") else host.lower().partition(":")[0]
    host = host.rstrip(".")
    path = path.partition("?")[0].partition("#")[0] or "/"
    rules = [(ingress, rule) for ingress in ingresses for rule in ingress.rules]
    hosts = sorted({rule.host for _, rule in rules if host_matches(rule.host, host)}, key=_specific, reverse=True)
    considered = [
        Considered(
            f"{ingress.namespace}/{ingress.name} host {rule.host}", f"{host or 'no host'} is another host", ingress.ref
        )
        for ingress, rule in rules
        if not host_matches(rule.host, host)
    ]
    if hosts:
        best = hosts[0]
        paths = [(ingress, one) for ingress, rule in rules if rule.host == best for one in rule.paths]
        fitting = [(ingress, one) for ingress, one in paths if path_matches(one.type, one.path, path)]
        considered += [
            Considered(f"{ingress.namespace}/{ingress.name} {one.type} {one.path}", f"{path} does not fit", ingress.ref)
            for ingress, one in paths
            if (ingress, one) not in fitting
        ]
        if fitting:
            ingress, one = max(fitting, key=lambda pair: (len(pair[1].path.rstrip("/")), pair[1].type == "Exact"))
            return IngressMatch(ingress=ingress, host=best, path=one, backend=one.backend, considered=tuple(considered))
    defaults = [ingress for ingress in ingresses if ingress.default_backend is not None]
    if not defaults:
        return IngressMatch(considered=tuple(considered))
    nearest = min(defaults, key=lambda ingress: _distance(ingress, hosts[:1]))
    return IngressMatch(ingress=nearest, backend=nearest.default_backend, considered=tuple(considered))


def _distance(ingress: Ingress, chosen: list[str]) -> int:
    """The default backend of an Ingress for this host first, then of one without rules, then any (ING-08)."""
    if any(rule.host in chosen for rule in ingress.rules):
        return 0
    return 1 if not ingress.rules else 2


def _specific(host: str) -> tuple[int, int]:
    """Exact beats wildcard beats none (ING-03)."""
    return (0 if not host else 1 if host.startswith("*.") else 2, len(host))
