"""A person's own arrangement of a cluster's picture: whoever is signed in keeps it here, others in their browser."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from clusterviz.cluster import services
from clusterviz.cluster.models import Layout
from clusterviz.cluster.models.layouts import VIEWS, check_places
from clusterviz.dashboard.api import answered, find, json_body, json_csrf, method, problem

LIMIT = 256 * 1024


@method("GET")
@answered
def layouts(request: HttpRequest, name: str) -> HttpResponse:
    """``{"person": name or "", "layouts": {view: {id: numbers}}}`` of who asks."""
    row = find(name)
    if not request.user.is_authenticated:
        return JsonResponse({"person": "", "layouts": {}})
    mine = Layout.objects.filter(user=request.user, cluster=row)
    kept = {one.view: one.places for one in mine}
    return JsonResponse({"person": request.user.get_username(), "layouts": kept})


@csrf_exempt  # json_csrf checks instead
@json_csrf
@answered
def layout(request: HttpRequest, name: str, view: str) -> HttpResponse:
    """PUT ``{"places": {id: numbers}}`` keeps an arrangement, DELETE forgets it. Only for who is signed in."""
    if request.method not in ("PUT", "DELETE"):
        answer = problem(405, "Use PUT or DELETE here.", allowed="PUT, DELETE")
        answer["Allow"] = "PUT, DELETE"
        return answer
    if not request.user.is_authenticated:
        return problem(403, "Only who is signed in keeps an arrangement on the server.")
    row = find(name)
    if view not in VIEWS:
        return problem(404, f"There is no arrangement of {view[:40]!r}.", field="view", allowed=", ".join(VIEWS))
    mine = Layout.objects.filter(user=request.user, cluster=row, view=view)
    if request.method == "DELETE":
        mine.delete()
        return JsonResponse({"message": "Everything is back in its place."})
    body = json_body(request, LIMIT)
    if set(body) != {"places"}:
        raise services.Invalid('Needed: {"places": {id: [slot] or [x, y]}}.')
    try:
        check_places(body["places"])
    except ValidationError as error:
        raise services.Invalid(error.messages[0]) from None
    Layout.objects.update_or_create(user=request.user, cluster=row, view=view, defaults={"places": body["places"]})
    return JsonResponse({"message": "Kept."})
