"""The command palette, the event log, links that open the same picture, cards and breadcrumbs."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.browser.steps import ask, by, point_at, select, show, until


def command(page: Page, words: str) -> None:
    """Do something by its name."""
    page.keyboard.press("Control+k")
    expect(by(page, "palette-input")).to_be_focused()
    page.keyboard.type(words)
    expect(by(page, "palette-option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(by(page, "palette")).to_have_count(0)


def test_everything_is_a_command(shown: Page) -> None:
    """Keyboard only: an object, a key, a trace from what is selected; what was used last comes first."""
    page = shown
    command(page, "service api")
    expect(by(page, "side-title")).to_have_text("api")
    command(page, "trace to api")
    expect(by(page, "trace-to")).to_have_value("api.shop:80")
    page.keyboard.press("Escape")
    command(page, "network set")
    network = page.get_by_role("dialog", name=re.compile("network", re.IGNORECASE))
    expect(network).to_be_visible()
    page.keyboard.press("Control+k")
    expect(by(page, "palette")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(network).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(by(page, "palette-input")).to_be_focused()
    options = by(page, "palette-option")
    expect(options.first).to_have_attribute("data-id", "key-n")
    expect(options.nth(1)).to_have_attribute("data-id", "trace-to")
    page.keyboard.press("ArrowDown")
    expect(by(page, "palette-input")).to_have_attribute("aria-activedescendant", "palette-1")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.type("no such thing")
    expect(by(page, "palette-list")).to_contain_text("Nothing fits")
    page.keyboard.press("Escape")
    expect(by(page, "palette")).to_have_count(0)
    assert by(page, "action-crash").count() == 0


def test_actions_are_commands_and_their_events_are_listed(editing: Page) -> None:
    """New events appear in the open list; one leads to its object."""
    page = show(editing)
    page.keyboard.press("e")
    expect(by(page, "log")).to_be_visible()
    command(page, "workload cart")
    expect(by(page, "crumbs")).to_contain_text(re.compile("demo.*shop.*cart"))
    command(page, "scale 4")
    created = by(page, "log-event").filter(has_text="SuccessfulCreate")
    expect(created.first).to_be_visible()
    by(page, "log-type").select_option("Warning")
    expect(created).to_have_count(0)
    by(page, "log-type").select_option("")
    by(page, "log-kind").select_option("pod")
    expect(created).to_have_count(0)
    by(page, "log-text").fill("assigned shop/cart")
    first = by(page, "log-event").first
    expect(first).to_contain_text("Scheduled")
    first.locator("button").press("Enter")
    expect(by(page, "side-title")).to_have_text(re.compile(r"^cart-"))
    by(page, "crumb-workload").click()
    expect(by(page, "side-title")).to_have_text("cart")
    by(page, "crumb-cluster").click()
    expect(by(page, "side")).to_be_hidden()
    by(page, "log-close").click()
    expect(by(page, "log")).to_have_count(0)


def test_a_link_opens_the_same_picture(page: Page) -> None:
    """Selection, filter and the open trace are in the address."""
    show(page)
    select(page, "pod db-0")
    by(page, "filter").click()
    by(page, "filter-namespace").select_option("shop")
    page.keyboard.press("Escape")
    ask(page, "shop/frontend", "http://api.shop/")
    expect(by(page, "trace-verdict")).to_be_visible()
    link = page.evaluate("location.href")
    assert link.endswith("#select=pod:shop/db-0&filter=namespace:shop&trace=shop/frontend|http://api.shop/||0")
    page.goto("about:blank")
    page.goto(link)
    expect(by(page, "trace-verdict")).to_contain_text("Delivered", ignore_case=True)
    assert page.evaluate("location.href") == link
    expect(by(page, "filter")).to_have_attribute("data-active", "yes")
    by(page, "trace-again").click()
    until(page, "location.hash.endsWith('||1')")
    page.keyboard.press("Escape")
    expect(by(page, "side-title")).to_have_text("db-0")
    assert page.evaluate("location.hash") == "#select=pod:shop/db-0&filter=namespace:shop"


def held_answers(page: Page) -> Callable[[], None]:
    """Keep every answer about an object back until the function returned is called, which waits until it is drawn."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    def let_come() -> None:
        with page.expect_response("**/objects/**") as late:
            for route in held:
                route.continue_()
        assert late.value.body()
        page.unroute("**/objects/**", hold)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")

    page.route("**/objects/**", hold)
    return let_come


def test_a_late_answer_is_not_drawn_over_a_trace(shown: Page) -> None:
    page = shown
    let_come = held_answers(page)
    select(page, "pod db-0")
    ask(page, "shop/frontend", "http://api.shop/")
    expect(by(page, "trace-again")).to_be_visible()
    let_come()
    expect(by(page, "trace-again")).to_be_visible(timeout=100)
    page.keyboard.press("Escape")
    expect(by(page, "side-title")).to_have_text("db-0")


def test_a_click_is_not_lost_when_an_answer_comes_while_it_is_pressed(shown: Page) -> None:
    page = shown
    let_come = held_answers(page)
    select(page, "pod db-0")
    by(page, "crumb-workload").hover()
    page.mouse.down()
    let_come()
    page.mouse.up()
    expect(by(page, "side-title")).to_have_text("db")


def test_a_card_tells_what_the_pointer_rests_on(shown: Page) -> None:
    page = shown
    point_at(page, "service:shop/api")
    expect(by(page, "hover-card")).to_contain_text(re.compile(r"Service in shop.*10\.96\.\d+\.\d+:80", re.IGNORECASE))
    expect(by(page, "hover-card")).to_contain_text("endpoints ready")
    page.keyboard.press("Escape")
    expect(by(page, "hover-card")).to_be_hidden()
