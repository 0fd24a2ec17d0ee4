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
    """A generated cluster, or the demo when there are no counts."""

    name: str
    counts: dict[str, int]


CLUSTERS = (
    Sized("demo", {}),
    Sized("hundred", {"nodes": 100, "pods": 1_500, "services": 120}),
    Sized("thousands", {"nodes": 5_000, "pods": 150_000, "services": 10_000}),
)
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
THEMES = ("dark", "light", "projector")
# ms until traffic is on its way everywhere, and until the largest has drawn itself.
ALIVE = 6000
QUALITY = 82


def photograph(page: Page, path: Path) -> None:
    """What the page shows now, as WebP."""
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
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
    until(page, "() => Boolean(window.clusterviz)", timeout=120)
    page.evaluate("clusterviz.ready")
    page.wait_for_timeout(ALIVE)
    photograph(page, folder / f"{cluster}-{size}-{theme}.webp")
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
                if cluster.counts:
                    counts = [word for what, count in cluster.counts.items() for word in (f"--{what}", str(count))]
                    server.manage("loaddemo", "--name", cluster.name, *counts, timeout=300)
                for size in asked.size or SIZES:
                    for theme in asked.theme or THEMES:
                        shoot(browser, server, cluster.name, size, theme, asked.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
