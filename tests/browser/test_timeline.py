"""Time: back to before a pod was killed, step by step, on at another speed; recordings and their replay."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import ask, by, pods_of, select, show, until
from tests.server import RunningServer

PRESENT = "id => clusterviz.cy.getElementById(id).nonempty()"
PAST = re.compile(r"You look at \d\d:\d\d:\d\d, .*(s|min) ago; live goes on")


def live(page: Page) -> None:
    """The strip is there and nothing of the past is shown."""
    expect(by(page, "time-slider")).to_have_attribute("aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d, now; "))
    expect(by(page, "past")).to_be_hidden()


def kill(page: Page, pod: str) -> None:
    """Delete a pod as the picture's button does, and wait until its successor runs."""
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    answer = page.request.post(
        "/clusters/demo/actions", data={"action": "delete-pod", "target": pod}, headers={"X-CSRFToken": token}
    )
    assert answer.ok, answer.text()
    until(page, f"id => !({PRESENT})(id)", arg=pod)


@pytest.mark.motion
def test_before_a_pod_was_killed_it_is_in_the_picture_and_can_be_traced(admin_page: Page) -> None:
    page = show(admin_page)
    live(page)
    victim, ip = min(pods_of(page, "cart-").items())
    kill(page, victim)
    by(page, "time-slider").focus()
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(200)
        if page.evaluate(PRESENT, victim):
            break
    expect(by(page, "time-told")).to_have_text(PAST)
    expect(by(page, "time-slider")).to_have_attribute(
        "aria-valuetext", re.compile(r"\d\d:\d\d:\d\d, \d+ s ago; \d+ conn")
    )
    moment = page.url.partition("#at=")[2]
    assert moment, page.url
    select(page, victim.rpartition("/")[2])
    expect(by(page, "facts")).to_contain_text(ip)
    by(page, "section-yaml").locator("summary").click()
    expect(by(page, "yaml")).to_contain_text(ip)
    ask(page, "shop/frontend", f"http://{ip}:7070/")
    expect(by(page, "trace-summary")).to_contain_text("arrives")
    page.keyboard.press("Escape")
    # The link opens the same moment; from there the present is one key away.
    page.goto("about:blank")
    show(page)
    assert not page.evaluate(PRESENT, victim)
    page.goto(f"/clusters/demo/#at={moment}")
    until(page, PRESENT, arg=victim)
    page.keyboard.press("l")
    until(page, f"id => !({PRESENT})(id)", arg=victim)
    live(page)
    expect(by(page, "status")).to_have_attribute("data-state", "live")


@pytest.mark.motion
def test_steps_speeds_and_bookmarks(page: Page) -> None:
    show(page)
    live(page)
    until(page, "clusterviz.packets().length > 5")
    page.keyboard.press(",")
    expect(by(page, "notice")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d · .+ → .+: \w+"))
    first = by(page, "notice").text_content()
    page.keyboard.press(",")
    expect(by(page, "notice")).not_to_have_text(str(first))
    page.keyboard.press(".")
    expect(by(page, "notice")).to_have_text(str(first))
    assert len(page.evaluate("clusterviz.packets()")) <= 1
    by(page, "time-trace").click()
    expect(by(page, "trace-verdict")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    by(page, "mark-name").fill("what I saw")
    page.keyboard.press("Enter")
    by(page, "time-resume").click()
    by(page, "speed").fill("6")
    expect(by(page, "status")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d · 1/10\D$"))
    expect(by(page, "pause")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press(" ")
    expect(by(page, "status")).to_have_text(re.compile("^paused "))
    by(page, "time-now").click()
    live(page)
    by(page, "bookmarks").click()
    by(page, "mark-list").get_by_role("button", name="what I saw").first.click()
    expect(by(page, "time-told")).to_have_text(PAST)
    by(page, "bookmarks").click()
    by(page, "mark-delete").click()
    expect(by(page, "mark-go")).to_have_count(0)


def record(page: Page, path: Path) -> str:
    """Record a moment with a trace in it; returns the verdict that was traced."""
    by(page, "record").click()
    by(page, "record-start").click()
    page.wait_for_timeout(1200)
    page.keyboard.press(",")
    by(page, "time-trace").click()
    expect(by(page, "trace-verdict")).to_be_visible()
    verdict = by(page, "trace-verdict").text_content()
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    by(page, "record").click()
    with page.expect_download() as recorded:
        by(page, "record-stop").click()
    recorded.value.save_as(path)
    return str(verdict)


def replay(page: Page, path: Path) -> None:
    """Open a recording on its page."""
    page.goto("/replay/")
    broken = {"name": "x.gz", "mimeType": "application/gzip", "buffer": b"\x1f\x8bnonsense"}
    by(page, "replay-file").set_input_files(broken)  # type: ignore[arg-type]
    expect(by(page, "replay-error")).to_contain_text("damaged")
    by(page, "replay-file").set_input_files(path)
    until(page, "() => Boolean(window.clusterviz)")
    page.evaluate("clusterviz.ready")
    expect(by(page, "time-told")).to_contain_text("Recording of demo")
    until(page, "clusterviz.packets().length > 0")


@pytest.mark.motion
def test_a_recording_replays_the_same_bytes(page: Page, server: RunningServer, tmp_path: Path) -> None:
    show(page)
    live(page)
    until(page, "clusterviz.packets().length > 5")
    first, second = tmp_path / "first.clusterviz.gz", tmp_path / "second.clusterviz.gz"
    verdict = record(page, first)
    lines = gzip.decompress(first.read_bytes())
    kinds = [json.loads(line)["type"] for line in lines.splitlines()]
    assert kinds[:2] == ["recording", "keyframe"]
    assert kinds.count("trace") == 1
    assert kinds.count("traffic") >= 5
    digest = hashlib.sha256(lines).hexdigest()
    assert f"SHA-256 {digest}" in server.manage("replay", str(first))

    replay(page, first)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    by(page, "record").click()
    expect(by(page, "record-hash")).to_contain_text(digest[:12])
    with page.expect_download() as again:
        by(page, "record-again").click()
    again.value.save_as(second)
    assert second.read_bytes() == first.read_bytes()
    # The trace that was asked is in it; any other is honestly not.
    by(page, "record").click()
    by(page, "record-trace").click()
    expect(by(page, "trace-verdict")).to_have_text(verdict)
    page.keyboard.press("Escape")
    ask(page, "internet", "10.96.0.1:443")
    expect(by(page, "trace-error-to")).to_contain_text("no server to ask")
    assert [url for url in asked if "/static/" not in url and not url.startswith("blob:")] == []
