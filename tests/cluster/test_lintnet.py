"""`manage.py lintnet`: lines of the files, exit status, JSON, SARIF and JUnit."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import call_command

SERVICE = """apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports:
  - port: 80
    targetPort: 8081
"""
POD = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers:
  - {name: main, image: main, ports: [{containerPort: 8080}], env: [{name: DB, value: "db:5432"}]}
---
{kind: Service, apiVersion: v1, metadata: {name: db, namespace: shop}, spec: {ports: [{port: 5432}]}}
"""


def run(folder: Path, *more: str) -> Any:
    """The exit status."""
    (folder / "a.yaml").write_text(SERVICE)
    (folder / "b.yaml").write_text(POD)
    with pytest.raises(SystemExit) as ended:
        call_command("lintnet", "--manifests", str(folder), *more)
    return ended.value.code


def test_findings_have_their_line_and_their_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    # The call its environment gives away is told at the pod that makes it.
    assert lines[0].startswith("b.yaml:1: warning: Pod shop/web: From shop/web to db.shop:5432: no_endpoints_rejected")
    assert "Read from Pod shop/web" in lines[0]
    assert lines[2].startswith("a.yaml:8: warning: Service shop/web: No selected pod declares 8081 TCP")
    assert lines[3] == "    Check the number the process listens on."
    assert lines[-1] == "0 errors, 2 warnings, 0 notes"


def test_findings_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--json", "--sarif", str(tmp_path / "x.sarif"), "--junit", str(tmp_path / "x.xml")) == 1
    first = json.loads(capsys.readouterr().out)[1]
    assert (first["code"], first["file"], first["line"]) == ("port-not-declared", "a.yaml", 8)
    written = json.loads((tmp_path / "x.sarif").read_text())
    assert written["version"] == "2.1.0"
    [ran] = written["runs"]
    result = ran["results"][1]
    assert ran["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "port-not-declared"
    assert result["level"] == "warning"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a.yaml"},
        "region": {"startLine": 8},
    }
    suites = ET.parse(tmp_path / "x.xml").getroot()
    assert [suite.get("failures") for suite in suites] == ["1", "1"]


def test_nothing_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.yaml").write_text(POD.partition("---")[0].replace("db:5432", "none"))
    with pytest.raises(SystemExit) as ended:
        call_command("lintnet", "--manifests", str(tmp_path / "one.yaml"))
    assert ended.value.code == 0
    assert capsys.readouterr().out == "0 errors, 0 warnings, 0 notes\n"
