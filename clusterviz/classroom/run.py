"""A lesson being taught: where it stands, what was predicted, what may be seen. Records fit for a browser.

A `Run` is small and never changes; each function gives the next one and refuses what is out of turn with a `TurnError`,
so that nothing changes. Positions are in one line: a step with a prediction has two, before and after its reveal.
What is true comes from the `Play`, so depth changes words and nothing else.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from django.utils.translation import gettext as _

from clusterviz.classroom import copies
from clusterviz.classroom.copies import Copy
from clusterviz.classroom.facts import FactError, answer, failures, question_of
from clusterviz.classroom.lesson import DEPTHS, Depth, Fact, Step, as_fact, choice, said
from clusterviz.classroom.play import Play
from clusterviz.classroom.world import World

Phase = Literal["told", "asked", "answered", "revealed"]


class TurnError(ValueError):
    """Something out of turn; the message is for the person who did it."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Where a lesson stands: ``position`` in the line of `positions`, answers and reveals by step, an open what-if.

    ``copy`` is what was done to a copy of the cluster of this place; None outside of one.
    """

    lesson: str
    position: int = 0
    depth: Depth = "novice"
    answers: dict[int, int] = {}
    revealed: tuple[int, ...] = ()
    fork: int | None = None
    copy: tuple[str, ...] | None = None


class FactSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A fact as it is now: ``wrong`` is empty when it holds; ``question`` is its packet, to be followed."""

    text: str
    ask: str = ""
    wrong: list[str] = []
    question: dict[str, str] = {}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction; ``right``, ``truth`` and ``why`` stay empty until the reveal."""

    question: str
    choices: list[str]
    refs: list[str]
    chosen: int | None = None
    right: int | None = None
    truth: Any = None
    why: str = ""
    rules: list[str] = []


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen at a position; ``at`` is the simulated time of the cluster that is shown.

    ``end`` is the check of the whole lesson, at its last place alone.
    """

    lesson: str
    title: str
    step: int
    steps: int
    phase: Phase
    say: str
    rules: list[str]
    focus: list[str]
    panels: list[str]
    at: float
    probe: Fact | None = None
    question: Question | None = None
    facts: list[FactSeen] = []
    whatif: list[str] = []
    fork: int | None = None
    fork_why: str = ""
    copy: Copy | None = None
    end: list[FactSeen] = []
    first: bool = False
    last: bool = False


def begin(play: Play, depth: Depth = "novice") -> Run:
    """At the first step."""
    return Run(lesson=play.lesson.id, depth=depth)


def positions(play: Play) -> list[tuple[int, bool]]:
    """Every place to stand: step, and whether its changes have been made."""
    return [
        (index, done)
        for index, step in enumerate(play.lesson.all_steps)
        for done in ((False, True) if step.predict else (True,))
    ]


def forward(play: Play, run: Run) -> Run:
    """One place on; past an open question this is its reveal. Leaves a what-if. Raises `TurnError` at the end."""
    line = positions(play)
    if run.position + 1 >= len(line):
        raise TurnError(_("this is the end of the lesson"))
    step, done = line[run.position]
    seen = run.revealed if done or step in run.revealed else tuple(sorted((*run.revealed, step)))
    return msgspec.structs.replace(run, position=run.position + 1, revealed=seen, fork=None, copy=None)


def back(_play: Play, run: Run) -> Run:
    """One place back; what was revealed stays so. Raises `TurnError` at the beginning."""
    if run.position == 0:
        raise TurnError(_("this is the beginning of the lesson"))
    return msgspec.structs.replace(run, position=run.position - 1, fork=None, copy=None)


def predict(play: Play, run: Run, number: int) -> Run:
    """Choose an answer, or another one, until the reveal. Raises `TurnError`."""
    index, done = positions(play)[run.position]
    step = play.lesson.all_steps[index]
    if step.predict is None:
        raise TurnError(_("this step asks nothing"))
    if done or index in run.revealed:
        raise TurnError(_("the answer has been revealed already"))
    if not 0 <= number < len(step.predict.choices):
        raise TurnError(
            _("there is no choice %(number)s: allowed are 0 to %(most)s")
            % {"number": number, "most": len(step.predict.choices) - 1}
        )
    return msgspec.structs.replace(run, answers={**run.answers, index: number})


def reveal(play: Play, run: Run) -> Run:
    """Show what the engine says to the open question. Raises `TurnError`."""
    if positions(play)[run.position][1]:
        raise TurnError(_("there is no open question here"))
    return forward(play, run)


def fork(play: Play, run: Run, number: int) -> Run:
    """Look at a what-if of this step; the lesson's own cluster stays as it is. Raises `TurnError`."""
    index, done = positions(play)[run.position]
    count = len(play.lesson.all_steps[index].whatif)
    if not done:
        raise TurnError(_("a what-if opens after the reveal"))
    if not 0 <= number < count:
        raise TurnError(
            _("there is no what-if %(number)s: this step has %(count)s") % {"number": number, "count": count}
        )
    return msgspec.structs.replace(run, fork=number, copy=None)


def leave(_play: Play, run: Run) -> Run:
    """Out of the copy, or out of the what-if. Raises `TurnError` when none is open."""
    if run.copy is not None:
        return msgspec.structs.replace(run, copy=None)
    if run.fork is None:
        raise TurnError(_("no what-if is open"))
    return msgspec.structs.replace(run, fork=None)


def copy(_play: Play, run: Run) -> Run:
    """Into a copy of the cluster that is shown, nothing done to it yet; the lesson's own stays as it is."""
    return msgspec.structs.replace(run, copy=())


def do(run: Run, deed: str) -> Run:
    """Something is done to the copy. Raises `TurnError`, and `AskedError` for what cannot be read."""
    if run.copy is None:
        raise TurnError(_("make a copy first: the lesson's own cluster changes by its steps"))
    return msgspec.structs.replace(run, copy=copies.deeds_of(copies.BETWEEN.join((*run.copy, deed))))


def undo(_play: Play, run: Run) -> Run:
    """The last thing was not done. Raises `TurnError`."""
    if not run.copy:
        raise TurnError(_("nothing was done to the copy"))
    return msgspec.structs.replace(run, copy=run.copy[:-1])


def reset(play: Play, run: Run) -> Run:
    """From the beginning, nothing answered."""
    return begin(play, run.depth)


def go(play: Play, run: Run, step: int) -> Run:
    """To a step, from 0: behind its question where that was revealed. Raises `TurnError`."""
    line = positions(play)
    if not 0 <= step <= line[-1][0]:
        raise TurnError(
            _("there is no step %(number)s: the lesson has %(count)s") % {"number": step + 1, "count": line[-1][0] + 1}
        )
    done = step in run.revealed or (step, False) not in line
    return msgspec.structs.replace(run, position=line.index((step, done)), fork=None, copy=None)


def deepen(run: Run, depth: str) -> Run:
    """Other words, the same facts. Raises `TurnError`."""
    for known in DEPTHS:
        if known == depth:
            return msgspec.structs.replace(run, depth=known)
    raise TurnError(f"there is no depth {depth!r}: allowed are {', '.join(DEPTHS)}")


def world(play: Play, run: Run) -> World:
    """The cluster that is shown. Raises `AskedError` where a copy is one that cannot be."""
    index, done = positions(play)[run.position]
    stage = play.stages[index]
    own = stage.after if done else stage.before
    shown = own if run.fork is None else play.fork(index, run.fork)
    return copies.world_of(shown, run.copy or ())


def view(play: Play, run: Run) -> View:
    """What may be seen now: before the reveal no answer, no fact and no what-if."""
    line = positions(play)
    index, done = line[run.position]
    step = play.lesson.all_steps[index]
    shown = world(play, run)
    forked = step.whatif[run.fork] if run.fork is not None else None
    last = run.position + 1 == len(line)
    return View(
        lesson=play.lesson.id,
        title=step.title,
        step=index,
        steps=len(play.lesson.all_steps),
        phase=_phase(run, step, index, done=done),
        say=said(step.say, run.depth) if done else "",
        rules=step.rules if done else [],
        focus=step.show.focus,
        panels=list(step.show.panels),
        at=shown.now,
        probe=as_fact(step.probe) if step.probe and done else None,
        question=_question(play, run, index, done=done),
        facts=_facts(shown, step.check if forked is None else forked.check) if done else [],
        whatif=[one.change for one in step.whatif] if done else [],
        fork=run.fork,
        fork_why=forked.why if forked else "",
        copy=None if run.copy is None else Copy(deeds=list(run.copy), full=len(run.copy) >= copies.MOST),
        end=_facts(play.stages[-1].after, play.lesson.check) if last else [],
        first=run.position == 0,
        last=last,
    )


def _phase(run: Run, step: Step, index: int, *, done: bool) -> Phase:
    if step.predict is None:
        return "told"
    if done:
        return "revealed"
    return "answered" if index in run.answers else "asked"


def _question(play: Play, run: Run, index: int, *, done: bool) -> Question | None:
    asked = play.lesson.all_steps[index].predict
    if asked is None:
        return None
    choices = [choice(entry) for entry in asked.choices]
    known: dict[str, Any] = {}
    if done:
        truth = answer(play.stages[index].after, asked.fact, asked.value)
        right = next((number for number, one in enumerate(choices) if one.value == truth), None)
        known = {"right": right, "truth": truth, "why": asked.why, "rules": asked.rules}
    return Question(
        question=asked.question,
        choices=[one.text for one in choices],
        refs=[one.ref for one in choices],
        chosen=run.answers.get(index),
        **known,
    )


def _facts(shown: World, facts: list[Fact]) -> list[FactSeen]:
    return [
        FactSeen(text=fact.text, ask=fact.ask, wrong=_wrong(shown, fact), question=question_of(fact)) for fact in facts
    ]


def _wrong(shown: World, fact: Fact) -> list[str]:
    """Of a copy somebody may have deleted what a fact asks about: then it does not hold."""
    try:
        return failures(shown, fact)
    except FactError as error:
        return [str(error)]


def score(play: Play, run: Run) -> dict[str, int]:
    """Of the questions that were revealed: how many there were, were answered, and were answered right."""
    seen = {index: play.lesson.all_steps[index].predict for index in run.revealed}
    asked = {index: predict for index, predict in seen.items() if predict is not None}
    answered = [index for index in asked if index in run.answers]
    right = sum(choice(asked[index].choices[run.answers[index]]).value == play.truth(index) for index in answered)
    return {"asked": len(asked), "answered": len(answered), "right": right}
