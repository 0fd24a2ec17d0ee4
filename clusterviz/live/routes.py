"""Traces -> routes of the picture, and the table of routes of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from clusterviz.engine.cluster import Cluster
from clusterviz.engine.explain import sentence
from clusterviz.engine.probe import Probe
from clusterviz.engine.symptoms import refused
from clusterviz.engine.trace import Action, Hop, Step, Trace, Verdict
from clusterviz.live.protocol import Call, MassTraffic, Route, Segment, Totals

# Answers that say no although no packet was refused on the way.
TOLD_NO = frozenset(
    {
        Verdict.NAME_NOT_FOUND,
        Verdict.NO_INGRESS_RULE,
        Verdict.PROXY_NO_ENDPOINTS,
        Verdict.PROXY_BACKEND_INVALID,
        Verdict.REDIRECTED,
    }
)
KINDS = ("ingress", "egress", "service", "pod", "local")
FORGET_AFTER = 60.0
Tracer = Callable[[Cluster, Probe], Trace]


def effect_of(trace: Trace) -> str:
    """allowed, rewritten (delivered after a NAT), refused (an answer that says no) or dropped."""
    if trace.success:
        actions = {step.action for hop in trace.forward for step in hop.steps}
        return "rewritten" if actions & {Action.DNAT, Action.MASQUERADED} else "allowed"
    return "refused" if trace.verdict in TOLD_NO or refused(trace.verdict, trace.forward) else "dropped"


def route_of(trace: Trace, flow: str) -> Route:
    """The way a trace takes through the picture; without an id."""
    points = trace.waypoints
    kinds = {point.kind for point in points}
    return Route(
        id="",
        flow=flow,
        kind=next((kind for kind in KINDS if kind in kinds), "local"),
        effect=effect_of(trace),
        waypoints=tuple(point.ref for point in points),
        segments=tuple(Segment(point.kind, point.nat, point.encapsulated) for point in points[:-1]),
        verdict=str(trace.verdict),
        symptom=trace.symptom,
        stop="" if trace.success or not points else points[-1].ref,
        overlay=any(point.encapsulated for point in points),
        reason=reason_of(trace),
    )


def reason_of(trace: Trace) -> str:
    """One short sentence with the rule that decided."""
    found = deciding_step(trace)
    if found is None:
        return str(trace.verdict).replace("_", " ").capitalize() + "."
    hop, step = found
    return sentence(step, hop)


def deciding_step(trace: Trace) -> tuple[Hop, Step] | None:
    """The step that stopped the packet, else the choice of a backend, else the last step, with its hop."""
    if trace.first_failing_step is not None:
        place, number = trace.first_failing_step
        return trace.forward[place], trace.forward[place].steps[number]
    steps = [(hop, step) for hop in trace.forward for step in hop.steps]
    choices = [(hop, step) for hop, step in steps if step.candidates]
    return choices[0] if choices else (steps[-1] if steps else None)


class TrafficFrame(msgspec.Struct, frozen=True):
    """What happened on the wires since the last one."""

    time: float
    routes: list[Route]
    calls: list[Call]
    totals: Totals
    forgotten: list[str]
    counts: list[int]
    """Connections delivered, refused and dropped."""
    mass: MassTraffic | None = None


class RouteTable:
    """Routes of an epoch: equal ways share an id; those unused for a minute are forgotten."""

    def __init__(self) -> None:
        self._ids: dict[Route, str] = {}
        self._used: dict[str, float] = {}
        self._counter = 0
        self.routes: dict[str, Route] = {}
        self.fresh: list[Route] = []
        self._dropped: list[str] = []

    def add(self, route: Route, now: float) -> Route:
        """The route with its id; a new one is listed in ``fresh``."""
        if route not in self._ids:
            self._counter += 1
            self._ids[route] = f"r{self._counter}"
            named = msgspec.structs.replace(route, id=self._ids[route])
            self.routes[named.id] = named
            self.fresh.append(named)
        named = self.routes[self._ids[route]]
        self._used[named.id] = now
        return named

    def touch(self, route_id: str, now: float) -> bool:
        """A known route is used again; False when it was forgotten."""
        if route_id not in self.routes:
            return False
        self._used[route_id] = now
        return True

    def take_fresh(self) -> list[Route]:
        """Routes nobody was told of yet."""
        fresh, self.fresh = self.fresh, []
        return fresh

    def leave(self, refs: Collection[str]) -> None:
        """These objects left the picture, and in every browser the routes through them: their next use is told anew."""
        if refs:
            gone = set(refs)
            self._drop([one.id for one in self.routes.values() if not gone.isdisjoint(one.waypoints)])

    def forget(self, now: float) -> list[str]:
        """Drop routes nobody took for a minute; the ids of all dropped since the last call."""
        self._drop([route_id for route_id, used in self._used.items() if now - used > FORGET_AFTER])
        dropped, self._dropped = self._dropped, []
        return dropped

    def _drop(self, ids: list[str]) -> None:
        for route_id in ids:
            route = self.routes.pop(route_id)
            del self._used[route_id]
            self._ids.pop(msgspec.structs.replace(route, id=""), None)
        self.fresh = [one for one in self.fresh if one.id in self.routes]
        self._dropped += ids


def outside_of(route: Route) -> set[str]:
    """Who of a route's waypoints is outside the cluster."""
    return {ref for ref in route.waypoints if ref.startswith("external:") or ref == "internet"}
