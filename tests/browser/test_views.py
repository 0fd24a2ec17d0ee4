"""Views of the same truth, focus, and things put elsewhere: each test walks a whole way, mostly by keyboard."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.steps import OVERLAPS, PLACE, by, forgive, point_at, select, show, standing, until
from tests.server import RunningServer

CART = "workload:Deployment/shop/cart"
AT = "id => { const p = clusterviz.cy.getElementById(id).position(); return [p.x, p.y]; }"


def at(page: Page, ref: str) -> list[float]:
    """Where a thing stands in the picture."""
    found: list[float] = page.evaluate(AT, ref)
    return found


def furnished(page: Page) -> Page:
    """The views are there."""
    expect(by(page, "view-nodes")).to_have_attribute("aria-pressed", "true")
    return page


def drag(page: Page, ref: str, dx: float, dy: float) -> None:
    """Take a thing a little below its top and move it."""
    place = point_at(page, ref)
    x, top = place["x"], place["top"] + min(10, (place["y"] - place["top"]) * 2 / 3)
    page.mouse.move(x, top)
    page.mouse.down()
    for step in (0.2, 0.6, 1):
        page.mouse.move(x + dx * step, top + dy * step)
    page.mouse.up()


@pytest.mark.motion
def test_one_key_shows_the_cluster_another_way(page: Page) -> None:
    """By service, by namespace, the matrix, and back: cards do not overlap, packets run, the link opens the same."""
    furnished(show(page))
    page.keyboard.press("2")
    expect(by(page, "view-services")).to_have_attribute("aria-pressed", "true")
    until(page, "clusterviz.cy.getElementById('workload:Deployment/shop/api').nonempty()")
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate('clusterviz.cy.nodes(\'[kind="pod"], [kind="node"]\').length') == 0
    x = {name: at(page, f"workload:Deployment/shop/{name}")[0] for name in ("frontend", "api", "cart")}
    assert at(page, "internet")[0] < x["frontend"] < x["api"] < x["cart"]
    call = "clusterviz.cy.getElementById('call:workload:Deployment/shop/frontend>service:shop/api')"
    until(page, f"/^[0-9.]+\\/s/.test({call}.data('label') ?? '')")
    until(page, "clusterviz.packets().length > 0")
    select(page, "service recommend")
    refused = "clusterviz.cy.edges().filter(e => e.data('target') === 'service:shop/recommend')"
    until(page, f"{refused}.some(e => e.data('trouble') === 'all')")
    assert page.evaluate("location.hash") == "#view=services&select=service:shop/recommend"
    page.reload()
    expect(by(page, "view-services")).to_have_attribute("aria-pressed", "true")
    expect(by(page, "side-title")).to_have_text("recommend")
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    until(page, "clusterviz.cy.getElementById('namespace:shop').nonempty()")
    assert page.evaluate(OVERLAPS) == []
    select(page, "namespace shop")
    page.keyboard.press("Shift+F10")
    by(page, "context-open-space").click()
    until(page, f"clusterviz.cy.getElementById('{CART}').nonempty()")
    page.keyboard.press("4")
    expect(by(page, "matrix")).to_be_visible()
    blocked = by(page, "matrix-cell").and_(page.locator('[data-verdict="dropped"]'))
    expect(blocked.first).to_have_attribute("aria-label", re.compile("nightly to db: dropped"))
    by(page, "matrix-failing").click()
    expect(by(page, "matrix-words")).to_contain_text(re.compile("^2 callers, 2 called"))
    by(page, "matrix-grid").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(by(page, "side-title")).to_have_text(re.compile("frontend-to-recommend|nightly-to-db"))
    by(page, "matrix-as-list").click()
    expect(by(page, "matrix-list").locator("tbody tr")).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(by(page, "matrix")).to_be_hidden()
    until(page, "clusterviz.cy.nodes('[kind=\"node\"]').length === 3")


def test_focus_leaves_one_object_and_what_it_touches(shown: Page) -> None:
    """What does not touch it leaves the picture, in every view; Esc brings it back where it was."""
    page = furnished(shown)
    before = at(page, "service:shop/frontend")
    page.keyboard.press("o")
    expect(by(page, "toasts")).to_contain_text("Select an object first")
    select(page, "service cart")
    page.keyboard.press("o")
    expect(by(page, "focus-words")).to_have_text(re.compile(r"focus on cart: \d+ of \d+ objects"))
    assert page.evaluate("clusterviz.cy.getElementById('service:shop/frontend').empty()")
    assert page.evaluate(
        "clusterviz.cy.nodes('[kind=\"pod\"]').map(n => n.data('label')).every(n => /^(cart|api)-/.test(n))"
    )
    page.keyboard.press("2")
    expect(by(page, "focus-words")).to_have_text(re.compile(r"focus on cart: 3 of \d+ objects"))
    assert sorted(page.evaluate("clusterviz.cy.nodes().map(n => n.data('label'))")) == ["api", "cart", "cart"]
    assert "focus=service:shop/cart" in page.evaluate("location.hash")
    page.keyboard.press("1")
    until(page, "clusterviz.cy.nodes('[kind=\"node\"]').length > 0")
    page.keyboard.press("Escape")
    expect(by(page, "focus")).to_be_hidden()
    until(page, "clusterviz.cy.getElementById('service:shop/frontend').nonempty()")
    assert at(page, "service:shop/frontend") == before
    expect(by(page, "side-title")).to_have_text("cart")


def test_things_stay_where_a_person_put_them(
    changed_server: RunningServer, open_page: Callable[..., Page], console_errors: list[str]
) -> None:
    """By mouse, by keyboard and by two clicks; for a stranger in the browser, for who is signed in on the server."""
    page = furnished(show(open_page(changed_server.url)))
    first, last = at(page, "node:n1"), at(page, "node:n3")
    way = standing(page, PLACE, "node:n3")["x"] - standing(page, PLACE, "node:n1")["x"]
    drag(page, "node:n1", way, 0)
    assert at(page, "node:n1") == last
    until(page, "Boolean(localStorage['clusterviz.places.demo'])")
    furnished(show(page))
    until(page, f"({AT})('node:n1')[0] === {last[0]}")
    page.keyboard.press("Shift+R")
    until(page, f"({AT})('node:n1')[0] === {first[0]}")
    sign_in(page, changed_server)
    furnished(show(page))
    page.keyboard.press("2")
    until(page, f"clusterviz.cy.getElementById('{CART}').nonempty()")
    select(page, "workload cart")
    here = at(page, CART)
    door = at(page, "service:shop/cart")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+Shift+ArrowRight")
    assert [round(a - b) for a, b in zip(at(page, CART), here, strict=True)] == [4, 24]
    assert [round(a - b) for a, b in zip(at(page, "service:shop/cart"), door, strict=True)] == [4, 24], "goes along"
    page.keyboard.press("Shift+F10")
    by(page, "context-move").click()
    expect(by(page, "notice")).to_contain_text("Click where cart shall stand")
    graph: Any = by(page, "graph").bounding_box()
    with page.expect_response(re.compile("/layouts/services")) as answer:
        page.mouse.click(graph["x"] + 420, graph["y"] + graph["height"] - 60)
    assert answer.value.status == 200
    put = at(page, CART)
    assert put[1] > here[1] + 60
    other = sign_in(open_page(changed_server.url), changed_server)
    show(other)
    other.goto("/clusters/demo/#view=services")
    until(other, f"clusterviz.cy.getElementById('{CART}').nonempty()")
    until(other, f"JSON.stringify(({AT})('{CART}')) === '{[int(p) for p in put]}'.replace(' ', '')")
    forgive(console_errors)


@pytest.mark.motion
def test_a_pause_can_be_gone_on_from_or_left(page: Page) -> None:
    """While the live picture is paused, one button goes on from there, another jumps to now."""
    furnished(show(page))
    until(page, "clusterviz.packets().length > 0")
    by(page, "pause").click()
    expect(by(page, "time-told")).to_contain_text("space jumps to now")
    page.wait_for_timeout(1500)
    by(page, "time-resume").click()
    expect(by(page, "status")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d · 1\D$"))
    by(page, "time-now").click()
    expect(by(page, "status")).to_have_text(re.compile("^live · "))
    by(page, "pause").click()
    by(page, "time-now").click()
    expect(by(page, "status")).to_have_text(re.compile("^live · "))
