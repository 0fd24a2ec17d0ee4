"""Every HTTP path of docs/protocol.md."""

from __future__ import annotations

from django.urls import include, path

from clusterviz.dashboard import api, history, kubeconfig, layouts, network_settings, views

app_name = "dashboard"

urlpatterns = [
    path("", views.index, name="index"),
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", views.SignOut.as_view(), name="logout"),
    path("replay/", views.replay, name="replay"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("clusters/<slug:name>/", views.cluster, name="cluster"),
    path("clusters/<slug:name>/", include("clusterviz.dashboard.whatif.urls")),
    path("clusters/<slug:name>/snapshot", api.snapshot, name="snapshot"),
    path("clusters/<slug:name>/entities", api.entities, name="entities"),
    path("clusters/<slug:name>/sums", api.sums, name="sums"),
    path("clusters/<slug:name>/search", api.search, name="search"),
    path("clusters/<slug:name>/history", history.history, name="history"),
    path("clusters/<slug:name>/trace", api.trace, name="trace"),
    path("clusters/<slug:name>/capture", api.capture, name="capture"),
    path("clusters/<slug:name>/objects/<path:ref>/texts", api.texts, name="texts"),
    path("clusters/<slug:name>/objects/<path:ref>", api.detail, name="object"),
    path("clusters/<slug:name>/export", api.export, name="export"),
    path("clusters/<slug:name>/kubeconfig", kubeconfig.kubeconfig, name="kubeconfig"),
    path("clusters/<slug:name>/import", api.import_manifests, name="import"),
    path("clusters/<slug:name>/actions", api.act, name="actions"),
    path("clusters/<slug:name>/layouts", layouts.layouts, name="layouts"),
    path("clusters/<slug:name>/layouts/<str:view>", layouts.layout, name="layout"),
    path("clusters/<slug:name>/settings", network_settings.network_settings, name="settings"),
]
