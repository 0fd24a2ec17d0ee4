"""The paths of the questions about a cluster."""

from __future__ import annotations

from django.urls import path

from clusterviz.dashboard.whatif import compare, findings, forks, reach

urlpatterns = [
    path("findings/", findings.findings, name="findings"),
    path("reach/", reach.reach, name="reach"),
    path("reach/trace/", reach.reach_trace, name="reach-trace"),
    path("compare/", compare.comparison, name="compare"),
    path("compare/traces/", compare.traces, name="compare-traces"),
    path("forks/", forks.forks, name="forks"),
    path("forks/<str:what>/", forks.decide, name="fork-decide"),
]
