"""Load Kubernetes manifests into a cluster."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from clusterviz.cluster import services
from clusterviz.cluster.management.database import ready_database
from clusterviz.cluster.management.paths import read_path
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.settling import settle
from clusterviz.engine.manifests import Document

ACTOR = "importyaml"


class Command(BaseCommand):
    """All or nothing, with a summary of what was created, changed and ignored."""

    help = "Load Kubernetes manifests (a file, a folder, or - for standard input) into a cluster, all or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where from, where to."""
        parser.add_argument("path", metavar="FILE|DIR|-")
        parser.add_argument("--cluster", default="demo", metavar="NAME", help="into which cluster (default: demo)")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen, change nothing")
        parser.add_argument("--create", action="store_true", help="make the cluster if there is none of that name")

    def handle(self, *_: Any, **options: Any) -> None:
        """Read, apply, settle, tell."""
        ready_database(self.stderr.write)
        name, dry_run = options["cluster"], options["dry_run"]
        try:
            documents = services.read_files(read_path(options["path"]))
            # One transaction, so that a refused import leaves no empty cluster behind.
            with transaction.atomic():
                cluster = self._cluster(name, documents, create=options["create"])
                summary = services.import_documents(cluster, documents, actor=ACTOR, dry_run=dry_run)
                transaction.set_rollback(dry_run)
        except services.Invalid as error:
            for problem in error.problems:
                self.stderr.write(self.style.ERROR(str(problem)))
            raise CommandError("nothing was changed") from None
        self.stdout.write(f"Into cluster {name}:")
        self.stdout.write(str(summary))
        if not dry_run:
            self.stdout.write("The running server takes it from here." if not settle(name) else "Settled.")

    def _cluster(self, name: str, documents: list[Document], *, create: bool) -> Cluster:
        found = Cluster.objects.filter(name=name).first()
        if found is not None:
            return found
        if not create:
            raise CommandError(f"there is no cluster {name!r}; add --create to make it")
        made = services.create_for(name, documents, actor=ACTOR)
        for setting, origin in made.origins.items():
            self.stdout.write(f"Setting {setting}: {made.settings[setting]}, from {origin}")
        return made
