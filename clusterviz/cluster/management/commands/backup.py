"""Save everything people made as one file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.backup import backup
from clusterviz.cluster.management.database import ready_database


class Command(BaseCommand):
    """One file, one transaction."""

    help = "Save clusters with their journal, people and their rights as one file; a server may go on meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which file."""
        parser.add_argument("file", metavar="FILE", help="a name that ends in .jsonl.gz says what it is")

    def handle(self, *_: Any, **options: Any) -> None:
        """Save, and say how much."""
        ready_database(self.stderr.write)
        try:
            rows = backup(Path(options["file"]))
        except OSError as error:
            raise CommandError(f"cannot write {options['file']}: {error.strerror}") from None
        self.stdout.write(f"{rows} rows are in {options['file']}. It holds password hashes: keep it safe.")
