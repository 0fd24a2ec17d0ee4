"""Commands work on a new machine: the database is brought up to date before it is asked."""

from __future__ import annotations

from collections.abc import Callable

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def ready_database(say: Callable[[str], object]) -> None:
    """Apply the migrations that are missing; ``say`` gets one line before anything slow."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Preparing the database ...")
        call_command("migrate", interactive=False, verbosity=0)
