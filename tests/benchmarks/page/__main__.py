# ruff: noqa: T201 - tables are printed
"""``python -m tests.benchmarks.page``: what the picture costs in Chromium, each scene beside the plain way to draw it.

``--quick`` leaves out the largest. The status is 1 when a budget is missed. A scene that is not drawn within
`PATIENCE` is given up, and what its tab spent by then is the least a frame of it costs.
"""

from __future__ import annotations

import argparse
import math
import platform
import sys
from typing import NamedTuple

from playwright.sync_api import Browser

from tests.benchmarks.__main__ import table
from tests.benchmarks.page.drive import Frames, Measured, NoPictureError, Scene, chromium, files

# The second is 100 nodes of a graph and 184 edges.
SCENES = (Scene(3, 30), Scene(10, 90), Scene(50, 1_000), Scene(500, 15_000), Scene(5_000, 150_000))
RATES = (10, 100, 1_000)
# Calls a second: about 500 packets are under way at once.
CALLS = 250
MS = 3000
HEAD = (
    *("nodes/pods", "drawn", "first", "heap", "in Cytoscape", "far", "near", "packets"),
    *(f"{rate}/s change" for rate in RATES),
)
# Seconds until the first picture.
PATIENCE = 120.0
# Frames a second below which the rest of a scene is not measured.
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


class NotDrawn(NamedTuple):
    """A scene of which no frame came: ``cpu`` seconds were spent, so one costs at least that, the building included."""

    scene: Scene
    how: str
    words: str
    cpu: float


def attempt(browser: Browser, address: str, how: str, scene: Scene) -> Costs | NotDrawn:
    """`measure`, or how long it was tried."""
    try:
        return measure(browser, address, how, scene)
    except NoPictureError as error:
        return NotDrawn(scene, how, str(error), error.cpu)


def measure(browser: Browser, address: str, how: str, scene: Scene) -> Costs:
    """One tab: far, near, packets, and panning while pods change."""
    tab = Measured(browser, address, how, scene, PATIENCE)
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


def row(costs: Costs | NotDrawn) -> tuple[str, ...]:
    """As the table has it."""
    if isinstance(costs, NotDrawn):
        return (str(costs.scene), costs.how, costs.words, *[""] * (len(HEAD) - 3))
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


def budgets(all_costs: list[Costs | NotDrawn], empty: Frames) -> list[tuple[str, float, str, float]]:
    """(what, measured, ``<=`` or ``>=``, allowed); what was never drawn is measured as infinite."""
    ours = {costs.scene: costs for costs in all_costs if costs.how == "ours" and isinstance(costs, Costs)}
    plain = {costs.scene: costs for costs in all_costs if costs.how == "plain"}
    small, middle, largest = (ours.get(scene) for scene in (SCENES[0], SCENES[1], SCENES[-1]))
    packets = _packets(middle)
    found = [
        ("500 packets: CPU of a frame / an empty page's", _packets(small).cpu / empty.cpu, "<=", 12.0),
        (f"{SCENES[1]}, 184 edges: frames a second with packets", packets.rate, ">=", 28.0),
        (f"{SCENES[1]}, 184 edges: CPU ms of a frame with packets", packets.cpu, "<=", 20.0),
        ("elements Cytoscape holds at most, near", max(costs.elements for costs in ours.values()), "<=", 520.0),
    ]
    if SCENES[-1] in plain:
        name, fast = str(SCENES[-1]), largest.changing.get(1000) if largest else None
        found += [
            (f"{name}: first picture, ms", largest.first if largest else math.inf, "<=", 1500.0),
            (f"{name}: frames a second, panning, 1,000 changes a second", fast.rate if fast else 0.0, ">=", 45.0),
            ratio(plain[SCENES[-1]], largest),
        ]
    return found


def _packets(costs: Costs | None) -> Frames:
    return (costs and costs.packets) or Frames(math.inf, math.inf, math.inf, 0.0)


def ratio(plain: Costs | NotDrawn, ours: Costs | None) -> tuple[str, float, str, float]:
    """How much dearer the plain way is; of one that drew nothing, what is certain: no frame for all that CPU."""
    cost = ours.far.cpu if ours else math.inf
    what = f"{plain.scene}: CPU of a frame, plain / ours"
    if isinstance(plain, NotDrawn):
        words = f"{what}, at least: {plain.cpu:,.0f} s of CPU, building included, and no frame, beside {cost:,.1f} ms"
        return words, 1000 * plain.cpu / cost, ">=", 100.0
    return what, plain.far.cpu / cost, ">=", 100.0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the largest cluster")
    scenes = SCENES[:-1] if parser.parse_args().quick else SCENES
    with files() as address, chromium() as browser:
        print(f"Chromium {browser.version}, {platform.machine()}, 1600x900, no GPU")
        print("CPU ms of the main thread a frame | p50/p95 ms between frames | frames a second\n")
        tab = Measured(browser, address, "empty", SCENES[0], PATIENCE)
        empty = tab.frames(f"bench.pan({MS}, 0)")
        tab.close()
        print(f"an empty page: {told(empty)}\n")
        rows, found = [HEAD], []
        for scene in scenes:
            for how in ("ours", "plain"):
                costs = attempt(browser, address, how, scene)
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
