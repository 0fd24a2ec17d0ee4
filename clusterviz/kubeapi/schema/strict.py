"""fieldValidation: fields that a kind does not have, and fields that a body says twice."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from clusterviz.kubeapi.schema.model import Walker

__all__ = ["duplicate_fields", "strict_error", "unknown_fields"]

# As kube-apiserver: one body is not answered with more words than these.
MAX_WORDS: Final = 100


class _Pairs(dict[str, Any]):
    """An object that remembers which keys stood in the text more than once."""

    repeated: tuple[str, ...] = ()


def unknown_fields(obj: Any, schema: Walker) -> list[str]:
    """`unknown field "spec.replicaz"` for each field that the schema does not have; a kind without schema has all."""
    found: list[str] = []
    _unknown(obj, schema, "", found)
    return [f'unknown field "{path}"' for path in found[:MAX_WORDS]]


def _unknown(value: Any, place: Walker, path: str, found: list[str]) -> None:
    if isinstance(value, list):
        item_place = place.item
        for at, item in enumerate(value):
            if isinstance(item, (dict, list)):
                _unknown(item, item_place, f"{path}[{at}]", found)
        return
    target = place.target
    closed = bool(target.properties) and not target.open and not target.additional
    for key, item in value.items() if isinstance(value, dict) else ():
        below = f"{path}.{key}" if path else key
        if closed and key not in target.properties:
            found.append(below)
        elif isinstance(item, (dict, list)) and (child := place.field(key)).known:
            _unknown(item, child, below, found)


def duplicate_fields(body: bytes) -> list[str]:
    """`duplicate field "spec.replicas"` for each key that a JSON body says twice. Raises ValueError otherwise."""
    try:
        value = json.loads(body, object_pairs_hook=_pairs)
    except RecursionError as error:
        raise ValueError("exceeded max depth") from error
    found: list[str] = []
    _repeated(value, "", found)
    return [f'duplicate field "{path}"' for path in found[:MAX_WORDS]]


def _pairs(pairs: list[tuple[str, Any]]) -> _Pairs:
    made = _Pairs(pairs)
    if len(made) < len(pairs):
        counts = Counter(key for key, _value in pairs)
        made.repeated = tuple(key for key, times in counts.items() if times > 1)
    return made


def _repeated(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, list):
        for at, item in enumerate(value):
            _repeated(item, f"{path}[{at}]", found)
    elif isinstance(value, _Pairs):
        found.extend(f"{path}.{key}" if path else key for key in value.repeated)
        for key, item in value.items():
            _repeated(item, f"{path}.{key}" if path else key, found)


def strict_error(words: list[str]) -> str:
    """What fieldValidation=Strict answers to these words."""
    return f"strict decoding error: {', '.join(words)}"
