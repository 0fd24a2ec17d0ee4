"""The whole answer beside the picture: what stops a packet, what would help, and its captures."""

from playwright.sync_api import Page, expect

from tests.browser.steps import ask, by, show


def test_a_failed_trace_tells_what_would_help(page: Page) -> None:
    """The view of a failed trace begins with the blockers; a fix can be copied, a better call traced."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page)
    ask(page, "shop/frontend", "http://db.shop:5432/")
    expect(by(page, "trace-view-answer")).to_have_attribute("aria-pressed", "true")
    expect(by(page, "trace-blockers")).to_contain_text("does not let")
    fix = by(page, "trace-fix").first
    expect(fix).to_contain_text("app: frontend")
    by(page, "trace-copy").first.click()
    expect(by(page, "trace-copy").first).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("kubectl patch networkpolicy db -n shop")
    by(page, "trace-view-hop").focus()
    page.keyboard.press("Enter")
    expect(by(page, "trace-steps")).to_be_visible()
    expect(by(page, "trace-view-hop")).to_be_focused()


def test_a_better_call_is_one_click_away(shown: Page) -> None:
    page = shown
    ask(page, "shop/frontend", "http://api.shop:81/")
    by(page, "trace-instead").first.click()
    expect(by(page, "trace-verdict")).to_contain_text("Delivered", ignore_case=True)
    expect(by(page, "trace-steps")).to_be_visible()


def test_the_whole_answer_of_a_packet_that_arrives(shown: Page) -> None:
    """Candidates, sessions and downloads; a step points to the lines of the node's rules."""
    page = shown
    ask(page, "shop/frontend", "http://api.shop/")
    by(page, "trace-next").click()
    by(page, "trace-lines").first.locator("summary").click()
    expect(by(page, "trace-lines").first).to_contain_text("-j KUBE-SVC-")
    by(page, "trace-view-answer").click()
    expect(by(page, "trace-choice")).to_contain_text("33.3 %")
    expect(by(page, "trace-sessions")).to_contain_text("dnat")
    by(page, "trace-pcap").locator("summary").click()
    link = by(page, "trace-captures").locator("a").first
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.endswith(".pcap")
