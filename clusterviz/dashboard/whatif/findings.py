"""The findings of a cluster as a page: what is legal and does not do what its author hoped."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clusterviz.dashboard.whatif.shared import paged, refused, rules_of, select_url
from clusterviz.engine.lint import CODES, SEVERITIES, WHILE_WAITING, Finding, lint
from clusterviz.engine.objects import ref_of
from clusterviz.live import questions

#: Questions people ask, each answered by some of the findings.
QUESTIONS: dict[str, tuple[str, frozenset[str]]] = {
    "no-backend": ("Which Service has no backend?", frozenset({"no-endpoints", "no-such-port", "ingress-no-service"})),
    "idle-rules": (
        "Which policy rule does nothing?",
        frozenset({"selects-nothing", "policy-peer-nobody", "policy-port-unknown", "policy-rule-covered"}),
    ),
    "calls": ("Which call fails?", frozenset({"call-fails"})),
}


class Shown(NamedTuple):
    """A finding as the page shows it."""

    finding: Finding
    title: str
    url: str
    rules: list[tuple[str, str]]


@require_GET
@paged
def findings(request: HttpRequest, name: str) -> HttpResponse:
    """All findings of the cluster as it is now, or with ``?question=`` those that answer one question."""
    cluster = questions.replica_of(name).cluster
    if len(cluster.pods) > WHILE_WAITING:
        why = f"{len(cluster.pods)} pods take longer than a page may: ask manage.py lintnet --cluster {name}."
        return refused(request, name, why, status=422)
    every = lint(cluster)
    asked = request.GET.get("question", "")
    chosen = QUESTIONS.get(asked)
    found = [one for one in every if chosen is None or one.code in chosen[1]]
    context: dict[str, Any] = {
        "name": name,
        "tab": "findings",
        "question": chosen[0] if chosen else "",
        "questions": [
            (key, words, sum(one.code in codes for one in every), key == asked)
            for key, (words, codes) in QUESTIONS.items()
        ],
        "groups": [
            (word, some)
            for word in SEVERITIES
            if (some := [_shown(name, one) for one in found if one.severity == word])
        ],
        "counts": [(word, sum(one.severity == word for one in found)) for word in SEVERITIES],
        "total": len(every),
    }
    return render(request, "dashboard/findings.html", context)


def _shown(name: str, one: Finding) -> Shown:
    url = select_url(name, ref_of(one.key)) if one.key else f"/clusters/{name}/"
    return Shown(one, CODES[one.code].title, url, rules_of(one.text))
