"""A lesson played from start to end without anybody: the cluster before and after every step, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from clusterviz.classroom.facts import FactError, answer, failures
from clusterviz.classroom.lesson import Action, Fact, Lesson, Predict, Step, Trigger, as_fact, choice
from clusterviz.classroom.reading import Source
from clusterviz.classroom.world import World, WorldError, act, begin, wait, wait_for
from clusterviz.engine.manifests.problem import Problem
from clusterviz.engine.objects import ref_of

PLACES = frozenset({"internet", "wire", "dns"})


class PlayError(ValueError):
    """A lesson that cannot go on: the field path in the lesson, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Stage(msgspec.Struct, frozen=True):
    """A step that was reached: the world its question is put in, and the world its changes made."""

    before: World
    after: World


class Play(msgspec.Struct, frozen=True):
    """A lesson and all its stages. Facts come from here, so every depth tells the same."""

    lesson: Lesson
    stages: tuple[Stage, ...]

    def fork(self, step: int, number: int) -> World:
        """The world of a what-if; the lesson's own stays as it is. Raises `PlayError`."""
        path = f"steps[{step}].whatif[{number}].do"
        return _acted(self.stages[step].after, self.lesson.all_steps[step].whatif[number].do, path)

    def truth(self, step: int) -> object:
        """What the engine says to the question of a step. Raises `FactError`."""
        predict = self.lesson.all_steps[step].predict
        assert predict is not None
        return answer(self.stages[step].after, predict.fact, predict.value)


def perform(source: Source) -> Play:
    """Play all steps. Raises `PlayError` at the first that is not reached."""
    lesson = source.lesson
    try:
        world = begin(lesson, source.objects)
    except WorldError as error:
        raise PlayError(error.field, str(error)) from None
    stages = []
    for index, step in enumerate(lesson.all_steps):
        before = _triggered(world, step, f"steps[{index}].trigger")
        world = _acted(before, step.do, f"steps[{index}].do")
        stages.append(Stage(before, world))
    return Play(lesson, tuple(stages))


def _triggered(world: World, step: Step, path: str) -> World:
    if not isinstance(step.trigger, Trigger):
        return world
    world = wait(world, step.trigger.after)
    if step.trigger.when is None:
        return world
    try:
        came = wait_for(world, step.trigger.when)
    except WorldError as error:
        raise PlayError(f"{path}.when", str(error)) from None
    if came is None:
        raise PlayError(f"{path}.when", "the event does not come, so the step is never reached")
    return came


def _acted(world: World, actions: list[Action], path: str) -> World:
    for index, action in enumerate(actions):
        try:
            world = act(world, action)
        except WorldError as error:
            raise PlayError(f"{path}[{index}]" + (f".{error.field}" if error.field else ""), str(error)) from None
    return world


def check(source: Source) -> list[Problem]:
    """Everything in a lesson that is not so, each with its line; empty for a lesson that may be taught."""
    try:
        play = perform(source)
    except PlayError as error:
        return [source.problem(error.field, str(error))]
    return [source.problem(field, message) for field, message in _untrue(play)]


def _untrue(play: Play) -> Iterator[tuple[str, str]]:
    lesson = play.lesson
    if lesson.probe:
        yield from _wrong(play.stages[0].after, as_fact(lesson.probe), "probe")
    for index, (step, stage) in enumerate(zip(lesson.all_steps, play.stages, strict=True)):
        path = f"steps[{index}]"
        yield from _lost(stage, step, path)
        if lesson.steps and step.probe:
            yield from _wrong(stage.after, as_fact(step.probe), f"{path}.probe")
        if step.predict:
            yield from _mistaken(stage.after, step.predict, f"{path}.predict")
        for number, fact in enumerate(step.check):
            yield from _wrong(stage.after, fact, f"{path}.check[{number}]")
        for number, fork in enumerate(step.whatif):
            place = f"{path}.whatif[{number}]"
            try:
                world = play.fork(index, number)
            except PlayError as error:
                yield error.field, str(error)
                continue
            for count, fact in enumerate(fork.check):
                yield from _wrong(world, fact, f"{place}.check[{count}]")
    for number, fact in enumerate(lesson.check):
        yield from _wrong(play.stages[-1].after, fact, f"check[{number}]")


def _wrong(world: World, fact: Fact, path: str) -> Iterator[tuple[str, str]]:
    """Of a probe without expectations only that the engine can answer it."""
    try:
        if fact.ask and not fact.expect:
            answer(world, fact, "verdict")
        else:
            yield from ((f"{path}.expect", text) for text in failures(world, fact))
    except FactError as error:
        yield f"{path}.{error.field}" if error.field else path, str(error)


def _mistaken(world: World, predict: Predict, path: str) -> Iterator[tuple[str, str]]:
    """The right answer is what the engine says, and no other choice is."""
    try:
        truth = answer(world, predict.fact, predict.value)
    except FactError as error:
        yield f"{path}.fact", str(error)
        return
    right = [one.text for one in map(choice, predict.choices) if one.value == truth]
    if right != [predict.answer]:
        chosen = f"the choice {right[0]!r} says so" if len(right) == 1 else f"{len(right)} choices say so"
        yield (
            f"{path}.answer",
            f"the engine says {predict.value} is {truth!r}; {chosen}, and the answer is {predict.answer!r}",
        )


def _lost(stage: Stage, step: Step, path: str) -> Iterator[tuple[str, str]]:
    """Everything in the light is in the picture before or after the step."""
    known = {ref_of(key) for world in (stage.before, stage.after) for key in world.cluster.objects} | PLACES
    for index, ref in enumerate(step.show.focus):
        if ref not in known and not ref.startswith("external:"):
            yield f"{path}.show.focus[{index}]", f"nothing in the picture is called {ref!r}"
    for index, entry in enumerate(step.predict.choices if step.predict else ()):
        ref = choice(entry).ref
        if ref and ref not in known and not ref.startswith("external:"):
            yield f"{path}.predict.choices[{index}].ref", f"nothing in the picture is called {ref!r}"
