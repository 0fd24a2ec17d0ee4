"""A live cluster of more than 3,000 pods, of which the page holds columns and sums: views, names, cards, the past."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import OVERLAPS, by, point_at, select, show, until
from tests.server import RunningServer

NODES = "clusterviz.cy.nodes('[kind=\"zone\"]').length > 0 && clusterviz.cy.nodes('[kind=\"namespace\"]').length === 0"
PRESENT = "id => clusterviz.cy.getElementById(id).nonempty()"


@pytest.mark.motion
def test_a_cluster_that_is_told_in_sums(own_server: RunningServer, open_admin_page: Callable[..., Page]) -> None:
    own_server.manage("loaddemo", "--name", "crowd", "--nodes", "30", "--pods", "3100", "--services", "120")
    page = open_admin_page(own_server)
    show(page, "crowd")
    expect(by(page, "view-nodes")).to_have_attribute("aria-pressed", "true")
    every_view(page)
    pod = some_pod(page)
    found_by_the_palette(page, pod)
    told_by_a_card(page, pod)
    focused(page, pod)
    seen_again_in_the_past(page, pod)


def some_pod(page: Page) -> dict[str, Any]:
    """A ready pod of a Deployment, as the server tells it."""
    for node in page.request.get("/clusters/crowd/snapshot").json()["entities"]:
        query = f"/clusters/crowd/entities?node={node['id']}"
        pods: list[dict[str, Any]] = page.request.get(query).json()["entities"] if node["kind"] == "node" else []
        found = [one for one in pods if one["ready"] and one["workload"].startswith("workload:Deployment/")]
        if found:
            return found[0]
    raise AssertionError("no pod of a Deployment is ready")


def every_view(page: Page) -> None:
    """Services, namespaces and the matrix are drawn from sums; by node comes back."""
    page.keyboard.press("2")
    until(page, "clusterviz.cy.nodes('[kind=\"workload\"]').length > 20")
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate("clusterviz.cy.nodes().length") <= 150
    until(page, "clusterviz.cy.edges().some(e => /^[0-9.]+\\/s/.test(e.data('label') ?? ''))")
    until(page, "clusterviz.packets().length > 0")
    page.keyboard.press("3")
    until(page, "clusterviz.cy.nodes('[kind=\"namespace\"]').length > 3")
    space = page.evaluate("clusterviz.cy.edges().map(e => e.data('target')).find(id => id.startsWith('namespace:'))")
    select(page, f"namespace {space.removeprefix('namespace:')}")
    page.keyboard.press("Shift+F10")
    by(page, "context-open-space").click()
    until(page, "clusterviz.cy.nodes('[kind=\"workload\"]').length > 0")
    page.keyboard.press("4")
    expect(by(page, "matrix-words")).to_contain_text(re.compile(r"\d+ callers, \d+ called, \d+ pairs"))
    spaces = by(page, "matrix-words").text_content()
    by(page, "matrix-grain").select_option("workloads")
    expect(by(page, "matrix-words")).not_to_have_text(str(spaces))
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    until(page, NODES)


def found_by_the_palette(page: Page, pod: dict[str, Any]) -> None:
    """The page does not hold it: the server found it, and the camera goes there."""
    page.keyboard.press("Control+k")
    expect(by(page, "palette-input")).to_be_focused()
    page.keyboard.type(pod["name"])
    option = by(page, "palette-option").and_(page.locator(f"[data-id='go-{pod['id']}']"))
    expect(option).to_contain_text(pod["ip"])
    option.click()
    expect(by(page, "facts")).to_contain_text(pod["ip"])
    until(page, PRESENT, pod["id"])


def told_by_a_card(page: Page, pod: dict[str, Any]) -> None:
    """Name, address and node of the pod under the pointer, and nothing that nobody knows."""
    point_at(page, pod["id"])
    card = by(page, "hover-card")
    expect(card).to_contain_text(f"{pod['ip']} on {pod['node'].removeprefix('node:')}")
    expect(card).not_to_contain_text("no calls pass here")
    page.keyboard.press("Escape")
    expect(by(page, "side")).to_be_hidden()


def focused(page: Page, pod: dict[str, Any]) -> None:
    """What its workload touches, from sums; the link opens the same, and Esc leaves."""
    page.keyboard.press("Control+k")
    expect(by(page, "palette-input")).to_be_focused()
    workload = pod["workload"].rpartition("/")[2]
    page.keyboard.type(f"workload {workload}")
    by(page, "palette-option").and_(page.locator(f"[data-id='go-{pod['workload']}']")).click()
    expect(by(page, "side-title")).to_have_text(workload)
    page.keyboard.press("o")
    words = re.compile(rf"focus on {workload}: \d+ of [\d,]+ objects")
    expect(by(page, "focus-words")).to_have_text(words)
    until(page, PRESENT, pod["workload"])
    assert page.evaluate("clusterviz.cy.nodes().length") < 60
    page.reload()
    expect(by(page, "focus-words")).to_have_text(words)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(by(page, "focus")).to_be_hidden()
    page.keyboard.press("1")
    until(page, NODES)


def seen_again_in_the_past(page: Page, pod: dict[str, Any]) -> None:
    """A link to a moment shows a pod by its name and in its place that is gone by now."""
    before = page.evaluate("Date.now() / 1000")
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    form = {"action": "delete-pod", "target": pod["id"]}
    answer = page.request.post("/clusters/crowd/actions", data=form, headers={"X-CSRFToken": token})
    assert answer.ok, answer.text()
    asked = f"/clusters/crowd/entities?ids={pod['id']}"
    until(page, "async asked => !(await (await fetch(asked)).json()).entities.length", asked)
    page.goto("about:blank")
    page.goto(f"/clusters/crowd/#at={before:.1f}&select={pod['id']}")
    expect(by(page, "time-told")).to_contain_text("live goes on")
    expect(by(page, "facts")).to_contain_text(pod["ip"])
    until(page, PRESENT, pod["id"])
    page.keyboard.press("l")
    expect(by(page, "side-gone")).to_be_visible()
    until(page, f"id => !({PRESENT})(id)", pod["id"])
