"""The lessons that come with ClusterViz, and lessons in files."""

from __future__ import annotations

from pathlib import Path

from clusterviz.classroom.lesson import Obj
from clusterviz.classroom.reading import CLUSTER_LIMITS, LIMITS, LessonError, Source, read_lesson
from clusterviz.engine.manifests.problem import ManifestError, Problem
from clusterviz.engine.manifests.read import read

HERE = Path(__file__).parent / "lessons"


def files() -> list[Path]:
    """The lessons that come with ClusterViz, in teaching order."""
    return sorted(HERE.glob("*.yaml"))


def load(path: Path) -> Source:
    """The lesson in a file. Raises `LessonError`."""
    return read_lesson(_text(path, LIMITS.size), path.name, cluster_file=lambda name: beside(path.parent, name))


def objects(path: Path) -> list[Obj]:
    """The manifests in a file. Raises `LessonError`."""
    try:
        return [one.object for one in read(_text(path, CLUSTER_LIMITS.size), path.name, CLUSTER_LIMITS)]
    except ManifestError as error:
        raise LessonError(error.problems) from None


def beside(folder: Path, name: str) -> str | None:
    """A cluster file in the lesson's own folder or below, or one that comes with ClusterViz."""
    for place in (folder, HERE):
        path = (place / name).resolve()
        if path.is_relative_to(place.resolve()) and path.is_file():
            return _text(path, CLUSTER_LIMITS.size)
    return None


def _text(path: Path, size: int) -> str:
    """The text of a file; one byte more than allowed is enough to refuse it."""
    try:
        with path.open("rb") as file:
            return file.read(size + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not text: byte {error.start} is not UTF-8"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    raise LessonError([Problem(message=message, file=path.name)])
