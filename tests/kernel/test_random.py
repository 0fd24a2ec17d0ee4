"""Random clusters under random settings: thousands of connections, and no disagreement."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from clusterviz.engine import Settings
from tests.kernel.judge import Comparison
from tests.kernel.randoms import LEAST, clusters, report
from tests.kernel.tally import KINDS, tally

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize(("dual", "examples"), [(False, 7), (True, 2)], ids=["IPv4", "dual stack"])
def test_random_clusters(dual: bool, examples: int, agreements: Counter[str]) -> None:
    def heard(objects: list[Any], chosen: Settings, found: list[Comparison]) -> None:
        faults = [one for one in found if one.fault]
        assert not faults, report(objects, chosen, faults)
        agreements.update(tally(found, chosen))

    clusters(heard, dual=dual, examples=examples)


def test_enough_was_asked(agreements: Counter[str]) -> None:
    assert agreements["questions"] >= LEAST, agreements
    assert min(agreements[word] for word in ("answered", "refused", "timed out", "unreachable")) > 10, agreements
    assert all(agreements[kind] for kind in KINDS), agreements
