"""Plain YAML scalars, read as kubectl reads them (YAML 1.1 without dates and base-60 numbers)."""

from __future__ import annotations

import math
import re
from typing import Any

TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
NULL = frozenset({"", "~", "null", "Null", "NULL"})
_NUMBER_START = frozenset("-+.0123456789")
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAG = "tag:yaml.org,2002:"
# A bare `=` has a type of its own in YAML 1.1 (IMP-02); kubectl takes it as text, and so do dates.
TEXT_TAGS = frozenset({f"{_TAG}str", f"{_TAG}value", f"{_TAG}timestamp", f"{_TAG}binary", "!"})
TYPED_TAGS = frozenset({f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}null"})
COLLECTION_TAGS = frozenset({f"{_TAG}map", f"{_TAG}seq", f"{_TAG}omap", "!"})


def plain(text: str) -> Any:
    """The value of an unquoted scalar."""
    if text and text[0] in _NUMBER_START:
        return _number(text)
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    return None if text in NULL else text


def key(value: Any) -> str:
    """A mapping key as JSON writes it: always text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(text: str) -> Any:
    if _INTEGER.fullmatch(text) and len(text) <= 20:
        digits = text.replace("_", "")
        if re.fullmatch("[-+]?0[0-7]+", digits):
            return int(digits, 8)
        return int(digits, 0)
    if _FLOAT.fullmatch(text) and len(text) <= 100:
        value = float(text)
        return value if math.isfinite(value) else text
    return text
