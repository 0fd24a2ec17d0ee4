"""axe finds nothing against WCAG 2.2 AA in what people look at, dark and light."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import ask, by, select, show
from tests.server import ROOT, RunningServer

AXE = ROOT / "tests" / "tools" / "node_modules" / "axe-core" / "axe.min.js"
#: axe's rules that look at colours; in the other theme these alone can find something else.
COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """async (rules) => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const runOnly = rules ? {type: 'rule', values: rules} : {type: 'tag', values: tags};
  const {violations} = await axe.run(document, {runOnly, resultTypes: ['violations']});
  const told = node => node.target.join(' ') + ': ' + node.failureSummary;
  return violations.map(one => [one.id, ...one.nodes.slice(0, 6).map(told)].join(' | '));
}"""


def check(page: Page) -> None:
    """Fail with what axe has against the page as it is now, dark and light."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert page.evaluate(RUN) == [], "dark"
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert page.evaluate(RUN, COLOURS) == [], "light"


@pytest.fixture
def editor_page(server: RunningServer, open_page: Callable[..., Page], admin_state: Any) -> Page:
    """A dashboard with everything an editor has."""
    return show(open_page(server.url, storage_state=admin_state, reduced_motion="reduce"))


def test_panels_and_menus(editor_page: Page) -> None:
    page = editor_page
    page.keyboard.press("/")
    by(page, "search").fill("no such thing")
    check(page)
    select(page, "node n1")
    expect(by(page, "facts")).to_contain_text("10.244.")
    page.keyboard.press("e")
    expect(by(page, "log")).to_be_visible()
    by(page, "export").click()
    expect(by(page, "exports")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(by(page, "palette-option").first).to_be_visible()
    check(page)
    by(page, "palette-input").fill("no such thing")
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    expect(by(page, "import")).to_be_visible()
    check(page)


def test_a_trace_and_the_dialogs_around_it(editor_page: Page) -> None:
    page = editor_page
    ask(page, "shop/frontend", "http://recommend.shop/")
    expect(by(page, "trace-verdict")).to_be_visible()
    check(page)
    by(page, "trace-view-hop").click()
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(by(page, "keys")).to_be_visible()
    check(page)


def test_the_pages_around_the_dashboard(page: Page) -> None:
    for address in ("/", "/login/"):
        page.goto(address)
        check(page)
