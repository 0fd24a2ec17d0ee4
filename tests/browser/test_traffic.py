"""Packets and the camera: what denied ones leave, what stands while the picture moves, what opens when it is near."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.steps import by, show, stats, until

# Pans for 20 frames; tells how far a packet that was there all the time moved in the picture, and how many there were.
PAN = """async () => {
  const cy = clusterviz.cy;
  const place = (name, px) => ((px - cy.pan()[name]) / cy.zoom()).toFixed(3);
  const where = (p) => [p.route, p.connection, place('x', p.x), place('y', p.y)].join();
  const scene = () => new Set(clusterviz.packets().map(where));
  cy.panBy({x: 1, y: 0});
  const first = scene();
  for (let i = 0; i < 20; i += 1) { cy.panBy({x: 2, y: 1}); await new Promise(requestAnimationFrame); }
  const last = scene();
  return [first.size, [...first].filter((key) => last.has(key)).length];
}"""
NEAR = """() => {
  const cy = clusterviz.cy, pod = cy.nodes('[kind="pod"]')[0];
  const before = JSON.stringify(cy.nodes().map((n) => n.position()));
  cy.viewport({zoom: 2, pan: {x: cy.width() / 2 - pod.position('x') * 2, y: cy.height() / 2 - pod.position('y') * 2}});
  return before;
}"""


@pytest.mark.motion
def test_packets_stand_while_the_camera_moves_and_denied_ones_leave_a_mark(page: Page) -> None:
    show(page)
    until(page, "clusterviz.packets().length > 10")
    there, stayed = page.evaluate(PAN)
    assert there > 10
    assert stayed == there
    now = page.evaluate("clusterviz.packets()")
    until(page, "before => JSON.stringify(clusterviz.packets()) !== JSON.stringify(before)", arg=now)
    until(page, "Object.values(clusterviz.flows()).some((flow) => flow.refused + flow.dropped > 0)")
    until(page, "clusterviz.stats().marks > 0")


def test_what_is_near_opens_in_its_place_with_what_the_machines_say(shown: Page) -> None:
    page = shown
    level = stats(page)["level"]
    with page.expect_response(lambda answer: "/texts" in answer.url and "node%3A" in answer.url) as told:
        before = page.evaluate(NEAR)
    assert told.value.ok
    assert stats(page)["level"] > level
    assert page.evaluate("JSON.stringify(clusterviz.cy.nodes().map((n) => n.position()))") == before
    page.evaluate("void clusterviz.cy.zoom(0.2)")
    until(page, "clusterviz.stats().level === 0")


def test_an_address_may_ask_for_the_projectors_theme(server: Any, open_page: Callable[..., Page]) -> None:
    page = open_page(server.url)
    page.goto("/clusters/demo/?theme=projector")
    assert page.evaluate("document.documentElement.dataset.theme") == "projector"
    assert page.evaluate("localStorage.getItem('clusterviz.theme')") is None
    assert page.evaluate("parseFloat(getComputedStyle(document.getElementById('legend')).fontSize)") >= 18
    until(page, "() => Boolean(window.clusterviz)")
    by(page, "theme").click()
    assert "theme" not in page.url
