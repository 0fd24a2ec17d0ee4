"""A lesson in the language of who reads it: the same facts, other words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from django.utils.translation import gettext

from clusterviz.classroom.lesson import Choice, Fact, Lesson, Predict, Say, Step, WhatIf, choice

Tell = Callable[[str], str]


def spoken(lesson: Lesson) -> Lesson:
    """The lesson in the language that is active; what nobody translated stays as it was written."""
    return _lesson(lesson, lambda text: gettext(text) if text else "")


def texts(lesson: Lesson) -> Iterator[str]:
    """Everything a lesson says, in its order, once each."""
    seen: dict[str, None] = {}

    def note(text: str) -> str:
        if text:
            seen[text] = None
        return text

    _lesson(lesson, note)
    return iter(seen)


def _lesson(lesson: Lesson, tell: Tell) -> Lesson:
    return msgspec.structs.replace(
        lesson,
        title=tell(lesson.title),
        goal=tell(lesson.goal),
        steps=[_step(one, tell) for one in lesson.steps],
        check=[_fact(one, tell) for one in lesson.check],
        notes=tell(lesson.notes),
    )


def _step(step: Step, tell: Tell) -> Step:
    return msgspec.structs.replace(
        step,
        title=tell(step.title),
        say=_say(step.say, tell),
        probe=_fact(step.probe, tell) if isinstance(step.probe, Fact) else step.probe,
        predict=_predict(step.predict, tell) if step.predict else None,
        check=[_fact(one, tell) for one in step.check],
        whatif=[_whatif(one, tell) for one in step.whatif],
        notes=tell(step.notes),
    )


def _say(say: str | Say, tell: Tell) -> str | Say:
    if isinstance(say, str):
        return tell(say)
    return Say(novice=tell(say.novice), operator=tell(say.operator), kernel=tell(say.kernel))


def _predict(asked: Predict, tell: Tell) -> Predict:
    # A choice without a value of its own is right by its text: that stays the English one, which the engine knows.
    choices: list[str | Choice] = [
        msgspec.structs.replace(one, text=tell(one.text)) for one in map(choice, asked.choices)
    ]
    return msgspec.structs.replace(
        asked,
        question=tell(asked.question),
        choices=choices,
        answer=tell(asked.answer),
        fact=_fact(asked.fact, tell),
        why=tell(asked.why),
    )


def _fact(fact: Fact, tell: Tell) -> Fact:
    return msgspec.structs.replace(fact, text=tell(fact.text))


def _whatif(one: WhatIf, tell: Tell) -> WhatIf:
    return msgspec.structs.replace(
        one, change=tell(one.change), check=[_fact(fact, tell) for fact in one.check], why=tell(one.why)
    )
