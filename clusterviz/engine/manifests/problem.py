"""What is wrong in a file, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from clusterviz.engine.errors import EngineError


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to refuse: ``document`` and ``line`` count from 1, 0 means unknown."""

    message: str
    file: str = ""
    document: int = 0
    line: int = 0
    object: str = ""
    field: str = ""

    @property
    def place(self) -> str:
        """``shop.yaml:12 (document 3)``, as far as it is known."""
        place = f"{self.file or 'input'}:{self.line}" if self.line else self.file
        document = f"(document {self.document})" if self.document else ""
        return " ".join(part for part in (place, document) if part)

    @property
    def sentence(self) -> str:
        """Field and message, without saying the field twice."""
        named = not self.field or f'"{self.field}"' in self.message
        return self.message if named else f"{self.field}: {self.message}"

    def __str__(self) -> str:
        """One line for people."""
        return ": ".join(part for part in (self.place, self.object, self.sentence) if part)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return msgspec.structs.asdict(self)


class ManifestError(EngineError):
    """A file that cannot be read; ``problems`` says why and where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))
