"""What the pages of questions share: the cluster they ask, links into its picture, and refusals as pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from clusterviz.engine import Cluster
from clusterviz.engine.probe import Probe, Source
from clusterviz.engine.remedies.look import typed
from clusterviz.engine.rulebook import RULES
from clusterviz.live import questions

View = Callable[..., HttpResponse]
RULE = re.compile(r"\b[A-Z]{2,4}-\d{2}\b")
#: What a fragment may hold as it is, so that people can read it.
READABLE = "/:,@=!"

#: Pods of a cluster that a page asks about: beyond it one question takes a core for a minute.
MOST_PODS = 5000


class TooLargeError(Exception):
    """A cluster too large for a page; the message says what to use."""


def small_enough(cluster: Cluster, command: str) -> Cluster:
    """The cluster itself. Raises `TooLargeError` when questions about all of it are for a command."""
    if len(cluster.pods) > MOST_PODS:
        raise TooLargeError(f"{len(cluster.pods)} pods take longer than a page may: ask manage.py {command}.")
    return cluster


def paged(view: View) -> View:
    """Turn what the rooms below raise into pages a person can read."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except questions.UnknownError as error:
            raise Http404(str(error)) from None
        except TooLargeError as error:
            return refused(request, str(kwargs.get("name", "")), str(error), status=422)
        except questions.LoadingError as error:
            return refused(request, str(kwargs.get("name", "")), str(error), status=503)

    return guarded


def refused(request: HttpRequest, name: str, why: str, *, status: int) -> HttpResponse:
    """A page that says in one sentence why there is no answer."""
    return render(request, "dashboard/refused.html", {"name": name, "why": why}, status=status)


def rules_of(text: str) -> list[tuple[str, str]]:
    """The rules a sentence cites, each with its own sentence."""
    return [(one, RULES[one]) for one in dict.fromkeys(RULE.findall(text)) if one in RULES]


def select_url(name: str, ref: str) -> str:
    """The picture with this object selected."""
    return f"/clusters/{name}/#select={quote(ref, safe=READABLE)}"


def sender(source: Source) -> str:
    """Who sends, as `Probe.parse` reads it."""
    if source.kind == "external":
        return source.ip or "internet"
    if source.kind == "node":
        return f"node/{source.name}"
    prefix = "pod:" if source.kind == "pod" else ""
    return f"{prefix}{source.namespace}/{source.name}" + (f"/{source.container}" if source.container else "")


def trace_url(name: str, probe: Probe) -> str:
    """The picture with this question asked. Methods and headers of a request are not part of a link."""
    parts = sender(probe.source), typed(probe), probe.protocol, str(probe.seed)
    text = "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)
    return f"/clusters/{name}/#trace={quote(text, safe=READABLE + '|')}"
