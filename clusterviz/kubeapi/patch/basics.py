"""What all four patch types share: their error, a copy that shares nothing, a bound on nesting."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["MAX_DEPTH", "PatchError", "check_depth", "clone", "equal"]

# Deeper nesting than any manifest has would only tire the interpreter.
MAX_DEPTH: Final = 100


class PatchError(ValueError):
    """A patch that cannot be carried out; its words are for the user.

    `reason` is the Status reason it calls for: "BadRequest" for a patch that is no patch, "Invalid" for one that
    does not fit the object.
    """

    def __init__(self, message: str, *, reason: str = "BadRequest") -> None:
        super().__init__(message)
        self.reason = reason


def clone(value: Any) -> Any:
    """A copy of JSON data that shares no list or dict with the original."""
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    return [clone(item) for item in value] if isinstance(value, list) else value


def equal(left: Any, right: Any) -> bool:
    """JSON equality: unlike Python's, true is not 1; like JSON's, 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return bool(left == right)


def check_depth(value: Any) -> None:
    """Raises PatchError when `value` is nested more than MAX_DEPTH deep; everything else here may then recurse."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise PatchError(f"exceeded max depth: objects may be nested at most {MAX_DEPTH} deep")
