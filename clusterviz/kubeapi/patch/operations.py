"""JSON patch (RFC 6902): a list of operations, carried out all or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from clusterviz.kubeapi.patch.basics import PatchError, check_depth, clone, equal

__all__ = ["json_patch"]

MAX_OPERATIONS: Final = 10_000
# Copies may add this many values in all: a short patch could otherwise double an object thousands of times.
MAX_COPIED: Final = 100_000
# The token for the place after an array's last element.
END: Final = "-"
_ESCAPES: Final = {"~0", "~1"}


class _MissingError(PatchError):
    """There is nothing where a pointer points."""


class _Document:
    """The object under patch, with the budget of its copies."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.budget = MAX_COPIED

    def get(self, pointer: list[str]) -> Any:
        value = self.root
        for token in pointer:
            value = _child(value, token)
        return value

    def add(self, pointer: list[str], value: Any) -> None:
        if not pointer:
            self.root = value
            return
        parent, token = self.get(pointer[:-1]), pointer[-1]
        if isinstance(parent, dict):
            parent[token] = value
        elif isinstance(parent, list):
            parent.insert(len(parent) if token == END else _index(token, len(parent)), value)
        else:
            raise PatchError("the parent is neither an object nor an array", reason="Invalid")

    def remove(self, pointer: list[str]) -> Any:
        if not pointer:
            raise PatchError("the whole document cannot be removed", reason="Invalid")
        parent, token = self.get(pointer[:-1]), pointer[-1]
        value = _child(parent, token)
        if isinstance(parent, list):
            del parent[int(token)]
        else:
            del parent[token]
        return value

    def replace(self, pointer: list[str], value: Any) -> None:
        if pointer:
            parent, token = self.get(pointer[:-1]), pointer[-1]
            _child(parent, token)
            parent[int(token) if isinstance(parent, list) else token] = value
        else:
            self.root = value

    def copied(self, value: Any) -> Any:
        check_depth(value)
        self.budget -= _weight(value)
        if self.budget < 0:
            raise PatchError(f"copy operations may add at most {MAX_COPIED} values in all", reason="Invalid")
        return clone(value)


def json_patch(obj: Any, operations: Any) -> Any:
    """`obj` after `operations`, sharing nothing with either.

    Raises PatchError naming the operation that failed; reason "Invalid" when the object does not fit it.
    """
    if not isinstance(operations, list):
        raise PatchError("a JSON patch must be an array of operations")
    if len(operations) > MAX_OPERATIONS:
        raise PatchError(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}",
            reason="RequestEntityTooLarge",
        )
    check_depth(operations)
    document = _Document(clone(obj))
    for operation in operations:
        _carry_out(document, operation)
    check_depth(document.root)
    return document.root


def _carry_out(document: _Document, operation: Any) -> None:
    if not isinstance(operation, dict):
        raise PatchError("an operation of a JSON patch must be an object")
    name = operation.get("op")
    action = _ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        raise PatchError(f'Unexpected kind: {name}; "op" must be one of {", ".join(_ACTIONS)}')
    pointer = _pointer(operation, "path")
    try:
        action(document, pointer, operation)
    except _MissingError:
        words = f'{name} operation does not apply: doc is missing path: "{operation["path"]}": missing value'
        raise PatchError(words, reason="Invalid") from None
    except PatchError as error:
        raise PatchError(
            f'{name} operation does not apply: "{operation["path"]}": {error}', reason=error.reason
        ) from None


def _add(document: _Document, pointer: list[str], operation: dict[str, Any]) -> None:
    document.add(pointer, clone(_value(operation)))


def _remove(document: _Document, pointer: list[str], _operation: dict[str, Any]) -> None:
    document.remove(pointer)


def _replace(document: _Document, pointer: list[str], operation: dict[str, Any]) -> None:
    document.replace(pointer, clone(_value(operation)))


def _move(document: _Document, pointer: list[str], operation: dict[str, Any]) -> None:
    source = _pointer(operation, "from")
    if len(source) < len(pointer) and pointer[: len(source)] == source:
        raise PatchError("a value cannot be moved into itself", reason="Invalid")
    document.get(source)
    document.add(pointer, document.remove(source) if source else document.root)


def _copy(document: _Document, pointer: list[str], operation: dict[str, Any]) -> None:
    document.add(pointer, document.copied(document.get(_pointer(operation, "from"))))


def _test(document: _Document, pointer: list[str], operation: dict[str, Any]) -> None:
    found = document.get(pointer)
    check_depth(found)
    if not equal(found, _value(operation)):
        raise PatchError("test failed", reason="Invalid")


_ACTIONS: Final[dict[str, Callable[[_Document, list[str], dict[str, Any]], None]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise PatchError('the operation has no "value"')
    return operation["value"]


def _pointer(operation: dict[str, Any], field: str) -> list[str]:
    """The tokens of a JSON pointer (RFC 6901)."""
    text = operation.get(field)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchError(f'"{field}" must be a JSON pointer: "" or a text that begins with "/"')
    tokens = text.split("/")[1:]
    for token in tokens:
        if any(token[at : at + 2] not in _ESCAPES for at, char in enumerate(token) if char == "~"):
            raise PatchError(f'"{field}": in a JSON pointer "~" is written "~0" and "/" is written "~1"')
    return [token.replace("~1", "/").replace("~0", "~") for token in tokens]


def _child(parent: Any, token: str) -> Any:
    if isinstance(parent, list):
        return parent[_index(token, len(parent) - 1)]
    if not isinstance(parent, dict) or token not in parent:
        raise _MissingError("missing value", reason="Invalid")
    return parent[token]


def _index(token: str, last: int) -> int:
    plain = token.isascii() and token.isdigit() and (len(token) == 1 or token[0] != "0")
    if not plain or len(token) > 9 or int(token) > last:
        raise PatchError(f"invalid index referenced: {token}", reason="Invalid")
    return int(token)


def _weight(value: Any) -> int:
    """How many values a value holds, itself included; a long text counts as many."""
    total, stack = 0, [value]
    while stack:
        item = stack.pop()
        total += 1 + (len(item) // 16 if isinstance(item, str) else 0)
        if isinstance(item, (dict, list)):
            stack.extend(item.values() if isinstance(item, dict) else item)
    return total
