"""Changing a cluster from the picture, and what hostile or broken input does: nothing."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import OVERLAPS, ask, by, forgive, pods_of, select, show, until

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


def test_visitors_are_told_to_sign_in(shown: Page) -> None:
    page = shown
    select(page, "node n1")
    expect(by(page, "login-hint")).to_be_visible()
    by(page, "import-open").click()
    expect(by(page, "import").get_by_test_id("login-hint")).to_be_visible()


@pytest.mark.motion
def test_a_deleted_pod_is_replaced_with_another_address(editing: Page) -> None:
    page = show(editing)
    before = pods_of(page, "frontend-")
    victim = min(before)
    select(page, victim.rpartition("/")[2])
    by(page, "action-delete-pod").click()
    by(page, "confirm-yes").click()
    expect(by(page, "toast").first).to_contain_text("deleted")
    until(page, "id => clusterviz.cy.getElementById(id).empty()", arg=victim)
    until(
        page,
        "n => clusterviz.cy.nodes('[kind=\"pod\"]')"
        ".filter(p => p.data('label').startsWith('frontend-') && p.data('ip')).length === n",
        arg=len(before),
    )
    after = pods_of(page, "frontend-")
    fresh = set(after) - set(before)
    assert len(fresh) == 1
    assert after[fresh.pop()] not in before.values()
    expect(by(page, "side-gone")).to_be_visible()
    until(page, "clusterviz.packets().length > 0")


def test_changes_from_elsewhere_arrive_by_themselves(editing: Page) -> None:
    page = show(editing)
    select(page, "node n2")
    by(page, "action-cordon").click()
    expect(by(page, "action-uncordon")).to_be_visible()
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
    )
    assert page.evaluate(OVERLAPS) == []


def test_replicas_must_be_a_number_and_the_panel_goes_on_meanwhile(editing: Page) -> None:
    page = show(editing)
    select(page, "workload frontend")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/actions") else None)
    for wrong in ("", "501", "1.5", "-1"):
        by(page, "scale-replicas").fill(wrong)
        by(page, "action-scale").click()
        expect(by(page, "scale-error")).to_have_text("Replicas must be a whole number from 0 to 500.")
    assert not asked
    by(page, "scale-replicas").fill("4")
    expect(by(page, "scale-error")).to_be_empty()
    by(page, "scale-replicas").press("Enter")
    by(page, "scale-replicas").fill("17")
    expect(by(page, "section-related").get_by_role("button", name=re.compile("^pod ?frontend"))).to_have_count(4)
    expect(by(page, "scale-replicas")).to_have_value("17")
    expect(by(page, "scale-replicas")).to_be_focused()
    page.keyboard.type("3")
    expect(by(page, "scale-replicas")).to_have_value("173")


def test_broken_yaml_is_refused_with_its_line(admin_page: Page, console_errors: list[str]) -> None:
    page = show(admin_page)
    by(page, "import-open").click()
    by(page, "import-text").fill("kind: Pod\nmetadata: [")
    by(page, "import-preview").click()
    expect(by(page, "import-error")).to_be_visible()
    expect(by(page, "import-problems")).to_contain_text(re.compile(r"pasted:\d"))
    expect(by(page, "import-apply")).to_be_disabled()
    forgive(console_errors, 422)


def test_hostile_names_are_text_everywhere(editing: Page, console_errors: list[str]) -> None:
    page = show(editing)
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
