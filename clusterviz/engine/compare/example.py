"""One connection in both snapshots, to the first decision that differs."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.compare.differ import Change
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.explain import sentence
from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import Hop, Step, Trace
from clusterviz.engine.walk import trace

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Example(NamedTuple):
    """``step`` counts decisions from 1; ``before`` and ``after`` are the sentences there, "" past a journey's end."""

    step: int
    before: str
    after: str


class Journeys(NamedTuple):
    """Both traces, None where one cannot be asked; ``step`` is the first that differs, counted from 1, 0 for none."""

    before: Trace | None
    after: Trace | None
    step: int


def example(before: Cluster, after: Cluster, change: Change) -> Example | None:
    """Where the two journeys part; None when one cannot be asked, or they tell the same."""
    both = journeys(before, after, change)
    if both.before is None or both.after is None or not both.step:
        return None
    said = (_said(steps[both.step - 1 : both.step]) for steps in (steps_of(both.before), steps_of(both.after)))
    return Example(both.step, *said)


def journeys(before: Cluster, after: Cluster, change: Change) -> Journeys:
    """The connection in both snapshots, each by its own question: pods of the same name may have other addresses."""
    old = _traced(before, change.before.probe) if change.before else None
    new = _traced(after, change.after.probe) if change.after else None
    if old is None or new is None:
        return Journeys(old, new, 0)
    pairs = zip_longest(*([_kind(*one) for one in steps_of(trace)] for trace in (old, new)))
    return Journeys(old, new, next((at for at, (one, other) in enumerate(pairs, start=1) if one != other), 0))


def _traced(cluster: Cluster, probe: Probe) -> Trace | None:
    try:
        return trace(cluster, probe)
    except ProbeError:
        return None


def steps_of(one: Trace) -> list[tuple[Hop, Step]]:
    """Every decision on the way there, with its place."""
    return [(hop, step) for hop in one.forward for step in hop.steps]


def _kind(hop: Hop, step: Step) -> tuple[str, str, str, str]:
    """What makes two decisions the same, whatever addresses were drawn."""
    return hop.place.kind, step.action.value, step.reason, step.rule.ref if step.rule else ""


def _said(some: list[tuple[Hop, Step]]) -> str:
    return "".join(sentence(step, hop, "operator") for hop, step in some)
