"""Lessons from the shell: list them, begin one, check them without a browser."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.classroom import library
from clusterviz.classroom.play import check
from clusterviz.classroom.reading import LessonError
from clusterviz.engine.manifests.problem import Problem

START = """title: {title}
cluster: clusters/05-clusterip.yaml
probe: shop/you -> service:shop/web:80
"""


class Command(BaseCommand):
    """Exit status 0 all well, 1 a lesson is wrong, 2 a command that cannot be done."""

    help = "List lessons, begin a new one, or check that everything a lesson says is what the engine says."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and with which file."""
        what = parser.add_subparsers(dest="what", required=True)
        what.add_parser("list", help="the lessons that come with ClusterViz")
        new = what.add_parser("new", help="write a lesson of three lines")
        new.add_argument("file", metavar="FILE")
        checked = what.add_parser("check", help="play lessons without a browser; one line each, ok or FAIL")
        checked.add_argument("file", metavar="FILE", nargs="*")
        checked.add_argument("--all", action="store_true", help="the lessons that come with ClusterViz")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do one of them."""
        match options["what"]:
            case "list":
                self._list()
            case "new":
                self._new(Path(options["file"]))
            case _:
                paths = [*(library.files() if options["all"] else ()), *map(Path, options["file"])]
                if not paths:
                    raise CommandError("give FILE, or --all", returncode=2)
                good = [self._check(path) for path in paths]
                sys.exit(0 if all(good) else 1)

    def _list(self) -> None:
        for path in library.files():
            lesson = library.load(path).lesson
            self.stdout.write(f"{lesson.id:20} {lesson.minutes:3} min  {lesson.level:9} {lesson.title}")

    def _new(self, path: Path) -> None:
        if path.suffix != ".yaml":
            raise CommandError(f"{path}: a lesson's file ends in .yaml", returncode=2)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(START.format(title=path.stem.replace("-", " ").capitalize() or "A lesson"))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from None
        self.stdout.write(f"wrote {path}; now: manage.py lesson check {path}")

    def _check(self, path: Path) -> bool:
        """One line for a lesson: ok, or FAIL with the first problem; further problems below it."""
        problems: list[Problem]
        steps = 0
        try:
            source = library.load(path)
            steps, problems = len(source.lesson.all_steps), check(source)
        except LessonError as error:
            problems = error.problems
        if not problems:
            self.stdout.write(f"ok   {path.name} ({steps} steps)")
            return True
        self.stdout.write(f"FAIL {problems[0]}" + "".join(f"\n     {problem}" for problem in problems[1:]))
        return False
