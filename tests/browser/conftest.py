"""A real server in a subprocess, a real Chromium, and pages that fail their test on any error in the console."""

import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import playwright
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.steps import PATIENCE, show
from tests.server import ROOT, RunningServer, running_server

expect.set_options(timeout=PATIENCE * 1000)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = "no Chromium or Chrome on PATH: apt-get install chromium (Debian), brew install chromium (macOS)"
# The network flags keep Chromium from looking up its maker's hosts, which a closed network answers slowly.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Contexts:
    """Browser contexts of the shared servers, used again: with their cache a page loads in a third of the CPU time.

    Nothing but the cache outlives a test: cookies, storage and permissions are cleared.
    """

    def __init__(self) -> None:
        self.shared = set[str]()
        self._idle: dict[str, list[BrowserContext]] = {}

    def take(self, browser: Browser, options: dict[str, Any]) -> BrowserContext:
        """A context with these options, as new."""
        idle = self._idle.get(repr(options))
        if not idle:
            return browser.new_context(**options)
        context = idle.pop()
        context.add_cookies(options.get("storage_state", {}).get("cookies", []))
        return context

    def give(self, context: BrowserContext, options: dict[str, Any]) -> None:
        """A test is done with it."""
        if options["base_url"] not in self.shared:
            return context.close()
        for page in context.pages:
            session = context.new_cdp_session(page)
            session.send("Storage.clearDataForOrigin", {"origin": options["base_url"], "storageTypes": "local_storage"})
            page.close()
        context.clear_cookies()
        context.clear_permissions()
        return self._idle.setdefault(repr(options), []).append(context)


@pytest.fixture(scope="session")
def contexts() -> Contexts:
    """Those that no test uses now."""
    return Contexts()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, contexts: Contexts) -> Iterator[RunningServer]:
    """One server with the demo cluster for all tests; use `changed_server` to change the demo itself."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        contexts.shared.add(running.url)
        yield running


@pytest.fixture(scope="session")
def changed_server(tmp_path_factory: pytest.TempPathFactory, contexts: Contexts) -> Iterator[RunningServer]:
    """One server whose demo tests may change: none of them counts on what another one left."""
    with running_server(tmp_path_factory.mktemp("changed")) as running:
        contexts.shared.add(running.url)
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that only this test talks to."""
    with running_server(tmp_path) as running:
        yield running


def choose_node() -> None:
    """Use the node on PATH where Playwright's own does not start: it wants libatomic, which may be missing."""
    bundled, ours = Path(playwright.__file__).parent / "driver" / "node", shutil.which("node")
    if ours and subprocess.run([bundled, "--version"], capture_output=True, check=False).returncode:
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = ours


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless; without one these tests are skipped, or fail where everything is required."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        required = os.environ.get("CLUSTERVIZ_REQUIRE_ALL") or os.environ.get("CI")
        (pytest.fail if required else pytest.skip)(INSTALL)
    choose_node()
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def console_errors(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """What went wrong in the test's pages. A test that provokes an error asserts it here and clears the list."""
    errors: list[str] = []
    yield errors
    assert not errors, "The browser reported:\n" + "\n".join(errors)


@pytest.fixture
def open_page(
    browser: Browser, contexts: Contexts, console_errors: list[str], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Make pages: `open_page(server.url)`, with any option of Playwright's new_context.

    They ask for reduced motion, which halves what a page costs while a test waits; tests of what moves have the mark.
    """
    used: list[tuple[BrowserContext, dict[str, Any]]] = []
    motion = "no-preference" if request.node.get_closest_marker("motion") else "reduce"

    def open_page(base_url: str, **options: Any) -> Page:
        usual = {"base_url": base_url, "viewport": {"width": 1280, "height": 720}, "reduced_motion": motion}
        options = {**usual, **options}
        context = contexts.take(browser, options)
        used.append((context, options))
        page = context.new_page()
        watch(page, console_errors)
        return page

    yield open_page
    if getattr(request.node, "failed", False):
        keep_pictures([context for context, _ in used], request.node.name)
    for context, options in used:
        contexts.give(context, options)


def place(said: ConsoleMessage) -> str:
    """Where a message comes from, which for a failed request is what was asked for."""
    url = said.location.get("url", "")
    return f" ({url})" if url.startswith("http") else ""


def watch(page: Page, errors: list[str]) -> None:
    """Collect console errors, uncaught exceptions and answers that say the server broke."""
    page.on(
        "console", lambda said: errors.append(f"console: {said.text}{place(said)}") if said.type == "error" else None
    )
    page.on("pageerror", lambda error: errors.append(f"exception: {error}"))
    page.on(
        "response",
        lambda answer: errors.append(f"{answer.status}: {answer.url}") if answer.status >= 500 else None,
    )


def keep_pictures(contexts: list[BrowserContext], name: str) -> None:
    """What a failed test last saw."""
    folder = ROOT / ".build" / "failures"
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(page for context in contexts for page in context.pages):
        path = folder / f"{''.join(c if c.isalnum() else '-' for c in name)}-{number}.png"
        page.screenshot(path=path)
        print(f"What the page showed: {path}")  # noqa: T201 - pytest shows it with the failure


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know that their test failed."""
    report = yield
    if report.when == "call" and report.failed:
        item.failed = True  # type: ignore[attr-defined]
    return report


TIDY = """() => {
  localStorage.clear();
  clusterviz.cy.stop();
  document.getElementById('fit').click();
  const speed = document.getElementById('speed');
  if (speed.value !== '9') Object.assign(speed, {value: 9}).dispatchEvent(new Event('input'));
  const search = document.getElementById('search');
  if (search.value) Object.assign(search, {value: ''}).dispatchEvent(new Event('input'));
  const first = ['section-facts', 'section-traffic', 'section-related'];
  for (const one of document.querySelectorAll('#side details[open]')) one.open = first.includes(one.dataset.testid);
}"""
UNTOUCHED = """() => {
  const hidden = (id) => document.getElementById(id).hidden;
  return location.pathname === '/clusters/demo/' && !location.hash
    && ['side', 'trace', 'filters', 'found'].every(hidden)
    && !document.querySelector('dialog[open], .log, .menu, .focusbar:not([hidden]), .past:not([hidden])')
    && document.getElementById('search').value === '' && document.getElementById('pause').ariaPressed === 'false'
    && document.getElementById('speed').value === '9' && !document.documentElement.dataset.theme
    && !document.querySelector('.stage:is([data-side], [data-traced])')
    && document.getElementById('status').dataset.state === 'live';
}"""


class Shown:
    """A page of the demo that stays loaded from test to test, as long as each leaves nothing behind."""

    def __init__(self, browser: Browser, server: RunningServer) -> None:
        options: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}, "reduced_motion": "reduce"}
        self.errors: list[str] = []
        self._make = lambda: browser.new_context(base_url=server.url, **options).new_page()
        self._page: Page | None = None

    def take(self) -> Page:
        """The page as a person has it who has just opened it."""
        self.errors.clear()
        if self._page is None:
            self._page = self._make()
            watch(self._page, self.errors)
        if not self._clean(self._page):
            self._page.goto("about:blank")
            show(self._page)
        return self._page

    def _clean(self, page: Page) -> bool:
        """Close what can be closed, forget what is stored; whether nothing is left."""
        if not page.url.startswith("http"):
            return False
        for _ in range(3):
            page.keyboard.press("Escape")
        page.evaluate(TIDY)
        return bool(page.evaluate(UNTOUCHED))

    def drop(self) -> None:
        """A test failed: nobody knows what it left."""
        if self._page is not None:
            self._page.context.close()
        self._page = None


@pytest.fixture(scope="session")
def showing(browser: Browser, server: RunningServer) -> Iterator[Shown]:
    """The one page of `shown`."""
    kept = Shown(browser, server)
    yield kept
    kept.drop()


@pytest.fixture
def shown(showing: Shown, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The demo, drawn, nobody signed in, nothing moving; for tests that change nothing but what Esc takes back."""
    page = showing.take()
    yield page
    if getattr(request.node, "failed", False):
        keep_pictures([page.context], request.node.name)
        showing.drop()
    assert not showing.errors, "The browser reported:\n" + "\n".join(showing.errors)


@pytest.fixture
def page(server: RunningServer, open_page: Callable[..., Page]) -> Page:
    """A page of the shared server, nobody signed in."""
    return open_page(server.url)


def sign_in(page: Page, server: RunningServer) -> Page:
    """Sign in as the administrator through the form."""
    page.goto(f"{server.url}/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", server.admin_password)
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")
    assert "/login" not in page.url, page.content()
    return page


def signed_in(browser: Browser, server: RunningServer) -> Any:
    """The cookies of a signed-in administrator."""
    context = browser.new_context()
    sign_in(context.new_page(), server)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="session")
def admin_state(browser: Browser, server: RunningServer) -> Any:
    """The cookies of the shared server's administrator."""
    return signed_in(browser, server)


@pytest.fixture
def admin_page(server: RunningServer, open_page: Callable[..., Page], admin_state: Any) -> Page:
    """A page of the shared server with the administrator signed in."""
    return open_page(server.url, storage_state=admin_state)


@pytest.fixture(scope="session")
def changed_state(browser: Browser, changed_server: RunningServer) -> Any:
    """The cookies of the administrator of the server whose demo may be changed."""
    return signed_in(browser, changed_server)


@pytest.fixture
def editing(changed_server: RunningServer, open_page: Callable[..., Page], changed_state: Any) -> Page:
    """A signed-in page of the server whose demo may be changed."""
    return open_page(changed_server.url, storage_state=changed_state)


@pytest.fixture
def open_admin_page(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Make signed-in pages of any server: `open_admin_page(own_server, color_scheme="dark")`."""
    return lambda server, **options: sign_in(open_page(server.url, **options), server)
