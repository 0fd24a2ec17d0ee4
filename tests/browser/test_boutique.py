"""The whole story with a real application: import it, watch it, wall it in, lose a pod."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import OVERLAPS, ask, by, pods_of, select, show, until

FOLDER = Path(os.environ.get("CLUSTERVIZ_MANIFESTS") or Path(__file__).resolve().parents[3] / "shared" / "manifests")
WORKLOADS = {
    "adservice", "cartservice", "checkoutservice", "currencyservice", "emailservice", "frontend", "loadgenerator",
    "paymentservice", "productcatalogservice", "recommendationservice", "redis-cart", "shippingservice",
}  # fmt: skip
STRANGER = """
apiVersion: v1
kind: Namespace
metadata: {name: elsewhere}
---
apiVersion: v1
kind: Pod
metadata: {name: stranger, namespace: elsewhere}
spec: {containers: [{name: shell, image: busybox}]}
"""

pytestmark = pytest.mark.skipif(
    not (FOLDER / "online-boutique.yaml").exists(),
    reason=f"no online-boutique.yaml in {FOLDER}; set CLUSTERVIZ_MANIFESTS",
)


def load(page: Page, yaml: str) -> None:
    """Paste, preview, apply."""
    by(page, "import-open").click()
    by(page, "import-text").fill(yaml)
    by(page, "import-preview").click()
    expect(by(page, "import-apply")).to_be_enabled()
    by(page, "import-apply").click()
    expect(by(page, "import-counts")).to_contain_text("Done")
    by(page, "import-close").click()


def verdict(page: Page, source: str, to: str) -> str:
    """How a traced call ends."""
    ask(page, source, to)
    text: str = by(page, "trace-verdict").locator("strong").inner_text()
    by(page, "trace-close").click()
    return text.lower()


def calls(page: Page) -> dict[str, dict[str, float]]:
    """Rates of every call inside the application."""
    found: dict[str, dict[str, float]] = page.evaluate("clusterviz.flows()")
    return {flow: total for flow, total in found.items() if "internet" not in flow and total["rps"]}


@pytest.mark.motion
def test_online_boutique_comes_alive_behind_walls_and_survives_a_loss(
    own_server: Any, open_admin_page: Callable[..., Page]
) -> None:
    page = open_admin_page(own_server)
    page.goto("/")
    page.fill("#id_name", "boutique")
    page.get_by_role("button", name="Create").click()
    show(page, "boutique")

    load(page, (FOLDER / "online-boutique.yaml").read_text() + "\n---\n" + STRANGER)
    until(page, "clusterviz.cy.nodes('[kind=\"pod\"]').filter(n => n.data('ip')).length >= 15")
    pods = pods_of(page, "")
    assert all(any(f"/{name}-" in pod for pod in pods) for name in WORKLOADS)
    services = page.evaluate("clusterviz.cy.nodes('[kind=\"service\"]').map(n => n.data('label'))")
    assert WORKLOADS - {"loadgenerator"} <= set(services)
    until(page, "Object.keys(clusterviz.flows()).length >= 15")
    until(page, "clusterviz.packets().length > 5")
    assert page.evaluate(OVERLAPS) == []
    assert verdict(page, "elsewhere/stranger", "redis-cart.default:6379") == "delivered"

    load(page, (FOLDER / "online-boutique-network-policies.yaml").read_text())
    until(page, "clusterviz.walled() >= 12")
    page.wait_for_timeout(7000)  # totals cover the last five seconds
    assert all(total["dropped"] == total["refused"] == 0 for total in calls(page).values()), calls(page)
    assert len(calls(page)) >= 10
    for name, port in (("redis-cart", 6379), ("cartservice", 7070), ("paymentservice", 50051)):
        assert verdict(page, "elsewhere/stranger", f"{name}.default:{port}").startswith("denied")

    before = pods_of(page, "cartservice-")
    victim = next(iter(before))
    select(page, victim.rpartition("/")[2])
    by(page, "action-delete-pod").click()
    by(page, "confirm-yes").click()
    until(page, "id => clusterviz.cy.getElementById(id).empty()", arg=victim)
    until(page, "clusterviz.cy.nodes().some(n => n.data('label').startsWith('cartservice-') && n.data('ip'))")
    after = pods_of(page, "cartservice-")
    assert len(after) == 1
    assert not set(after.values()) & set(before.values())
    page.keyboard.press("Escape")
    page.wait_for_timeout(7000)
    healthy = calls(page)["flow:default/frontend-to-cartservice"]
    assert healthy["ok"] > 0 and healthy["dropped"] == 0
    expect(by(page, "status")).to_have_text(re.compile(r"live"))
