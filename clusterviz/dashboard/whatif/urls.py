"""The paths of the questions about a cluster."""

from __future__ import annotations

from django.urls import path

from clusterviz.dashboard.whatif import findings

urlpatterns = [
    path("findings/", findings.findings, name="findings"),
]
