"""Who can reach whom: what the Internet reaches, who reaches a Service, all pods by classes that fare alike."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.management.ask import add_cluster_arguments, asked_cluster
from clusterviz.engine import Cluster
from clusterviz.engine.compare import INTERNET, Asked, Fate, Pair, TooManyError, sender_names, survey
from clusterviz.engine.reach import Tally, table

WORDS = {"arrives": "arrives", "part": "arrives in part", "fails": "fails"}
SIGNS = {"arrives": "yes", "in part": "part", "fails": "-"}


class Command(BaseCommand):
    """Exit status 0 something arrives, 1 nothing does, 2 a question that cannot be asked."""

    # Works without pages: also where only the Python package is installed.
    requires_system_checks = ()
    help = "Tell who can reach whom on which port, over every way in, every backend and all pods by classes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The cluster, who and what is asked about, and how to print."""
        add_cluster_arguments(parser)
        parser.add_argument(
            "--from", dest="who", action="append", default=[], metavar="WHO", help="internet or NAMESPACE/WORKLOAD"
        )
        parser.add_argument(
            "--to", dest="what", action="append", default=[], metavar="SERVICE", help="NAMESPACE/SERVICE"
        )
        parser.add_argument("--namespace", action="append", default=[], metavar="NAME", help="only connections of it")
        parser.add_argument("--only", choices=sorted(WORDS), help="only what fares so")
        parser.add_argument("--by", choices=("workload", "namespace"), help="print a table by these instead of lines")
        parser.add_argument("--json", action="store_true", help="print a JSON list instead of lines")

    def handle(self, *_: Any, **options: Any) -> None:
        """Ask, and print what becomes of each connection."""
        cluster = asked_cluster(options, self.stderr.write)
        asked = Asked(*(frozenset(options[name]) for name in ("namespace", "who", "what")))
        _check(cluster, asked)
        try:
            found = survey(cluster, asked)
        except TooManyError as error:
            raise CommandError(f"{error} (--namespace, --from, --to)", returncode=2) from None
        if options["only"]:
            found = {pair: fate for pair, fate in found.items() if fate.word == WORDS[options["only"]]}
        if options["json"]:
            self.stdout.write(json.dumps([_plain(*one) for one in sorted(found.items())], indent=2))
        else:
            self.stdout.write("\n".join(_table(found, options["by"]) if options["by"] else _lines(found)))
        sys.exit(0 if any(fate.arrives for fate in found.values()) else 1)


def _check(cluster: Cluster, asked: Asked) -> None:
    """Names nobody has are refused: an empty answer would say that nobody reaches anything."""
    services = {f"{space}/{name}" for space, name in cluster.services}
    spaces = {space for space, _ in (*cluster.services, *cluster.pods)}
    senders = {INTERNET, *sender_names(cluster)} if asked.senders else set()
    for option, named, known in (
        ("--to", asked.services, services),
        ("--namespace", asked.namespaces, spaces),
        ("--from", asked.senders, senders),
    ):
        if unknown := sorted(named - known):
            some = ", ".join(sorted(known)[:20]) or "none"
            raise CommandError(f"{option}: there is no {unknown[0]!r} (known: {some})", returncode=2)


def _lines(found: Mapping[Pair, Fate]) -> Iterator[str]:
    """One line a connection, those of one target together."""
    for pair, fate in sorted(found.items(), key=lambda one: (one[1].service, one[0].target, one[0].sender)):
        yield f"{pair.sender} -> {pair.target}: {fate.word}{_detail(fate)}"
    counts = [(word, sum(fate.word == word for fate in found.values())) for word in WORDS.values()]
    told = ", ".join(f"{count} {word}" for word, count in counts)
    yield f"{len(found)} {'connection' if len(found) == 1 else 'connections'}: {told}"


def _detail(fate: Fate) -> str:
    seen = f" at {', '.join(sorted(fate.backends))}, source seen: {', '.join(sorted(fate.sources))}"
    stopped = ", ".join(sorted(fate.verdicts - {"delivered"}))
    by = f" by {', '.join(sorted(fate.by))}" if fate.by else ""
    return (seen if fate.arrives else "") + (f"; fails as {stopped}{by}" if fate.fails else "")


def _table(found: Mapping[Pair, Fate], by: Any) -> Iterator[str]:
    """The senders by row; columns are numbered, and named below."""
    matrix = table(found, by)
    width = max((len(row) for row in matrix.rows), default=0)
    cell = max(4, len(str(len(matrix.columns))) + 1)
    yield " " * width + "".join(f"{number:>{cell + 1}}" for number in range(1, len(matrix.columns) + 1))
    for row in matrix.rows:
        signs = (_sign(matrix.cells.get((row, column))) for column in matrix.columns)
        yield f"{row:<{width}}" + "".join(f"{sign:>{cell + 1}}" for sign in signs)
    yield from (f"{number:>4}  {column}" for number, column in enumerate(matrix.columns, start=1))


def _sign(tally: Tally | None) -> str:
    return SIGNS[tally.word] if tally is not None else ""


def _plain(pair: Pair, fate: Fate) -> dict[str, Any]:
    sets = {name: sorted(getattr(fate, name)) for name in ("verdicts", "backends", "sources", "by")}
    return {"from": pair.sender, "to": pair.target, "service": fate.service, "fate": fate.word, **sets}
