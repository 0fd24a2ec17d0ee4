"""Commands that change a cluster nobody is running settle it themselves, so that its pods exist."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

# A dotted path, so that this app need not know the one that runs clusters.
DEFAULT = "clusterviz.live.runner.settle"


def settle(name: str) -> bool:
    """Step the cluster until it rests; False when somebody runs it already."""
    return bool(import_string(getattr(settings, "CLUSTERVIZ_SETTLE", DEFAULT))(name))
