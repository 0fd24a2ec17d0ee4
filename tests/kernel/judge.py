"""The comparison: the same questions to the engine and to the kernel, set against set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from clusterviz.engine import Cluster, Destination, Probe, Source
from clusterviz.engine.probe import Protocol
from tests.kernel.expect import Expectation, Seen, expect, tries
from tests.kernel.lab import PATIENCE, Lab, Shot

FIRST_ROUND = 6
# Seconds an answer may take when it is asked again: a busy machine is late, and late is not wrong.
PATIENT = 4.0
AGAIN = 2


class Question(NamedTuple):
    """Who calls which address: ``source`` is pod:ns/name, node:name or an outside address."""

    source: str
    ip: str
    port: int
    proto: Protocol = "TCP"

    def __str__(self) -> str:
        """For people."""
        return f"{self.source} -> {self.proto} {self.ip} port {self.port}"

    def probe(self) -> Probe:
        """As the engine is asked."""
        kind, _, name = self.source.partition(":")
        if kind == "pod":
            namespace, _, short = name.partition("/")
            source = Source(kind="pod", namespace=namespace, name=short)
        elif kind == "node":
            source = Source(kind="node", name=name)
        else:
            source = Source(kind="external", ip=self.source)
        destination = Destination(kind="ip", ip=self.ip, port=self.port)
        return Probe(source=source, destination=destination, protocol=self.proto)

    def shot(self) -> Shot:
        """As the kernel is asked."""
        if self.source.startswith(("pod:", "node:")):
            return Shot(self.source, self.proto, "", self.ip, self.port)
        return Shot("internet", self.proto, self.source, self.ip, self.port)


class Comparison(NamedTuple):
    """One question, what the engine said, and how often the kernel did what. ``fault`` "" is agreement."""

    question: Question
    expected: Expectation
    observed: Counter[Seen]
    fault: str

    def __str__(self) -> str:
        """For people."""
        expected = [f"    engine {chance:.3f} {way}" for way, chance in self.expected.ways.items()]
        observed = [f"    kernel {count:5} {way}" for way, count in self.observed.items()]
        return "\n".join([f"{self.question}: {self.fault or 'agreed'}", *expected, *observed])


def compare(cluster: Cluster, lab: Lab, questions: Sequence[Question], again: int = AGAIN) -> list[Comparison]:
    """Ask both, and the kernel ``again``, with patience, where a lost or late packet may be all that differs."""
    asked = [(question, expect(cluster, question.probe())) for question in questions]
    found = _ask(lab, asked)
    for _ in range(again):
        unsure = [index for index, one in enumerate(found) if one.fault and not _certain(one)]
        for index, one in zip(unsure, _ask(lab, [asked[index] for index in unsure], PATIENT), strict=True):
            found[index] = one
    return found


def _certain(one: Comparison) -> bool:
    """No packet that is lost, an ARP request among them, makes a connection do this."""
    lost = ("timed out", "unreachable")
    return any(way not in one.expected.ways and way.outcome not in lost for way in one.observed)


def _ask(lab: Lab, asked: list[tuple[Question, Expectation]], patience: float = PATIENCE) -> list[Comparison]:
    seen: list[Counter[Seen]] = [Counter() for _ in asked]
    wanted = [tries(expected) for _, expected in asked]
    first = [min(count, FIRST_ROUND * len(expected.ways)) for count, (_, expected) in zip(wanted, asked, strict=True)]
    _fire(lab, asked, first, seen, patience)
    rest = [
        0 if expected.sticky or set(expected.ways) <= set(seen[index]) else wanted[index] - first[index]
        for index, (_, expected) in enumerate(asked)
    ]
    _fire(lab, asked, rest, seen, patience)
    return [
        Comparison(question, expected, seen[index], fault(expected, seen[index]))
        for index, (question, expected) in enumerate(asked)
    ]


def _fire(
    lab: Lab,
    asked: list[tuple[Question, Expectation]],
    counts: list[int],
    seen: list[Counter[Seen]],
    patience: float,
) -> None:
    shots = [(index, asked[index][0].shot()) for index, count in enumerate(counts) for _ in range(count)]
    if not shots:
        return
    for (index, _), result in zip(shots, lab.fire([shot for _, shot in shots], patience), strict=True):
        way = Seen(result["outcome"])
        if way.outcome == "answered":
            way = Seen("answered", result["place"], result["ip"], result["port"], result["from"])
        seen[index][way] += 1


def fault(expected: Expectation, observed: Counter[Seen]) -> str:
    """Why the two differ, "" when they agree: nothing unforeseen, and all that was foreseen."""
    unforeseen = [way for way in observed if way not in expected.ways]
    if unforeseen:
        return "the kernel did what the engine rules out: " + "; ".join(map(str, unforeseen))
    if expected.sticky:
        # every node remembers its own clients, so behind a balancer there may be one endpoint a node
        return "" if expected.draws > 1 or len(observed) == 1 else "the client did not keep its endpoint"
    missing = [way for way in expected.ways if way not in observed]
    return "the kernel never did what the engine foresees: " + "; ".join(map(str, missing)) if missing else ""
