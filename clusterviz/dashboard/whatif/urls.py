"""The paths of the questions about a cluster."""

from __future__ import annotations

from django.urls import path

from clusterviz.dashboard.whatif import findings, reach

urlpatterns = [
    path("findings/", findings.findings, name="findings"),
    path("reach/", reach.reach, name="reach"),
    path("reach/trace/", reach.reach_trace, name="reach-trace"),
]
