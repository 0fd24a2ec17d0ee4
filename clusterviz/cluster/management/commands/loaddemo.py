"""Make the demo cluster."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster import demo, services
from clusterviz.cluster.management.database import ready_database
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.settling import settle


class Command(BaseCommand):
    """A small shop with every kind of traffic; does nothing when it is there already."""

    help = "Make the demo cluster, a small shop with every kind of traffic."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to call it."""
        parser.add_argument("--name", default="demo", help="name of the cluster (default: demo)")

    def handle(self, *_: Any, **options: Any) -> None:
        """Load and settle."""
        ready_database(self.stderr.write)
        name = options["name"]
        if Cluster.objects.filter(name=name).exists():
            self.stdout.write(f"Cluster {name} is there already; nothing was changed.")
            return
        try:
            demo.load(name, actor="loaddemo")
        except services.Invalid as error:
            raise CommandError(str(error)) from None
        settle(name)
        self.stdout.write(f"Cluster {name} is ready.")
