"""The recorded truths: what stands in the table, what the engine says, and what this kernel does are one."""

from __future__ import annotations

from functools import cache

import pytest

from tests.kernel.conftest import Labs
from tests.kernel.expect import Seen
from tests.kernel.judge import Comparison, Question, compare
from tests.kernel.table import CASES, SETTINGS, Case

pytestmark = pytest.mark.kernel


def question(case: Case) -> Question:
    address, _, proto = case.to.partition("/")
    ip, _, port = address.rpartition(":")
    return Question(case.source, ip, int(port), "UDP" if proto == "UDP" else "TCP")


@cache
def compared(labs: Labs, settings: str) -> dict[int, Comparison]:
    """All rows of one cluster at once, so that those that time out cost one second together."""
    made, lab = labs(settings)
    cases = [case for case in CASES if case.settings == settings]
    found = compare(made, lab, [question(case) for case in cases])
    return {id(case): one for case, one in zip(cases, found, strict=True)}


def short(way: Seen) -> str:
    if way.outcome != "answered":
        return way.outcome
    return f"{way.place.rpartition(':')[2].rpartition('/')[2]} {way.source}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rules)
def test_case(case: Case, labs: Labs) -> None:
    found = compared(labs, case.settings)[id(case)]
    assert {short(way) for way in found.expected.ways} == case.ways, f"the engine: {found}"
    assert not found.fault, str(found)


def test_every_setting_of_the_table_is_used() -> None:
    assert {case.settings for case in CASES} == set(SETTINGS)
