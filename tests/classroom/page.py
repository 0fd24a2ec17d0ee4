"""docs/lessons.md: fields from the records, tables from the lessons. `python -m tests.classroom.page` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from clusterviz.classroom import facts, library
from clusterviz.classroom import lesson as records
from clusterviz.classroom.lesson import Lesson
from clusterviz.classroom.syllabus import MISCONCEPTIONS, MISSION

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "lessons.md"
MARK = "<!-- from here on: python -m tests.classroom.page -->"
PARTS = (
    "Lesson",
    "Step",
    "Say",
    "Trigger",
    "Event",
    "Show",
    "Action",
    "Scale",
    "Open",
    "Predict",
    "Choice",
    "Fact",
    "WhatIf",
)


@cache
def lessons() -> list[Lesson]:
    """The lessons that come with ClusterViz."""
    return [library.load(path).lesson for path in library.files()]


def page() -> str:
    """The page as it should be: what people wrote, then the tables."""
    written = PAGE.read_text().partition(MARK)[0] if PAGE.exists() else ""
    return written + MARK + "\n\n" + "\n".join([*_taught(), *_fields()]) + "\n"


def _taught() -> Iterator[str]:
    known = lessons()
    yield from (
        "## The lessons",
        "",
        "| lesson | title | minutes | a student knows afterwards |",
        "| --- | --- | --- | --- |",
    )
    yield from (f"| `{one.id}` | {one.title} | {one.minutes} | {one.goal} |" for one in known)
    yield from ("", "| line of the mission | lessons |", "| --- | --- |")
    for name, text in MISSION.items():
        yield f"| `{name}`: {text} | {_who(known, 'mission', name)} |"
    yield from ("", "| | a belief that is wrong | corrected in |", "| --- | --- | --- |")
    for name, text in MISCONCEPTIONS.items():
        yield f"| {name} | {text} | {_who(known, 'misconceptions', name)} |"
    yield ""


def _who(known: list[Lesson], field: str, name: str) -> str:
    return ", ".join(f"`{one.id}`" for one in known if name in getattr(one, field))


def _fields() -> Iterator[str]:
    yield from ("## Every field", "")
    for part in PARTS:
        yield from (f"### {part}", "", "| field | meaning |", "| --- | --- |")
        for one in msgspec.structs.fields(getattr(records, part)):
            yield f"| `{one.encode_name}` | {_meaning(one.type)} |"
        yield ""
    yield from (
        "What `expect` of a fact, and `value` of a prediction, may name:",
        "",
        "| fact | parts of the answer |",
        "| --- | --- |",
    )
    yield from (f"| `{kind}` | {', '.join(f'`{part}`' for part in parts)} |" for kind, parts in facts.ANSWERS.items())


def _meaning(kind: Any) -> str:
    if get_origin(kind) is None and not hasattr(kind, "__metadata__"):
        return ""
    found = [meta.description for meta in getattr(kind, "__metadata__", ()) if meta.description]
    return found[-1] if found else _meaning(get_args(kind)[0])


if __name__ == "__main__":
    PAGE.write_text(page())
