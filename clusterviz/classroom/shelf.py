"""Lessons that can be taught now: those that come with ClusterViz, and those teachers opened from a file.

A file that was opened is kept in the data folder under a name made of its content, so that a link to it goes on
working; beyond `MOST` the oldest one goes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import msgspec
from django.conf import settings
from django.utils.translation import get_language

from clusterviz.classroom import library
from clusterviz.classroom.play import Play, check, perform
from clusterviz.classroom.reading import LessonError, Source, read_lesson
from clusterviz.classroom.tongue import spoken

OWN = "own-"
MOST = 200


class NoLessonError(LookupError):
    """There is no lesson of this name; the message says so."""


def kept() -> Path:
    """Where opened files are."""
    folder = Path(settings.CLUSTERVIZ_DATA) / "lessons"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def names() -> list[str]:
    """The lessons that come with ClusterViz, in teaching order."""
    return [path.stem for path in library.files()]


def play_of(name: str) -> Play:
    """A lesson in the language that is active, played once and remembered. Raises `NoLessonError`."""
    if name in names():
        return _spoken(library.HERE / f"{name}.yaml", get_language() or "")
    path = kept() / f"{name}.yaml"
    if name.startswith(OWN) and path.is_file():
        return _played(path)
    raise NoLessonError(f"There is no lesson {name[:60]!r} here. A file that was opened long ago can be opened again.")


@lru_cache(maxsize=96)
def _spoken(path: Path, language: str) -> Play:
    """The same stages under the words of a language, which is the active one; `language` is for the cache."""
    del language
    played = _played(path)
    return msgspec.structs.replace(played, lesson=spoken(played.lesson))


@lru_cache(maxsize=48)
def _played(path: Path) -> Play:
    return perform(library.load(path))


def opened(text: str, file: str) -> str:
    """Keep a lesson that may be taught, and the name it is taught under. Raises `LessonError` with every flaw."""
    source = readable(text, file)
    flaws = check(source)
    if flaws:
        raise LessonError(flaws)
    name = f"{OWN}{hashlib.sha256(text.encode()).hexdigest()[:20]}"
    (kept() / f"{name}.yaml").write_text(text, encoding="utf-8")
    by_age = sorted(kept().glob(f"{OWN}*.yaml"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_age[MOST:]:
        path.unlink(missing_ok=True)
    return name


def readable(text: str, file: str) -> Source:
    """A lesson from a text of somebody's own; clusters it names are those that come with ClusterViz."""
    return read_lesson(text, file, cluster_file=lambda name: library.beside(library.HERE, name))
