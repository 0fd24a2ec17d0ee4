"""The profile for a projector: words and targets that reach the last row, measured as shares of the window's height."""

from playwright.sync_api import Page, expect

from tests.browser.steps import CUT, ask, by, select, show, until

#: Of 1080 px: what a verdict and a caption have at least, labels on the way of the packet, and everything else.
LOUD, PATH, LEAST = 44 / 1080, 28 / 1080, 20 / 1080
#: px of everything that can be pressed, and of any word however small the window is.
TARGET, SMALLEST = 44, 14
#: Units of the picture of the smallest words on the way: a name in two lines.
HALF_NAME = 23

WORDS = """least => {
  const bad = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    const box = e.getBoundingClientRect();
    const words = walk.currentNode.textContent.trim();
    const seen = words && box.width > 2 && box.height > 2 && e.checkVisibility() && !e.closest('.visually-hidden');
    const size = parseFloat(getComputedStyle(e).fontSize) * (e.ownerSVGElement?.getScreenCTM().a ?? 1);
    if (seen && size < least - 0.05) bad.add(`${size} px in ${e.tagName}: ${words.slice(0, 20)}`);
  }
  return [...bad];
}"""
PRESSED = "button, a, input:not([type=checkbox]), select, summary, [role=option], [role=slider]"
#: A link in a sentence is as high as its line.
TARGETS = """([pressed, least]) => [...document.querySelectorAll(pressed)].filter(e => {
  const box = e.getBoundingClientRect();
  const seen = box.width && e.checkVisibility() && !e.closest('p');
  return seen && (box.height < least - 0.5 || box.width < least - 0.5);
}).map(e => `${e.outerHTML.slice(0, 70)} ${JSON.stringify(e.getBoundingClientRect())}`)"""
SIZE = "(name) => parseFloat(getComputedStyle(document.querySelector(name)).fontSize)"
IN_VIEW = """() => {
  const lit = document.querySelector('[data-testid=trace-hop][aria-current] .what').textContent;
  const {clientWidth: w, clientHeight: h} = document.getElementById('graph');
  return clusterviz.cy.nodes().filter(n => n.data('label') === lit).some(n => {
    const b = n.renderedBoundingBox({includeOverlays: false, includeLabels: false});
    return b.x1 > -2 && b.y1 > -2 && b.x2 < w + 2 && b.y2 < h + 2;
  });
}"""


#: How far the top bar of a cluster with a long name and much traffic reaches over the window's edge, px.
OVER = """() => {
  const [name, status] = ['.topbar .name', '#status-text'].map(one => document.querySelector(one));
  const was = [name.textContent, status.textContent];
  [name.textContent, status.textContent] = ['production-eu-west-1', 'live · 12,345 req/s'];
  const ends = [...document.querySelectorAll('.topbar :is(a, button)')].map(e => e.getBoundingClientRect().right);
  [name.textContent, status.textContent] = was;
  return Math.max(...ends) - innerWidth;
}"""


def measure(page: Page, height: int) -> None:
    """Everything that is shown now."""
    assert page.evaluate(WORDS, max(SMALLEST, LEAST * height)) == []
    assert page.evaluate(TARGETS, [PRESSED, TARGET]) == []
    assert page.evaluate(CUT) == []


def test_the_last_row_can_read_it(page: Page) -> None:
    """Every panel; and a trace, whose camera goes from hop to hop and back."""
    page.add_init_script("localStorage.setItem('clusterviz.theme', 'projector')")
    show(page)
    readable(page, 720)
    page.set_viewport_size({"width": 1920, "height": 1080})
    readable(page, 1080)


def readable(page: Page, height: int) -> None:
    """From panel to panel; at the end everything is closed again."""
    page.wait_for_timeout(300)
    assert page.evaluate(OVER) <= 0
    whole = page.evaluate("clusterviz.cy.zoom()")
    select(page, "service api")
    page.keyboard.press("e")
    expect(by(page, "log")).to_be_visible()
    by(page, "section-related").wait_for()
    measure(page, height)
    page.keyboard.press("Control+k")
    expect(by(page, "palette-option").first).to_be_visible()
    measure(page, height)
    page.keyboard.press("Escape")
    by(page, "log-close").click()
    ask(page, "shop/frontend", "http://api.shop/")
    expect(by(page, "trace-verdict")).to_be_visible()
    expect(by(page, "side")).to_be_hidden()
    for loud in (".verdict strong", ".caption .sentence"):
        assert page.evaluate(SIZE, loud) >= LOUD * height - 0.5
    assert page.evaluate(SIZE, ".timeline .what") >= PATH * height - 0.5
    for _ in range(4):
        assert page.evaluate("clusterviz.cy.zoom()") * HALF_NAME >= PATH * height - 0.5
        until(page, IN_VIEW)
        page.keyboard.press("ArrowRight")
    measure(page, height)
    page.keyboard.press("d")
    expect(by(page, "side")).to_be_visible()
    until(page, IN_VIEW)
    measure(page, height)
    by(page, "fold").click()
    expect(by(page, "side")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    until(page, "zoom => Math.abs(clusterviz.cy.zoom() - zoom) < 0.001", arg=whole)
