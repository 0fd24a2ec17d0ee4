"""Who may change a cluster from the picture."""

from __future__ import annotations

from typing import Any


def is_editor(user: Any) -> bool:
    """Whether ``user`` is signed in and may change clusters."""
    return bool(user.is_active and user.has_perm("cluster.change_cluster"))
