"""`manage.py kubeconfig`: the file with which kubectl reaches a cluster."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.management.database import ready_database
from clusterviz.cluster.models import Cluster
from clusterviz.kubeapi import tokens
from clusterviz.kubeapi.kubeconfig import kubeconfig
from clusterviz.live.access import Role


class Command(BaseCommand):
    """A kubeconfig on standard output."""

    help = "Print a kubeconfig with which kubectl reaches a cluster."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which cluster, for whom, and where it is served."""
        parser.add_argument("name", metavar="NAME", help="the cluster")
        parser.add_argument(
            "--server",
            default=f"http://127.0.0.1:{os.environ.get('PORT') or 8000}",
            metavar="URL",
            help="where ClusterViz is reached (default: %(default)s)",
        )
        parser.add_argument(
            "--role", choices=[str(role) for role in Role], default=str(Role.EDITOR), help="default: %(default)s"
        )
        parser.add_argument("--revoke", action="store_true", help="end all earlier kubeconfigs of this role first")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print."""
        ready_database(self.stderr.write)
        cluster = Cluster.objects.filter(name=options["name"]).first()
        if cluster is None:
            raise CommandError(f"there is no cluster {options['name']!r}")
        address = urlsplit(options["server"])
        if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
            raise CommandError(f"--server {options['server']!r}: must be http://HOST[:PORT] or https://HOST[:PORT]")
        role = Role(options["role"])
        if options["revoke"]:
            tokens.revoke(cluster, role)
        self.stdout.write(kubeconfig(cluster, role, options["server"]), ending="")
