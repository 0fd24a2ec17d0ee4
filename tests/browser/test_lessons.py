"""Lessons in a real browser: predicted, revealed, reloaded, looked at; by key and by pointer."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.steps import by, until
from tests.browser.test_accessible import check
from tests.classroom.player import open_lesson, place, play, whatifs
from tests.server import RunningServer


def test_the_first_lesson_is_played_to_its_end_by_keys_alone(
    server: RunningServer, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url, viewport={"width": 1920, "height": 1080})
    for address in ("/lessons/exam/", "/lessons/exam/7/2/", "/lessons/"):
        page.goto(address)
        check(page)
    by(page, "lesson-01-flat-network").click()
    until(page, "() => Boolean(window.clusterviz?.place().phase)")
    for here in play(page):
        if here["step"] == 1:
            check(page)
        if here["phase"] == "revealed":
            expect(by(page, "reveal-word")).to_have_text({True: "Right", False: "Not so"}[right(page)])
    expect(by(page, "score")).to_contain_text("You predicted")
    expect(by(page, "end").locator("[data-holds=no]")).to_have_count(0)
    check(page)
    by(page, "next-lesson").click()
    expect(page).to_have_url(f"{server.url}/lessons/02-two-containers/#step=1")


def right(page: Page) -> bool:
    """Whether the choice that was made is the one that is so."""
    return by(page, "lesson").locator('.choice[aria-pressed="true"]').get_attribute("data-state") == "right"


def test_a_place_is_chosen_in_the_picture_revealed_shared_and_found_again(
    server: RunningServer, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}", viewport={"width": 1280, "height": 720}, color_scheme="light")
    open_lesson(page, "16-moving-day", "#step=2")
    assert by(page, "why").count() == 0
    assert "EPS-02" not in page.content()
    by(page, "pin-0").click()
    expect(by(page, "choice-0")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("PageDown")
    expect(by(page, "reveal-word")).to_have_text("Right")
    expect(by(page, "trace-verdict")).to_contain_text("delivered")
    assert page.url.endswith("#step=2&shown=1")
    page.reload()
    expect(by(page, "reveal-word")).to_have_text("Right")
    by(page, "depth-kernel").click()
    expect(by(page, "say")).to_contain_text("KUBE-SEP")
    assert list(whatifs(page)) == [0]
    by(page, "tab-side").click()
    expect(by(page, "headers")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press(".")
    expect(by(page, "dim")).to_be_visible()
    page.keyboard.press(".")
    page.keyboard.press("PageUp")
    until(page, "() => clusterviz.place().phase === 'answered'")
    assert place(page)["step"] == 2
    # Pressed faster than the server answers: the second turn starts where the first one leads.
    page.keyboard.press("]")
    page.keyboard.press("]")
    until(page, "() => clusterviz.place().step === 3")


def test_a_lesson_is_shared_by_a_link_on_a_course_page_and_on_paper(
    server: RunningServer, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}", viewport={"width": 1280, "height": 720}, color_scheme="light")
    link = "#step=2&shown=1&whatif=1&trace=shop/you|pod:shop/web-4:8080||0&length=1400"
    open_lesson(page, "05-clusterip", link)
    expect(by(page, "trace-verdict")).to_contain_text("delivered")
    until(page, "link => location.hash === link", link)  # the step has a packet of its own, which comes first
    by(page, "share-open").click()
    check(page)
    expect(by(page, "share-link")).to_have_text(f"{server.url}/lessons/05-clusterip/{link}")
    code = by(page, "share-embed").inner_text()
    page.route("**/course", lambda route: route.fulfill(body=f"<title>Course</title>{code}", content_type="text/html"))
    page.goto("/course")
    expect(page.frame_locator("iframe").get_by_test_id("trace-verdict")).to_contain_text("delivered")
    page.goto("/lessons/05-clusterip/handout/?answers=1")
    page.evaluate("clusterviz.ready")
    expect(page.get_by_role("img", name="Rewritten before it leaves home")).to_have_count(2)
    assert page.evaluate("() => [...document.images].every((one) => one.complete && one.naturalWidth > 300)")
    check(page)


def test_a_german_lesson_is_played_broken_in_a_copy_and_goes_on_in_english(
    server: RunningServer, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url, viewport={"width": 1280, "height": 720}, locale="de-DE")
    open_lesson(page, "05-clusterip", "#step=2")
    page.keyboard.press("2")
    until(page, "() => clusterviz.place().phase === 'answered'")
    expect(by(page, "next")).to_have_text("Aufdecken")
    page.keyboard.press("PageDown")
    expect(by(page, "reveal-word")).to_have_text("Richtig")
    expect(by(page, "facts-held").locator("[data-holds=no]")).to_have_count(0)
    by(page, "copy").click()
    expect(by(page, "in-copy")).to_be_visible()
    check(page)
    page.goto(f"{page.url}delete%20service:shop/web")
    page.reload()
    until(page, "() => Boolean(window.clusterviz?.place().phase)")
    expect(by(page, "deeds")).to_have_text("delete service:shop/web")
    expect(by(page, "facts-held").locator("[data-holds=no]")).to_have_count(1)
    by(page, "copy-undo").click()
    expect(by(page, "facts-held").locator("[data-holds=no]")).to_have_count(0)
    by(page, "leave").click()
    expect(by(page, "reveal-word")).to_have_text("Richtig")
    by(page, "language-en-gb").click()
    expect(by(page, "reveal-word")).to_have_text("Right")
    assert page.url.endswith("#step=2&shown=1")
