"""The picture without a mouse and without eyes: the walk along its edges, the words, the menu of an object."""

import re

from playwright.sync_api import Page, expect

from tests.browser.steps import by, click_on, select, show, until
from tests.browser.test_accessible import check


def selected(page: Page) -> str:
    """What the address says is selected."""
    found = re.search(r"select=([^&]*)", page.evaluate("location.hash"))
    return found.group(1) if found else ""


def test_the_picture_is_walked_edge_by_edge(shown: Page) -> None:
    """Arrows reach neighbours, an edge leads to its other end, and back; all of it is said."""
    page = shown
    until(page, "document.getElementById('graph').getAttribute('role') === 'application'")
    page.keyboard.press("g")
    expect(by(page, "walk")).to_contain_text("Arrows")
    page.keyboard.press("ArrowRight")
    first = selected(page)
    assert first.startswith("service:")
    page.keyboard.press("ArrowRight")
    until(page, "first => !location.hash.includes(first + '&') && !location.hash.endsWith(first)", first)
    page.keyboard.press("ArrowLeft")
    assert selected(page) == first
    select(page, "service cart")
    by(page, "graph").focus()
    page.keyboard.press("]")
    said = by(page, "walk")
    expect(said).to_contain_text(re.compile(r"Edge 1 of \d+: "))
    for _ in range(12):
        if "endpoint pod" in said.inner_text():
            break
        page.keyboard.press("]")
    expect(said).to_contain_text("endpoint pod")
    page.keyboard.press("Enter")
    assert selected(page).startswith("pod:shop/cart-")
    expect(said).to_contain_text(re.compile(r"pod in shop cart-.*10\.244\.\d+\.\d+ on n\d", re.IGNORECASE))
    page.keyboard.press("Backspace")
    assert selected(page) == "service:shop/cart"
    check(page)


def test_the_words_follow_the_cluster(editing: Page) -> None:
    """A pod deleted from the menu of its object disappears from the words, another one comes, and it is said aloud."""
    page = show(editing)
    twin = by(page, "twin")
    expect(twin).to_contain_text(re.compile(r"Cluster demo: 3 nodes, \d+ pods"))
    expect(twin).to_contain_text("nightly calls db.shop:5432")
    select(page, "pod cart")
    old = selected(page).partition("/")[2]
    expect(twin).to_contain_text(old)
    by(page, "graph").focus()
    page.keyboard.press("Shift+F10")
    expect(by(page, "context")).to_be_visible()
    expect(by(page, "context-open")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(by(page, "context-trace-from")).to_be_focused()
    check(page)
    by(page, "context-delete-pod").click()
    by(page, "confirm-yes").click()
    expect(twin).not_to_contain_text(old)
    expect(twin).to_contain_text(re.compile(r"Pod cart-.* on n\d"))
    expect(by(page, "aloud")).to_contain_text("started")
    page.keyboard.press("w")
    button = twin.get_by_role("button", name=re.compile("^Service db in shop"))
    expect(button.first).to_be_visible()
    check(page)
    button.first.click()
    expect(by(page, "side-title")).to_have_text("db")
    expect(by(page, "spark").first).to_be_visible()
    expect(by(page, "spark").first).to_contain_text(re.compile(r"a second now.*failed"))
    page.keyboard.press("w")
    expect(by(page, "twin-close")).to_be_hidden()


def test_the_menu_of_what_the_pointer_is_on(shown: Page) -> None:
    """Nobody signed in: what changes the cluster is there, and says what it needs."""
    page = shown
    until(page, "document.getElementById('graph').getAttribute('aria-haspopup') === 'menu'")
    click_on(page, "service:shop/api", "right")
    expect(by(page, "context")).to_contain_text("service api")
    by(page, "context-namespace").click()
    expect(by(page, "context")).to_have_count(0)
    assert page.evaluate("location.hash").endswith("filter=namespace:shop")
    select(page, "node n1")
    page.keyboard.press("Shift+F10")
    expect(by(page, "context-cordon")).to_have_attribute("aria-disabled", "true")
    expect(by(page, "context-cordon")).to_have_attribute("title", "Sign in as an editor first")
    page.keyboard.press("Escape")
    expect(by(page, "context")).to_have_count(0)
    expect(by(page, "side-title")).to_have_text("n1")
