"""`manage.py serve`, started for real: first run, second run, a port in use, and how it ends."""

import contextlib
import re
import select
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.server import ROOT, RunningServer, environment, running_server


def status(url: str) -> int:
    """The HTTP status of one GET."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder, served twice."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def first_run(folder: Path) -> RunningServer:
    """A first run that has already ended."""
    with running_server(folder) as server:
        assert status(f"{server.url}/clusters/demo/") == 200
        assert status(f"{server.url}/admin/login/") == 200
        check_port_in_use(server)
    return server


def check_port_in_use(server: RunningServer) -> None:
    """A second server on the port says so in one sentence."""
    port = str(urlsplit(server.url).port)
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", port],
        cwd=ROOT, env=environment(server.data), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.search(r"Cannot listen on 127\.0\.0\.1:\d+ \(Address already in use\).*make run PORT=\d+", done.stderr)
    assert "Traceback" not in done.stderr


def test_the_first_run_says_where_and_who(first_run: RunningServer) -> None:
    said = first_run.log.read_text()
    assert f"ClusterViz is at {first_run.url}/" in said
    assert len(first_run.admin_password) >= 16
    assert said.rstrip().endswith("Stopped.")


def test_it_ends_cleanly_while_it_answers(first_run: RunningServer, folder: Path) -> None:
    """What is still being answered at the end neither crashes the process nor leaves a traceback in its log."""
    with running_server(folder, first=False) as server, contextlib.ExitStack() as stack:
        host, port = str(urlsplit(server.url).hostname), urlsplit(server.url).port
        asked = [stack.enter_context(socket.create_connection((host, port), timeout=60)) for _ in range(24)]
        paths = ("/clusters/demo/", "/clusters/demo/export", "/admin/login/") * 8
        for connection, path in zip(asked, paths, strict=True):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        select.select(asked, [], [], 60)  # the first answer has come, the others are on their way
    assert server.log.read_text().rstrip().endswith("Stopped.")


def test_the_second_run_keeps_everything_and_shows_no_password(first_run: RunningServer, folder: Path) -> None:
    key = (first_run.data / "secret-key").read_text()
    with running_server(folder, first=False) as server:
        assert status(f"{server.url}/clusters/demo/") == 200
    said = server.log.read_text()
    assert "password" not in said
    assert "Preparing the database" not in said
    assert "demo" not in said
    assert (first_run.data / "secret-key").read_text() == key
