"""The dashboard in a real browser: looking, asking, changing, importing, and hostile names."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

SIZES = [(1280, 720), (1920, 1080)]
HOSTILE = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: extra, namespace: shop, annotations: {note: "%s"}}
spec:
  replicas: 1
  selector: {matchLabels: {app: extra}}
  template:
    metadata: {labels: {app: extra}}
    spec: {containers: [{name: extra, image: extra}]}
"""
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


def by(page: Page, name: str) -> Locator:
    """The control with this data-testid."""
    return page.get_by_test_id(name)


def stats(page: Page) -> dict[str, Any]:
    """What the picture says about itself."""
    found: dict[str, Any] = page.evaluate("clusterviz.stats()")
    return found


def until(page: Page, expression: str, arg: Any = None, *, timeout: float = 30) -> None:
    """Wait for a truth in the page; Playwright's own way needs eval, which our CSP forbids."""
    deadline = time.monotonic() + timeout
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, f"not true within {timeout} s: {expression}"
        page.wait_for_timeout(50)


def show(page: Page, name: str = "demo") -> Page:
    """Open a dashboard and wait for its first picture."""
    page.goto(f"/clusters/{name}/")
    until(page, "() => Boolean(window.clusterviz)")
    page.evaluate("clusterviz.ready")
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


def test_the_picture_is_drawn_with_names_and_addresses(page: Page) -> None:
    show(page)
    pods = pods_of(page, "")
    assert len(pods) >= 10
    assert all(re.fullmatch(r"10\.244\.\d+\.\d+", ip) for ip in pods.values())
    kinds = page.evaluate("[...new Set(clusterviz.cy.nodes().map(n => n.data('kind')))]")
    assert {"pod", "node", "service", "external"} <= set(kinds)
    assert all(
        isinstance(v, int) or v == int(v) for v in page.evaluate("clusterviz.cy.nodes().map(n => n.position('x'))")
    )


def test_edges_run_exactly_on_our_tracks(page: Page) -> None:
    show(page)
    until(page, "clusterviz.cy.edges().length > 5")
    worst = page.evaluate(
        """() => Math.max(...clusterviz.cy.edges().filter(e => e.segmentPoints()).map(e => {
          const wanted = JSON.parse(e.data('shape')).slice(1, -1);
          return Math.max(...e.segmentPoints().map((p, i) => Math.hypot(p.x - wanted[i][0], p.y - wanted[i][1])));
        }))"""
    )
    assert worst < 0.01


def test_packets_move_and_nothing_in_cytoscape_is_restyled_for_it(page: Page) -> None:
    show(page)
    until(page, "clusterviz.packets().length > 3")
    page.evaluate("clusterviz.cy.on('style position data', 'node, edge', () => { window.styled += 1; })")
    quiet = []
    for _ in range(6):  # new routes may add lines in one window, an animation would restyle in all of them
        page.evaluate("window.styled = 0")
        first, frames = page.evaluate("clusterviz.packets()"), stats(page)["frames"]
        until(page, "n => clusterviz.stats().frames > n + 10", arg=frames)
        assert page.evaluate("clusterviz.packets()") != first
        quiet.append(page.evaluate("window.styled") == 0)
    assert any(quiet)


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


def test_speed_is_shown_as_a_number(page: Page) -> None:
    show(page)
    page.keyboard.press("+")
    expect(by(page, "speed-value")).to_have_text(re.compile(r"^2\D$"))
    by(page, "speed").fill("0")
    expect(by(page, "speed-value")).to_have_text(re.compile(r"^0\.1\D$"))


def test_search_selects_and_the_panel_tells_everything(page: Page) -> None:
    show(page)
    select(page, "service api")
    expect(by(page, "side-title")).to_have_text("api")
    expect(by(page, "facts")).to_contain_text("10.96.")
    by(page, "section-yaml").locator("summary").click()
    expect(by(page, "yaml")).to_contain_text("kind: Service")
    expect(by(page, "section-related")).to_contain_text("api-")
    assert page.evaluate("clusterviz.cy.$(':selected').id()") == "service:shop/api"
    page.keyboard.press("Escape")
    expect(by(page, "side")).to_be_hidden()


def test_search_says_when_nothing_is_found(page: Page) -> None:
    show(page)
    by(page, "search").fill("no-such-thing")
    expect(by(page, "search-results")).to_contain_text("Nothing is called")


def test_clicking_in_the_picture_selects(page: Page) -> None:
    show(page)
    by(page, "pause").click()
    spot = page.evaluate(
        "(() => { const p = clusterviz.cy.$('#node\\\\:n2').renderedBoundingBox(); return [p.x1 + 60, p.y1 + 12]; })()"
    )
    box = by(page, "graph").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + spot[0], box["y"] + spot[1])
    expect(by(page, "side-title")).to_have_text("n2")


def test_filters_dim_and_can_be_cleared(page: Page) -> None:
    show(page)
    until(page, "clusterviz.cy.edges().length > 5")
    by(page, "filter").click()
    by(page, "filter-verdict").select_option("dropped")
    until(page, "clusterviz.cy.edges('.faded').length > 0")
    by(page, "filter-clear").click()
    until(page, "clusterviz.cy.edges('.faded').length === 0")


def test_a_trace_is_walked_with_the_keyboard(page: Page) -> None:
    show(page)
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
    expect(by(page, "headers")).to_contain_text("nobody")
    assert by(page, "headers").locator("ins").count() >= 1
    page.keyboard.press("PageUp")
    expect(hops.nth(0)).to_have_attribute("aria-current", "step")
    page.keyboard.press("End")
    expect(hops.last).to_have_attribute("aria-current", "step")
    expect(by(page, "side")).to_contain_text("reply")
    page.keyboard.press("Escape")
    expect(by(page, "trace")).to_be_hidden()


def test_words_for_operators(page: Page) -> None:
    show(page)
    ask(page, "shop/frontend", "http://api.shop/")
    by(page, "trace-next").click()
    novice = by(page, "trace-caption").inner_text()
    by(page, "trace-level").click()
    assert by(page, "trace-caption").inner_text() != novice
    by(page, "trace-level").click()


def test_a_packet_can_be_clicked(page: Page) -> None:
    show(page)
    until(page, "clusterviz.packets().length > 3")
    by(page, "pause").click()
    box = by(page, "graph").bounding_box()
    assert box is not None
    spot = page.evaluate("clusterviz.packets().sort((a, b) => b.connection > a.connection ? 1 : -1)[0]")
    page.mouse.click(box["x"] + spot["x"], box["y"] + spot["y"])
    expect(by(page, "trace-verdict")).to_be_visible()


def test_a_bad_question_is_answered_at_its_field(page: Page, console_errors: list[str]) -> None:
    show(page)
    ask(page, "shop/frontend", "http://")
    expect(by(page, "trace-error-to")).to_contain_text("Allowed")
    by(page, "trace-to").fill("http://no-such-name/")
    by(page, "trace-send").click()
    expect(by(page, "trace-verdict")).to_contain_text("name not found", ignore_case=True)
    forgive(console_errors, 400)


def test_visitors_are_told_to_sign_in(page: Page) -> None:
    show(page)
    select(page, "node n1")
    expect(by(page, "login-hint")).to_be_visible()
    by(page, "import-open").click()
    expect(by(page, "import").get_by_test_id("login-hint")).to_be_visible()


def test_a_deleted_pod_is_replaced_with_another_address(own_server: Any, open_admin_page: Callable[..., Page]) -> None:
    page = show(open_admin_page(own_server))
    before = pods_of(page, "frontend-")
    victim = min(before)
    select(page, victim.rpartition("/")[2])
    by(page, "action-delete-pod").click()
    by(page, "confirm-yes").click()
    expect(by(page, "toast").first).to_contain_text("deleted")
    until(page, "id => clusterviz.cy.getElementById(id).empty()", arg=victim, timeout=60)
    until(
        page,
        "n => clusterviz.cy.nodes('[kind=\"pod\"]')"
        ".filter(p => p.data('label').startsWith('frontend-') && p.data('ip')).length === n",
        arg=len(before),
        timeout=60,
    )
    after = pods_of(page, "frontend-")
    fresh = set(after) - set(before)
    assert len(fresh) == 1
    assert after[fresh.pop()] not in before.values()
    expect(by(page, "side-gone")).to_be_visible()
    until(page, "clusterviz.packets().length > 0")


def test_changes_from_elsewhere_arrive_by_themselves(own_server: Any, open_admin_page: Callable[..., Page]) -> None:
    page = show(open_admin_page(own_server))
    select(page, "node n2")
    by(page, "action-cordon").click()
    expect(by(page, "action-uncordon")).to_be_visible(timeout=15_000)
    count = len(pods_of(page, "extra"))
    by(page, "import-open").click()
    by(page, "import-text").fill(WEB % "plain")
    by(page, "import-preview").click()
    expect(by(page, "import-counts")).to_contain_text("1 created")
    by(page, "import-apply").click()
    expect(by(page, "import-counts")).to_contain_text("Done")
    by(page, "import-close").click()
    until(
        page,
        "n => clusterviz.cy.nodes().filter(e => e.data('label').startsWith('extra-')).length > n",
        arg=count,
        timeout=30_000,
    )
    assert page.evaluate(OVERLAPS) == []


def test_broken_yaml_is_refused_with_its_line(admin_page: Page, console_errors: list[str]) -> None:
    page = show(admin_page)
    by(page, "import-open").click()
    by(page, "import-text").fill("kind: Pod\nmetadata: [")
    by(page, "import-preview").click()
    expect(by(page, "import-error")).to_be_visible()
    expect(by(page, "import-problems")).to_contain_text(re.compile(r"pasted:\d"))
    expect(by(page, "import-apply")).to_be_disabled()
    forgive(console_errors, 422)


def test_hostile_names_are_text_everywhere(
    own_server: Any, open_admin_page: Callable[..., Page], console_errors: list[str]
) -> None:
    page = show(open_admin_page(own_server))
    for form in (
        HOSTILE,
        f'a: "{HOSTILE}"',
        (WEB % HOSTILE).replace("name: extra, image", f"name: '{HOSTILE}', image"),
    ):
        by(page, "import-open").click()
        by(page, "import-text").fill(form)
        by(page, "import-preview").click()
        expect(by(page, "import-result")).not_to_be_empty()
        by(page, "import-close").click()
    by(page, "import-open").click()
    by(page, "import-text").fill(WEB % HOSTILE.replace('"', ""))
    by(page, "import-preview").click()
    expect(by(page, "import-apply")).to_be_enabled()
    by(page, "import-apply").click()
    expect(by(page, "import-counts")).to_contain_text("Done")
    by(page, "import-close").click()
    select(page, "workload extra")
    by(page, "section-yaml").locator("summary").click()
    expect(by(page, "yaml")).to_contain_text("<script>")
    by(page, "search").fill(HOSTILE)
    expect(by(page, "search-results")).to_contain_text("<script>")
    page.keyboard.press("Escape")
    ask(page, HOSTILE, f"http://{HOSTILE}/")
    expect(by(page, "trace-form")).to_contain_text("<script>")
    assert page.evaluate("window.hacked") is None
    forgive(console_errors, 400, 422)


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


def test_the_key_sheet(page: Page) -> None:
    show(page)
    page.keyboard.press("?")
    expect(by(page, "keys")).to_contain_text("one call, while paused")
    page.keyboard.press("Escape")
    expect(by(page, "keys")).to_have_count(0)


def test_with_reduced_motion_nothing_moves(server: Any, open_page: Callable[..., Page]) -> None:
    page = show(open_page(server.url, reduced_motion="reduce"))
    until(page, "clusterviz.cy.edges('.still').length > 5")
    assert stats(page)["dots"] == 0
    expect(by(page, "worth")).to_contain_text("a second")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_overlaps_or_is_cut(
    server: Any, open_page: Callable[..., Page], size: tuple[int, int], theme: str
) -> None:
    page = show(open_page(server.url, viewport={"width": size[0], "height": size[1]}, color_scheme=theme))
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CUT) == []
    select(page, "service api")
    page.wait_for_timeout(300)
    assert page.evaluate(OUTSIDE) == []
    page.keyboard.press("Escape")
    ask(page, "shop/frontend", "http://api.shop/")
    expect(by(page, "trace-verdict")).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CUT) == []


def test_a_lost_connection_comes_back_by_itself(page: Page, console_errors: list[str]) -> None:
    show(page)
    page.context.set_offline(True)
    page.evaluate("clusterviz.drop()")
    expect(by(page, "notice")).to_have_text("reconnecting…")
    page.context.set_offline(False)
    until(page, "document.getElementById('notice').textContent.startsWith('back')", timeout=30)
    expect(by(page, "status")).to_have_text(re.compile(r"live · "))
    console_errors[:] = [error for error in console_errors if "ERR_INTERNET_DISCONNECTED" not in error]
