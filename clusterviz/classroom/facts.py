"""Facts about a cluster: what the engine says about a packet, a Service, a name, an object, an open connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from clusterviz.classroom.lesson import Fact
from clusterviz.classroom.world import World, WorldError, at_path, find, key_from
from clusterviz.engine import Probe, ProbeError, Trace, ask, trace
from clusterviz.engine.addresses import host_port
from clusterviz.engine.datapath.established import fate
from clusterviz.engine.packet import IP, L4


def seen(one: Trace) -> str:
    """The source address the last place saw."""
    return next((header.src for header in reversed(one.forward[-1].headers_in) if isinstance(header, IP)), "")


def landed(one: Trace) -> str:
    """address:port the packet ended with."""
    for index, header in reversed(list(enumerate(one.forward[-1].headers_in))):
        if isinstance(header, IP):
            after = one.forward[-1].headers_in[index + 1]
            return host_port(header.dst, after.dport) if isinstance(after, L4) else header.dst
    return ""


def _count(one: Trace, action: str) -> int:
    return sum(step.action.value == action for hop in one.forward for step in hop.steps)


ABOUT_PACKETS: dict[str, Callable[[Trace], Any]] = {
    "verdict": lambda one: one.verdict.value,
    "symptom": lambda one: one.symptom,
    "sees": seen,
    "lands": landed,
    "odds": lambda one: [round(branch.probability, 4) for branch in one.branches],
    "blockers": lambda one: [blocker.rule for blocker in one.blockers],
    "dnat": lambda one: _count(one, "dnat"),
    "masqueraded": lambda one: _count(one, "masqueraded"),
    "encapsulated": lambda one: _count(one, "encapsulated"),
    "places": lambda one: [hop.place.ref for hop in one.forward],
    "hops": lambda one: len(one.forward),
    "assumes": lambda one: [assumption.code for assumption in one.assumptions],
    "answered": lambda one: bool(one.reverse),
    "looked_up": lambda one: [child.trace.verdict.value for child in one.children if child.cause],
}
# What `expect` may name, by the field that makes a fact what it is.
ANSWERS: dict[str, tuple[str, ...]] = {
    "ask": (*ABOUT_PACKETS, "pods", "fair"),
    "endpoints": ("ready", "excluded"),
    "look_up": ("addresses", "tries", "first", "rcode"),
    "object": ("is", "exists"),
    "connection": ("fate", "lands"),
}
# A share is fair when it is off the expected one by less than half of that.
FAIR = 0.5


class FactError(ValueError):
    """A fact that cannot be asked: the field, what was wrong, what is allowed."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def kind_of(fact: Fact) -> str:
    """ask, endpoints, look_up, object or connection. Raises `FactError` unless exactly one is given."""
    given = [name for name in ANSWERS if getattr(fact, name)]
    if len(given) != 1:
        raise FactError(
            f"a fact asks one thing: give one of {', '.join(ANSWERS)}" + (f", not {given}" if given else "")
        )
    return given[0]


def probe_of(fact: Fact) -> Probe:
    """The packet of ``ask``. Raises `FactError`."""
    source, arrow, target = fact.ask.partition("->")
    if not arrow:
        raise FactError(f"{fact.ask!r} is not SENDER -> TARGET", "ask")
    try:
        probe = Probe.parse(source.strip(), target.strip(), protocol=fact.protocol, seed=fact.seed)
    except ProbeError as error:
        allowed = f" (allowed: {error.allowed})" if error.allowed else ""
        raise FactError(f"{error}{allowed}", "protocol" if error.field == "protocol" else "ask") from None
    return msgspec.structs.replace(probe, length=fact.length)


def question_of(fact: Fact) -> dict[str, str]:
    """The packet of ``ask`` as a form asks for it: from, to, protocol, seed, length; empty for other facts."""
    source, arrow, target = fact.ask.partition("->")
    if not arrow:
        return {}
    numbers = {"seed": str(fact.seed), "length": str(fact.length)}
    return {"from": source.strip(), "to": target.strip(), "protocol": fact.protocol, **numbers}


def answer(world: World, fact: Fact, what: str) -> Any:
    """One part of the engine's answer, as plain data. Raises `FactError`."""
    kind = kind_of(fact)
    if what not in ANSWERS[kind]:
        raise FactError(
            f"{what!r} is no part of the answer to {kind}: allowed are {', '.join(ANSWERS[kind])}", "expect"
        )
    try:
        return _ASKED[kind](world, fact, what)
    except ProbeError as error:
        raise FactError(str(error), kind) from None
    except WorldError as error:
        raise FactError(str(error), error.field or kind) from None


def failures(world: World, fact: Fact) -> list[str]:
    """What of ``expect`` is not so, in words; empty when the fact holds. Raises `FactError`."""
    return [f"{what} is {value!r}, not {fact.expect[what]!r}" for what, value in unmet(world, fact).items()]


def unmet(world: World, fact: Fact) -> dict[str, Any]:
    """The parts of ``expect`` that are not so, each with what is. Raises `FactError`."""
    if not fact.expect:
        kind_of(fact)
        raise FactError("what must be true is missing", "expect")
    found = {what: answer(world, fact, what) for what in fact.expect}
    return {what: value for what, value in found.items() if value != fact.expect[what]}


def _packet(world: World, fact: Fact, what: str) -> Any:
    probe = probe_of(fact)
    if what not in ABOUT_PACKETS:
        return _shares(world, fact, what)
    return ABOUT_PACKETS[what](trace(world.cluster, probe, synced=world.synced))


def _shares(world: World, fact: Fact, what: str) -> Any:
    """``pods``: how many places got a connection; ``fair``: whether each got about the same."""
    probe = probe_of(fact)
    probes = (msgspec.structs.replace(probe, seed=fact.seed + number) for number in range(fact.connections))
    counts = Counter(trace(world.cluster, one, synced=world.synced).decision.address for one in probes)
    if what == "pods":
        return len(counts)
    share = fact.connections / len(counts)
    return all(abs(count - share) < FAIR * share for count in counts.values())


def _endpoints(world: World, fact: Fact, what: str) -> Any:
    space, _, name = fact.endpoints.rpartition("/")
    service = world.cluster.services.get((space or "default", name))
    if service is None:
        raise WorldError(f"there is no Service {fact.endpoints}", "endpoints")
    found = world.cluster.endpoints(service)
    return [one.ip for one in found if one.ready == (what == "ready")]


def _look_up(world: World, fact: Fact, what: str) -> Any:
    found = ask.look_up(world.cluster, fact.look_up, pod=fact.by)
    names = [name for name, _ in found.tries]
    return {
        "addresses": list(found.addresses),
        "tries": names,
        "first": names[0] if names else "",
        "rcode": found.rcode,
    }[what]


def _object(world: World, fact: Fact, what: str) -> Any:
    if what == "exists":
        return key_from(fact.object) in world.cluster.objects
    return at_path(find(world.cluster, fact.object), fact.field)


def _connection(world: World, fact: Fact, what: str) -> Any:
    opened = world.connections.get(fact.connection)
    if opened is None:
        raise WorldError(f"no connection {fact.connection!r} was opened", "connection")
    if what == "fate":
        return fate(world.cluster, opened)
    return host_port(opened.endpoint.ip, opened.target_port) if opened.endpoint else ""


_ASKED: dict[str, Callable[[World, Fact, str], Any]] = {
    "ask": _packet,
    "endpoints": _endpoints,
    "look_up": _look_up,
    "object": _object,
    "connection": _connection,
}
