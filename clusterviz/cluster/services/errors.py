"""What the write path answers: a summary, or why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from clusterviz.cluster.keys import Key, describe
from clusterviz.engine.manifests.problem import Problem


class Invalid(Exception):  # noqa: N818  Kubernetes calls this answer "Invalid"
    """A wish that is refused; nothing was changed. ``problems`` say what, where and what is allowed."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        self.problems = [Problem(message=problems)] if isinstance(problems, str) else list(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a summary, and where in the files it stands."""

    kind: str
    namespace: str
    name: str
    file: str = ""
    document: int = 0
    line: int = 0
    why: str = ""

    @property
    def key(self) -> Key:
        """``(kind, namespace, name)``."""
        return self.kind, self.namespace, self.name

    def __str__(self) -> str:
        """One line for people."""
        place = f" ({self.file or 'input'}:{self.line}, document {self.document})" if self.line else ""
        return describe(self.key) + place + (f": {self.why}" if self.why else "")


class Summary(msgspec.Struct, kw_only=True):
    """What an import did, or would do."""

    created: list[Entry] = []
    changed: list[Entry] = []
    unchanged: list[Entry] = []
    ignored: list[Entry] = []
    warnings: list[Entry] = []
    dry_run: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def extend(self, other: Summary) -> None:
        """Add the entries of another summary."""
        self.created += other.created
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.ignored += other.ignored
        self.warnings += other.warnings

    def __str__(self) -> str:
        """Counts and lists, for a terminal."""
        verb = "would be " if self.dry_run else ""
        lines = []
        for name in ("created", "changed", "unchanged", "ignored"):
            entries: list[Entry] = getattr(self, name)
            if not entries:
                continue
            lines.append(f"{len(entries)} {verb}{name}")
            lines += [f"  {entry}" for entry in entries if name != "unchanged"]
        lines += [f"warning: {entry}" for entry in self.warnings]
        return "\n".join(lines) or "nothing to do"
