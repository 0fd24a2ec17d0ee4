"""JSON merge patch (RFC 7386): null removes, an object merges, anything else replaces."""

from __future__ import annotations

from typing import Any

from clusterviz.kubeapi.patch.basics import check_depth, clone

__all__ = ["merge_patch"]


def merge_patch(obj: Any, patch: Any) -> Any:
    """`obj` with `patch` merged in, sharing nothing with either. Raises PatchError when nested too deeply."""
    check_depth(patch)
    return _merged(clone(obj), patch)


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return clone(patch)
    result = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result
