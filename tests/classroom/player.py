"""A lesson played in a real browser, by keys alone, as a clicker would."""

from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.steps import until

READY = "() => Boolean(window.clusterviz?.place().phase)"
MOVED = "was => clusterviz.place().step !== was[0] || clusterviz.place().done !== was[1]"
MOVES = 300


def open_lesson(page: Page, name: str, place: str = "") -> None:
    """The page of a lesson, its first picture drawn."""
    page.goto(f"/lessons/{name}/{place}")
    until(page, READY)
    page.evaluate("clusterviz.ready")


def place(page: Page) -> dict[str, Any]:
    """Where the lesson stands."""
    found: dict[str, Any] = page.evaluate("clusterviz.place()")
    return found


def play(page: Page, seen: Callable[[str], None] = lambda _: None) -> Iterator[dict[str, Any]]:
    """Go to the end with the clicker's key; each place once, questions answered with their first choice."""
    for _ in range(MOVES):
        here = place(page)
        if here["phase"] == "asked":
            page.keyboard.press("1")
            until(page, "() => clusterviz.place().phase === 'answered'")
        yield here
        seen(f"{here['step']}-{here['phase']}")
        if here["last"]:
            return
        page.keyboard.press("]")
        until(
            page,
            "was => clusterviz.place().step !== was[0] || clusterviz.place().done !== was[1]",
            [here["step"], here["done"]],
        )
    raise AssertionError("the lesson does not end")


def whatifs(page: Page) -> Iterator[int]:
    """Open each what-if of this place, and leave it."""
    buttons = page.get_by_test_id("lesson").locator(".whatif")
    for number in range(buttons.count()):
        page.get_by_test_id(f"whatif-{number}").click()
        expect(page.get_by_test_id("fork-why")).to_be_visible()
        yield number
        page.get_by_test_id("leave").click()
        expect(page.get_by_test_id("fork-why")).to_have_count(0)
