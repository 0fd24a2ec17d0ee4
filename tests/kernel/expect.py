"""What the engine says a connection can come to: every way chance may take, with its probability."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import msgspec

from clusterviz.engine import Change, Cluster, Probe, Trace, Verdict, trace
from clusterviz.engine.packet import IP, L4
from clusterviz.engine.trace import SUCCESSES, Action, Hop

MOST_SEEDS = 600
STICKY_TRIES = 6
SOME_TRIES = 4
REFUSED = frozenset({Verdict.NO_ENDPOINTS_REJECTED, Verdict.NOBODY_LISTENING, Verdict.POD_NOT_RUNNING})
UNREACHABLE = frozenset({Verdict.POD_GONE, Verdict.TTL_EXPIRED})


class Seen(NamedTuple):
    """What came of a connection; when answered, by whom, on which address, and whom that one saw as client."""

    outcome: str
    place: str = ""
    ip: str = ""
    port: int = 0
    source: str = ""

    def __str__(self) -> str:
        """For people."""
        if self.outcome != "answered":
            return self.outcome
        return f"answered by {self.place} on {self.ip} port {self.port}, which saw {self.source}"


class Expectation(NamedTuple):
    """``ways`` with their probabilities; ``sticky`` when a client keeps its endpoint (SVC-14).

    ``draws`` is how many choices one after the other lie on the way: a balancer's, a Service's. ``verdicts``
    and ``reasons`` are those of all traces.
    """

    ways: dict[Seen, float]
    sticky: bool
    draws: int
    verdicts: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()


def seen(answer: Trace) -> Seen:
    """The client's and the receiver's view of one trace."""
    verdict = answer.verdict
    if verdict in SUCCESSES:
        hop = answer.forward[-1]
        ip, l4 = _headers(hop)
        outside = hop.place.kind in ("external", "internet")
        return Seen("answered", f"external:{ip.dst}" if outside else hop.place.ref, ip.dst, l4.dport, ip.src)
    if verdict is Verdict.VIP_PORT_UNKNOWN:
        steps = [step for hop in answer.forward for step in hop.steps]
        return Seen("refused" if steps and steps[-1].action is Action.REJECTED else "timed out")
    if verdict in REFUSED:
        return Seen("refused")
    if verdict in UNREACHABLE and answer.probe.protocol == "TCP":
        return Seen("unreachable")
    return Seen("timed out")


def _headers(hop: Hop) -> tuple[IP, L4]:
    stack = hop.headers_out
    ip = next(header for header in reversed(stack) if isinstance(header, IP))
    l4 = next(header for header in reversed(stack) if isinstance(header, L4))
    return ip, l4


def _choices(answer: Trace) -> Iterator[tuple[dict[str, float], str]]:
    """Each draw on the way: the odds of what could be drawn, and what was."""
    for hop in answer.forward:
        for step in hop.steps:
            if step.action is Action.LOAD_BALANCED and step.candidates:
                odds = {f"{one.node} {one.address} {one.port}": one.probability for one in step.candidates}
                picked = next(one for one in step.candidates if one.picked)
                usable = {name: chance for name, chance in odds.items() if chance}
                yield usable, f"{picked.node} {picked.address} {picked.port}"


@lru_cache(maxsize=8)
def forgetful(cluster: Cluster) -> Cluster:
    """The same cluster without session affinity, so that other seeds draw other endpoints."""
    changes = []
    for service in cluster.services.values():
        if service.affinity:
            obj = cluster.objects["Service", service.namespace, service.name]
            changes.append(Change("set", {**obj, "spec": {**obj["spec"], "sessionAffinity": "None"}}))
    return cluster.apply(changes)


def expect(cluster: Cluster, probe: Probe) -> Expectation:
    """Draw with one seed after the other until every choice has been seen to fall every way."""
    first = trace(cluster, probe)
    rules = {rule for hop in first.forward for step in hop.steps if step.rule for rule in step.rule.rules}
    sticky = "SVC-14" in rules
    cluster = forgetful(cluster) if sticky else cluster
    odds: dict[tuple[str, ...], dict[str, float]] = {}
    drawn: dict[tuple[str, ...], set[str]] = {}
    ways: dict[tuple[str, ...], tuple[float, Seen]] = {}
    verdicts, reasons = set(), set()
    for seed in range(MOST_SEEDS):
        answer = trace(cluster, msgspec.structs.replace(probe, seed=seed))
        path: tuple[str, ...] = ()
        chance = 1.0
        for usable, picked in _choices(answer):
            odds[path] = usable
            drawn.setdefault(path, set()).add(picked)
            chance *= usable[picked]
            path = (*path, picked)
        ways[path] = (chance, seen(answer))
        verdicts.add(answer.verdict.value)
        reasons |= {step.reason for hop in answer.forward for step in hop.steps}
        if all(len(drawn[known]) == len(usable) for known, usable in odds.items()):
            break
    total: dict[Seen, float] = {}
    for chance, way in ways.values():
        total[way] = total.get(way, 0.0) + chance
    return Expectation(total, sticky, max(map(len, ways)), frozenset(verdicts), frozenset(reasons))


def tries(found: Expectation, risk: float = 1e-7) -> int:
    """How often to connect so that a way that exists is missed with at most this probability.

    Where all draws come to one thing some more are made: the kernel may know of others.
    """
    if found.sticky:
        return STICKY_TRIES
    if len(found.ways) == 1:
        return SOME_TRIES if found.draws else 1
    rarest = min(found.ways.values())
    return math.ceil(math.log(risk / len(found.ways)) / math.log1p(-rarest))
