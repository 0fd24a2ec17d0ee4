"""The dashboard in a real browser: looking, finding, pausing, and fitting every window."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import CUT, OUTSIDE, OVERLAPS, ask, by, pods_of, point_at, select, show, standing, stats, until

SIZES = [(1280, 720), (1920, 1080)]
#: The size of the picture and where the camera is.
SCENE = "() => [innerWidth, clusterviz.cy.width(), clusterviz.cy.height(), clusterviz.cy.zoom(), clusterviz.cy.pan()]"
#: Services whose name and address some packet covers.
COVERED = """() => {
  const canvas = document.getElementById('packets');
  const ratio = canvas.width / canvas.clientWidth;
  return clusterviz.cy.nodes('[kind="service"]').filter(n => {
    const b = n.renderedBoundingBox({includeOverlays: false, includeLabels: false});
    const [w, h] = [b.x2 - b.x1 - 16, (b.y2 - b.y1) * 0.8 - 4];
    const [left, top, wide, high] = [b.x1 + 8, b.y1 + 4, w, h].map(v => Math.round(v * ratio));
    return canvas.getContext('2d').getImageData(left, top, wide, high).data.some((value, i) => i % 4 === 3 && value);
  }).map(n => n.id());
}"""


def test_the_picture_is_drawn_with_names_and_addresses(shown: Page) -> None:
    page = shown
    pods = pods_of(page, "")
    assert len(pods) >= 10
    assert all(re.fullmatch(r"10\.244\.\d+\.\d+", ip) for ip in pods.values())
    kinds = page.evaluate("[...new Set(clusterviz.cy.nodes().map(n => n.data('kind')))]")
    assert {"pod", "node", "service", "external"} <= set(kinds)
    assert all(
        isinstance(v, int) or v == int(v) for v in page.evaluate("clusterviz.cy.nodes().map(n => n.position('x'))")
    )


def test_edges_run_exactly_on_our_tracks(shown: Page) -> None:
    page = shown
    until(page, "clusterviz.cy.edges().length > 5")
    worst = page.evaluate(
        """() => Math.max(...clusterviz.cy.edges().filter(e => e.segmentPoints()).map(e => {
          const wanted = JSON.parse(e.data('shape')).slice(1, -1);
          return Math.max(...e.segmentPoints().map((p, i) => Math.hypot(p.x - wanted[i][0], p.y - wanted[i][1])));
        }))"""
    )
    assert worst < 0.01


@pytest.mark.motion
def test_packets_move_and_nothing_in_cytoscape_is_restyled_for_it(page: Page) -> None:
    show(page)
    until(page, "clusterviz.packets().length > 3")
    routes = 0
    while (known := stats(page)["routes"]) > routes:  # a young cluster still finds the ways of its calls
        routes = known
        page.wait_for_timeout(3000)
    page.evaluate("void clusterviz.cy.on('style position data', 'node, edge', () => { window.styled += 1; })")
    quiet = False
    for _ in range(6):  # new routes may add lines in one window, an animation would restyle in all of them
        page.evaluate("window.styled = 0")
        first, frames = page.evaluate("clusterviz.packets()"), stats(page)["frames"]
        until(page, "n => clusterviz.stats().frames > n + 10", arg=frames)
        assert page.evaluate("clusterviz.packets()") != first
        assert page.evaluate(COVERED) == []
        quiet = page.evaluate("window.styled") == 0
        if quiet:
            break
    assert quiet


@pytest.mark.motion
def test_pause_freezes_the_picture_and_counts_what_waits(page: Page) -> None:
    show(page)
    until(page, "clusterviz.packets().length > 3")
    by(page, "pause").click()
    until(page, "clusterviz.stats().waiting > 2")
    expect(by(page, "status")).to_have_text(re.compile(r"paused · \d+ waiting"))
    before, frames = page.evaluate("clusterviz.packets()"), stats(page)["frames"]
    page.wait_for_timeout(500)
    assert page.evaluate("clusterviz.packets()") == before
    assert stats(page)["frames"] - frames <= 2
    by(page, "step").click()
    until(page, "n => clusterviz.packets().length === n + 1", arg=len(before))
    by(page, "pause").click()
    expect(by(page, "status")).to_have_text(re.compile(r"live · "))


def test_speed_is_shown_as_a_number(shown: Page) -> None:
    page = shown
    page.keyboard.press("+")
    expect(by(page, "speed-value")).to_have_text(re.compile(r"^2\D$"))
    by(page, "speed").fill("0")
    expect(by(page, "speed-value")).to_have_text(re.compile(r"^1/1000\D$"))


def test_search_selects_and_the_panel_tells_everything(shown: Page) -> None:
    page = shown
    select(page, "service api")
    expect(by(page, "side-title")).to_have_text("api")
    expect(by(page, "facts")).to_contain_text("10.96.")
    by(page, "section-yaml").locator("summary").click()
    expect(by(page, "yaml")).to_contain_text("kind: Service")
    expect(by(page, "section-related")).to_contain_text("api-")
    assert page.evaluate("clusterviz.cy.$(':selected').id()") == "service:shop/api"
    page.keyboard.press("Escape")
    expect(by(page, "side")).to_be_hidden()


def test_an_address_may_name_what_to_select(shown: Page) -> None:
    """Changed by hand or by Back; `test_a_link_opens_the_same_picture` is about the first load."""
    page = shown
    page.evaluate("location.hash = '#select=pod:shop/db-0'")
    expect(by(page, "side-title")).to_have_text("db-0")
    page.evaluate("location.hash = '#select=service:shop/api'")
    expect(by(page, "side-title")).to_have_text("api")
    page.evaluate("location.hash = '#select=pod:shop/nobody'")
    expect(by(page, "toast").first).to_contain_text("pod:shop/nobody is not in this cluster")


def test_search_says_when_nothing_is_found(shown: Page) -> None:
    page = shown
    by(page, "search").fill("no-such-thing")
    expect(by(page, "search-results")).to_contain_text("Nothing is called")


def test_clicking_in_the_picture_selects(shown: Page) -> None:
    page = shown
    place = point_at(page, "node:n2")
    page.mouse.click(place["x"], place["top"] + 12)
    expect(by(page, "side-title")).to_have_text("n2")


def test_filters_dim_and_can_be_cleared(shown: Page) -> None:
    page = shown
    until(page, "clusterviz.cy.edges().length > 5")
    by(page, "filter").click()
    by(page, "filter-verdict").select_option("dropped")
    until(page, "clusterviz.cy.edges('.faded').length > 0")
    by(page, "filter-clear").click()
    until(page, "clusterviz.cy.edges('.faded').length === 0")


def test_the_theme_is_remembered(page: Page) -> None:
    show(page)
    ground = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    for _ in range(3):
        by(page, "theme").click()
        if page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") != ground:
            break
    chosen = page.evaluate("document.documentElement.dataset.theme")
    assert chosen in {"light", "dark"}
    show(page)
    assert page.evaluate("document.documentElement.dataset.theme") == chosen


def test_the_key_sheet(shown: Page) -> None:
    page = shown
    page.keyboard.press("?")
    expect(by(page, "keys")).to_contain_text("one call, while paused")
    page.keyboard.press("Escape")
    expect(by(page, "keys")).to_have_count(0)


def test_with_reduced_motion_nothing_moves(shown: Page) -> None:
    page = shown
    until(page, "clusterviz.cy.edges('.still').length > 5")
    assert stats(page)["dots"] == 0
    expect(by(page, "worth")).to_contain_text("a second")


def test_nothing_overlaps_or_is_cut(shown: Page) -> None:
    """In each size, dark and light: the picture alone, with the side panel, and while a packet is followed."""
    page = shown
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        nothing_is_found(page, OVERLAPS, OUTSIDE, CUT)
        select(page, "service api")
        nothing_is_found(page, OUTSIDE)
        page.keyboard.press("Escape")
        ask(page, "shop/frontend", "http://api.shop/")
        expect(by(page, "trace-verdict")).to_be_visible()
        nothing_is_found(page, OUTSIDE, CUT)
        page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1280, "height": 720})


def nothing_is_found(page: Page, *looks: str) -> None:
    """As it is shown now, dark and light."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        standing(page, SCENE)
        for look in looks:
            assert page.evaluate(look) == [], scheme


def test_a_lost_connection_comes_back_by_itself(shown: Page) -> None:
    page = shown
    page.evaluate(
        """() => {
          const box = document.getElementById('notice');
          window.said = [];
          const hear = () => window.said.push(box.textContent);
          new MutationObserver(hear).observe(box, {childList: true, characterData: true});
          clusterviz.drop();
        }"""
    )
    until(page, "window.said.some(words => words.startsWith('back'))")
    assert page.evaluate("window.said")[0] == "reconnecting…"
    messages = stats(page)["messages"]
    until(page, "n => clusterviz.stats().messages > n + 3", arg=messages)
    expect(by(page, "status")).to_have_text(re.compile(r"live · "))
