# ruff: noqa: T201 - progress is printed
"""``python -m tests.pictures``: photograph the dashboard for the README and docs/pictures.md.

Three clusters (the demo, 100 and 5,000 nodes) in three sizes and three themes, each a WebP file in ``docs/img``.
"""

from __future__ import annotations

import argparse
import base64
import sys
import tempfile
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page

from tests.benchmarks.page.drive import chromium
from tests.browser.steps import until
from tests.server import ROOT, RunningServer, running_server


class Sized(NamedTuple):
    """What `loaddemo` is asked for, or nothing for the demo."""

    name: str
    options: dict[str, int]


CLUSTERS = (
    Sized("demo", {}),
    # With this seed visitors from the Internet find what they ask for.
    Sized("hundred", {"nodes": 100, "pods": 1_500, "services": 120, "seed": 2}),
    Sized("thousands", {"nodes": 5_000, "pods": 150_000, "services": 10_000}),
)
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
THEMES = ("dark", "light", "projector")
# Seconds a busy machine may take to draw the largest cluster, ms in which traffic spreads over all lines.
PATIENCE, ALIVE = 240, 5000
QUALITY = {"720p": 82, "1080p": 76, "4k": 66}
# 150,000 dots leave little to save; fewer bits are not seen among them.
DENSE = {"thousands": 14}
FURNISHED = """() => ['.topbar .views:not([hidden])', '.timestrip .rail text'].every((s) => document.querySelector(s))
  && clusterviz.stats().calls > 0"""


def photograph(page: Page, path: Path, quality: int) -> None:
    """What the page shows now, as WebP."""
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
    session.detach()
    path.write_bytes(base64.b64decode(shot["data"]))
    print(f"{path} {path.stat().st_size // 1024} KiB")


def shoot(browser: Browser, server: RunningServer, cluster: str, size: str, theme: str, folder: Path) -> None:
    """One cluster in one size and theme."""
    width, height = SIZES[size]
    scheme: Literal["light", "dark"] = "light" if theme == "light" else "dark"
    context = browser.new_context(base_url=server.url, viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"/clusters/{cluster}/{'?theme=projector' if theme == 'projector' else ''}")
    until(page, "() => Boolean(window.clusterviz)", timeout=PATIENCE)
    page.evaluate("clusterviz.ready")
    until(page, FURNISHED, timeout=PATIENCE)
    page.wait_for_timeout(ALIVE)
    until(page, "() => !clusterviz.stats().behind", timeout=PATIENCE)
    photograph(page, folder / f"{cluster}-{size}-{theme}.webp", QUALITY[size] - DENSE.get(cluster, 0))
    context.close()


def main() -> int:
    """Make every picture, or those asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "img", help="folder (default: docs/img)")
    parser.add_argument("--cluster", choices=[one.name for one in CLUSTERS], action="append")
    parser.add_argument("--size", choices=list(SIZES), action="append")
    parser.add_argument("--theme", choices=THEMES, action="append")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    wanted = [one for one in CLUSTERS if one.name in (asked.cluster or [one.name])]
    with chromium() as browser:
        for cluster in wanted:
            with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as server:
                if cluster.options:
                    options = [word for what, count in cluster.options.items() for word in (f"--{what}", str(count))]
                    server.manage("loaddemo", "--name", cluster.name, *options, timeout=600)
                for size in asked.size or SIZES:
                    for theme in asked.theme or THEMES:
                        shoot(browser, server, cluster.name, size, theme, asked.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
