# ruff: noqa: T201 - a table is printed
"""``python -m tests.benchmarks``: what the engine costs on three sizes of clusters, and whether the budgets hold.

``--quick`` leaves out the largest; the status is 1 when a ratio budget is missed.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence

from tests.benchmarks.measure import Costs, measure, seconds
from tests.benchmarks.synthetic import LARGE, MIDDLE, SMALL

COLUMNS = (
    *("cluster", "build", "a pod", "first answer", "traces/s", "legs read/s", "to_dict/s", "decisions/s", "update"),
    "memory a pod",
)


def row(costs: Costs) -> tuple[str, ...]:
    """One size, as the table has it."""
    return (
        str(costs.size),
        f"{costs.build * 1e3:,.1f} ms",
        f"{costs.build_a_pod * 1e6:.1f} us",
        f"{costs.first * 1e3:,.1f} ms",
        f"{1 / costs.trace:,.0f}",
        f"{1 / costs.legs:,.0f}",
        f"{1 / costs.document:,.0f}",
        f"{1 / costs.decision:,.0f}",
        f"{costs.update * 1e6:,.0f} us",
        f"{costs.memory:,.0f} B",
    )


def budgets(small: Costs, large: Costs | None) -> list[tuple[str, float, float, bool]]:
    """(what, measured, allowed, whether it is a ratio); everything must stay at or below what is allowed."""
    found = [
        ("a trace / a decision", small.trace / small.decision, 3, True),
        ("us a decision (100,000 a second)", small.decision * 1e6, 10, False),
        (f"update / build, {small.size.pods:,} pods", small.update / small.build, 1 / 500, True),
    ]
    if large is not None:
        found += [
            (f"update / build, {large.size.pods:,} pods", large.update / large.build, 1 / 500, True),
            (f"a trace at {large.size.pods:,} / at {small.size.pods:,} pods", large.trace / small.trace, 2.5, True),
            (f"legs read at {large.size.pods:,} / at {small.size.pods:,} pods", large.legs / small.legs, 2.5, True),
            ("build a pod, large / small", large.build_a_pod / small.build_a_pod, 1.3, True),
            ("us a pod built (150,000 in 1.5 s)", large.build_a_pod * 1e6, 10, False),
        ]
    return found


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Aligned columns."""
    widths = [max(len(each[place]) for each in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(f"{cell:>{width}}" for cell, width in zip(each, widths, strict=True)) for each in rows)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the largest cluster")
    sizes = [SMALL, MIDDLE] if parser.parse_args().quick else [SMALL, MIDDLE, LARGE]
    found = []
    for size in sizes:
        found.append(measure(size, rounds=2 if size is LARGE else 5))
        gc.collect()
    yardstick = seconds(lambda: [None for _ in range(1_000_000) if len("ab") == 2], 5)
    print("nodes/pods/Services; CPU time of one process, best of several rounds")
    print(f"yardstick: {yardstick * 1e9 / 1e6:.0f} ns for a call of len and a comparison in a loop\n")
    print(table([COLUMNS, *map(row, found)]), "\n")
    missed = False
    lines = [("budget", "measured", "allowed", "")]
    for what, measured, allowed, ratio in budgets(found[1], found[2] if found[2:] else None):
        missed |= ratio and measured > allowed
        lines.append((what, f"{measured:.4g}", f"{allowed:.4g}", "met" if measured <= allowed else "MISSED"))
    print(table(lines))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
