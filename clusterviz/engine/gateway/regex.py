"""Regular expressions of routes and Ingresses, in RE2: time grows with the text, whatever the pattern.

Dialects differ between controllers; RE2 is the one Envoy has. What only PCRE knows is reported, not guessed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2


@lru_cache(maxsize=256)
def compiled(pattern: str, *, fold: bool = False) -> Any:
    """The expression, None when RE2 cannot read it; ``fold`` ignores case."""
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
    return compiled(pattern) is not None


def whole(pattern: str, text: str) -> bool:
    """Whether all of the text matches."""
    found = compiled(pattern)
    return found is not None and found.fullmatch(text) is not None
