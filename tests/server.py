"""`manage.py serve` in a subprocess, for tests that want the real thing."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 180
STOP_SECONDS = 60


@dataclass(frozen=True)
class RunningServer:
    """`manage.py serve` with a data folder of its own."""

    url: str
    data: Path
    log: Path
    admin_password: str

    def manage(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run a management command on this server's data."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            input=stdin,
            env=environment(self.data),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def environment(data: Path, **more: str) -> dict[str, str]:
    """Ours without the settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLUSTERVIZ_")}
    return {**kept, "CLUSTERVIZ_DATA": str(data), "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", **more}


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
def running_server(folder: Path, *, first: bool = True, **settings: str) -> Iterator[RunningServer]:
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
        yield RunningServer(url, folder / "data", log, password_in(log) if first else "")
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
