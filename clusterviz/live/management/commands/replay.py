"""`manage.py replay FILE`: what happened in a recording, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clusterviz.live.recording import Recording, RecordingError, happenings, read


class Command(BaseCommand):
    """Prints events and changes of a recording; the dashboard's page /replay/ plays it."""

    help = "Print what happened in a recording made with the dashboard."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """One file."""
        parser.add_argument("file", type=Path, help="a .clusterviz.gz file")
        parser.add_argument("--calls", action="store_true", help="print every connection that was drawn too")
        parser.add_argument("--json", action="store_true", help="print JSON lines: time and text")

    def handle(self, *_args: Any, file: Path, calls: bool, json: bool, **_options: Any) -> None:
        """Print; damaged files end with a sentence."""
        try:
            lines = list(as_json(read(file), calls=calls) if json else in_words(read(file), calls=calls))
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}") from None
        except RecordingError as error:
            raise CommandError(f"{file}: {error}") from None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise CommandError(f"{file}: a line lacks what docs/protocol.md says it has: {error!r}") from None
        for line in lines:
            self.stdout.write(printable(line))


def as_json(recording: Recording, *, calls: bool) -> Iterator[str]:
    """JSON lines."""
    for time, text in happenings(recording, calls=calls):
        yield msgspec.json.encode({"time": time, "text": text}).decode()


def in_words(recording: Recording, *, calls: bool) -> Iterator[str]:
    """What it is, and what happened."""
    head = recording.head
    yield f"{head.cluster}, {clock(head.from_)} UTC, {head.to - head.from_:.1f} s, {len(recording.lines)} lines"
    yield f"SHA-256 {recording.sha256}"
    for time, text in happenings(recording, calls=calls):
        yield f"{clock(time)}  {text}"


def printable(line: str) -> str:
    """A stranger's file must not command the terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)


def clock(time: float) -> str:
    """A moment, UTC."""
    return f"{datetime.fromtimestamp(time, tz=UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
