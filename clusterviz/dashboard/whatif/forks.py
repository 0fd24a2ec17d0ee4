"""Forks of a cluster: branch it off now or at a moment of its history, then keep or drop what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster as Row
from clusterviz.cluster.services.forking import MOST_FORKS, MOST_OBJECTS
from clusterviz.dashboard.api import actor_of, find, time_of
from clusterviz.dashboard.views import counted
from clusterviz.dashboard.whatif.shared import paged
from clusterviz.engine import ProbeError
from clusterviz.live import questions
from clusterviz.live.access import is_editor


@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
@paged
def forks(request: HttpRequest, name: str) -> HttpResponse:
    """The forks of a cluster; editors make another one, of now or of ``?at=``."""
    row = find(name)
    wrong = ""
    if request.method == "POST":
        if not is_editor(request.user):
            raise PermissionDenied
        try:
            made = _forked(request, row)
        except (services.Invalid, ProbeError) as error:
            wrong = str(error)
        else:
            messages.success(
                request, f"{made.name} is a fork of {row.name}: change anything, {row.name} stays as it is."
            )
            return redirect("dashboard:cluster", name=made.name)
    context: dict[str, Any] = {
        "name": name,
        "tab": "forks",
        "row": row,
        "forks": counted().filter(forked_from=row),
        "editor": is_editor(request.user),
        "at": request.GET.get("at", ""),
        "wrong": wrong,
        "most": MOST_FORKS,
        "most_objects": MOST_OBJECTS,
    }
    return render(request, "dashboard/forks.html", context, status=422 if wrong else 200)


@require_POST
@paged
def decide(request: HttpRequest, name: str, what: str) -> HttpResponse:
    """Keep a fork as a cluster of its own, or drop it with everything in it."""
    if not is_editor(request.user):
        raise PermissionDenied
    row = find(name)
    back = row.forked_from
    if row.forked_at is None or what not in ("keep", "drop"):
        raise Http404(f"{name} is no fork")
    if what == "keep":
        services.keep_fork(row)
        messages.success(request, f"{name} is a cluster of its own now.")
        return redirect("dashboard:cluster", name=name)
    services.drop_fork(row)
    messages.success(request, f"{name} is dropped.")
    return redirect("dashboard:forks", name=back.name) if back else redirect("dashboard:index")


def _forked(request: HttpRequest, row: Row) -> Row:
    at = time_of(request, "at")
    cluster = questions.cluster_at(row.name, at)
    moment = datetime.fromtimestamp(at, UTC) if at is not None else None
    called = request.POST.get("name", "").strip()[:64]
    objects = cluster.objects.values()
    return services.fork_cluster(row, objects, cluster.settings, name=called, moment=moment, actor=actor_of(request))
