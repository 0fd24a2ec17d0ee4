"""Random clusters before the kernel: drawn, built and asked; a command for as many as one has patience for.

``python -m tests.kernel.randoms --seed 7 --probes 2000`` ends with status 0 when all agree, 1 when something
differs, 2 when it could not be tried. The test of random clusters runs the same with seeds of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Settings
from tests.kernel import worlds
from tests.kernel.judge import Comparison, compare
from tests.kernel.lab import Lab, why_not
from tests.kernel.listening import called_ports
from tests.kernel.questions import SERVER, some
from tests.kernel.tally import lines, tally
from tests.kernel.world import plan

# Labs at the same time: most of their life they wait for connections to time out.
VARIANTS = 4
EACH = 75
LEAST = 2000

World = tuple[list[Any], list[Settings]]
# What is called after each cluster with what was asked of it.
Heard = Callable[[list[Any], Settings, list[Comparison]], None]
QUIET = settings(
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    database=None,
)


def world(*, dual: bool) -> st.SearchStrategy[World]:
    """Objects, and the settings to try them under."""
    return st.tuples(
        worlds.worlds(dual=dual), st.lists(worlds.settings(dual=dual), min_size=VARIANTS, max_size=VARIANTS)
    )


def ask(cluster: Cluster, number: int) -> list[Comparison]:
    """One lab, and as many questions as it is worth building for."""
    questions = some(cluster, EACH, Random(number))
    with Lab() as lab:
        lab.build(plan(cluster, {question.port for question in questions} | called_ports(cluster), SERVER.values()))
        return compare(cluster, lab, questions)


def clusters(heard: Heard, *, dual: bool, examples: int, start: int | None = None) -> None:
    """Ask ``examples`` drawn worlds; the same ones each time, or those of another ``start``."""

    @settings(QUIET, max_examples=examples, derandomize=start is None)
    @given(world(dual=dual), st.integers(0, 2**32))
    def run(drawn: World, number: int) -> None:
        objects, variants = drawn
        made = [Cluster.from_objects(objects, chosen) for chosen in variants]
        with ThreadPoolExecutor(VARIANTS) as pool:
            answers = list(pool.map(lambda cluster: ask(cluster, number), made))
        for chosen, found in zip(variants, answers, strict=True):
            heard(objects, chosen, found)

    (run if start is None else seed(start)(run))()


def report(objects: list[Any], chosen: Settings, faults: list[Comparison]) -> str:
    """What a disagreement needs to be looked into."""
    usual = msgspec.to_builtins(Settings())
    odd = {key: value for key, value in msgspec.to_builtins(chosen).items() if value != usual[key]}
    return "\n".join([*map(str, faults), f"settings {json.dumps(odd)}", json.dumps(objects)])


def main() -> int:
    """Ask until enough was asked, and print what was compared."""
    parser = argparse.ArgumentParser(prog="make kernel-proof RANDOM=1", description=__doc__)
    parser.add_argument("--probes", type=int, default=LEAST, help=f"questions to ask at least ({LEAST})")
    parser.add_argument("--seed", type=int, default=0, help="draws the clusters and the questions")
    options = parser.parse_args()
    if reason := why_not():
        sys.stderr.write(f"The kernel proof cannot be made here: {reason}\n")
        return 2
    counts: Counter[str] = Counter()

    def heard(objects: list[Any], chosen: Settings, found: list[Comparison]) -> None:
        counts.update(tally(found, chosen))
        if faults := [one for one in found if one.fault]:
            sys.stdout.write(report(objects, chosen, faults) + "\n\n")

    number = options.seed * 1000
    while counts["questions"] < options.probes:
        clusters(heard, dual=number % 3 == 2, examples=2, start=number)
        sys.stdout.write(f"{counts['questions']:,} questions, {counts['disagreements']} disagreements\n")
        sys.stdout.flush()
        number += 1
    sys.stdout.write("\n".join(["", *lines(counts), ""]))
    return 1 if counts["disagreements"] else 0


if __name__ == "__main__":
    sys.exit(main())
