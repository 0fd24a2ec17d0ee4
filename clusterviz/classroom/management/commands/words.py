"""`manage.py words [LANGUAGE ...]`: everything that is said, into the catalogues that translators fill.

gettext's own tools know neither YAML nor our `t(...)`, and a machine need not have them; the files are gettext's.
"""

from __future__ import annotations

import ast
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from clusterviz.classroom import exam, library
from clusterviz.classroom.lesson import DEPTHS
from clusterviz.classroom.tongue import texts
from clusterviz.words import LOCALE, compile_if_changed

ROOT = Path(settings.BASE_DIR)
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop"}
STRING = r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
IN_SCRIPT = re.compile(rf"(?<![\w.$])t\(\s*{STRING}")
IN_TEMPLATE = re.compile(rf"(?<!n)(?:gettext|_)\s*\(u?{STRING}\)")
PLURAL_IN_TEMPLATE = re.compile(rf"ngettext\s*\(u?{STRING}\s*,\s*u?{STRING}")

# Words -> (words for many, or "", where they are said).
Said = dict[str, tuple[str, list[str]]]


def collected(domain: str) -> Said:
    """Everything that is said in a domain, in the order of its files."""
    said: Said = {}
    for place, one, many in _scripts() if domain == "djangojs" else _server():
        places = said.setdefault(one, (many, []))[1]
        if place not in places:
            places.append(place)
    return said


def _server() -> Iterator[tuple[str, str, str]]:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = templatize(path.read_text(), origin=path.name)
        yield from ((_at(path), _plain(one), _plain(many)) for one, many in PLURAL_IN_TEMPLATE.findall(text))
        yield from ((_at(path), _plain(one), "") for one in IN_TEMPLATE.findall(text))
    for path in sorted((ROOT / "clusterviz").rglob("*.py")):
        text = path.read_text()
        if re.search(r"\b_\(|gettext", text) and "management" not in path.parts:
            yield from ((_at(path), one, "") for one in _in_python(text))
    yield from (("clusterviz/classroom/lesson.py", depth, "") for depth in DEPTHS)
    for fact in exam.CHECKS:
        yield "clusterviz/classroom/exam.py", fact.text, ""
    for path in library.files():
        yield from ((_at(path), one, "") for one in texts(library.load(path).lesson))


def _scripts() -> Iterator[tuple[str, str, str]]:
    for path in sorted((ROOT / "static" / "js").rglob("*.js")):
        yield from ((_at(path), _plain(one), "") for one in IN_SCRIPT.findall(path.read_text()))


def _in_python(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(said)), *_]) if name in CALLS:
                yield said


def _plain(literal: str) -> str:
    return str(ast.literal_eval(literal)) if literal else ""


def _at(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def written(language: str, domain: str) -> polib.POFile:
    """The catalogue with all that is said now; translations that are there stay, others are empty."""
    path = LOCALE / to_locale(language) / "LC_MESSAGES" / f"{domain}.po"
    old = {one.msgid: one for one in polib.pofile(str(path))} if path.exists() else {}
    fresh = polib.POFile(wrapwidth=110)
    fresh.metadata = {
        "Language": to_locale(language),
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    if path.exists():
        fresh.metadata = polib.pofile(str(path)).metadata
    for one, (many, places) in collected(domain).items():
        known = old.get(one)
        entry = polib.POEntry(msgid=one, occurrences=[(place, "") for place in places])
        if many:
            entry.msgid_plural = many
            entry.msgstr_plural = known.msgstr_plural if known and known.msgid_plural else {0: "", 1: ""}
        else:
            entry.msgstr = known.msgstr if known else ""
        if "%(" in one:
            entry.flags.append("python-format")
        fresh.append(entry)
    fresh.fpath = str(path)
    return fresh


class Command(BaseCommand):
    """Says of each catalogue how many words nobody translated yet."""

    help = "Collect all that is said into locale/LANGUAGE/LC_MESSAGES, for translators; what is translated stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which languages; without any those that are there."""
        parser.add_argument("language", nargs="*", metavar="LANGUAGE")

    def handle(self, *_: Any, **options: Any) -> None:
        """Write the files, and compile them."""
        there = [path.name for path in sorted(LOCALE.iterdir()) if path.is_dir()] if LOCALE.is_dir() else []
        for language in options["language"] or there:
            for domain in ("django", "djangojs"):
                catalogue = written(language, domain)
                Path(catalogue.fpath).parent.mkdir(parents=True, exist_ok=True)
                catalogue.save()
                open_words = len([one for one in catalogue if not one.translated()])
                self.stdout.write(f"{_at(Path(catalogue.fpath))}: {len(catalogue)} words, {open_words} to translate")
        compile_if_changed()
