"""The JSON paths of docs/protocol.md: check who asks and what, then let `live` or `cluster` answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from clusterviz.cluster.models import Cluster
from clusterviz.live.access import is_editor

View = Callable[..., HttpResponse]


def problem(status: int, error: str, **more: Any) -> JsonResponse:
    """An error as the protocol words it."""
    return JsonResponse({"error": error, **more}, status=status)


def editors_only(view: View) -> View:
    """Refuse people who may not change clusters, before anything is read."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_editor(request.user):
            return problem(403, "Only signed-in editors may change a cluster. Sign in first.")
        return view(request, *args, **kwargs)

    return guarded


@require_GET
def snapshot(request: HttpRequest, name: str) -> HttpResponse:
    """The whole picture."""
    from clusterviz.live import questions

    get_object_or_404(Cluster, name=name)
    return JsonResponse(questions.snapshot(name))


@require_GET
def trace(request: HttpRequest, name: str) -> HttpResponse:
    """One packet's journey."""
    from clusterviz.live import questions

    get_object_or_404(Cluster, name=name)
    return JsonResponse(questions.trace(name, request.GET))


@require_GET
def detail(request: HttpRequest, name: str, ref: str) -> HttpResponse:
    """Everything about one object."""
    from clusterviz.live import questions

    get_object_or_404(Cluster, name=name)
    return JsonResponse(questions.detail(name, ref))


@require_GET
def export(request: HttpRequest, name: str) -> HttpResponse:
    """The cluster as manifests."""
    from clusterviz.cluster import services

    row = get_object_or_404(Cluster, name=name)
    return HttpResponse(services.export_yaml(row), content_type="application/yaml")


@require_POST
@editors_only
def import_manifests(request: HttpRequest, name: str) -> HttpResponse:
    """Apply manifests."""
    from clusterviz.cluster import services

    row = get_object_or_404(Cluster, name=name)
    return JsonResponse(services.import_yaml(row, request.body))


@require_POST
@editors_only
def act(request: HttpRequest, name: str) -> HttpResponse:
    """One action of the picture."""
    from clusterviz.cluster import services

    row = get_object_or_404(Cluster, name=name)
    return JsonResponse({"message": services.act(row, request.body)})
