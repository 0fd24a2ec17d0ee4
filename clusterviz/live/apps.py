"""The app that lets clusters live and tells browsers about it."""

from __future__ import annotations

from django.apps import AppConfig


class LiveConfig(AppConfig):
    """Nothing starts here: `ready` runs for every command; `runner.start` is the server's to call."""

    name = "clusterviz.live"
    label = "live"
