"""Network settings in the dashboard: seen by everybody, changed by editors, and traces follow."""

from playwright.sync_api import Page, expect

from tests.browser.steps import by, forgive, show


def test_visitors_see_settings_and_change_none(shown: Page) -> None:
    page = shown
    by(page, "settings-open").click()
    body = by(page, "settings-body")
    expect(body).to_contain_text("How kube-proxy translates.")
    expect(by(page, "setting-proxy_mode")).to_have_text("iptables")
    expect(by(page, "setting-proxy_mode-origin")).to_have_text("default")
    expect(body.locator("input, select")).to_have_count(0)
    expect(by(page, "settings").get_by_test_id("login-hint")).to_be_visible()


def test_an_editor_changes_a_setting_and_traces_follow(editing: Page, console_errors: list[str]) -> None:
    page = show(editing)
    page.keyboard.press("n")
    by(page, "setting-mtu").fill("10")
    by(page, "settings-save").click()
    expect(by(page, "settings-body").locator(".wrong")).to_contain_text("between 576 and 65535")
    expect(by(page, "settings-said")).to_contain_text("nothing was changed")
    by(page, "setting-mtu").fill("1500")
    by(page, "setting-network").select_option("host-gw")
    by(page, "settings-save").click()
    expect(by(page, "settings-said")).to_have_text("Changed: Network.")
    expect(by(page, "setting-network-origin")).to_contain_text("set by admin")
    by(page, "settings-close").click()
    page.wait_for_function("() => fetch('snapshot').then(r => r.json()).then(s => s.settings.network === 'host-gw')")
    forgive(console_errors, 422)
