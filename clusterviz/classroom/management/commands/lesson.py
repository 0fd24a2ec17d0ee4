"""Lessons from the shell: list them, begin one, check them without a browser; exams and their grades."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError

from clusterviz.classroom import exam, library
from clusterviz.classroom.lesson import Lesson
from clusterviz.classroom.play import check
from clusterviz.classroom.reading import LessonError
from clusterviz.classroom.world import World, WorldError, begin
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
        asked = what.add_parser("exam", help="manifests with a hidden fault; one seed, one fault")
        asked.add_argument("seed", type=int, metavar="SEED")
        asked.add_argument("--difficulty", type=int, choices=exam.DIFFICULTIES, default=1)
        asked.add_argument("--grade", metavar="FILE", help="check repaired manifests instead; one line a check")
        asked.add_argument("--faults", action="store_true", help="tell the teacher what is broken instead")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do one of them."""
        match options["what"]:
            case "list":
                self._list()
            case "new":
                self._new(Path(options["file"]))
            case "exam":
                self._exam(options)
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

    def _exam(self, options: dict[str, Any]) -> None:
        asked = exam.generate(options["seed"], options["difficulty"])
        if options["faults"]:
            for fault in asked.faults:
                self.stdout.write(f"{fault.told} ({', '.join(fault.rules)})")
        elif options["grade"]:
            results = exam.grade(self._repaired(Path(options["grade"])), asked.checks)
            for one in results:
                self.stdout.write(f"ok   {one.text}" if one.green else f"FAIL {one.text}: {' '.join(one.wrong)}")
            sys.exit(0 if all(one.green for one in results) else 1)
        else:
            for obj in asked.objects:
                self.stdout.write(f"---\n{yaml.safe_dump(obj, sort_keys=False)}", ending="")

    def _repaired(self, path: Path) -> World:
        """The cluster of a student's manifests. A `CommandError` says file and line of what cannot be read."""
        try:
            objects = library.objects(path)
            return begin(Lesson(title=path.name, cluster=objects), objects)
        except (LessonError, WorldError) as error:
            raise CommandError(str(error), returncode=2) from None

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
