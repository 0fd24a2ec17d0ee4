"""`python -m tests.classroom.screens [FOLDER]`: every lesson played to its end in a browser, a picture of each place.

1920x1080 in the profile of a projector, by the keys of a clicker, every what-if opened. Ends with 1 when the browser
reports an error, a fact does not hold, or a page is wider than its screen.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from clusterviz.classroom import library
from tests.browser.conftest import FLAGS, choose_node, watch
from tests.classroom.player import open_lesson, play, whatifs
from tests.server import ROOT, running_server

SIZE: ViewportSize = {"width": 1920, "height": 1080}
# Words of the lesson that are cut off at the side, and facts that do not hold.
AMISS = """() => [...document.querySelectorAll('#lesson *, .topbar *')]
  .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 2 && getComputedStyle(e).display !== 'inline')
  .filter(e => !e.matches('.visually-hidden, .icon')).map(e => 'cut: ' + e.outerHTML.slice(0, 90))
  .concat([...document.querySelectorAll('[data-holds=no]')].map(e => 'does not hold: ' + e.textContent))"""


def main(folder: Path) -> int:
    """Play them all; the number of things amiss."""
    folder.mkdir(parents=True, exist_ok=True)
    amiss: list[str] = []
    choose_node()
    with tempfile.TemporaryDirectory() as data, running_server(Path(data)) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(base_url=server.url, viewport=SIZE, reduced_motion="reduce")
        watch(page, amiss)
        for path in library.files():
            count = len(amiss)
            open_lesson(page, path.stem, "?theme=projector")
            for number, here in enumerate(play(page)):
                name = f"{path.stem}-{number}-{here['phase']}"
                page.screenshot(path=folder / f"{name}.png")
                amiss += [f"{name}: {one}" for one in page.evaluate(AMISS)]
                for fork in whatifs(page):
                    page.screenshot(path=folder / f"{name}-whatif-{fork + 1}.png")
                    amiss += [f"{name} what-if {fork + 1}: {one}" for one in page.evaluate(AMISS)]
            print(f"{'ok  ' if len(amiss) == count else 'FAIL'} {path.stem}", *amiss[count:], sep="\n     ", flush=True)  # noqa: T201
        browser.close()
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".build" / "lessons"))
