"""What the browser tests share: finding controls, waiting without eval, asking and selecting."""

import time
from typing import Any, Literal

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

#: Where something in the picture is on the page: its middle and its top.
PLACE = """id => {
  const {x, y} = document.getElementById('graph').getBoundingClientRect();
  const b = clusterviz.cy.getElementById(id).renderedBoundingBox({includeLabels: false, includeOverlays: false});
  return {x: x + (b.x1 + b.x2) / 2, y: y + (b.y1 + b.y2) / 2, top: y + b.y1};
}"""


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


def standing(page: Page, look: str, arg: Any = None) -> Any:
    """What ``look`` measures when the camera rests and two looks agree: panels that open move the picture."""
    deadline = time.monotonic() + PATIENCE
    before, now = None, page.evaluate(look, arg)
    while before != now or page.evaluate("clusterviz.cy.animated()"):
        assert time.monotonic() < deadline, f"still moving after {PATIENCE} s: {look}"
        page.wait_for_timeout(100)
        before, now = now, page.evaluate(look, arg)
    return now


def point_at(page: Page, ref: str) -> dict[str, float]:
    """Put the pointer on the middle of something in the picture that stands still; returns its `PLACE`."""
    while True:
        place: dict[str, float] = standing(page, PLACE, ref)
        page.mouse.move(place["x"], place["y"])
        if page.evaluate(PLACE, ref) == place:
            return place


def click_on(page: Page, ref: str, button: Literal["left", "right"] = "left") -> None:
    """Click the middle of something in the picture."""
    place = point_at(page, ref)
    page.mouse.click(place["x"], place["y"], button=button)


def show(page: Page, name: str = "demo") -> Page:
    """Open a dashboard and wait for its first picture and everything around it.

    What a promise brings is copied out of the page: those waited for here bring nothing.
    """
    page.goto(f"/clusters/{name}/")
    until(page, "() => Boolean(window.clusterviz)")
    assert page.evaluate("clusterviz.ready") is None
    assert page.evaluate("clusterviz.furnished") is None
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
