"""A room in real browsers: the teacher's wall, the teacher's desk, and two students on their own devices."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.steps import by, forgive, until
from tests.browser.test_accessible import check
from tests.classroom.player import open_lesson
from tests.server import RunningServer

LESSON = "16-moving-day"
# Where a Service stands on the screen, once the picture stands still: a panel that closes moves it a frame later.
SERVICE = """async () => {
  const at = () => {
    const box = clusterviz.cy.nodes().filter((node) => node.id().startsWith("service:"))[0].renderedBoundingBox();
    const { x, y } = document.getElementById("graph").getBoundingClientRect();
    return [x + (box.x1 + box.x2) / 2, y + (box.y1 + box.y2) / 2];
  };
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let was = at(); ;) {
    await frame();
    await frame();
    const now = at();
    if (String(now) === String(was)) return now;
    was = now;
  }
}"""


def join(page: Page, code: str, name: str) -> None:
    """Come in as a student."""
    page.goto("/lessons/")
    by(page, "join-class").click()
    by(page, "room-code").fill(code.lower())
    by(page, "room-enter").click()
    by(page, "nickname").fill(name)
    by(page, "join").click()
    expect(by(page, "room-name")).to_contain_text(name)


def opened(wall: Page) -> str:
    """The teacher opens a room and shows how to join; its code."""
    open_lesson(wall, LESSON)
    by(wall, "teach").click()
    expect(by(wall, "room-count")).to_have_text("0 here")
    code = by(wall, "room-invite").inner_text()
    by(wall, "room-invite").click()
    expect(by(wall, "invite-code")).to_have_text(code)
    until(wall, "() => document.querySelector('.invite img').naturalWidth > 0")
    check(wall)
    wall.keyboard.press("Escape")
    return code


def arrive(ada: Page, bob: Page, code: str) -> None:
    """Two students come in; a name can be had once, and a reload finds its place."""
    join(ada, code, "Ada")
    check(ada)
    ada.goto(f"/room/{code}/")
    expect(by(ada, "room-name")).to_contain_text("Ada")
    bob.goto(f"/room/{code}/")
    for name in ("ADA", "Bob"):
        by(bob, "nickname").fill(name)
        by(bob, "join").click()
        if name == "ADA":
            expect(by(bob, "nickname-wrong")).to_contain_text("already")
    expect(by(bob, "room-name")).to_contain_text("Bob")


def predict(wall: Page, ada: Page, bob: Page) -> None:
    """Each chooses; nobody sees what the others chose."""
    wall.keyboard.press("]")
    for student, choice in ((ada, 0), (bob, 1)):
        expect(by(student, "question")).to_be_visible()
        by(student, f"choice-{choice}").click()
        expect(by(student, f"choice-{choice}")).to_have_attribute("aria-pressed", "true")
    expect(by(wall, "room-votes")).to_have_text("2 of 2 predicted")
    expect(by(ada, "room-bars")).to_have_count(0)
    ada.reload()
    expect(by(ada, "choice-0")).to_have_attribute("aria-pressed", "true")
    expect(by(ada, "next")).to_be_hidden()
    ada.keyboard.press("PageDown")
    expect(by(ada, "toasts")).to_contain_text("The teacher leads")


def reveal(desk: Page, wall: Page, ada: Page, bob: Page) -> None:
    """All see the answer and how the class predicted."""
    by(desk, "desk-next").click()
    for page in (wall, ada, bob):
        expect(by(page, "reveal")).to_be_visible()
        expect(by(page, "room-bars").locator(".mono").nth(1)).to_have_text("1")
        assert [count.inner_text() for count in by(page, "room-bars").locator(".mono").all()][:2] == ["1", "1"]
    expect(by(ada, "reveal-word")).to_have_text("Right")
    expect(by(bob, "reveal-word")).to_have_text("Not so")


def hurry(desk: Page, ada: Page) -> None:
    """The time to predict is limited, given anew, and taken away."""
    by(desk, "desk-limit-60").click()
    expect(by(ada, "room-time")).to_contain_text("to predict")
    by(desk, "desk-limit-0").click()
    expect(by(ada, "room-time")).to_have_count(0)


def break_copies(desk: Page, ada: Page, bob: Page) -> None:
    """Each student breaks a copy of their own, until the teacher gathers the class."""
    by(desk, "desk-copies").click()
    for student in (ada, bob):
        expect(by(student, "in-copy")).to_be_visible()
    by(ada, "copy-wait").click()
    expect(by(ada, "deeds")).to_have_text("wait")
    expect(by(bob, "deeds")).to_have_count(0)
    expect(by(desk, "desk-here").locator("..")).to_contain_text("1 changes in the copy")
    check(ada)
    by(desk, "desk-copies").click()
    for student in (ada, bob):
        expect(by(student, "in-copy")).to_have_count(0)
        expect(by(student, "reveal")).to_be_visible()


def lead(desk: Page, wall: Page, bob: Page) -> None:
    """A student looks around until the teacher gathers the class, shows an object, and pauses it."""
    by(bob, "room-around").click()
    expect(by(bob, "room-rejoin")).to_be_visible()
    by(bob, "back").click()
    until(bob, "() => !clusterviz.place().done")
    by(bob, "back").click()
    until(bob, "() => clusterviz.place().step === 1")
    by(desk, "desk-free").click()
    until(bob, "() => clusterviz.place().step === 2")
    expect(by(bob, "room-around")).to_be_disabled()
    wall.keyboard.press("Escape")
    expect(by(wall, "trace")).to_be_hidden()
    wall.mouse.click(*wall.evaluate(SERVICE))
    title = by(wall, "side-title").inner_text()
    expect(by(bob, "side-title")).to_have_text(title)
    wall.keyboard.press("w")
    x, y = wall.evaluate(SERVICE)
    wall.mouse.move(x - 80, y + 60)
    wall.mouse.down()
    wall.mouse.move(x + 80, y + 60, steps=4)
    wall.mouse.up()
    until(bob, "() => document.querySelectorAll('.pen polyline').length === 1")
    wall.keyboard.press("s")
    wall.mouse.move(x, y)
    expect(by(bob, "spot")).to_be_visible()
    wall.keyboard.press("s")
    expect(by(bob, "spot")).to_be_hidden()
    by(desk, "desk-dimmed").click()
    expect(by(bob, "room-paused")).to_be_visible()
    by(desk, "desk-dimmed").click()
    expect(by(bob, "room-paused")).to_have_count(0)


def test_a_class_predicts_together(server: RunningServer, open_page: Callable[..., Page], admin_state: Any) -> None:
    wall = open_page(server.url, storage_state=admin_state, viewport={"width": 1920, "height": 1080})
    code = opened(wall)
    ada, bob = (open_page(server.url, viewport={"width": width, "height": 800}) for width in (1280, 1100))
    arrive(ada, bob, code)
    expect(by(wall, "room-count")).to_have_text("2 here")
    predict(wall, ada, bob)
    by(ada, "room-lost").click()
    desk = wall.context.new_page()
    desk.goto(f"/room/{code}/desk")
    expect(by(desk, "desk-here")).to_have_text("2 here, 1 lost")
    check(desk)
    hurry(desk, ada)
    reveal(desk, wall, ada, bob)
    break_copies(desk, ada, bob)
    lead(desk, wall, bob)
    by(desk, "desk-close").click()
    by(desk, "confirm-yes").click()
    expect(by(ada, "room-word")).to_contain_text("Nothing of it is kept")
    ada.keyboard.press("]")
    until(ada, "() => clusterviz.place().step === 3")


def test_a_wrong_code_gets_a_word(page: Page, console_errors: list[str]) -> None:
    page.goto("/room/")
    by(page, "room-code").fill("zzzzzz")
    by(page, "room-enter").click()
    expect(by(page, "room-wrong")).to_contain_text("no room ZZZZZZ")
    forgive(console_errors, 404)
    check(page)
