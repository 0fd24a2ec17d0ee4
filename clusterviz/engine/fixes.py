"""The smallest changes that let a packet arrive, each tried on the snapshot before it is told.

`suggest` searches: a candidate against what stops the trace first, a new trace in the snapshot so changed,
a candidate against what stops that one, until one arrives. Smaller sets of changes are tried first.
"""

from __future__ import annotations

import heapq
import itertools
from typing import NamedTuple

import msgspec

from clusterviz.engine.cluster import Cluster
from clusterviz.engine.errors import EngineError
from clusterviz.engine.remedies import candidates
from clusterviz.engine.remedies.edit import Edit, Situation, calling
from clusterviz.engine.remedies.look import typed
from clusterviz.engine.remedies.words import by_hand
from clusterviz.engine.trace import Fix, Trace
from clusterviz.engine.walk import trace as ask

MOST_TRACES = 60
MOST_GROUPS = 4
MOST_EDITS = 6


class _Try(NamedTuple):
    """A set of changes and what becomes of the probe after them."""

    edits: tuple[Edit, ...]
    cluster: Cluster
    trace: Trace


def suggest(cluster: Cluster, trace: Trace) -> tuple[Fix, ...]:
    """Changes that let the packet of a failed trace arrive; ``cluster`` is the snapshot it was made in.

    Fixes of one ``group`` belong together and groups stand in order of size, the smallest first. All are
    verified; when no set of changes was found that suffices, those against the first blocker come unverified,
    and after them words for every blocker: what has to be done by hand. Nothing for a trace that succeeded.
    """
    if trace.success:
        return ()
    if trace.made_in.opened:
        return _anew(cluster, trace)
    found: list[tuple[Edit, ...]] = []
    count = itertools.count()
    first = _Try((), cluster, trace)
    queue = [(0, next(count), first)]
    left = MOST_TRACES
    while queue and len(found) < MOST_GROUPS:
        _, _, here = heapq.heappop(queue)
        if any(set(_keys(group)) <= set(_keys(here.edits)) for group in found):
            continue  # a smaller set suffices
        if here.trace.success:
            found.append(here.edits)
            continue
        if len(here.edits) >= MOST_EDITS:
            continue
        for edit in itertools.islice(candidates(Situation(here.cluster, here.trace, here.trace)), left):
            left -= 1
            following = _follow(here, edit)
            if following is not None:
                size = sum(one.size for one in following.edits)
                heapq.heappush(queue, (size, next(count), following))
    if not found:
        edits = candidates(Situation(cluster, trace, trace))
        return (*(edit.fix for edit in itertools.islice(edits, MOST_GROUPS)), *by_hand(trace))
    return tuple(
        msgspec.structs.replace(edit.fix, group=group, verified=True)
        for group, edits in enumerate(found)
        for edit in edits
    )


def _anew(cluster: Cluster, trace: Trace) -> tuple[Fix, ...]:
    """What helps whoever lost a connection: a new one, or what helps that."""
    probe = msgspec.structs.replace(trace.probe, source_port=None)
    again = ask(cluster, probe)
    if not again.success:
        return suggest(cluster, again)
    why = "The old one follows its conntrack entry to an end that is gone; a new one is decided anew (PX-17)."
    new = calling(probe, typed(probe), "Open a new connection.", why)
    return (msgspec.structs.replace(new.fix, verified=True),)


def _follow(here: _Try, edit: Edit) -> _Try | None:
    """The probe once more after one more change; None when that changed nothing or cannot be."""
    if edit in here.edits:
        return None
    edits = (edit,) if edit.also is None else (edit, edit.also)
    cluster, probe = here.cluster, here.trace.probe
    try:
        for one in edits:
            cluster, probe = one.applied(cluster), one.probe or probe
        answer = ask(cluster, probe)
    except EngineError:
        return None
    if not answer.success and answer.blockers == here.trace.blockers and probe is here.trace.probe:
        return None
    return _Try(here.edits + edits, cluster, answer)


def _keys(edits: tuple[Edit, ...]) -> list[str]:
    return [f"{edit.fix.kind} {edit.fix.ref} {edit.fix.setting} {edit.fix.patch} {edit.fix.value}" for edit in edits]
