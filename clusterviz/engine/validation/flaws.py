"""What is wrong with an object: field and message, in kube-apiserver's words."""

from __future__ import annotations

import json
from typing import Any

import msgspec


class Flaw(msgspec.Struct, frozen=True):
    """One thing kube-apiserver would refuse."""

    field: str
    message: str

    def __str__(self) -> str:
        """As kubectl prints it."""
        named = not self.field or f'"{self.field}"' in self.message
        return self.message if named else f"{self.field}: {self.message}"


class Flaws(list[Flaw]):
    """A list of flaws with the standard sentences."""

    def required(self, field: str, detail: str = "") -> None:
        """A field that must be there."""
        self.append(Flaw(field, f"Required value: {detail}" if detail else "Required value"))

    def invalid(self, field: str, value: Any, detail: str) -> None:
        """A value that cannot be."""
        self.append(Flaw(field, f"Invalid value: {quote(value)}: {detail}"))

    def duplicate(self, field: str, value: Any) -> None:
        """A value that stands twice."""
        self.append(Flaw(field, f"Duplicate value: {quote(value)}"))

    def unsupported(self, field: str, value: Any, allowed: tuple[str, ...]) -> None:
        """A value outside a closed list."""
        names = ", ".join(quote(name) for name in sorted(allowed))
        self.append(Flaw(field, f"Unsupported value: {quote(value)}: supported values: {names}"))

    def forbidden(self, field: str, detail: str) -> None:
        """A field that may not be there."""
        self.append(Flaw(field, f"Forbidden: {detail}"))

    def choice(self, field: str, value: str, allowed: tuple[str, ...]) -> None:
        """An optional value of a closed list."""
        if value and value not in allowed:
            self.unsupported(field, value, allowed)

    def port(self, field: str, value: int) -> None:
        """A port number."""
        if not 1 <= value <= 65535:
            self.invalid(field, value, "must be between 1 and 65535, inclusive")

    def check(self, field: str, value: str, detail: str) -> None:
        """A value whose checker answered ``detail``, "" when it is fine."""
        if detail:
            self.invalid(field, value, detail)


def quote(value: Any) -> str:
    """A value as it stands in a message, cut when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:200]}..."
