"""Network tests: statements about who reaches whom, held against manifests or a stored cluster."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.management.ask import add_cluster_arguments, asked_cluster
from clusterviz.cluster.management.paths import read_path
from clusterviz.cluster.management.results import Result, junit, table, write_file
from clusterviz.engine import Cluster
from clusterviz.engine.manifests.problem import ManifestError
from clusterviz.engine.statements import FORMS, StatementError, Test, judge, read_tests


class Command(BaseCommand):
    """Exit status 0 every statement holds, 1 some do not, 2 one cannot be asked."""

    # Works without pages: also where only the Python package is installed.
    requires_system_checks = ()
    help = f"Check statements about a network. Each line of a file is one: {'; '.join(FORMS)}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The statements, the cluster, and where results go."""
        parser.add_argument("tests", nargs="+", metavar="FILE|DIR|-", help="YAML lists of statements")
        add_cluster_arguments(parser)
        parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML, too")

    def handle(self, *_: Any, **options: Any) -> None:
        """Judge every statement, and say what speaks against those that fail."""
        tests = [test for path in options["tests"] for test in _tests(path)]
        cluster = asked_cluster(options, self.stderr.write)
        results = [_result(cluster, test) for test in tests]
        self.stdout.write(table(results))
        if options["junit"]:
            write_file(options["junit"], junit(results, "checknet"))
        sys.exit(2 if any(one.error for one in results) else 1 if any(one.failed for one in results) else 0)


def _tests(path: str) -> list[Test]:
    found: list[Test] = []
    problems: list[str] = []
    for name, content in read_path(path):
        try:
            found += read_tests(content.decode(), name)
        except UnicodeDecodeError:
            problems.append(f"{name}: not UTF-8 text")
        except ManifestError as error:
            problems += map(str, error.problems)
    if problems:
        raise CommandError("\n".join(problems), returncode=2)
    return found


def _result(cluster: Cluster, test: Test) -> Result:
    place = f"{test.file}:{test.line}"
    try:
        finding = judge(cluster, test.statement)
    except StatementError as error:
        allowed = f" (allowed: {error.allowed})" if error.allowed else ""
        return Result(name=test.statement.text, place=place, why=test.why, error=f"{error}{allowed}")
    lines = tuple(map(str, finding.evidence))
    return Result(
        name=test.statement.text, place=place, why=test.why, said=finding.why, failed=not finding.holds, details=lines
    )
