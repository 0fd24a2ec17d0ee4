"""YAML text -> lesson, with the line of everything that is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Union, get_args, get_origin

import msgspec

from clusterviz.classroom.facts import ANSWERS, FactError, kind_of, probe_of
from clusterviz.classroom.lesson import Action, Fact, Lesson, Obj, Predict, as_fact, choice, said
from clusterviz.classroom.syllabus import MISCONCEPTIONS, MISSION
from clusterviz.engine.manifests.problem import ManifestError, Problem
from clusterviz.engine.manifests.read import Document, Limits, read, read_value
from clusterviz.engine.rulebook import RULES

LIMITS = Limits(size=256 * 1024, documents=1, depth=40, nodes=20_000)
CLUSTER_LIMITS = Limits(size=256 * 1024, documents=300, depth=60, nodes=50_000)
CITED = re.compile(rf"\b(?:{'|'.join(sorted({name.partition('-')[0] for name in RULES}))})-\d{{1,2}}\b")
Finder = Callable[[str], str | None]
Flaws = Iterator[tuple[str, str]]


class LessonError(ValueError):
    """A lesson that cannot be used; ``problems`` say file, line, field and cure."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Source(msgspec.Struct, frozen=True):
    """A lesson that was read: the objects of its cluster, and where everything stands."""

    lesson: Lesson
    objects: list[Obj]
    file: str
    document: Document

    def problem(self, field: str, message: str) -> Problem:
        """A problem at a field path of the lesson, as ``steps[0].check[1]``."""
        return Problem(message=message, file=self.file, line=self.document.line_at(field), field=field)


def read_lesson(text: str, file: str = "", *, cluster_file: Finder = lambda _: None) -> Source:
    """The lesson in a text. ``cluster_file`` gives the text of a cluster by name. Raises `LessonError`."""
    if len(text.encode(errors="replace")) > LIMITS.size:
        raise LessonError([Problem(message=f"too large: at most {LIMITS.size // 1024} KiB", file=file)])
    try:
        value, document = read_value(text, LIMITS)
    except ManifestError as error:
        raise LessonError([msgspec.structs.replace(one, file=file) for one in error.problems]) from None
    problems = [
        Problem(message=message, file=file, line=document.line_at(field), field=field)
        for field, message in _shape(value, Lesson, "")
    ]
    if problems:
        raise LessonError(problems)
    lesson = msgspec.convert(value, Lesson)
    if not lesson.id:
        lesson = msgspec.structs.replace(lesson, id=file.rpartition("/")[2].removesuffix(".yaml") or "lesson")
    source = Source(lesson, [], file, document)
    problems = [source.problem(*flaw) for flaw in meaning(lesson)]
    objects: list[Obj] = []
    try:
        objects = _objects(lesson, cluster_file)
    except ManifestError as error:
        named = isinstance(lesson.cluster, str)
        at = source.problem("cluster", "")
        problems += [
            one if named and one.file else msgspec.structs.replace(at, message=one.sentence) for one in error.problems
        ]
    if problems:
        raise LessonError(problems)
    return msgspec.structs.replace(source, objects=objects)


def _objects(lesson: Lesson, cluster_file: Finder) -> list[Obj]:
    if isinstance(lesson.cluster, list):
        return lesson.cluster
    text = cluster_file(lesson.cluster)
    if text is None:
        raise ManifestError([Problem(message=f"there is no cluster file {lesson.cluster!r} beside the lesson")])
    return [one.object for one in read(text, lesson.cluster, CLUSTER_LIMITS)]


def _shape(value: Any, wanted: Any, path: str) -> Flaws:
    """Fields that are unknown, missing or of a wrong type, with their paths."""
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        deeper = list(_parts(value, wanted, path))
        yield from deeper or [(path, str(error).partition(" - at ")[0])]


def _parts(value: Any, wanted: Any, path: str) -> Flaws:
    for kind in _members(wanted):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
            yield from _fields(value, kind, path)
        elif get_origin(kind) is list and isinstance(value, list):
            for index, item in enumerate(value):
                yield from _shape(item, get_args(kind)[0], f"{path}[{index}]")


def _fields(value: dict[str, Any], kind: type[msgspec.Struct], path: str) -> Flaws:
    known = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    for name in value:
        if name not in known:
            yield _at(path, name), f"unknown field {name!r}: allowed are {', '.join(known)}"
    for name, one in known.items():
        if name in value:
            yield from _shape(value[name], one.type, _at(path, name))
        elif one.required:
            yield path, f"the field {name!r} is missing"


def _members(wanted: Any) -> Iterator[Any]:
    """The types a value may have, without their annotations."""
    if hasattr(wanted, "__metadata__"):
        yield from _members(get_args(wanted)[0])
    elif get_origin(wanted) is Union or type(wanted).__name__ == "UnionType":
        for one in get_args(wanted):
            yield from _members(one)
    else:
        yield wanted


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else str(name)


def meaning(lesson: Lesson) -> Flaws:
    """What reads well and means nothing: unknown rules, choices without the answer, packets nobody can send."""
    for index, name in enumerate(lesson.mission):
        if name not in MISSION:
            yield f"mission[{index}]", f"unknown line {name!r}: allowed are {', '.join(MISSION)}"
    for index, name in enumerate(lesson.misconceptions):
        if name not in MISCONCEPTIONS:
            yield (
                f"misconceptions[{index}]",
                f"unknown misconception {name!r}: allowed are M1 to M{len(MISCONCEPTIONS)}",
            )
    if not lesson.steps and not lesson.probe:
        yield "", "a lesson needs steps, or a probe"
    if lesson.steps and lesson.probe:
        yield "probe", "a lesson with steps has its probes in them"
    if lesson.probe:
        yield from _fact(as_fact(lesson.probe), "probe", expected=False)
    for index, step in enumerate(lesson.steps):
        path = f"steps[{index}]"
        texts = [said(step.say, "novice"), said(step.say, "operator"), said(step.say, "kernel")]
        yield from _rules(step.rules, texts, path)
        if step.probe:
            yield from _fact(as_fact(step.probe), f"{path}.probe", expected=False)
        if step.predict:
            yield from _predict(step.predict, f"{path}.predict")
        yield from _actions(step.do, f"{path}.do")
        yield from _facts(step.check, f"{path}.check")
        for number, fork in enumerate(step.whatif):
            place = f"{path}.whatif[{number}]"
            yield from _rules(fork.rules, [fork.why], place)
            yield from _actions(fork.do, f"{place}.do")
            yield from _facts(fork.check, f"{place}.check")
    yield from _facts(lesson.check, "check")


def _rules(rules: list[str], texts: list[str], path: str) -> Flaws:
    for index, name in enumerate(rules):
        if name not in RULES:
            yield f"{path}.rules[{index}]", f"there is no rule {name!r} (docs/rules.md)"
    for name in sorted({name for text in texts for name in CITED.findall(text)} - RULES.keys()):
        yield path, f"there is no rule {name!r} (docs/rules.md)"


def _predict(predict: Predict, path: str) -> Flaws:
    yield from _rules(predict.rules, [predict.why], path)
    choices = [choice(entry) for entry in predict.choices]
    texts = [one.text for one in choices]
    if len(set(texts)) < len(texts):
        yield f"{path}.choices", "two choices have the same text"
    if predict.answer not in texts:
        yield f"{path}.answer", f"{predict.answer!r} is none of the choices: {'; '.join(texts)}"
    yield from _fact(predict.fact, f"{path}.fact", expected=False)
    allowed = next((ANSWERS[name] for name in ANSWERS if getattr(predict.fact, name)), ())
    if allowed and predict.value not in allowed:
        yield f"{path}.value", f"{predict.value!r} is no part of that answer: allowed are {', '.join(allowed)}"


def _facts(facts: list[Fact], path: str) -> Flaws:
    for index, fact in enumerate(facts):
        yield from _fact(fact, f"{path}[{index}]", expected=True)


def _fact(fact: Fact, path: str, *, expected: bool) -> Flaws:
    try:
        kind = kind_of(fact)
        if kind == "ask":
            probe_of(fact)
    except FactError as error:
        yield _at(path, error.field) if error.field else path, str(error)
        return
    for name in fact.expect:
        if name not in ANSWERS[kind]:
            yield f"{path}.expect.{name}", f"{name!r} is no part of that answer: allowed are {', '.join(ANSWERS[kind])}"
    if expected and not fact.expect:
        yield path, f"expect is missing: what must be true of {', '.join(ANSWERS[kind])}"


def _actions(actions: list[Action], path: str) -> Flaws:
    for index, action in enumerate(actions):
        given = [name for name in Action.__struct_fields__ if getattr(action, name) not in (None, "", 0, [], {})]
        if len(given) != 1:
            yield f"{path}[{index}]", f"an action does one thing: give one of {', '.join(Action.__struct_fields__)}"
