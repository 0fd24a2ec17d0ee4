"""The four patch types of the Kubernetes API and the ownership of fields: pure functions on JSON objects."""

from clusterviz.kubeapi.patch import managed
from clusterviz.kubeapi.patch.apply import ApplyConflict, Conflict, server_side_apply
from clusterviz.kubeapi.patch.basics import PatchError, check_depth
from clusterviz.kubeapi.patch.merge import merge_patch
from clusterviz.kubeapi.patch.operations import json_patch
from clusterviz.kubeapi.patch.strategic import strategic_merge

__all__ = [
    "ApplyConflict",
    "Conflict",
    "PatchError",
    "check_depth",
    "json_patch",
    "managed",
    "merge_patch",
    "server_side_apply",
    "strategic_merge",
]
