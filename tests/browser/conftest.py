"""A real server in a subprocess, a real Chromium, and pages that fail their test on any error in the console."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 15
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


@dataclass(frozen=True)
class RunningServer:
    """`manage.py serve` with a data folder of its own."""

    url: str
    data: Path
    log: Path
    admin_password: str

    def manage(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a management command on this server's data."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            input=stdin,
            env=environment(self.data),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def environment(data: Path, **more: str) -> dict[str, str]:
    """Ours without the settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLUSTERVIZ_")}
    return {**kept, "CLUSTERVIZ_DATA": str(data), "PYTHONUNBUFFERED": "1", **more}


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether the server serves pages by now."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until_serving(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Poll; show what the server said when it dies or never answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"The server ended with {process.returncode}:\n{log.read_text()}", pytrace=False)
        if answers(url):
            return
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"The server did not answer in {START_SECONDS} s:\n{log.read_text()}", pytrace=False)


def password_in(log: Path) -> str:
    """The administrator's password, as a first run prints it."""
    words = log.read_text().partition("Sign in as admin with password ")[2].split()
    assert words, f"The first run showed no password:\n{log.read_text()}"
    return words[0]


@contextmanager
def running_server(folder: Path, **settings: str) -> Iterator[RunningServer]:
    """Serve until the block ends; a traceback in the log or an unclean end fails whoever used it."""
    port, log = free_port(), folder / "server.log"
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment(folder / "data", **settings), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_serving(process, url, log)
        yield RunningServer(url, folder / "data", log, password_in(log))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    said = log.read_text()
    assert code == 0, f"The server ended with {code}:\n{said}"
    assert "Traceback" not in said, f"The server logged an exception:\n{said}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server with the demo cluster for all tests; use `own_server` to change the demo itself."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that only this test talks to."""
    with running_server(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless; without one these tests are skipped, or fail where everything is required."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        required = os.environ.get("CLUSTERVIZ_REQUIRE_ALL") or os.environ.get("CI")
        (pytest.fail if required else pytest.skip)(INSTALL)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
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
    browser: Browser, console_errors: list[str], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Make pages: `open_page(server.url)`, with any option of Playwright's new_context."""
    contexts: list[BrowserContext] = []

    def open_page(base_url: str, **options: Any) -> Page:
        context = browser.new_context(base_url=base_url, **{"viewport": {"width": 1280, "height": 720}, **options})
        contexts.append(context)
        page = context.new_page()
        watch(page, console_errors)
        return page

    yield open_page
    if getattr(request.node, "failed", False):
        keep_pictures(contexts, request.node.name)
    for context in contexts:
        context.close()


def watch(page: Page, errors: list[str]) -> None:
    """Collect console errors, uncaught exceptions and answers that say the server broke."""
    page.on("console", lambda message: errors.append(f"console: {message.text}") if message.type == "error" else None)
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


@pytest.fixture(scope="session")
def admin_state(browser: Browser, server: RunningServer) -> Any:
    """The cookies of a signed-in administrator of the shared server."""
    context = browser.new_context()
    sign_in(context.new_page(), server)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def admin_page(server: RunningServer, open_page: Callable[..., Page], admin_state: Any) -> Page:
    """A page of the shared server with the administrator signed in."""
    return open_page(server.url, storage_state=admin_state)


@pytest.fixture
def open_admin_page(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Make signed-in pages of any server: `open_admin_page(own_server, color_scheme="dark")`."""
    return lambda server, **options: sign_in(open_page(server.url, **options), server)
