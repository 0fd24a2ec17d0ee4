"""NetworkPolicies of least privilege from the calls of an application, each proved by the engine."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.management.ask import add_cluster_arguments, asked_cluster, asked_documents
from clusterviz.engine import EngineError
from clusterviz.engine.leastpolicy import generate
from clusterviz.engine.manifests.write import dump


class Command(BaseCommand):
    """Exit status 0 every call is kept and nothing else arrives, 1 not so, 2 nothing can be generated."""

    # Works without pages: also where only the Python package is installed.
    requires_system_checks = ()
    help = "Print one NetworkPolicy a workload: what its calls need and nothing else; says on stderr what was proved."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The cluster, and which namespaces are guarded."""
        add_cluster_arguments(parser)
        parser.add_argument("--namespace", action="append", default=[], metavar="NAME", help="guard only this one")

    def handle(self, *_: Any, **options: Any) -> None:
        """Generate, prove, print."""
        if options["manifests"]:
            cluster = asked_documents(options["manifests"], self.stderr.write, calls=True)[0]
        else:
            cluster = asked_cluster(options, self.stderr.write)
        try:
            found = generate(cluster, options["namespace"])
        except EngineError as error:
            raise CommandError(str(error), returncode=2) from None
        self.stdout.write(dump(found.policies))
        for note in found.notes:
            self.stderr.write(f"note: {note}")
        for kind, some in (("broken", found.broken), ("still arrives", found.excess)):
            for one in some:
                self.stderr.write(f"{kind}: {one}")
        kept = f"{found.calls - len(found.broken)} of {found.calls} calls kept"
        excess = f"{len(found.excess)} other connections still arrive"
        self.stderr.write(f"{len(found.policies)} policies for {', '.join(found.namespaces)}: {kept}, {excess}")
        sys.exit(1 if found.broken or found.excess else 0)
