"""`manage.py diffnet`: Markdown, JSON, exit status, and a stored cluster as one side."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.engine.test_lint import FLOW, SOUND

GUARD = "{podSelector: {matchLabels: {app: web}}}"


def run(folder: Path, after: str, *more: str) -> object:
    """The exit status of a comparison with the sound world."""
    (folder / "a.yaml").write_text(SOUND + FLOW)
    (folder / "b.yaml").write_text(after)
    with pytest.raises(SystemExit) as ended:
        call_command("diffnet", str(folder / "a.yaml"), str(folder / "b.yaml"), *more)
    return ended.value.code


def test_markdown_for_a_comment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, (SOUND + FLOW).replace(GUARD, "{podSelector: {matchLabels: {app: wob}}}")) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "## Network: 1 broken"
    assert "Calls the application is known to make among them: 1." in lines
    assert "### Broken, and called: now denied_ingress by policy:shop/db" in lines
    assert "| shop/web | service shop/db:5000 | arrives | fails |" in lines
    assert any(line.startswith("- now: ") and "denied by shop/db" in line for line in lines)


def test_json_and_nothing_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, SOUND + FLOW, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"objects": [], "connections": [], "same": 9}
    assert run(tmp_path, SOUND + FLOW) == 0
    assert capsys.readouterr().out.startswith("## Network: no connection fares otherwise")


@pytest.mark.django_db
def test_a_side_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOUND)
    with pytest.raises(CommandError, match="there is no cluster 'nowhere'") as raised:
        call_command("diffnet", str(tmp_path / "a.yaml"), "nowhere")
    assert raised.value.returncode == 2
