"""Eight hours in front of the picture, in accelerated time: nothing may grow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page

from tests.browser.steps import show, until
from tests.server import RunningServer

HOUR = 3600
HOURS = 8
SCRIPT = Path(__file__).with_name("soak.js")


def settled(page: Page, cdp: CDPSession) -> dict[str, float]:
    """`sizes` once everything is drawn, which takes a busy machine longer: two looks that tell of the same DOM."""
    before, now = None, sizes(page, cdp)
    while before is None or abs(now["nodes"] - before["nodes"]) > 40:
        before, now = now, sizes(page, cdp)
    return now


def sizes(page: Page, cdp: CDPSession) -> dict[str, float]:
    """MiB of heap after a collection, DOM nodes, listeners, elements, packets under way."""
    page.wait_for_timeout(1500)
    cdp.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    told: dict[str, Any] = page.evaluate("clusterviz.stats()")
    return {
        "heap": found["JSHeapUsedSize"] / 2**20,
        "nodes": found["Nodes"],
        "listeners": found["JSEventListeners"],
        "elements": told["elements"],
        "routes": told["routes"],
        "dots": told["dots"],
    }


@pytest.mark.motion
def test_nothing_grows_in_eight_hours(server: RunningServer, open_page: Callable[..., Page]) -> None:
    """Heap, DOM and picture after eight hours of traffic and 2,880 replaced pods are what they were after two."""
    page = open_page(server.url)
    page.add_init_script(path=SCRIPT)
    show(page)
    until(page, "Boolean(window.soak.traffic)")
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")
    page.evaluate("seconds => live(seconds)", 2 * HOUR)
    early = settled(page, cdp)
    assert page.evaluate("seconds => live(seconds)", (HOURS - 2) * HOUR) == HOURS * HOUR
    late = settled(page, cdp)
    assert page.evaluate("clusterviz.cy.$('node').filter(n => n.id().includes('soak')).length") == 3
    for what, allowed in {
        "heap": 1.5,
        "nodes": 150,
        "listeners": 40,
        "elements": 12,
        "routes": 40,
        "dots": 400,
    }.items():
        assert late[what] <= early[what] + allowed, (what, early, late)
