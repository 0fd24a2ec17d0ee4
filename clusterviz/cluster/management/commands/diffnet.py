"""What a change does to the network: objects that changed, and connections that fare otherwise."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.management.ask import asked_documents, asked_name
from clusterviz.engine import Cluster
from clusterviz.engine.compare import Asked, Change, Comparison, TooManyError, compare, example
from clusterviz.engine.compare.differ import KINDS
from clusterviz.engine.objects import Key, Obj

MOST_ROWS = 40


class Command(BaseCommand):
    """Exit status 0 no connection fares otherwise, 1 some do, 2 one side cannot be read."""

    # Works without pages: also where only the Python package is installed.
    requires_system_checks = ()
    help = "Compare two networks: manifests or stored clusters. Prints Markdown fit for a comment on a change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two sides, and how to print."""
        parser.add_argument("before", metavar="A", help="manifests (FILE or DIR), or the name of a stored cluster")
        parser.add_argument("after", metavar="B", help="the same, afterwards")
        parser.add_argument("--namespace", action="append", default=[], metavar="NAME", help="only connections of it")
        parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")

    def handle(self, *_: Any, **options: Any) -> None:
        """Compare, and print what is other."""
        (before, old), (after, new) = (self._side(options[name]) for name in ("before", "after"))
        try:
            written = (old, new) if old is not None and new is not None else None
            found = compare(before, after, Asked(namespaces=frozenset(options["namespace"])), written)
        except TooManyError as error:
            raise CommandError(f"{error} (--namespace NAME)", returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(_plain(found), indent=2))
        else:
            self.stdout.write("\n".join(_markdown(found, before, after)))
        sys.exit(1 if found.connections else 0)

    def _side(self, text: str) -> tuple[Cluster, dict[Key, Obj] | None]:
        """The cluster, and its objects as they were written when they come from manifests."""
        if Path(text).exists() or text == "-":
            cluster, documents = asked_documents(text, self.stderr.write, calls=True)
            return cluster, {key: one.object for key, one in documents.items()}
        return asked_name(text, self.stderr.write), None


def _plain(found: Comparison) -> dict[str, Any]:
    def fate(one: Any) -> dict[str, Any] | None:
        if one is None:
            return None
        sets = {name: sorted(getattr(one, name)) for name in ("verdicts", "backends", "sources", "by")}
        return {"fate": one.word, **sets}

    return {
        "objects": [{"verb": one.verb, "key": list(one.key), "fields": list(one.fields)} for one in found.objects],
        "connections": [
            {
                "kind": one.kind,
                "from": one.pair.sender,
                "to": one.pair.target,
                "cause": one.cause,
                "called": one.called,
                "before": fate(one.before),
                "after": fate(one.after),
            }
            for one in found.connections
        ],
        "same": found.same,
    }


def _markdown(found: Comparison, before: Cluster, after: Cluster) -> Iterator[str]:
    counts = [(kind, sum(one.kind == kind for one in found.connections)) for kind in KINDS]
    told = ", ".join(f"{count} {kind}" for kind, count in counts if count) or "no connection fares otherwise"
    yield f"## Network: {told}"
    yield ""
    known = sum(one.called for one in found.connections)
    if found.connections:
        yield f"Calls the application is known to make among them: {known}."
    yield f"{found.same} {'connection fares' if found.same == 1 else 'connections fare'} as before."
    if found.objects:
        yield from ("", "### Objects", "")
        yield from (f"- {one}" for one in found.objects[:MOST_ROWS])
        if len(found.objects) > MOST_ROWS:
            yield f"- and {len(found.objects) - MOST_ROWS} more"
    for (kind, called, cause), changes in _groups(found).items():
        yield from ("", f"### {kind.capitalize()}{', and called' if called else ''}: {cause}", "")
        yield from _rows(changes)
        one = example(before, after, changes[0])
        if one is not None:
            yield from ("", f"First other decision ({changes[0].pair.sender}, step {one.step}):", "")
            yield f"- before: {one.before or 'the journey has ended'}"
            yield f"- now: {one.after or 'the journey has ended'}"


def _groups(found: Comparison) -> dict[tuple[str, bool, str], list[Change]]:
    groups: dict[tuple[str, bool, str], list[Change]] = {}
    for one in found.connections:
        groups.setdefault((one.kind, one.called, one.cause), []).append(one)
    return groups


def _rows(changes: list[Change]) -> Iterator[str]:
    yield "| from | to | before | now |"
    yield "| --- | --- | --- | --- |"
    for one in changes[:MOST_ROWS]:
        old, new = (fate.word if fate is not None else "-" for fate in (one.before, one.after))
        yield f"| {_cell(one.pair.sender)} | {_cell(one.pair.target)} | {old} | {new} |"
    if len(changes) > MOST_ROWS:
        yield f"| and {len(changes) - MOST_ROWS} more | | | |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
