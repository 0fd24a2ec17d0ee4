"""The settings of a cluster by HTTP: everybody may read them, editors change them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from clusterviz.cluster import services
from clusterviz.dashboard.api import (
    ACTION_LIMIT,
    actor_of,
    answered,
    editors_only,
    find,
    json_body,
    json_csrf,
    problem,
)
from clusterviz.engine.settings_check import fields
from clusterviz.live.access import is_editor


@csrf_exempt  # json_csrf checks what changes something
@json_csrf
@answered
def network_settings(request: HttpRequest, name: str) -> HttpResponseBase:
    """GET: every setting with value, meaning and origin. POST ``{"changes": {name: value or null}}``: change some."""
    if request.method in ("GET", "HEAD"):
        return JsonResponse({"settings": services.described(find(name)), "editor": is_editor(request.user)})
    if request.method == "POST":
        return _change(request, name)
    answer = problem(405, "Use GET or POST here.", allowed="GET, POST")
    answer["Allow"] = "GET, POST"
    return answer


@editors_only
def _change(request: HttpRequest, name: str) -> HttpResponse:
    row = find(name)
    wish = json_body(request, ACTION_LIMIT)
    changes = wish.get("changes")
    if set(wish) != {"changes"} or not isinstance(changes, dict):
        raise services.Invalid('Needed: {"changes": {setting: value, or null for the default}}.')
    unknown = sorted(set(changes) - fields().keys())
    if unknown:
        raise services.Invalid(f"unknown field {unknown[0][:80]!r}: allowed are {', '.join(fields())}")
    changed = services.change_settings(row, changes, origin=f"set by {actor_of(request)}")
    words = ", ".join(fields()[one].label for one in changed)
    return JsonResponse(
        {
            "message": f"Changed: {words}." if changed else "Nothing changed.",
            "changed": changed,
            "settings": services.described(row),
        }
    )
