"""Which match of which route takes a request (GW-05 to GW-07)."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl

from clusterviz.engine.gateway.hosts import covers
from clusterviz.engine.gateway.objects import Condition, HTTPRoute, RouteMatch, RouteRule
from clusterviz.engine.gateway.regex import usable, whole
from clusterviz.engine.probe import Request
from clusterviz.engine.trace import Considered

# What each place of a candidate's rank compares, in the words of its loser.
CRITERIA = (
    "the other's exact hostname is longer (GW-05)",
    "the other's hostname is longer (GW-05)",
    "the other's path type goes first: Exact, then RegularExpression, then PathPrefix (GW-06)",
    "the other's path prefix is longer (GW-06)",
    "the other names the method (GW-06)",
    "the other has more header matches (GW-06)",
    "the other has more query matches (GW-06)",
    "the other route is older (GW-06)",
    "the other route is older (GW-06)",
    "the other route's namespace/name goes first in the alphabet (GW-06)",
    "the other stands earlier in the route (GW-06)",
    "the other stands earlier in the rule (GW-06)",
)
PATH_ORDER = ("Exact", "RegularExpression", "PathPrefix")
Rank = tuple[int | str, ...]


class Told(NamedTuple):
    """What a request tells: header names in lower case, repeated ones joined; the first of each query parameter."""

    method: str
    path: str
    headers: dict[str, str]
    params: dict[str, str]


class Candidate(NamedTuple):
    """One match of one rule of one attached route: its rank (lowest wins), or what it lacks.

    ``off`` says that the path does not fit; ``lacks`` are the other conditions, looked at only when it does.
    """

    route: HTTPRoute
    rule: RouteRule
    match: RouteMatch
    indexes: tuple[int, int]
    hostname: str
    off: bool
    lacks: tuple[str, ...]

    @property
    def takes(self) -> bool:
        """Whether every condition is met."""
        return not self.off and not self.lacks

    @property
    def name(self) -> str:
        """In words, as a line of a list of rules."""
        host = f" for {self.hostname}" if self.hostname else ""
        return f"{self.route.namespace}/{self.route.name} rule {self.indexes[0]}: {self.match}{host}"


def told(request: Request, path: str) -> Told:
    """A request as its matches look at it."""
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    params: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        params.setdefault(name, value)
    return Told(request.method, path, headers, params)


def candidates(route: HTTPRoute, hostname: str, request: Told) -> list[Candidate]:
    """Every match of a route whose ``hostname`` admits the request, judged."""
    return [
        Candidate(route, rule, match, (index, position), hostname, off, () if off else unmet(match, request))
        for index, rule in enumerate(route.rules)
        for position, match in enumerate(rule.matches)
        for off in [not path_fits(match, request.path)]
    ]


def nearness(one: Candidate, request: Told) -> tuple[int, int]:
    """How near a candidate that does not take the request comes to it; lowest is nearest."""
    if one.off:
        return 20, -shared(one.match.path, request.path)
    return 1 + len(one.lacks), 0


def best_hostname(route: HTTPRoute, admitted: tuple[str, ...], host: str) -> str | None:
    """The route's most specific hostname that admits a host; None when none does, "" when it has none.

    ``admitted`` are the hostnames that intersect the listener's; others are not looked at (GW-03).
    """
    if not route.hostnames:
        return ""
    fitting = [one for one in route.hostnames if one in admitted and covers(one, host)]
    return max(fitting, key=lambda one: (not one.startswith("*."), len(one)), default=None)


def path_fits(match: RouteMatch, path: str) -> bool:
    """Exact is byte-equal, PathPrefix goes by elements, a regular expression matches all of it (GW-07)."""
    match match.path_type:
        case "Exact":
            return path == match.path
        case "RegularExpression":
            return whole(match.path, path)
        case _:
            prefix = match.path.rstrip("/")
            return path == prefix or path.startswith(f"{prefix}/")


def unmet(match: RouteMatch, request: Told) -> tuple[str, ...]:
    """Conditions besides the path that a request does not meet, in words (GW-07)."""
    found = [f"method is {request.method}"] if match.method and match.method != request.method else []
    found += [_differs("header", one, request.headers.get(one.name.lower())) for one in match.headers]
    found += [_differs("query parameter", one, request.params.get(one.name)) for one in match.params]
    return tuple(part for part in found if part)


def _differs(what: str, condition: Condition, value: str | None) -> str:
    if value is None:
        return f"{what} {condition.name} is missing"
    same = whole(condition.value, value) if condition.type == "RegularExpression" else condition.value == value
    return "" if same else f"{what} {condition.name} is {value!r}"


def rank(one: Candidate) -> Rank:
    """Order of candidates that take the request, lowest first (GW-05, GW-06)."""
    route, match, hostname = one.route, one.match, one.hostname
    exact = 0 if hostname.startswith("*.") else len(hostname)
    return (
        -exact,
        -len(hostname),
        PATH_ORDER.index(match.path_type) if match.path_type in PATH_ORDER else len(PATH_ORDER),
        -len(match.path) if match.path_type == "PathPrefix" else 0,
        0 if match.method else 1,
        -len(match.headers),
        -len(match.params),
        # An object that does not say when it was created is taken for a new one.
        0 if route.created else 1,
        route.created,
        f"{route.namespace}/{route.name}",
        *one.indexes,
    )


def lost(winner: Candidate | None, loser: Candidate, request: Told) -> Considered:
    """Why a candidate did not take the request."""
    if loser.off:
        bad = loser.match.path_type == "RegularExpression" and not usable(loser.match.path)
        first = "its regular expression cannot be read" if bad else f"path {request.path} does not fit"
        return Considered(loser.name, "; ".join((first, *unmet(loser.match, request))), loser.route.ref)
    if loser.lacks or winner is None:
        return Considered(loser.name, "; ".join(loser.lacks), loser.route.ref)
    pairs = zip(CRITERIA, rank(winner), rank(loser), strict=True)
    why = next(words for words, won, own in pairs if won != own)
    return Considered(loser.name, f"matches too, but {why}", loser.route.ref)


def shared(rule: str, path: str) -> int:
    """Characters both begin with."""
    return next((i for i, (a, b) in enumerate(zip(rule, path, strict=False)) if a != b), min(len(rule), len(path)))
