"""The kubeconfig of whoever looks at the dashboard."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache

from clusterviz.cluster.models import Cluster
from clusterviz.dashboard.api import answered, method
from clusterviz.kubeapi.kubeconfig import kubeconfig as text_of
from clusterviz.live.access import role_of


@answered
@method("GET")
@never_cache
def kubeconfig(request: HttpRequest, name: str) -> HttpResponse:
    """The file for the person's own role, as an attachment."""
    cluster = get_object_or_404(Cluster, name=name)
    text = text_of(cluster, role_of(request.user), request.build_absolute_uri("/"))
    answer = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{cluster.name}.kubeconfig"'
    return answer
