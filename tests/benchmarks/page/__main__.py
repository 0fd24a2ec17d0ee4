# ruff: noqa: T201 - tables are printed
"""``python -m tests.benchmarks.page``: what the picture costs in Chromium, each scene beside the plain way to draw it.

``--quick`` leaves out the largest. The status is 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import platform
import sys
from typing import NamedTuple

from playwright.sync_api import Browser

from tests.benchmarks.__main__ import table
from tests.benchmarks.page.drive import Frames, Measured, Scene, chromium, files

# The second is 100 nodes of a graph and 184 edges.
SCENES = (Scene(3, 30), Scene(10, 90), Scene(50, 1_000), Scene(500, 15_000), Scene(5_000, 150_000))
RATES = (10, 100, 1_000)
# Calls a second: about 500 packets are under way at once.
CALLS = 250
MS = 3000
# Frames a second below which a scene is given up: the largest, drawn the plain way, takes Chromium down.
USABLE = 1.0


class Costs(NamedTuple):
    """Everything measured of one scene drawn one way."""

    scene: Scene
    how: str
    first: float
    heap: float
    elements: int
    far: Frames
    near: Frames | None
    packets: Frames | None
    changing: dict[int, Frames]


def measure(browser: Browser, address: str, how: str, scene: Scene) -> Costs:
    """One tab: far, near, packets, and panning while pods change."""
    tab = Measured(browser, address, how, scene)
    try:
        tab.page.wait_for_timeout(1500)
        first, heap = tab.first, tab.heap
        far = tab.frames(f"bench.pan({MS}, 0)")
        if far.rate < USABLE:
            return Costs(scene, how, first, heap, tab.elements, far, None, None, {})
        changing = {rate: tab.frames(f"bench.pan({MS}, {rate})") for rate in RATES}
        tab.page.evaluate("bench.near()")
        tab.page.wait_for_timeout(1200)
        near = tab.frames(f"bench.pan({MS}, 0)")
        elements = tab.elements
        tab.page.evaluate("bench.far()")
        tab.page.evaluate(f"bench.packets({CALLS})")
        tab.page.wait_for_timeout(1500)
        packets = tab.frames(f"bench.live({MS})")
        return Costs(scene, how, first, heap, elements, far, near, packets, changing)
    finally:
        tab.close()


def row(costs: Costs) -> tuple[str, ...]:
    """As the table has it."""
    return (
        str(costs.scene),
        costs.how,
        f"{costs.first:,.0f} ms",
        f"{costs.heap:,.0f} MiB",
        f"{costs.elements:,}",
        *(told(frames) for frames in (costs.far, costs.near, costs.packets)),
        *(told(costs.changing.get(rate)) for rate in RATES),
    )


def told(frames: Frames | None) -> str:
    """CPU of a frame, p50 and p95 between frames, frames a second."""
    if frames is None:
        return "given up"
    return f"{frames.cpu:,.1f} | {frames.p50:,.0f}/{frames.p95:,.0f} | {frames.rate:,.0f}"


def budgets(all_costs: list[Costs], empty: Frames) -> list[tuple[str, float, str, float]]:
    """(what, measured, ``<=`` or ``>=``, allowed)."""
    ours = {costs.scene: costs for costs in all_costs if costs.how == "ours"}
    plain = {costs.scene: costs for costs in all_costs if costs.how == "plain"}
    found = [
        ("500 packets: CPU of a frame / an empty page's", ours[SCENES[0]].packets.cpu / empty.cpu, "<=", 12.0),
        (f"{SCENES[1]}, 184 edges: frames a second with packets", ours[SCENES[1]].packets.rate, ">=", 28.0),
        (f"{SCENES[1]}, 184 edges: CPU ms of a frame with packets", ours[SCENES[1]].packets.cpu, "<=", 20.0),
        ("elements Cytoscape holds at most, near", max(costs.elements for costs in ours.values()), "<=", 520.0),
    ]
    largest = SCENES[-1]
    if largest in ours:
        found += [
            (f"{largest}: first picture, ms", ours[largest].first, "<=", 1500.0),
            (
                f"{largest}: frames a second, panning, 1,000 changes a second",
                ours[largest].changing[1000].rate,
                ">=",
                45.0,
            ),
            (f"{largest}: CPU of a frame, plain / ours", plain[largest].far.cpu / ours[largest].far.cpu, ">=", 100.0),
        ]
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the largest cluster")
    scenes = SCENES[:-1] if parser.parse_args().quick else SCENES
    with files() as address, chromium() as browser:
        print(f"Chromium {browser.version}, {platform.machine()}, 1600x900, no GPU")
        print("CPU ms of the main thread a frame | p50/p95 ms between frames | frames a second\n")
        tab = Measured(browser, address, "empty", SCENES[0])
        empty = tab.frames(f"bench.pan({MS}, 0)")
        tab.close()
        print(f"an empty page: {told(empty)}\n")
        rows = [
            (
                "nodes/pods",
                "drawn",
                "first",
                "heap",
                "in Cytoscape",
                "far",
                "near",
                "packets",
                *(f"{rate}/s change" for rate in RATES),
            )
        ]
        found = []
        for scene in scenes:
            for how in ("ours", "plain"):
                costs = measure(browser, address, how, scene)
                found.append(costs)
                rows.append(row(costs))
                print(" ".join(rows[-1]), file=sys.stderr)
        print(table(rows))
    missed = 0
    print()
    for what, value, sign, allowed in budgets(found, empty):
        kept = value <= allowed if sign == "<=" else value >= allowed
        missed += not kept
        print(f"{'met   ' if kept else 'MISSED'}  {what}: {value:,.2f} ({sign} {allowed:,.0f})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
