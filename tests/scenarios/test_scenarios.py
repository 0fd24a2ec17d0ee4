"""The guided scenarios: what the rules demand of each probe, and golden files of everything a trace says about it.

`CLUSTERVIZ_GOLDENS=write pytest tests/scenarios` writes the golden files anew; read what changed before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterviz.classroom.facts import ABOUT_PACKETS
from tests.scenarios.harness import FOLDERS, ask, facts, load, report

WRITE = os.environ.get("CLUSTERVIZ_GOLDENS") == "write"
CASES = [
    pytest.param(folder, question.name, id=f"{folder.name}: {question.name}")
    for folder in FOLDERS
    for question in load(folder)[0].probes
]


def test_all_sixteen_scenarios_are_here() -> None:
    assert [int(folder.name[:2]) for folder in FOLDERS] == list(range(1, 17))


@pytest.mark.parametrize(("folder", "name"), CASES)
def test_a_probe_does_what_the_rules_say(folder: Path, name: str) -> None:
    """``expect`` of probes.yaml, written by hand from the rules, not from what the engine said."""
    scenario, objects = load(folder)
    question = next(one for one in scenario.probes if one.name == name)
    answer = ask(scenario, objects, question).trace
    assert {what: ABOUT_PACKETS[what](answer) for what in question.expect} == question.expect


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_told_is_what_was_read_and_found_right(folder: Path) -> None:
    scenario, objects = load(folder)
    answers = [ask(scenario, objects, one) for one in scenario.probes]
    for name, text in (("report.txt", report(scenario, answers)), ("facts.json", facts(answers))):
        file = folder / name
        if WRITE:
            file.write_text(text)
        assert file.read_text() == text, (
            f"{file} changed: CLUSTERVIZ_GOLDENS=write pytest tests/scenarios, then read it"
        )
