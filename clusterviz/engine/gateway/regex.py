"""Regular expressions of routes and Ingresses, in RE2: time grows with the text, whatever the pattern.

Dialects differ between controllers; RE2 is the one Envoy has. What only PCRE knows is reported, not guessed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2


@lru_cache(maxsize=256)
def _compiled(pattern: str, fold: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not fold
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def usable(pattern: str) -> bool:
    """Whether RE2 can read it."""
    return _compiled(pattern, False) is not None


def whole(pattern: str, text: str) -> bool:
    """Whether all of the text matches."""
    found = _compiled(pattern, False)
    return found is not None and found.fullmatch(text) is not None


def start(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Whether the text begins with a match; ``fold`` ignores case."""
    found = _compiled(pattern, fold)
    return found is not None and found.match(text) is not None
