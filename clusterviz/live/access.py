"""Who may change a cluster, from the picture or by the Kubernetes API."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """What the holder of a kubeconfig may do."""

    VIEWER = "viewer"
    EDITOR = "editor"

    @property
    def may_change(self) -> bool:
        """Whether it may change clusters."""
        return self is Role.EDITOR

    @property
    def may_read_secrets(self) -> bool:
        """Kubernetes' own role ``view`` hides Secrets too."""
        return self is Role.EDITOR


def is_editor(user: Any) -> bool:
    """Whether ``user`` is signed in and may change clusters."""
    return bool(user.is_active and user.has_perm("cluster.change_cluster"))


def role_of(user: Any) -> Role:
    """The role of somebody who looks at the dashboard."""
    return Role.EDITOR if is_editor(user) else Role.VIEWER
