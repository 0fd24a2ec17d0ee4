"""The tour of two minutes: by keyboard, left at any time, found again in the sheet of keys."""

from playwright.sync_api import Page, expect

from tests.browser.steps import by
from tests.browser.test_accessible import check


def test_the_tour_goes_by_keyboard_is_skipped_and_begins_again_from_the_sheet(page: Page) -> None:
    page.goto("/")
    by(page, "tour-link").click()
    expect(by(page, "tour-title")).to_have_text("The picture")
    check(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    expect(by(page, "tour-title")).to_have_text("Trace a packet")
    expect(page.locator("[data-toured]")).to_have_id("ask")
    page.keyboard.press("Escape")
    expect(by(page, "tour")).to_have_count(0)
    expect(page.locator("[data-toured]")).to_have_count(0)
    page.keyboard.press("?")
    by(page, "tour-start").click()
    expect(by(page, "tour-title")).to_have_text("The picture")
    for _ in range(20):
        if not by(page, "tour").count():
            break
        page.keyboard.press("Enter")
    expect(by(page, "tour")).to_have_count(0)
    assert page.url.endswith("?tour=1")
