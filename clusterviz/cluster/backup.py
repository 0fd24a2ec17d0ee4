"""Everything people made as one file that any database takes: clusters with their journal, people and their rights.

A gzip of JSON lines: a head, one line a row as Django serializes it, an end that counts the rows. Sessions, wrong
passwords and the admin's log of actions are left out.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import msgspec
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.base import DeserializationError
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from clusterviz.cluster.models import Cluster

FORMAT = "clusterviz-backup"
APPS = ("auth", "cluster")
AT_ONCE = 500


class BackupError(Exception):
    """A file that cannot be restored, with the reason and what can be done."""


def saved_models() -> list[type[models.Model]]:
    """What a backup holds; whom others point at comes first."""
    return [Group, get_user_model(), *apps.get_app_config("cluster").get_models()]


def migrations() -> dict[str, str]:
    """The newest migration of each app whose rows are saved."""
    applied = MigrationRecorder(connection).applied_migrations()
    return {app: max(name for owner, name in applied if owner == app) for app in APPS}


def backup(path: Path) -> int:
    """Write the file, readable by its owner alone; answers how many rows. It appears whole or not at all.

    What is read is one moment of the database; a server may go on meanwhile. Raises `OSError`.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            with gzip.open(raw, "wt", encoding="utf-8") as file, transaction.atomic():
                head = {"format": FORMAT, "made": timezone.now().isoformat(), "migrations": migrations()}
                file.write(json.dumps(head) + "\n")
                rows = 0
                for model in saved_models():
                    for row in model._default_manager.order_by("pk").iterator(AT_ONCE):  # noqa: SLF001
                        said = serializers.serialize("python", [row], use_natural_foreign_keys=True)
                        # Not Django's own JSON: that cuts times to milliseconds.
                        file.write(msgspec.json.encode(said[0]).decode() + "\n")
                        rows += 1
                file.write(json.dumps({"rows": rows}) + "\n")
            os.fsync(raw.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return rows


@transaction.atomic
def restore(path: Path) -> int:
    """Read a file into an empty database, all of it or nothing; answers how many rows. Raises `BackupError`."""
    if Cluster.objects.exists() or get_user_model().objects.exists():
        raise BackupError(
            "there are clusters or people already: restore into an empty database, as a new folder in CLUSTERVIZ_DATA"
        )
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            _check(json.loads(file.readline()))
            rows = sum(map(_save, _batches(_rows(file))))
        connection.check_constraints()
    except (gzip.BadGzipFile, zlib.error, EOFError, ValueError, DeserializationError, DatabaseError) as error:
        raise BackupError(f"{path.name} is damaged or no backup: {error}") from error
    for statement in connection.ops.sequence_reset_sql(no_style(), saved_models()):
        with connection.cursor() as cursor:
            cursor.execute(statement)
    return rows


def _check(head: Any) -> None:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise BackupError("this file is no backup of ClusterViz")
    if head.get("migrations") != migrations():
        raise BackupError(
            f"this backup was made at {head.get('migrations')}, this database is at {migrations()}: "
            "restore it with the version that made it, and upgrade that"
        )


def _rows(file: Any) -> Iterator[dict[str, Any]]:
    """The rows; the line that counts them must come last."""
    allowed = {model._meta.label_lower for model in saved_models()}  # noqa: SLF001
    for count, line in enumerate(file):
        said = json.loads(line)
        if "rows" in said:
            if said["rows"] != count or file.read(1):
                raise ValueError(f"{said['rows']} rows were saved, which are not what is there")
            return
        if said.get("model") not in allowed:
            raise ValueError(f"a row of {said.get('model')!r}")
        yield said
    raise ValueError("its end is missing")


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows of one model, some hundred at a time."""
    for _, same in groupby(rows, key=lambda row: str(row["model"])):
        while batch := list(islice(same, AT_ONCE)):
            yield batch


def _save(batch: list[dict[str, Any]]) -> int:
    rows = list(serializers.deserialize("python", batch))
    type(rows[0].object)._default_manager.bulk_create([row.object for row in rows])  # noqa: SLF001
    for row in rows:
        for name, related in (row.m2m_data or {}).items():
            getattr(row.object, name).set(related)
    return len(rows)
