"""Read what `backup` saved into an empty database."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.backup import BackupError, restore
from clusterviz.cluster.management.database import ready_database


class Command(BaseCommand):
    """One file, one transaction."""

    help = "Read what `backup` saved into an empty database, all or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which file."""
        parser.add_argument("file", metavar="FILE", help="a name that ends in .jsonl.gz says what it is")

    def handle(self, *_: Any, **options: Any) -> None:
        """Restore, and say how much."""
        ready_database(self.stderr.write)
        try:
            rows = restore(Path(options["file"]))
        except BackupError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"cannot read {options['file']}: {error.strerror}") from None
        self.stdout.write(f"{rows} rows were restored.")
