"""Exams: every fault shows, and undoing it restores every check."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.classroom.exam import DIFFICULTIES, FAULTS, Exam, Fault, broken, generate, grade
from clusterviz.classroom.lesson import Action
from clusterviz.classroom.world import World, act, change, wait
from clusterviz.engine.rulebook import RULES


@cache
def settled(names: tuple[str, ...]) -> tuple[Exam, World]:
    chosen: tuple[Fault, ...] = tuple(one for name in names for one in FAULTS if one.name == name)
    exam = broken(1, 1, chosen)
    return exam, exam.world()


def red(world: World) -> list[str]:
    return [result.text for result in grade(world) if not result.green]


def test_the_sound_cluster_is_green() -> None:
    assert red(settled(())[1]) == []


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_a_fault_shows_and_its_inverse_restores_every_check(name: str) -> None:
    exam, world = settled((name,))
    assert red(world)
    assert all(result.wrong[0].count(" is ") for result in grade(world) if not result.green)
    assert red(wait(change(world, exam.solution), 10)) == []
    assert {rule for fault in exam.faults for rule in fault.rules} <= RULES.keys()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(DIFFICULTIES))
def test_every_generated_exam_can_be_solved(seed: int, difficulty: int) -> None:
    exam = generate(seed, DIFFICULTIES[difficulty - 1])
    assert exam == generate(seed, DIFFICULTIES[difficulty - 1])
    assert [fault.level for fault in exam.faults] == {1: [1], 2: [2], 3: [2, 1]}[difficulty]
    exam, world = settled(tuple(fault.name for fault in exam.faults))
    assert red(world)
    assert red(wait(change(world, exam.solution), 10)) == []


def test_half_a_repair_is_not_green() -> None:
    exam, world = settled(("missing-policy", "selector"))
    assert red(change(world, exam.solution[:1])) != []
    assert red(change(world, exam.solution)) == []


def test_a_check_that_cannot_be_asked_is_red_with_the_reason() -> None:
    gone = act(settled(())[1], Action(vanish=["Pod/shop/api"]))
    reasons = [text for result in grade(gone) for text in result.wrong]
    assert 'pods "api" not found in namespace shop' in reasons
