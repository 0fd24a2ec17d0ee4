"""`manage.py policynet`: YAML that applies, what was proved, exit status."""

from pathlib import Path

import pytest
from django.core.management import call_command

from clusterviz.engine.manifests.read import read
from tests.engine.test_lint import FLOW, SOUND


def test_policies_are_printed_and_proved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(SOUND + FLOW)
    with pytest.raises(SystemExit) as ended:
        call_command("policynet", "--manifests", str(tmp_path / "a.yaml"))
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert [one.object["metadata"]["name"] for one in read(said.out)] == ["calls-db", "calls-web"]
    assert "2 policies for shop: 1 of 1 calls kept, 0 other connections still arrive" in said.err
    # what was printed holds when it is applied: the call arrives, and nothing else is allowed by it
    applied = tmp_path / "applied"
    applied.mkdir()
    (applied / "a.yaml").write_text(SOUND + FLOW)
    (applied / "b.yaml").write_text(said.out)
    (tmp_path / "net.yaml").write_text("- shop/web can reach db:5000\n- shop/db cannot reach shop/web\n")
    with pytest.raises(SystemExit) as checked:
        call_command("checknet", str(tmp_path / "net.yaml"), "--manifests", str(applied))
    assert checked.value.code == 0
