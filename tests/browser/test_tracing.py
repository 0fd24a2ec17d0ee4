"""Following packets: asked for, clicked, walked with the keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Shown
from tests.browser.steps import ask, by, forgive, show, standing, until

#: Where on the page the packet of the latest connection is.
LATEST = """() => {
  const {x, y} = document.getElementById('graph').getBoundingClientRect();
  const [spot] = clusterviz.packets().sort((a, b) => b.connection > a.connection ? 1 : -1);
  return {x: x + spot.x, y: y + spot.y};
}"""


def test_a_trace_is_walked_with_the_keyboard(shown: Page) -> None:
    page = shown
    ask(page, "shop/frontend", "http://api.shop/")
    expect(by(page, "trace-verdict")).to_contain_text("Delivered", ignore_case=True)
    hops = by(page, "trace-hop")
    assert hops.count() >= 4
    expect(hops.nth(0)).to_have_attribute("aria-current", "step")
    page.keyboard.press("ArrowRight")
    expect(hops.nth(1)).to_have_attribute("aria-current", "step")
    expect(by(page, "trace-caption")).to_contain_text("10.96.")
    expect(by(page, "trace-candidates")).to_contain_text("%")
    expect(by(page, "trace-rule").first).to_be_visible()
    by(page, "trace-rules").first.locator("summary").click()
    expect(by(page, "trace-rules").first).to_contain_text("drawn at random for each connection")
    expect(by(page, "headers")).to_contain_text("nobody")
    assert by(page, "headers").locator("ins").count() >= 1
    page.keyboard.press("PageUp")
    expect(hops.nth(0)).to_have_attribute("aria-current", "step")
    page.keyboard.press("End")
    expect(hops.last).to_have_attribute("aria-current", "step")
    expect(by(page, "side")).to_contain_text("reply")
    page.keyboard.press("Escape")
    expect(by(page, "trace")).to_be_hidden()


def test_words_for_operators(shown: Page) -> None:
    page = shown
    ask(page, "shop/frontend", "http://api.shop/")
    by(page, "trace-next").click()
    novice = by(page, "trace-caption").inner_text()
    by(page, "trace-level").click()
    assert by(page, "trace-caption").inner_text() != novice
    by(page, "trace-level").click()


@pytest.mark.motion
def test_a_packet_can_be_clicked(page: Page) -> None:
    show(page)
    until(page, "clusterviz.packets().length > 3")
    by(page, "pause").click()
    spot = standing(page, LATEST)
    page.mouse.click(spot["x"], spot["y"])
    expect(by(page, "trace-verdict")).to_be_visible()


def test_a_bad_question_is_answered_at_its_field(shown: Page, showing: Shown) -> None:
    page = shown
    ask(page, "shop/frontend", "http://")
    expect(by(page, "trace-error-to")).to_contain_text("Allowed")
    by(page, "trace-to").fill("http://no-such-name/")
    by(page, "trace-send").click()
    expect(by(page, "trace-verdict")).to_contain_text("name not found", ignore_case=True)
    forgive(showing.errors, 400)


@pytest.mark.motion
def test_only_the_asked_packet_can_be_drawn_again(page: Page) -> None:
    show(page)
    ask(page, "shop/frontend", "http://api.shop/")
    expect(by(page, "trace-again")).to_be_visible()
    by(page, "trace-child").first.click()
    expect(by(page, "trace-parent")).to_be_visible()
    expect(by(page, "trace-again")).to_have_count(0)
    by(page, "trace-parent").click()
    expect(by(page, "trace-again")).to_be_visible()
