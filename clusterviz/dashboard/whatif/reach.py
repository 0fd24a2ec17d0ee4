"""Who can reach whom in a cluster, as a page; a cell opens the trace."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from clusterviz.dashboard.whatif.shared import paged, refused, small_enough, trace_url
from clusterviz.engine import Cluster
from clusterviz.engine.compare import INTERNET, Asked, Fate, Pair, TooManyError, sender_names, survey
from clusterviz.engine.reach import Tally, table
from clusterviz.live import questions

#: Cells a page shows at most: more is no answer to anybody.
MOST_CELLS = 12_000
MOST_OFFERED = 1000
BY = {"workload": "workload and port", "namespace": "namespace"}
ORDER = {"name": "name", "reached": "most reached first"}


class Cell(NamedTuple):
    """A cell as the page shows it: ``word`` arrives, in part or fails, "" when it cannot be asked."""

    word: str = ""
    sign: str = ""
    title: str = ""
    url: str = ""
    detail: str = ""


SIGNS = {"arrives": "✓", "in part": "◐", "fails": "✗"}


@require_GET
@paged
def reach(request: HttpRequest, name: str) -> HttpResponse:
    """The table of all that is asked by ``?from=``, ``?to=`` and ``?namespace=``, sorted and grouped as wished."""
    cluster = small_enough(questions.replica_of(name).cluster, f"reachnet --cluster {name}")
    chosen = {key: request.GET.get(key, "").strip()[:300] for key in ("from", "to", "namespace")}
    by, order = _one(request, "by", BY), _one(request, "order", ORDER)
    names = Names.of(cluster)
    context: dict[str, Any] = {
        "name": name,
        "tab": "reach",
        "chosen": chosen,
        "by": by,
        "order": order,
        "names": names,
        "by_choices": BY.items(),
        "order_choices": ORDER.items(),
        "tables": (),
    }
    unknown = names.unknown(chosen)
    if unknown:
        return render(request, "dashboard/reach.html", context | {"wrong": unknown}, status=422)
    try:
        found = survey(cluster, _asked(chosen))
    except TooManyError as error:
        return render(request, "dashboard/reach.html", context | {"wrong": f"{error}."}, status=422)
    context["tables"] = [one for one in _tables(found, by, order) if one["rows"]]
    context["total"] = len(found)
    return render(request, "dashboard/reach.html", context)


@require_GET
@paged
def reach_trace(request: HttpRequest, name: str) -> HttpResponse:
    """Send on to the trace of one cell: of a connection that fails, when some do."""
    cluster = small_enough(questions.replica_of(name).cluster, f"reachnet --cluster {name}")
    sender, target, service = (request.GET.get(key, "")[:600] for key in ("from", "to", "service"))
    try:
        found = survey(cluster, Asked(senders=frozenset({sender}), services=frozenset({service})))
    except TooManyError as error:
        return refused(request, name, f"{error}.", status=422)
    fate = found.get(Pair(sender, target))
    if fate is None:
        return refused(request, name, f"There is no connection from {sender!r} to {target!r} any more.", status=404)
    return redirect(trace_url(name, fate.probe))


class Names(NamedTuple):
    """What can be asked about."""

    senders: list[str]
    services: list[str]
    namespaces: list[str]

    @classmethod
    def of(cls, cluster: Cluster) -> Names:
        """Everything of this cluster."""
        spaces = sorted({space for space, _ in (*cluster.services, *cluster.pods)})
        return cls([INTERNET, *sorted(sender_names(cluster))], sorted(f"{a}/{b}" for a, b in cluster.services), spaces)

    @property
    def suggested(self) -> tuple[list[str], list[str]]:
        """Senders and Services the form offers."""
        return self.senders[:MOST_OFFERED], self.services[:MOST_OFFERED]

    def unknown(self, chosen: dict[str, str]) -> str:
        """What was asked about and is not there, in words; "" when all is there."""
        for key, known, example in (
            ("from", self.senders, "internet or NAMESPACE/WORKLOAD"),
            ("to", self.services, "NAMESPACE/SERVICE"),
            ("namespace", self.namespaces, "the name of a namespace"),
        ):
            if chosen[key] and chosen[key] not in known:
                return f"{key}: there is no {chosen[key]!r} in this cluster; allowed is {example}."
        return ""


def _asked(chosen: dict[str, str]) -> Asked:
    sets = (frozenset({chosen[key]} - {""}) for key in ("namespace", "from", "to"))
    return Asked(*sets)


def _one(request: HttpRequest, key: str, allowed: dict[str, str]) -> Any:
    value = request.GET.get(key, "")
    return value if value in allowed else next(iter(allowed))


def _tables(found: dict[Pair, Fate], by: Any, order: Any) -> list[dict[str, Any]]:
    """What comes from outside, and what comes from inside: their columns are others."""
    made = []
    for title, outside in (("From the Internet", True), ("From inside the cluster", False)):
        some = {pair: fate for pair, fate in found.items() if (pair.sender == INTERNET) == outside}
        matrix = table(some, by, order)
        rows = [(row, [_cell(row, one, matrix.cells.get((row, one))) for one in matrix.columns]) for row in matrix.rows]
        if outside:  # one sender: its doors are read as a list
            rows = [(column, [cell]) for column, cell in zip(matrix.columns, rows[0][1], strict=True)] if rows else []
        cells = len(matrix.rows) * len(matrix.columns)
        counts = [
            (word, sum(fate.word == word for fate in some.values())) for word in ("arrives", "arrives in part", "fails")
        ]
        made.append(
            {
                "title": title,
                "outside": outside,
                "columns": [one.removeprefix("service ") for one in matrix.columns],
                "rows": rows if cells <= MOST_CELLS else [],
                "too_many": cells > MOST_CELLS,
                "counts": counts,
            }
        )
    return made


def _cell(row: str, column: str, tally: Tally | None) -> Cell:
    if tally is None:
        return Cell()
    if tally.fate is None:
        title = f"{row} to {column}: {tally.arrives} arrive, {tally.part} in part, {tally.fails} fail"
        query = urlencode({"from": row if row == INTERNET else "", "namespace": column, "by": "workload"})
        return Cell(tally.word, f"{tally.arrives + tally.part}/{tally.total}", title, f"?{query}", title)
    fate = tally.fate
    why = ", ".join(sorted(fate.verdicts)).replace("_", " ") + (f" ({', '.join(sorted(fate.by))})" if fate.by else "")
    at = f"; at {', '.join(sorted(fate.backends))}, seen as {', '.join(sorted(fate.sources))}" if fate.arrives else ""
    query = urlencode({"from": row, "to": column, "service": fate.service})
    detail = why + at
    return Cell(tally.word, SIGNS[tally.word], f"{row} to {column}: {detail}", f"trace/?{query}", detail)
