"""What the browser tests share: finding controls, waiting without eval, asking and selecting."""

import time
from typing import Any

from playwright.sync_api import Locator, Page, expect

OVERLAPS = """() => {
  const cards = clusterviz.cy.nodes().filter(n => n.data('kind') !== 'node')
    .map(n => ({id: n.id(), ...n.boundingBox({includeOverlays: false, includeLabels: false})}));
  const bad = [];
  cards.forEach((a, i) => cards.slice(i + 1).forEach(b => {
    if (a.x1 < b.x2 - 1 && b.x1 < a.x2 - 1 && a.y1 < b.y2 - 1 && b.y1 < a.y2 - 1) bad.push(a.id + ' over ' + b.id);
  }));
  return bad;
}"""
OUTSIDE = """() => {
  const {clientWidth: w, clientHeight: h} = document.getElementById('graph');
  return clusterviz.cy.nodes().filter(n => {
    const b = n.renderedBoundingBox({includeOverlays: false});
    return b.x1 < -1 || b.y1 < -1 || b.x2 > w + 1 || b.y2 > h + 1;
  }).map(n => n.id());
}"""
CUT = """() => [...document.querySelectorAll('.topbar *, .legend *')].filter(e => {
  const b = e.getBoundingClientRect();
  return b.width && b.height && (b.right > innerWidth + 1 || b.bottom > innerHeight + 1 || b.left < -1);
}).map(e => e.outerHTML.slice(0, 80))"""


#: Seconds until a wait gives up: nothing here is a matter of speed, and a machine may be busy.
PATIENCE = 60


def by(page: Page, name: str) -> Locator:
    """The control with this data-testid."""
    return page.get_by_test_id(name)


def stats(page: Page) -> dict[str, Any]:
    """What the picture says about itself."""
    found: dict[str, Any] = page.evaluate("clusterviz.stats()")
    return found


def until(page: Page, expression: str, arg: Any = None, *, timeout: float = PATIENCE) -> None:
    """Wait for a truth in the page; Playwright's own way needs eval, which our CSP forbids."""
    deadline = time.monotonic() + timeout
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, f"not true within {timeout} s: {expression}"
        page.wait_for_timeout(50)


def show(page: Page, name: str = "demo") -> Page:
    """Open a dashboard and wait for its first picture."""
    page.goto(f"/clusters/{name}/")
    until(page, "() => Boolean(window.clusterviz)")
    page.evaluate("clusterviz.ready")
    until(page, "clusterviz.cy.nodes().length > 5")
    return page


def select(page: Page, words: str) -> None:
    """Find something with the search field and select the best result."""
    page.keyboard.press("/")
    by(page, "search").fill(words)
    expect(by(page, "search-result").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(by(page, "side")).to_be_visible()


def pods_of(page: Page, owner: str) -> dict[str, str]:
    """Pods in the picture whose name begins with ``owner``: id -> IP."""
    found: dict[str, str] = page.evaluate(
        "o => Object.fromEntries(clusterviz.cy.nodes('[kind=\"pod\"]').filter(n => n.data('label').startsWith(o))"
        ".map(n => [n.id(), n.data('ip')]))",
        owner,
    )
    return found


def ask(page: Page, source: str, to: str) -> None:
    """Ask for a trace through the form."""
    by(page, "trace-open").click()
    by(page, "trace-from").fill(source)
    by(page, "trace-to").fill(to)
    by(page, "trace-send").click()


def forgive(errors: list[str], *statuses: int) -> None:
    """Chromium reports refused requests in the console; these were meant to be refused."""
    errors[:] = [error for error in errors if not any(f"status of {status}" in error for status in statuses)]
