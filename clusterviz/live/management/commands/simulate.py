"""`manage.py simulate`: keep every cluster alive in a process of its own."""

import asyncio
import signal
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from clusterviz.cluster.management.database import ready_database
from clusterviz.cluster.models import Cluster
from clusterviz.live import runner


class Command(BaseCommand):
    """Step all clusters until interrupted, or one until it is at rest."""

    help = "Run the simulators of all clusters until interrupted."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--settle NAME`` does one cluster's pending work and ends."""
        parser.add_argument("--settle", metavar="NAME", help="step this cluster until it is at rest, then end")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Settle one cluster or keep all."""
        ready_database(self.stderr.write)
        name = options["settle"]
        if name:
            self.settle(name)
            return
        self.stdout.write("Simulating all clusters. Stop it with Ctrl-C.")
        self.stdout.flush()
        asyncio.run(self.keep())
        self.stdout.write("Stopped.")

    def settle(self, name: str) -> None:
        """Do what the controllers of one cluster still have to do."""
        if not Cluster.objects.filter(name=name).exists():
            names = ", ".join(Cluster.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no cluster {name!r}. Clusters: {names}")
        if runner.settle(name):
            self.stdout.write(f"Cluster {name} is at rest.")
        else:
            self.stdout.write(f"Cluster {name} is simulated by another process, which does the work.")

    async def keep(self) -> None:
        """Keep the clusters until a signal comes."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        await runner.start()
        await ended.wait()
        await runner.stop()
