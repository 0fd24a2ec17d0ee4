"""Findings about a network: legal objects that do not do what their author hoped."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand

from clusterviz.cluster.management.ask import add_cluster_arguments, asked_cluster, asked_documents
from clusterviz.cluster.management.results import Result, junit, write_file
from clusterviz.cluster.management.sarif import Located, sarif
from clusterviz.engine.lint import SEVERITIES, Finding, lint
from clusterviz.engine.manifests.read import Document
from clusterviz.engine.objects import Key


class Command(BaseCommand):
    """Exit status 0 nothing but notes, 1 errors or warnings, 2 a cluster that cannot be read."""

    # Works without pages: also where only the Python package is installed.
    requires_system_checks = ()
    help = "Find what is legal and does not work: selectors, ports, policies, Ingress paths, calls that fail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The cluster, and where findings go."""
        add_cluster_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print a JSON list instead of lines")
        parser.add_argument("--sarif", metavar="FILE", help="write the findings as SARIF 2.1.0, too")
        parser.add_argument("--junit", metavar="FILE", help="write the findings as JUnit XML, too")

    def handle(self, *_: Any, **options: Any) -> None:
        """Look, and say each finding with its place and what to do."""
        documents: dict[Key, Document] = {}
        if options["manifests"]:
            cluster, documents = asked_documents(options["manifests"], self.stderr.write, calls=True)
        else:
            cluster = asked_cluster(options, self.stderr.write)
        found = [_located(one, documents) for one in lint(cluster)]
        self.stdout.write(json.dumps([_plain(one) for one in found], indent=2) if options["json"] else _lines(found))
        for name, write in (("sarif", sarif), ("junit", _junit)):
            if options[name]:
                write_file(options[name], write(found))
        sys.exit(1 if any(one.finding.severity != "note" for one in found) else 0)


def _located(finding: Finding, documents: dict[Key, Document]) -> Located:
    document = documents.get(finding.key) if finding.key else None
    if document is None:
        return Located(finding)
    return Located(finding, document.file, document.line_at(finding.field) if finding.field else document.line)


def _lines(found: Sequence[Located]) -> str:
    lines: list[str] = []
    for one in found:
        place = f"{one.file}:{one.line}: " if one.line else ""
        lines += [f"{place}{one.finding}", f"    {one.finding.fix}"]
    counts = [(word, sum(one.finding.severity == word for one in found)) for word in SEVERITIES]
    return "\n".join([*lines, ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts)])


def _plain(one: Located) -> dict[str, Any]:
    finding = one.finding
    return {
        "code": finding.code,
        "severity": finding.severity,
        "object": finding.object,
        "field": finding.field,
        "text": finding.text,
        "fix": finding.fix,
        "file": one.file,
        "line": one.line,
    }


def _junit(found: Sequence[Located]) -> bytes:
    return junit(
        [
            Result(
                name=f"{one.finding.code} {one.finding.object}".strip(),
                place=f"{one.file or 'cluster'}:{one.line}",
                said=one.finding.text,
                failed=one.finding.severity != "note",
                details=(one.finding.fix,),
            )
            for one in found
        ],
        "lintnet",
    )
