"""The pages: cluster list, dashboard, sign in and out, health."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods

from clusterviz.cluster.models import Cluster
from clusterviz.dashboard.forms import ClusterForm
from clusterviz.live.access import is_editor

COUNTED = {"nodes": "node", "pods": "pod", "services": "service", "flows": "trafficflow"}


class SignIn(LoginView):
    """Sign in; a signed-in person is sent on."""

    template_name = "dashboard/login.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Sign out, by POST only."""


@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """All clusters as cards; editors create another one here."""
    form = ClusterForm(request.POST or None)
    if request.method == "POST":
        if not is_editor(request.user):
            return refuse(request, 403)
        if form.is_valid():
            name = create(form)
            if name:
                messages.success(request, f"Cluster {name} is ready: import manifests into it.")
                return redirect("dashboard:cluster", name=name)
    context = {"clusters": counted(), "form": form, "editor": is_editor(request.user)}
    return render(request, "dashboard/index.html", context, status=422 if form.errors else 200)


def create(form: ClusterForm) -> str:
    """The name of the new cluster, or "" with the reason in the form."""
    from clusterviz.cluster import services

    data = form.cleaned_data
    try:
        return services.create_cluster(data["name"], title=data["title"]).name
    except ValidationError as error:
        form.add_error("name", error)
    return ""


def counted() -> QuerySet[Cluster]:
    """The clusters with how much is in each."""
    return Cluster.objects.annotate(**{name: Count(model, distinct=True) for name, model in COUNTED.items()})


@ensure_csrf_cookie
@require_GET
def cluster(request: HttpRequest, name: str) -> HttpResponse:
    """The dashboard of one cluster; everything else comes by script."""
    row = get_object_or_404(Cluster, name=name)
    return render(request, "dashboard/cluster.html", {"cluster": row, "editor": is_editor(request.user)})


@require_GET
def healthz(_request: HttpRequest) -> HttpResponse:
    """Whether the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def readyz(_request: HttpRequest) -> HttpResponse:
    """Whether it can serve: the database answers and has its tables."""
    try:
        Cluster.objects.exists()
    except DatabaseError:
        connection.close()
        return HttpResponse("database not ready\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


ERRORS = {
    400: ("That request made no sense", "Something in the address or the form could not be read."),
    403: ("Not allowed", "You need to sign in as somebody who may change clusters."),
    404: ("Nothing here", "There is no page or cluster at this address."),
    500: ("Something broke on our side", "The cluster itself is not affected. The server's log says what happened."),
}
JSON_PATHS = ("snapshot", "trace", "objects", "export", "import", "actions")


def refuse(request: HttpRequest, status: int) -> HttpResponse:
    """A friendly page, or JSON where docs/protocol.md promises JSON."""
    title, text = ERRORS[status]
    parts = request.path.strip("/").split("/")
    if parts[0] == "clusters" and len(parts) > 2 and parts[2] in JSON_PATHS:
        return JsonResponse({"error": f"{title}. {text}"}, status=status)
    return render(request, "errors/error.html", {"status": status, "title": title, "text": text}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Page 400."""
    return refuse(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Page 403."""
    return refuse(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Page 404."""
    return refuse(request, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token, usually a page left open since before a sign-in."""
    if request.path.startswith("/clusters/"):
        return JsonResponse({"error": "This page is out of date: reload it and try again."}, status=403)
    context = {"status": 403, "title": "This page is out of date", "text": "Reload it and try again."}
    return render(request, "errors/error.html", context, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Page 500; it must not need the database."""
    title, text = ERRORS[500]
    if request.path.startswith("/clusters/") and not request.path.endswith("/"):
        return JsonResponse({"error": f"{title}. {text}"}, status=500)
    return render(None, "errors/error.html", {"status": 500, "title": title, "text": text}, status=500)  # type: ignore[arg-type]
