"""The lessons that come with ClusterViz are true, complete, and cover what they must."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterviz.classroom import library
from clusterviz.classroom.lesson import DEPTHS, Say
from clusterviz.classroom.play import check
from clusterviz.classroom.syllabus import MISCONCEPTIONS, MISSION
from tests.classroom import page

FILES = library.files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_everything_a_lesson_says_is_what_the_engine_says(path: Path) -> None:
    assert [str(problem) for problem in check(library.load(path))] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_lesson_has_all_its_parts(path: Path) -> None:
    """Goal, words in three depths with rules, a prediction with its reason, what-ifs, a check at the end."""
    lesson = library.load(path).lesson
    assert lesson.goal and lesson.mission and lesson.misconceptions and lesson.check
    assert any(step.predict for step in lesson.steps)
    assert sum(len(step.whatif) for step in lesson.steps) >= 2
    for step in lesson.steps:
        assert step.title and step.rules
        assert isinstance(step.say, Say) and all(getattr(step.say, depth) for depth in DEPTHS)
        assert step.predict is None or (step.predict.why and step.predict.rules)
        assert all(fork.why and fork.rules for fork in step.whatif)


def test_the_page_about_lessons_is_true() -> None:
    assert page.PAGE.read_text() == page.page(), "run python -m tests.classroom.page, then read what changed"


def test_sixteen_lessons_cover_the_mission_and_every_misconception() -> None:
    known = page.lessons()
    assert [int(one.id[:2]) for one in known] == list(range(1, 17))
    assert {name for one in known for name in one.mission} == MISSION.keys()
    assert {name for one in known for name in one.misconceptions} == MISCONCEPTIONS.keys()
