"""Manifests named on a command line: a file, a folder, or - for standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from django.core.management.base import CommandError

from clusterviz.engine.manifests import Limits

SUFFIXES = {".yaml", ".yml", ".json"}


def read_path(path: str) -> list[tuple[str, bytes]]:
    """Name and content of what to read; one byte more than allowed is enough to refuse it."""
    limit = Limits().size + 1
    if path == "-":
        return [("standard input", sys.stdin.buffer.read(limit))]
    where = Path(path)
    if where.is_dir():
        names = sorted(p for p in where.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not names:
            raise CommandError(f"{path} holds no .yaml, .yml or .json file", returncode=2)
        return [(str(name.relative_to(where)), _start(name, limit)) for name in names]
    if not where.is_file():
        raise CommandError(f"{path} is neither a file nor a folder", returncode=2)
    return [(where.name, _start(where, limit))]


def _start(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}", returncode=2) from None
