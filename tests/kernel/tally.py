"""What a comparison was about, counted: the same words in the test's last lines and in docs/kernel-proof.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

from clusterviz.engine import Settings
from tests.kernel.judge import Comparison

Expected = Callable[[Comparison], bool]


def _came(outcome: str) -> Expected:
    return lambda one: any(way.outcome == outcome for way in one.observed)


def _told(*reasons: str) -> Expected:
    return lambda one: not one.expected.reasons.isdisjoint(reasons)


def _ended(*verdicts: str) -> Expected:
    return lambda one: not one.expected.verdicts.isdisjoint(verdicts)


def _outside(one: Comparison) -> bool:
    inside = one.question.source.startswith(("pod:", "node:"))
    return inside and any(way.place.startswith("external:") for way in one.observed)


# What was compared, in the order of the page; a question counts wherever it belongs.
KINDS: dict[str, Expected] = {
    "backend set of a Service": _told("load_balanced"),
    "several ways chance may take": lambda one: len(one.expected.ways) > 1,
    "session affinity": lambda one: one.expected.sticky,
    "source the server saw": _came("answered"),
    "source masqueraded": _told("masqueraded", "masqueraded_egress"),
    "host port": _told("host_port"),
    "egress": _outside,
    "allowed by a policy": _told("policy_allowed"),
    "stopped by a policy": _ended("denied_ingress", "denied_egress"),
    "stopped by source ranges": _ended("source_range_dropped"),
    "dropped by a Local policy": _ended("no_local_endpoint_dropped"),
    "refused without endpoints": _ended("no_endpoints_rejected"),
    "reply lost": _ended("reply_lost"),
    "answered": _came("answered"),
    "refused": _came("refused"),
    "timed out": _came("timed out"),
    "unreachable": _came("unreachable"),
}
DRAWN = ("network", "proxy_mode", "detect_local_mode", "nodeport_addresses")
SWITCHES = (
    "masquerade_all",
    "detect_local",
    "enforce_policies",
    "hairpin",
    "host_ports",
    "egress_nat",
    "localhost_nodeports",
)


def tally(found: Iterable[Comparison], settings: Settings) -> Counter[str]:
    """Counts of one cluster's comparisons: questions, connections, kinds, and the settings they were asked under."""
    counts: Counter[str] = Counter()
    for one in found:
        counts["questions"] += 1
        counts["connections"] += one.observed.total()
        counts["disagreements"] += bool(one.fault)
        counts.update(kind for kind, holds in KINDS.items() if holds(one))
        counts.update(setting_words(settings))
        counts["with IPv6"] += ":" in one.question.ip
        counts["over UDP"] += one.question.proto == "UDP"
    return counts


def setting_words(settings: Settings) -> Iterator[str]:
    """The settings the lab draws, as words: those that are switched the unusual way, and all choices."""
    values = msgspec.to_builtins(settings)
    for name in DRAWN:
        value = values[name]
        text = ", ".join(value) if isinstance(value, list | tuple) else str(value)
        yield f"{name} {text or 'as the mode has it'}"
    usual = msgspec.to_builtins(Settings())
    for name in SWITCHES:
        if values[name] != usual[name]:
            yield f"{name} {'on' if values[name] else 'off'}"


def lines(counts: Counter[str]) -> Iterator[str]:
    """For people: the sum, each kind, then each setting."""
    yield (
        f"{counts['questions']:,} questions, {counts['connections']:,} connections, "
        f"{counts['disagreements']:,} disagreements"
    )
    for kind in (*KINDS, "with IPv6", "over UDP"):
        yield f"  {kind:32} {counts[kind]:>6,}"
    words = sorted(word for word in counts if word.split(" ")[0] in {*DRAWN, *SWITCHES})
    yield from (f"  {word:58} {counts[word]:>6,}" for word in words)
