"""The side panel shows what commands on a real machine would print."""

import re

from playwright.sync_api import Page, expect

from tests.browser.steps import by, pods_of, select, until


def test_a_node_shows_its_rules_and_routes(shown: Page) -> None:
    """NET-09, IPT: asked for when the section is opened, scrollable and not cut, readable by keyboard."""
    page = shown
    select(page, "node n1")
    assert by(page, "texts-routes").count() == 0
    by(page, "section-texts").locator("> summary").click()
    by(page, "texts-routes").locator("summary").click()
    expect(by(page, "text-routes")).to_contain_text(
        re.compile(r"10\.244\.\d+\.0/24 via 10\.244\.\d+\.0 dev flannel\.1 onlink")
    )
    by(page, "texts-iptables").locator("summary").press("Enter")
    rules = by(page, "text-iptables")
    expect(rules).to_contain_text("-A KUBE-SERVICES -d 10.96.0.10/32")
    assert rules.evaluate("e => getComputedStyle(e).whiteSpace") == "pre"
    assert rules.evaluate("e => e.scrollWidth > e.clientWidth && e.scrollHeight > e.clientHeight")
    rules.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    until(page, "document.querySelector('[data-testid=text-iptables]').scrollTop > 0")
    by(page, "texts-larger-iptables").click()
    expect(by(page, "texts-whole")).to_contain_text("*nat")
    page.keyboard.press("Escape")
    expect(by(page, "texts-dialog")).to_have_count(0)


def test_a_service_shows_its_rules_on_the_node_that_is_chosen(shown: Page) -> None:
    """IPT-02, DNS-01: only its own rules, and its names."""
    page = shown
    select(page, "service api")
    by(page, "section-texts").locator("> summary").click()
    by(page, "texts-dns").locator("summary").click()
    expect(by(page, "text-dns")).to_contain_text(re.compile(r"api\.\S+\.svc\.cluster\.local\.\t30\tIN\tA\t10\.96\."))
    by(page, "texts-iptables").locator("summary").click()
    expect(by(page, "text-iptables")).to_contain_text("cluster IP")
    with page.expect_request("**/texts?node=n2"):
        by(page, "texts-node").select_option("n2")
    expect(by(page, "text-iptables")).to_be_visible()


def test_a_pod_shows_its_resolv_conf(shown: Page) -> None:
    """DNS-11, with a copy button that says what it did."""
    page = shown
    select(page, min(pods_of(page, "cart-")).rpartition("/")[2])
    by(page, "section-texts").locator("> summary").click()
    by(page, "texts-resolv").locator("summary").click()
    expect(by(page, "text-resolv")).to_contain_text("nameserver 10.96.0.10")
    by(page, "texts-copy-resolv").click()
    expect(by(page, "texts-copy-resolv")).to_have_text(re.compile("Copied|Marked"))
