"""Two clusters, or one at two moments, side by side: what changed, and for which connections."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clusterviz.cluster.models import Cluster as Row
from clusterviz.dashboard.api import find, time_of
from clusterviz.dashboard.whatif.shared import paged, refused, small_enough, trace_url
from clusterviz.engine import Cluster, ProbeError, Trace
from clusterviz.engine.compare import Asked, Change, Comparison, Fate, TooManyError, compare, journeys, steps_of
from clusterviz.engine.compare.differ import KINDS
from clusterviz.engine.explain import sentence
from clusterviz.live import questions

MOST_OBJECTS, MOST_ROWS = 200, 100


class Side(NamedTuple):
    """One side: whose it is, at which moment (None is now), and the snapshot."""

    name: str
    at: float | None
    cluster: Cluster

    @property
    def when(self) -> str:
        """The moment in words."""
        return "now" if self.at is None else questions.clock_of(self.at)


@require_GET
@paged
def comparison(request: HttpRequest, name: str) -> HttpResponse:
    """What is other here than in ``?with=``; moments of either by ``?at=`` and ``?with_at=``."""
    row = find(name)
    others = [one.name for one in Row.objects.order_by("name")]
    context: dict[str, Any] = {"name": name, "tab": "compare", "row": row, "others": others, "namespaces": []}
    try:
        before, after = _sides(request, row)
    except ProbeError as error:
        return render(request, "dashboard/compare.html", context | {"wrong": f"{error}: {error.allowed}."}, status=422)
    space = request.GET.get("namespace", "")
    spaces = sorted({key[1] for side in (before, after) for key in side.cluster.objects} - {""})
    context |= {"before": before, "after": after, "space": space, "namespaces": spaces}
    try:
        found = compare(before.cluster, after.cluster, Asked(namespaces=frozenset({space} - {""})))
    except TooManyError as error:
        return render(request, "dashboard/compare.html", context | {"wrong": f"{error}."}, status=422)
    return render(request, "dashboard/compare.html", context | _shown(request, found))


@require_GET
@paged
def traces(request: HttpRequest, name: str) -> HttpResponse:
    """One connection on both sides, step by step, with the first step that differs."""
    before, after = _sides(request, find(name))
    sender, target, service = (request.GET.get(key, "")[:600] for key in ("from", "to", "service"))
    asked = Asked(senders=frozenset({sender}), services=frozenset({service}))
    changes = compare(before.cluster, after.cluster, asked).connections
    change = next((one for one in changes if one.pair == (sender, target)), None)
    if change is None:
        return refused(request, name, f"From {sender!r} to {target!r} nothing fares otherwise now.", status=404)
    found = journeys(before.cluster, after.cluster, change)
    sides = [
        _told(side, fate, one, found.step)
        for side, fate, one in ((before, change.before, found.before), (after, change.after, found.after))
    ]
    context = {
        "name": name,
        "tab": "compare",
        "change": change,
        "sides": sides,
        "step": found.step,
        "back": _query(request),
    }
    return render(request, "dashboard/comparetraces.html", context)


def _told(side: Side, fate: Fate | None, trace: Trace | None, differs: int) -> dict[str, Any]:
    """One side's journey: each decision in words, with its rule; ``here`` marks the first that differs."""
    steps = steps_of(trace) if trace is not None else []
    return {
        "side": side,
        "fate": fate,
        "verdict": trace.verdict.value.replace("_", " ") if trace is not None else "",
        "symptom": trace.symptom if trace is not None else "",
        "url": trace_url(side.name, fate.probe) if fate is not None and side.at is None else "",
        "steps": [
            {
                "place": hop.place.label,
                "said": sentence(step, hop, "operator"),
                "rule": step.rule.name if step.rule else "",
                "here": number == differs,
            }
            for number, (hop, step) in enumerate(steps, start=1)
        ],
        "ended": 0 < len(steps) < differs,
    }


def _sides(request: HttpRequest, row: Row) -> tuple[Side, Side]:
    """What it was, and what it is: without ``with`` a fork is compared with its original. Raises `ProbeError`."""
    before_at, at = time_of(request, "with_at"), time_of(request, "at")
    other = request.GET.get("with", "") or (row.forked_from.name if row.forked_from else row.name)
    command = f"diffnet {other} {row.name}"
    before = Side(other, before_at, small_enough(questions.cluster_at(other, before_at), command))
    return before, Side(row.name, at, small_enough(questions.cluster_at(row.name, at), command))


def _query(request: HttpRequest) -> str:
    keep = ("with", "with_at", "at", "namespace")
    return urlencode({key: request.GET[key] for key in keep if request.GET.get(key)})


def _shown(request: HttpRequest, found: Comparison) -> dict[str, Any]:
    groups: dict[tuple[str, bool, str], list[Change]] = {}
    for one in found.connections:
        groups.setdefault((one.kind, one.called, one.cause), []).append(one)
    query = _query(request)
    return {
        "found": found,
        "counts": [(kind, count) for kind in KINDS if (count := sum(one.kind == kind for one in found.connections))],
        "objects": found.objects[:MOST_OBJECTS],
        "more_objects": max(0, len(found.objects) - MOST_OBJECTS),
        "groups": [
            (*key, [(one, _look(one, query)) for one in some[:MOST_ROWS]], max(0, len(some) - MOST_ROWS))
            for key, some in groups.items()
        ],
    }


def _look(one: Change, query: str) -> str:
    fate = one.after or one.before
    ends = {"from": one.pair.sender, "to": one.pair.target, "service": fate.service if fate else ""}
    return f"traces/?{urlencode(ends)}&{query}"
