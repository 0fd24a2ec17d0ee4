"""Make the demo cluster, or a made-up one of any size."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster import demo, services
from clusterviz.cluster.management.database import ready_database
from clusterviz.cluster.management.progress import Progress
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.settling import settle
from clusterviz.engine.generate import Size

PODS_A_NODE = 30
PODS_A_SERVICE = 15
NUMBERS = ("nodes", "pods", "services")


class Command(BaseCommand):
    """Does nothing when a cluster of that name is there already."""

    help = (
        "Make the demo cluster, a small shop with every kind of traffic; with --nodes, --pods or --services a made-up "
        "cluster of that size instead."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to call it, and how large it is to be."""
        parser.add_argument("--name", default="demo", help="name of the cluster (default: demo)")
        for what in NUMBERS:
            parser.add_argument(f"--{what}", type=int, metavar="N", help=f"number of {what} of a made-up cluster")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same cluster (default: 1)")

    def handle(self, *_: Any, **options: Any) -> None:
        """Load, and settle what is not settled."""
        ready_database(self.stderr.write)
        name = options["name"]
        if Cluster.objects.filter(name=name).exists():
            self.stdout.write(f"Cluster {name} is there already; nothing was changed.")
            return
        started = time.monotonic()
        try:
            if any(options[what] is not None for what in NUMBERS):
                self._generate(name, size_of(options), options["seed"])
            else:
                demo.load(name, actor="loaddemo")
                settle(name)
        except services.Invalid as error:
            raise CommandError("\n".join(map(str, error.problems))) from None
        self.stdout.write(f"Cluster {name} is ready after {time.monotonic() - started:.1f} s.")

    def _generate(self, name: str, size: Size, seed: int) -> None:
        progress = Progress(f"Cluster {name}")
        services.create_generated(name, size, seed=seed, tell=progress.tell)
        progress.end()


def size_of(options: dict[str, Any]) -> Size:
    """The size asked for; numbers that are left out follow from the others."""
    nodes, pods, faces = (options[what] for what in NUMBERS)
    if pods is None:
        pods = nodes * PODS_A_NODE if nodes is not None else faces * PODS_A_SERVICE
    if nodes is None:
        nodes = -(-pods // PODS_A_NODE)
    if faces is None:
        faces = max(2, pods // PODS_A_SERVICE)
    return Size(nodes, pods, faces)
