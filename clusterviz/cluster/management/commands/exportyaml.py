"""Print a cluster as Kubernetes manifests."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster import services
from clusterviz.cluster.management.database import ready_database
from clusterviz.cluster.models import Cluster


class Command(BaseCommand):
    """Manifests that kubectl accepts."""

    help = "Print a cluster as manifests that kubectl accepts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which cluster, and whether with its traffic."""
        parser.add_argument("--cluster", default="demo", metavar="NAME")
        parser.add_argument("--flows", action="store_true", help="add what only ClusterViz knows: flows and settings")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print."""
        ready_database(self.stderr.write)
        cluster = Cluster.objects.filter(name=options["cluster"]).first()
        if cluster is None:
            raise CommandError(f"there is no cluster {options['cluster']!r}")
        for piece in services.export_pieces(cluster, flows=options["flows"]):
            self.stdout.write(piece, ending="")
