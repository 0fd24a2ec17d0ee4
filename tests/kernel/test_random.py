"""Random clusters under random settings: thousands of connections, and no disagreement."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Settings
from tests.kernel import worlds
from tests.kernel.judge import Comparison, compare
from tests.kernel.lab import Lab
from tests.kernel.listening import called_ports
from tests.kernel.questions import SERVER, some
from tests.kernel.world import plan

pytestmark = pytest.mark.kernel

# Labs at the same time: most of their life they wait for connections to time out.
VARIANTS = 4
EACH = 75
LEAST = 2000

World = tuple[list[Any], list[Settings]]


def world(*, dual: bool) -> st.SearchStrategy[World]:
    """Objects, and the settings to try them under."""
    return st.tuples(
        worlds.worlds(dual=dual), st.lists(worlds.settings(dual=dual), min_size=VARIANTS, max_size=VARIANTS)
    )


def ask(cluster: Cluster, seed: int) -> list[Comparison]:
    """One lab, and as many questions as it is worth building for."""
    questions = some(cluster, EACH, Random(seed))
    with Lab() as lab:
        lab.build(plan(cluster, {question.port for question in questions} | called_ports(cluster), SERVER.values()))
        return compare(cluster, lab, questions)


def report(objects: list[Any], chosen: Settings, faults: list[Comparison]) -> str:
    """What a disagreement needs to be looked into."""
    usual = msgspec.to_builtins(Settings())
    odd = {key: value for key, value in msgspec.to_builtins(chosen).items() if value != usual[key]}
    return "\n".join([*map(str, faults), f"settings {json.dumps(odd)}", json.dumps(objects)])


@pytest.mark.parametrize(("dual", "examples"), [(False, 8), (True, 3)], ids=["IPv4", "dual stack"])
def test_random_clusters(dual: bool, examples: int, agreements: Counter[str]) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
        database=None,
    )
    @given(world(dual=dual), st.integers(0, 2**32))
    def run(drawn: World, seed: int) -> None:
        objects, variants = drawn
        clusters = [Cluster.from_objects(objects, chosen) for chosen in variants]
        with ThreadPoolExecutor(VARIANTS) as pool:
            answers = list(pool.map(lambda cluster: ask(cluster, seed), clusters))
        for chosen, found in zip(variants, answers, strict=True):
            faults = [one for one in found if one.fault]
            assert not faults, report(objects, chosen, faults)
            agreements["probes"] += len(found)
            agreements.update(way.outcome for one in found for way in one.observed)

    run()


def test_enough_was_asked(agreements: Counter[str]) -> None:
    assert agreements["probes"] >= LEAST, agreements
    assert min(agreements[word] for word in ("answered", "refused", "timed out", "unreachable")) > 10, agreements
