"""The pages: cluster list, dashboard, sign in and out, health."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster
from clusterviz.dashboard.forms import ClusterForm
from clusterviz.live import metrics as live_metrics
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
            raise PermissionDenied
        if form.is_valid():
            name = create(request, form)
            if name:
                messages.success(request, f"Cluster {name} is ready: import manifests into it.")
                return redirect("dashboard:cluster", name=name)
    context = {"clusters": counted(), "form": form, "editor": is_editor(request.user)}
    return render(request, "dashboard/index.html", context, status=422 if form.errors else 200)


def create(request: HttpRequest, form: ClusterForm) -> str:
    """The name of the new cluster, or "" with the reason in the form."""
    data = form.cleaned_data
    try:
        made = services.create_cluster(data["name"], title=data["title"], actor=request.user.get_username())
    except services.Invalid as error:
        for one in error.problems:
            form.add_error("name", one.message)
        return ""
    return made.name


def counted() -> QuerySet[Cluster]:
    """The clusters with how much is in each."""
    return Cluster.objects.annotate(**{name: _number_of(model) for name, model in COUNTED.items()})


def _number_of(model: str) -> Coalesce:
    """A count of its own for each table: one over all of them joined would never end for a large cluster."""
    rows = apps.get_model("cluster", model)._default_manager.filter(cluster=OuterRef("pk")).order_by()  # noqa: SLF001
    return Coalesce(Subquery(rows.values("cluster").annotate(number=Count("pk")).values("number")), 0)


@ensure_csrf_cookie
@require_GET
def cluster(request: HttpRequest, name: str) -> HttpResponse:
    """The dashboard of one cluster; everything else comes by script."""
    row = get_object_or_404(Cluster, name=name)
    return render(request, "dashboard/cluster.html", {"cluster": row, "editor": is_editor(request.user)})


@require_GET
def replay(request: HttpRequest) -> HttpResponse:
    """The dashboard of a recording: the file stays in the browser."""
    named = Cluster(name="recording", title="Recording")  # never saved
    return render(request, "dashboard/cluster.html", {"cluster": named, "editor": False, "replay": True})


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


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """This process for Prometheus: for who sends ``CLUSTERVIZ_METRICS_TOKEN``, or is signed in as staff."""
    token = settings.METRICS_TOKEN
    sent = request.headers.get("Authorization", "")
    known = bool(token) and constant_time_compare(sent, f"Bearer {token}")
    if not known and not (request.user.is_active and request.user.is_staff):
        words = "Send the token of CLUSTERVIZ_METRICS_TOKEN as `Authorization: Bearer`, or sign in as staff.\n"
        return HttpResponse(words, status=403, content_type="text/plain")
    return HttpResponse(live_metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")
