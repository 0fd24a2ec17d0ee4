"""A file of statements: a YAML list, each a sentence, or ``{test: sentence, why: what it is for}``."""

from __future__ import annotations

from typing import Any

import msgspec

from clusterviz.engine.manifests.problem import ManifestError, Problem
from clusterviz.engine.manifests.read import Document, Limits, read_value
from clusterviz.engine.statements.grammar import Statement, StatementError, parse

LIMITS = Limits(size=1024 * 1024, documents=1, depth=10, nodes=50_000)
SHAPE = "a list of statements, each a sentence or {test: sentence, why: words}"


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of a file and its line; ``why`` is its author's reason."""

    statement: Statement
    file: str
    line: int
    why: str = ""


def read_tests(text: str, file: str = "") -> list[Test]:
    """The statements of a file. Raises `ManifestError` with every problem, each with its line."""
    if len(text.encode(errors="replace")) > LIMITS.size:
        raise ManifestError([Problem(message=f"too large: at most {LIMITS.size // 1024} KiB", file=file)])
    try:
        value, document = read_value(text, LIMITS)
    except ManifestError as error:
        raise ManifestError([msgspec.structs.replace(one, file=file) for one in error.problems]) from None
    at = "tests" if isinstance(value, dict) and list(value) == ["tests"] else ""
    entries = value["tests"] if at else value
    if not isinstance(entries, list) or not entries:
        raise ManifestError([Problem(message=f"expected {SHAPE}", file=file, line=1)])
    found: list[Test] = []
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        field = f"{at}[{index}]"
        try:
            found.append(_test(entry, file, document, field))
        except StatementError as error:
            allowed = f" (allowed: {error.allowed})" if error.allowed else ""
            problems.append(Problem(message=f"{error}{allowed}", file=file, line=document.line_at(field), field=field))
    if problems:
        raise ManifestError(problems)
    return found


def _test(entry: Any, file: str, document: Document, field: str) -> Test:
    if isinstance(entry, str):
        return Test(statement=parse(entry), file=file, line=document.line_at(field))
    if not isinstance(entry, dict) or not entry.keys() <= {"test", "why"} or not isinstance(entry.get("test"), str):
        raise StatementError("this is no statement", SHAPE)
    why = entry.get("why", "")
    if not isinstance(why, str):
        raise StatementError("why must be words", SHAPE)
    return Test(statement=parse(entry["test"]), file=file, line=document.line_at(f"{field}.test"), why=why)
