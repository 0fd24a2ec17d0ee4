"""`manage.py checknet`: what it prints, its exit status, its JUnit."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command

WORLD = """
{kind: Node, apiVersion: v1, metadata: {name: n1}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: main, image: main, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


def run(folder: Path, tests: str, *more: str) -> int:
    """The exit status of a file of tests."""
    (folder / "world.yaml").write_text(WORLD)
    (folder / "net.yaml").write_text(tests)
    with pytest.raises(SystemExit) as ended:
        call_command("checknet", str(folder / "net.yaml"), "--manifests", str(folder / "world.yaml"), *more)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_statements_that_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "- internet cannot reach web\n- node/n1 can reach shop/web\n") == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok    internet cannot reach web  (0 of 2 connections arrive)",
        "ok    node/n1 can reach shop/web  (1 of 1 connections arrive)",
        "2 statements: 2 hold, 0 fail, 0 cannot be asked",
    ]


def test_what_fails_is_shown_and_written_for_build_servers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tests = "- node/n1 can reach shop/web\n- {test: internet can reach shop/web, why: 'it is <public>'}\n"
    assert run(tmp_path, tests, "--junit", str(tmp_path / "out.xml")) == 1
    assert "      net.yaml:2: it is <public>" in capsys.readouterr().out
    suite = ET.parse(tmp_path / "out.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert [case.get("line") for case in suite] == ["1", "2"]
    failure = suite[1][0]
    assert failure.tag == "failure"
    assert "it is <public>" in (failure.text or "")


def test_what_cannot_be_asked_is_status_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "- internet can reach nobody\n", "--junit", str(tmp_path / "out.xml")) == 2
    assert "ERROR internet can reach nobody  (nothing is called 'nobody'" in capsys.readouterr().out
    assert ET.parse(tmp_path / "out.xml").getroot()[0][0][0].tag == "error"
    (tmp_path / "bad.yaml").write_text("- web reaches db\n")
    with pytest.raises(CommandError, match=r"bad\.yaml:1.*cannot read 'web reaches db'.*WHO can reach WHAT") as raised:
        call_command("checknet", str(tmp_path / "bad.yaml"), "--manifests", str(tmp_path / "world.yaml"))
    assert raised.value.returncode == 2
