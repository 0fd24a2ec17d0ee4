"""`manage.py reachnet`: lines, the table, JSON, exit status, and names nobody has."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.engine.test_lint import SOUND


def run(folder: Path, *more: str) -> object:
    """The exit status of a question about the sound world."""
    (folder / "a.yaml").write_text(SOUND)
    with pytest.raises(SystemExit) as ended:
        call_command("reachnet", "--manifests", str(folder), *more)
    return ended.value.code


def test_who_reaches_a_service_and_what_stops_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--to", "shop/db") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "shop/web -> service shop/db:5000: arrives at shop/db, source seen: the client" in lines
    assert "kube-system/dns -> service shop/db:5000: fails; fails as denied_ingress by policy:shop/db" in lines
    assert lines[-1] == "3 connections: 2 arrives, 0 arrives in part, 1 fails"


def test_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--by", "workload", "--namespace", "shop") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["kube-system/dns", "-", "yes"]
    assert lines[5].split() == ["2", "service", "shop/db:5000"]
    assert run(tmp_path, "--from", "internet", "--json") == 1
    assert json.loads(capsys.readouterr().out) == []


def test_a_name_nobody_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOUND)
    with pytest.raises(CommandError, match="--to: there is no 'shop/nothing'") as refused:
        call_command("reachnet", "--manifests", str(tmp_path), "--to", "shop/nothing")
    assert refused.value.returncode == 2
