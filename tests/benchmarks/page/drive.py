"""Chromium on a page of this folder, and what its main thread costs: the kernel's own count of CPU time."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[3]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
]
# Milliseconds between two looks whether the first picture is there.
LOOK = 100.0


class Frames(NamedTuple):
    """How frames came: CPU milliseconds of the main thread each, milliseconds between them, how many a second."""

    cpu: float
    p50: float
    p95: float
    rate: float


class Scene(NamedTuple):
    """A generated cluster."""

    nodes: int
    pods: int

    def __str__(self) -> str:
        """As the tables name it."""
        return f"{self.nodes:,}/{self.pods:,}"


class NoPictureError(Exception):
    """The first picture did not come within ``seconds``, though the tab's main thread worked ``cpu`` seconds on it."""

    def __init__(self, why: str, seconds: float, cpu: float) -> None:
        super().__init__(f"{why} in {seconds:,.0f} s, {cpu:,.0f} s of CPU")
        self.seconds, self.cpu = seconds, cpu


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Files below the project, without a word."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def files() -> Iterator[str]:
    """Serve the project's folder on the loopback; the address of this folder's page."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/tests/benchmarks/page/page.html"
    server.shutdown()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless and without a GPU."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        raise SystemExit("There is no Chromium on PATH: apt-get install chromium (Debian)")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


class Measured:
    """One scene in one tab. Raises `NoPictureError` when nothing is drawn within ``patience`` seconds."""

    def __init__(self, browser: Browser, address: str, how: str, scene: Scene, patience: float) -> None:
        self._browser = browser
        self._context = browser.new_context(viewport={"width": 1600, "height": 900})
        self.page: Page = self._context.new_page()
        self._said: set[str] = set()
        self.page.on("console", lambda message: self._said.add(message.text))
        self.page.on("crash", lambda _: self._said.add("crashed"))
        self.page.goto(f"{address}?how={how}&nodes={scene.nodes}&pods={scene.pods}", wait_until="commit")
        self._wait(patience)

    def _wait(self, patience: float) -> None:
        # Nothing is asked of the page: while its main thread works it would answer to no question, nor to a limit.
        began, before = time.monotonic(), self._spent()
        while "drawn" not in self._said:
            waited = time.monotonic() - began
            if waited > patience or "crashed" in self._said:
                now = self._spent()
                busiest, cpu = max(((pid, now[pid] - before.get(pid, 0)) for pid in now), key=lambda one: one[1])
                why = "the tab crashed" if "crashed" in self._said else "did not draw"
                if "crashed" not in self._said:
                    os.kill(busiest, signal.SIGKILL)
                self.close()
                raise NoPictureError(why, waited, cpu / 1e9)
            self.page.wait_for_timeout(LOOK)

    def _spent(self) -> dict[int, int]:
        return {pid: _cpu(pid) for pid in self._renderers()}

    def _renderers(self) -> list[int]:
        session = self._browser.new_browser_cdp_session()
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        return [one["id"] for one in found if one["type"] == "renderer"]

    @property
    def first(self) -> float:
        """Milliseconds from the data to the first whole picture."""
        return float(self.page.evaluate("bench.first"))

    @property
    def elements(self) -> int:
        """What Cytoscape holds."""
        return int(self.page.evaluate("bench.elements()"))

    @property
    def heap(self) -> float:
        """MiB of JavaScript objects after a collection."""
        used = "(() => { globalThis.gc?.(); return performance.memory.usedJSHeapSize; })()"
        return float(self.page.evaluate(used)) / 2**20

    def frames(self, script: str) -> Frames:
        """Run something that tells the gaps between frames."""
        # Chromium may take a process for the tab that it had in reserve: the tab's is the one that works.
        before = self._spent()
        gaps = self.page.evaluate(script)
        spent = max(_cpu(pid) - cpu for pid, cpu in before.items()) / 1e6
        if len(gaps) < 2:
            return Frames(spent, sum(gaps), sum(gaps), 0.0)
        p95 = statistics.quantiles(gaps, n=20)[-1]
        return Frames(spent / len(gaps), statistics.median(gaps), p95, 1000 * len(gaps) / sum(gaps))

    def close(self) -> None:
        """The tab goes, and its process with it."""
        self._context.close()


def _cpu(pid: int) -> int:
    """Nanoseconds the main thread of a process has run."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])
