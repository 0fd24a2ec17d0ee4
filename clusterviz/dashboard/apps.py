"""The dashboard app: pages and the HTTP face of docs/protocol.md."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig

from clusterviz.words import compile_if_changed


class DashboardConfig(AppConfig):
    """Registers the system checks of this app."""

    name = "clusterviz.dashboard"
    label = "dashboard"

    def ready(self) -> None:
        """Load the checks; importing them registers them. Compile what was translated since the last start."""
        if find_spec("clusterviz.dashboard.checks"):
            import_module("clusterviz.dashboard.checks")
        compile_if_changed()
