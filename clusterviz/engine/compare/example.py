"""One connection in both snapshots, to the first decision that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.compare.differ import Change
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.explain import sentence
from clusterviz.engine.trace import Hop, Step, Trace
from clusterviz.engine.walk import trace

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Example(NamedTuple):
    """``step`` counts decisions from 1; ``before`` and ``after`` are the sentences there, "" past a journey's end."""

    step: int
    before: str
    after: str


def example(before: Cluster, after: Cluster, change: Change) -> Example | None:
    """Where the two journeys part; None when one cannot be asked, or they tell the same."""
    if change.before is None or change.after is None:
        return None
    try:
        # each side's own question: pods and addresses of the same names may be others
        old, new = _steps(trace(before, change.before.probe)), _steps(trace(after, change.after.probe))
    except ProbeError:
        return None
    for index in range(max(len(old), len(new))):
        one, other = (steps[index] if index < len(steps) else None for steps in (old, new))
        if one is None or other is None or _kind(*one) != _kind(*other):
            return Example(index + 1, _said(one), _said(other))
    return None


def _steps(one: Trace) -> list[tuple[Hop, Step]]:
    return [(hop, step) for hop in one.forward for step in hop.steps]


def _kind(hop: Hop, step: Step) -> tuple[str, str, str, str]:
    """What makes two decisions the same, whatever addresses were drawn."""
    return hop.place.kind, step.action.value, step.reason, step.rule.ref if step.rule else ""


def _said(one: tuple[Hop, Step] | None) -> str:
    return sentence(one[1], one[0], "operator") if one is not None else ""
